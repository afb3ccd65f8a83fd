from __future__ import annotations

import json
import os
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from got_ocr2.checkpoints import save_model
from got_ocr2.errors import CheckpointError, FileAccessError, InvalidOptionError
from got_ocr2.generation.rules.options import GenerationOptions
from got_ocr2.modeling import load_model


def stored_names(folder: Path) -> set[str]:
    names: set[str] = set()
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as f:
            names |= set(f.keys())
    return names


def inputs(model) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    config = model.config
    ids = torch.randint(0, 90, (2, 20), generator=generator)
    ids[:, 3:12] = config.image_token_index
    height, width = config.vision_config.image_hw
    pixels = torch.randn(2, 3, height, width, generator=generator)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "pixel_values": pixels}


def oracle_from(folder: Path):
    transformers = pytest.importorskip("transformers")
    oracle, info = transformers.GotOcr2ForConditionalGeneration.from_pretrained(
        folder, output_loading_info=True
    )
    assert not any(info.values()), info  # missing, unexpected, mismatched keys, messages
    return oracle.eval()


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("size", ["5GB", 40_000])
def test_transformers_loads_it_back_with_equal_logits(tied, size, make_model, tiny_config, tmp_path):
    model = make_model(replace(tiny_config, tie_word_embeddings=tied), seed=11)
    save_model(model, tmp_path, max_shard_size=size)
    oracle = oracle_from(tmp_path)
    with torch.no_grad():
        ours, theirs = model(**inputs(model)).logits, oracle(**inputs(model)).logits
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_it_writes_the_names_that_transformers_writes(tiny_model, tiny_oracle, tmp_path):
    save_model(tiny_model, tmp_path / "ours")
    tiny_oracle.save_pretrained(tmp_path / "theirs")
    assert stored_names(tmp_path / "ours") == stored_names(tmp_path / "theirs")


def test_what_transformers_saves_is_loaded(tiny_model, tiny_oracle, tmp_path):
    tiny_oracle.save_pretrained(tmp_path, max_shard_size="40KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    model = load_model(tmp_path)
    for name, tensor in tiny_model.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_round_trip_keeps_weights_dtype_config_and_defaults(dtype, make_model, tiny_config, tmp_path):
    config = replace(tiny_config, extra={"note": [1, 2]})
    model = make_model(config).to(dtype)
    model.generation_defaults = GenerationOptions(eos_token_id=(5, 6), no_repeat_ngram_size=20)
    model.save_pretrained(tmp_path)
    back = type(model).from_pretrained(tmp_path)
    assert back.dtype == dtype
    assert back.config == config
    assert back.generation_defaults == model.generation_defaults
    for name, tensor in model.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor), name


def test_shards_stay_below_the_limit(tiny_model, tmp_path):
    save_model(tiny_model, tmp_path, max_shard_size="40KB")
    files = sorted(tmp_path.glob("*.safetensors"))
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert len(files) > 2
    assert sorted({*index["weight_map"].values()}) == [f.name for f in files]
    held = 0
    for file in files:
        with safe_open(file, framework="pt") as f:
            tensors = {name: f.get_tensor(name) for name in f.keys()}  # noqa: SIM118 - no mapping
        size = sum(t.nbytes for t in tensors.values())
        assert size <= 40_000 or len(tensors) == 1
        assert all(index["weight_map"][name] == file.name for name in tensors)
        held += size
    assert index["metadata"]["total_size"] == held
    assert index["weight_map"].keys() == stored_names(tmp_path)


def test_saving_again_leaves_nothing_of_the_old_weights(make_model, tiny_config, tmp_path):
    first, second = make_model(tiny_config, seed=1), make_model(tiny_config, seed=2)
    save_model(first, tmp_path, max_shard_size="40KB")
    save_model(second, tmp_path)
    assert [p.name for p in tmp_path.glob("*.safetensors*")] == ["model.safetensors"]
    save_model(first, tmp_path, max_shard_size="40KB")
    assert not (tmp_path / "model.safetensors").exists()
    loaded = load_model(tmp_path)
    assert torch.equal(loaded.lm_head.weight, first.lm_head.weight)
    assert not list(tmp_path.glob(".*"))


def test_a_model_may_be_saved_where_it_was_loaded_from(tiny_model, tmp_path):
    """Loaded weights are backed by the file, so writing over that file in place would destroy them."""
    save_model(tiny_model, tmp_path)
    model = load_model(tmp_path)
    with torch.no_grad():
        model.model.multi_modal_projector.multimodal_projector.bias.add_(1)
    save_model(model, tmp_path)
    held, stored = model.state_dict(), load_model(tmp_path).state_dict()
    for name, tensor in tiny_model.state_dict().items():
        expected = tensor + 1 if name.endswith("multimodal_projector.bias") else tensor
        assert torch.equal(held[name], expected), name
        assert torch.equal(stored[name], expected), name


@pytest.mark.parametrize(
    ("size", "bytes_"),
    [(1, 1), ("12", 12), ("5GB", 5 * 10**9), ("1.5 MiB", 3 * 2**19), ("2kb", 2000)],
)
def test_sizes_are_understood(size, bytes_):
    from got_ocr2.checkpoints.save import parse_size

    assert parse_size(size) == bytes_


@pytest.mark.parametrize("size", [0, -1, "many", "5 TB/s", "", "0.1"])
def test_a_size_that_cannot_be_is_refused(size, tiny_model, tmp_path):
    with pytest.raises(InvalidOptionError, match="max_shard_size must be"):
        save_model(tiny_model, tmp_path, max_shard_size=size)
    assert not list(tmp_path.iterdir())


def test_a_parameter_that_the_layout_does_not_know_is_named(make_model, tiny_config, tmp_path):
    model = make_model(tiny_config)
    model.adapter = torch.nn.Linear(2, 2)
    with pytest.raises(CheckpointError, match=r"no name for the tensor adapter\.weight"):
        save_model(model, tmp_path)


def test_a_place_that_cannot_be_written_is_named(tiny_model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileAccessError, match=r"cannot be written to .*file"):
        save_model(tiny_model, tmp_path / "file")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_folder_without_permission_is_named(tiny_model, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(FileAccessError, match="cannot be written"):
        save_model(tiny_model, tmp_path)


def test_transformers_reads_the_generation_config(make_model, tiny_config, tmp_path):
    transformers = pytest.importorskip("transformers")
    model = make_model(tiny_config)
    model.generation_defaults = GenerationOptions(eos_token_id=(5,), pad_token_id=6, max_new_tokens=77)
    save_model(model, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs = transformers.GenerationConfig.from_pretrained(tmp_path)
    assert (theirs.eos_token_id, theirs.pad_token_id, theirs.max_new_tokens) == (5, 6, 77)
