"""Configurations: JSON in and out, unknown keys kept, nonsense refused with the value and the limit."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from got_ocr2 import GotOcr2Config, GotOcr2TextConfig, GotOcr2VisionConfig
from got_ocr2.errors import ConfigError


def test_defaults_are_the_published_model():
    config = GotOcr2Config()
    assert config.vision_config.grid_hw == (64, 64)
    assert config.vision_config.num_image_tokens == 256
    assert config.vision_config.head_dim == 64
    assert (config.text_config.vocab_size, config.image_token_index) == (151860, 151859)


@pytest.mark.parametrize(("size", "tokens"), [((56, 104), (2, 4)), ((8, 8), (1, 1)), ((64, 512), (2, 16))])
def test_tokens_round_up_as_stride_two_convolutions_do(size, tokens):
    config = GotOcr2VisionConfig(image_size=size, patch_size=8)
    assert config.token_hw == tokens
    assert config.num_image_tokens == tokens[0] * tokens[1]


def test_json_goes_round_and_keeps_what_it_does_not_know(tmp_path):
    data = {
        "vision_config": {"image_size": [56, 104], "patch_size": 8, "dtype": "bfloat16"},
        "text_config": {"vocab_size": 99, "rope_parameters": {"rope_type": "default", "rope_theta": 5e5}},
        "image_token_index": 7,
        "architectures": ["GotOcr2ForConditionalGeneration"],
    }
    (tmp_path / "config.json").write_text(json.dumps(data))
    config = GotOcr2Config.from_json_file(tmp_path / "config.json")
    assert config.vision_config.image_hw == (56, 104)
    assert config.text_config.rope_theta == 5e5
    assert "rope_parameters" not in config.text_config.extra  # or it could contradict rope_theta later
    config.to_json_file(tmp_path / "again.json")
    written = json.loads((tmp_path / "again.json").read_text())
    assert written["architectures"] == data["architectures"]
    assert written["vision_config"]["dtype"] == "bfloat16"
    assert written["image_seq_length"] == config.vision_config.num_image_tokens
    assert GotOcr2Config.from_dict(written).vision_config == config.vision_config


def test_fields_are_checked_when_they_are_written():
    config = GotOcr2Config()
    config.image_token_index = 3
    assert config.image_token_id == 3
    with pytest.raises(ConfigError, match="outside the vocabulary of 151860"):
        config.image_token_id = 151860
    assert config.image_token_index == 3
    config.vision_config.image_size = [64, 128]
    assert config.vision_config.image_hw == (64, 128)
    with pytest.raises(ConfigError, match="hidden_size 100"):
        config.vision_config.hidden_size = 100
    assert config.vision_config.hidden_size == 768


def test_other_names_are_kept_and_saved(tmp_path):
    config = GotOcr2Config()
    config.pad_token_id = 7
    config.save_pretrained(tmp_path / "new" / "folder")
    again = GotOcr2Config.from_pretrained(tmp_path / "new" / "folder", tie_word_embeddings=False)
    assert (again.pad_token_id, again.tie_word_embeddings) == (7, False)
    assert again.get("no_such", 5) == 5
    with pytest.raises(AttributeError, match="GotOcr2Config has no 'no_such'"):
        again.no_such  # noqa: B018
    copied = copy.deepcopy(again)
    copied.pad_token_id = 8
    assert (again.pad_token_id, copied.pad_token_id) == (7, 8)
    assert pickle.loads(pickle.dumps(again)) == again


def test_few_layers_and_the_default_global_indexes(tmp_path):
    """What transformers saves for a model with fewer layers."""
    config = GotOcr2VisionConfig(num_hidden_layers=3)
    assert config.global_attn_indexes == (2, 5, 8, 11)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: GotOcr2VisionConfig(image_size=1000),
            "1000 is not a positive multiple of the patch height 16",
        ),
        (lambda: GotOcr2VisionConfig(image_size=(64, 50), patch_size=8), "width 50"),
        (lambda: GotOcr2VisionConfig(image_size="big"), "pair"),  # type: ignore[arg-type]
        (lambda: GotOcr2VisionConfig(hidden_size=100), "100 is not a multiple of num_attention_heads 12"),
        (
            lambda: GotOcr2VisionConfig(window_size=-1),
            "window_size must be 0 to 256 for these pictures, got -1",
        ),
        (lambda: GotOcr2VisionConfig(global_attn_indexes=(2, -1)), r"must be >= 0, got \[2, -1\]"),
        (lambda: GotOcr2VisionConfig(hidden_act="tanh"), "must be one of gelu, .* got 'tanh'"),
        (lambda: GotOcr2TextConfig(hidden_act="tanh"), "must be one of gelu, .* got 'tanh'"),
        (lambda: GotOcr2VisionConfig(mlp_dim=0), "mlp_dim must be a whole number >= 1, got 0"),
        (lambda: GotOcr2TextConfig(hidden_size=36, num_attention_heads=4), "even head size"),
        (lambda: GotOcr2TextConfig(num_key_value_heads=3), "not a multiple of num_key_value_heads 3"),
        (lambda: GotOcr2TextConfig(use_sliding_window=True), "not supported"),
        (lambda: GotOcr2TextConfig.from_dict({"rope_scaling": {"type": "yarn"}}), "yarn"),
        (lambda: GotOcr2Config(image_token_index=151860), "outside the vocabulary of 151860"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_a_file_that_is_no_configuration(tmp_path):
    path = tmp_path / "config.json"
    with pytest.raises(ConfigError, match="cannot be read as a JSON configuration"):
        GotOcr2Config.from_json_file(path)
    path.write_text("[1]")
    with pytest.raises(ConfigError, match="must hold a JSON object, got list"):
        GotOcr2Config.from_json_file(path)
