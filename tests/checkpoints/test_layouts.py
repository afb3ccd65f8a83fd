from __future__ import annotations

import pytest
import torch

from got_ocr2.checkpoints import layouts
from got_ocr2.config import GotOcr2Config
from got_ocr2.errors import CheckpointError
from got_ocr2.modeling import GotOcr2ForConditionalGeneration


def published_original() -> dict[str, tuple[int, ...]]:
    """Names and shapes of `ucaslcl/GOT-OCR2_0`, written out from the original code, not from our table."""
    out: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (151860, 1024),
        "model.norm.weight": (1024,),
        "lm_head.weight": (151860, 1024),
        "model.mm_projector_vary.weight": (1024, 1024),
        "model.mm_projector_vary.bias": (1024,),
    }
    for i in range(24):
        layer = f"model.layers.{i}"
        for part in "qkv":
            out[f"{layer}.self_attn.{part}_proj.weight"] = (1024, 1024)
            out[f"{layer}.self_attn.{part}_proj.bias"] = (1024,)
        out[f"{layer}.self_attn.o_proj.weight"] = (1024, 1024)
        out[f"{layer}.mlp.gate_proj.weight"] = (2816, 1024)
        out[f"{layer}.mlp.up_proj.weight"] = (2816, 1024)
        out[f"{layer}.mlp.down_proj.weight"] = (1024, 2816)
        out[f"{layer}.input_layernorm.weight"] = (1024,)
        out[f"{layer}.post_attention_layernorm.weight"] = (1024,)
    tower = "model.vision_tower_high"
    out[f"{tower}.pos_embed"] = (1, 64, 64, 768)
    out[f"{tower}.patch_embed.proj.weight"] = (768, 3, 16, 16)
    out[f"{tower}.patch_embed.proj.bias"] = (768,)
    for i in range(12):
        block = f"{tower}.blocks.{i}"
        reach = 127 if i in (2, 5, 8, 11) else 27
        for name, shape in {
            "norm1": (768,),
            "norm2": (768,),
            "attn.qkv": (2304, 768),
            "attn.proj": (768, 768),
            "mlp.lin1": (3072, 768),
            "mlp.lin2": (768, 3072),
        }.items():
            out[f"{block}.{name}.weight"] = shape
            out[f"{block}.{name}.bias"] = shape[:1]
        out[f"{block}.attn.rel_pos_h"] = (reach, 64)
        out[f"{block}.attn.rel_pos_w"] = (reach, 64)
    out[f"{tower}.neck.0.weight"] = (256, 768, 1, 1)
    out[f"{tower}.neck.2.weight"] = (256, 256, 3, 3)
    for i in (1, 3):
        out[f"{tower}.neck.{i}.weight"] = (256,)
        out[f"{tower}.neck.{i}.bias"] = (256,)
    out[f"{tower}.net_2.weight"] = (512, 256, 3, 3)
    out[f"{tower}.net_3.weight"] = (1024, 512, 3, 3)
    return out


# One of each kind, as mlx-vlm writes it.
MLX_NAMES = [
    "vision_tower.pos_embed",
    "vision_tower.patch_embed.proj.weight",
    "vision_tower.blocks.0.norm1.weight",
    "vision_tower.blocks.11.attn.rel_pos_w",
    "vision_tower.blocks.3.mlp.lin2.bias",
    "vision_tower.conv1.weight",
    "vision_tower.norm1.bias",
    "vision_tower.conv2.weight",
    "vision_tower.norm2.weight",
    "vision_tower.net_2.weight",
    "vision_tower.net_3.weight",
    "multi_modal_projector.weight",
    "multi_modal_projector.bias",
    "language_model.model.embed_tokens.weight",
    "language_model.model.layers.0.self_attn.q_proj.bias",
    "language_model.model.norm.weight",
]


@pytest.fixture(scope="module")
def published_model() -> GotOcr2ForConditionalGeneration:
    with torch.device("meta"):
        return GotOcr2ForConditionalGeneration(GotOcr2Config())


def test_the_original_table_covers_the_published_checkpoint_exactly(published_model):
    # The original stores the head although it is the embedding; our state has it once.
    state = {**published_model.state_dict(), layouts.HEAD: published_model.lm_head.weight}
    ours = {name: tuple(t.shape) for name, t in state.items()}
    theirs = {layouts.ORIGINAL.to_module(name): shape for name, shape in published_original().items()}
    assert len(published_original()) == 472
    assert theirs == ours


@pytest.mark.parametrize("layout", layouts.LAYOUTS, ids=lambda layout: layout.name)
def test_every_table_reads_back_what_it_writes(layout, published_model):
    names = list(published_model.state_dict())
    written = [layout.to_file(name) for name in names]
    assert None not in written
    assert len(set(written)) == len(names)
    assert [layout.to_module(name) for name in written] == names


@pytest.mark.parametrize("layout", layouts.LAYOUTS, ids=lambda layout: layout.name)
def test_a_layout_is_known_by_its_names(layout, published_model):
    assert layouts.detect(layout.to_file(name) for name in published_model.state_dict()) is layout


def test_the_hf_table_writes_the_names_that_transformers_writes(tiny_model, tiny_oracle, tmp_path):
    from safetensors import safe_open

    tiny_oracle.save_pretrained(tmp_path)
    with safe_open(tmp_path / "model.safetensors", framework="pt") as f:
        theirs = set(f.keys())
    ours = {layouts.HF.to_file(name) for name in tiny_model.state_dict() if name != layouts.HEAD}
    assert ours == theirs


@pytest.mark.parametrize("name", MLX_NAMES)
def test_mlx_names_are_weights_of_the_model(name, published_model):
    assert layouts.MLX.to_module(name) in published_model.state_dict()


@pytest.mark.parametrize("layout", layouts.LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("name", ["", "adapter.weight", "model", "xmodel.layers.0.weight", "lm_headweight"])
def test_an_unknown_name_fits_no_rule(layout, name):
    assert layout.to_module(name) is None


def test_names_of_no_layout_are_shown():
    with pytest.raises(CheckpointError, match=r"\(a\.weight, b\.weight, 2 in all\) fit no known layout"):
        layouts.detect(["b.weight", "a.weight"])
    with pytest.raises(CheckpointError, match="no tensor at all"):
        layouts.detect([])


def test_a_mixture_of_layouts_is_refused():
    names = ["model.vision_tower_high.pos_embed", "vision_tower.layers.0.attn.qkv.weight"]
    with pytest.raises(CheckpointError, match="original GOT-OCR2_0 and Hugging Face"):
        layouts.detect(names)
