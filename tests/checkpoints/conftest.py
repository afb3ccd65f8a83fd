"""Checkpoint folders in every layout, made from one tiny random model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from got_ocr2.checkpoints import layouts

Tensors = dict[str, torch.Tensor]


@pytest.fixture
def in_layout(tiny_model) -> Callable[..., Tensors]:
    """`in_layout(layout, model=tiny_model)`: the model's tensors as a file of that layout holds them."""

    def rename(layout: layouts.Layout, model: Any = tiny_model) -> Tensors:
        out: Tensors = {}
        for name, tensor in {**model.state_dict(), layouts.HEAD: model.lm_head.weight.detach()}.items():
            there = layout.to_file(name)
            assert there is not None
            if layout.channels_last and tensor.ndim == 4 and "pos_embed" not in name:
                tensor = tensor.permute(0, 2, 3, 1)
            out[there] = tensor.detach().clone(memory_format=torch.contiguous_format)
        return out

    return rename


@pytest.fixture
def write_checkpoint(tmp_path: Path, tiny_config) -> Callable[..., Path]:
    """`write_checkpoint(tensors, config=None, shards=1)`: a folder with these tensors, cut into shards."""

    def write(tensors: Tensors, config: dict[str, Any] | None = None, shards: int = 1) -> Path:
        folder = tmp_path / "checkpoint"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config or tiny_config.to_dict()))
        if shards == 1:
            save_file(tensors, folder / "model.safetensors")
            return folder
        names = sorted(tensors)
        where = {}
        for i in range(shards):
            file = f"model-{i + 1:05}-of-{shards:05}.safetensors"
            part = names[i::shards]
            save_file({name: tensors[name] for name in part}, folder / file)
            where.update(dict.fromkeys(part, file))
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
        return folder

    return write


@pytest.fixture
def original_config(tiny_config) -> dict[str, Any]:
    """The flat dialect for `tiny_config`, whose encoder, unlike the published one, has to be spelt out."""
    text = tiny_config.text_config.to_dict()
    return {
        **text,
        "model_type": "GOT",
        "architectures": ["GOTQwenForCausalLM"],
        "im_patch_token": tiny_config.image_token_index,
        "torch_dtype": "float32",
        "vision_config": tiny_config.vision_config.to_dict(),
    }
