from __future__ import annotations

from dataclasses import replace

import pytest

from got_ocr2.config import GotOcr2Config, parse_config, read_json, stored_dtype
from got_ocr2.errors import ConfigError

# The facts of `ucaslcl/GOT-OCR2_0`'s config.json.
ORIGINAL = {
    "_name_or_path": "./GOT_weights/",
    "architectures": ["GOTQwenForCausalLM"],
    "auto_map": {"AutoModel": "modeling_GOT.GOTQwenForCausalLM"},
    "attention_dropout": 0.0,
    "bos_token_id": 151643,
    "eos_token_id": 151643,
    "freeze_vision_tower": False,
    "hidden_act": "silu",
    "hidden_size": 1024,
    "im_end_token": 151858,
    "im_patch_token": 151859,
    "im_start_token": 151857,
    "image_token_len": 256,
    "initializer_range": 0.02,
    "intermediate_size": 2816,
    "max_position_embeddings": 32768,
    "max_window_layers": 21,
    "model_type": "GOT",
    "num_attention_heads": 16,
    "num_hidden_layers": 24,
    "num_key_value_heads": 16,
    "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0,
    "sliding_window": 32768,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.37.2",
    "use_cache": True,
    "use_im_start_end": True,
    "use_sliding_window": False,
    "vocab_size": 151860,
}

# The facts of the published Hugging Face config.json.
HUGGING_FACE = {
    "architectures": ["GotOcr2ForConditionalGeneration"],
    "ignore_index": -100,
    "image_seq_length": 576,
    "image_token_index": 151859,
    "model_type": "got_ocr2",
    "text_config": {
        "hidden_size": 1024,
        "intermediate_size": 2816,
        "max_window_layers": 21,
        "model_type": "qwen2",
        "num_attention_heads": 16,
        "num_hidden_layers": 24,
        "num_key_value_heads": 16,
        "rope_theta": 1000000.0,
        "tie_word_embeddings": True,
        "vocab_size": 151860,
    },
    "torch_dtype": "bfloat16",
    "transformers_version": "4.49.0.dev0",
    "vision_config": {"model_type": ""},
}


def test_the_original_file_describes_the_published_model():
    published = GotOcr2Config()
    expected = replace(published, text_config=replace(published.text_config, sliding_window=32768))
    assert parse_config(ORIGINAL) == expected
    assert stored_dtype(ORIGINAL) == "bfloat16"


def test_the_hugging_face_file_describes_the_published_model():
    config = parse_config(HUGGING_FACE)
    assert replace(config, extra={}) == GotOcr2Config()
    assert config.extra == {"ignore_index": -100}  # unknown, but theirs: written back
    assert config.to_dict()["image_seq_length"] == 256


def test_the_original_keys_of_other_software_are_left_behind():
    assert parse_config(ORIGINAL).extra == {}
    assert "auto_map" not in parse_config(ORIGINAL).to_dict()


def test_a_hugging_face_file_without_a_text_config_means_the_defaults():
    config = parse_config({"model_type": "got_ocr2", "image_token_index": 5, "note": 1})
    assert config == replace(GotOcr2Config(), image_token_index=5, extra={"note": 1})


def test_a_flat_hugging_face_file_is_read():
    flat = {"model_type": "got_ocr2", "image_token_id": 151859, "hidden_size": 64, "num_attention_heads": 4}
    config = parse_config({**flat, "num_key_value_heads": 4, "tie_word_embeddings": False})
    assert (config.text_config.hidden_size, config.text_config.num_attention_heads) == (64, 4)
    assert not config.tie_word_embeddings
    assert config.extra == {}


def test_an_mlx_conversion_keeps_the_flat_dialect():
    assert parse_config({**ORIGINAL, "vision_config": {}}) == parse_config(ORIGINAL)


def test_what_transformers_writes_is_read(tiny_config, tiny_oracle, tmp_path):
    tiny_oracle.config.save_pretrained(tmp_path)
    config = parse_config(read_json(tmp_path / "config.json"))
    vision, text = replace(config.vision_config, extra={}), replace(config.text_config, extra={})
    assert vision == tiny_config.vision_config
    # transformers says None where no window slides.
    assert text == replace(tiny_config.text_config, sliding_window=None)
    assert config.image_token_index == tiny_config.image_token_index


@pytest.mark.parametrize("key", ["rope_parameters", "rope_scaling"])
def test_a_rope_base_inside_an_object_is_taken_once(tiny_config, key):
    data = tiny_config.to_dict()
    del data["text_config"]["rope_theta"]
    data["text_config"][key] = {"rope_type": "default", "rope_theta": 1234.0}
    text = parse_config(data).text_config
    assert text.rope_theta == 1234.0
    assert text.extra == {}


def test_a_base_beside_an_object_without_one_stays(tiny_config):
    data = tiny_config.to_dict()
    data["text_config"]["rope_parameters"] = {"rope_type": "default"}
    assert parse_config(data).text_config.rope_theta == tiny_config.text_config.rope_theta


def test_the_alias_of_the_image_token_is_read(tiny_config):
    data = tiny_config.to_dict()
    data["image_token_id"] = data.pop("image_token_index")
    assert parse_config(data) == tiny_config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "qwen2_vl"}, "model_type must be .* got 'qwen2_vl'"),
        ({"model_type": None}, "got None"),
        ({"quantization": {"bits": 4}}, "quantised"),
        ({"quantization_config": {"bits": 8}}, "quantised"),
        ({"text_config": [1]}, "text_config must be a JSON object, got list"),
        ({"vision_config": "sam"}, "vision_config must be a JSON object, got str"),
        ({"text_config": {"layer_types": ["full_attention", "sliding_attention"]}}, "'sliding_attention'"),
        ({"text_config": {"rope_parameters": {"rope_type": "yarn"}}}, "'yarn'"),
    ],
)
def test_what_is_no_got_model_is_refused(tiny_config, change, message):
    with pytest.raises(ConfigError, match=message):
        parse_config({**tiny_config.to_dict(), **change})
