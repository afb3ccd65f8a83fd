from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.utils._python_dispatch import TorchDispatchMode

from got_ocr2.checkpoints import layouts
from got_ocr2.checkpoints.empty_model import empty_model
from got_ocr2.errors import CheckpointError, ConfigError, InvalidOptionError
from got_ocr2.modeling import GotOcr2ForConditionalGeneration, load_model


def assert_same_weights(a, b) -> None:
    left, right = a.state_dict(), b.state_dict()
    assert left.keys() == right.keys()
    for name in left:
        torch.testing.assert_close(left[name], right[name], rtol=0, atol=0, msg=name)


class Operations(TorchDispatchMode):
    """Names all operations on tensors, those without values too."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def test_nothing_is_drawn_before_weights_are_loaded(tiny_wide_model):
    """On the meta device that would import torch's compiler, which takes longer than opening a small model."""
    drawing = {"normal_", "uniform_"}
    with Operations() as plain:
        GotOcr2ForConditionalGeneration(tiny_wide_model.config)
    with Operations() as loading:
        model = empty_model(GotOcr2ForConditionalGeneration, tiny_wide_model.config)
    assert drawing <= plain.names
    assert not drawing & loading.names
    assert {p.device.type for p in model.parameters()} == {"meta"}
    assert {n: p.shape for n, p in model.named_parameters()} == {
        n: p.shape for n, p in tiny_wide_model.named_parameters()
    }


# --- layouts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("layout", layouts.LAYOUTS, ids=lambda layout: layout.name)
def test_every_layout_gives_the_same_model(
    layout, shards, tiny_model, in_layout, write_checkpoint, original_config
):
    flat = layout in (layouts.ORIGINAL, layouts.MLX)
    folder = write_checkpoint(in_layout(layout), original_config if flat else None, shards)
    model = load_model(folder)
    assert_same_weights(model, tiny_model)
    assert replace(model.config.text_config, extra={}) == tiny_model.config.text_config
    assert not model.training
    assert all(p.requires_grad for p in model.parameters())


def test_the_head_stays_the_embedding(in_layout, write_checkpoint):
    model = load_model(write_checkpoint(in_layout(layouts.HF_IN_MEMORY)))
    assert model.lm_head.weight is model.model.language_model.embed_tokens.weight


def test_an_untied_head_is_its_own(make_model, tiny_config, in_layout, write_checkpoint):
    config = replace(tiny_config, tie_word_embeddings=False)
    model = make_model(config, seed=3)
    tensors = in_layout(layouts.HF, model)
    assert not torch.equal(
        tensors["language_model.lm_head.weight"], tensors["language_model.model.embed_tokens.weight"]
    )
    assert_same_weights(load_model(write_checkpoint(tensors, config.to_dict())), model)


def test_pictures_wider_than_high_load(tiny_wide_model, in_layout, write_checkpoint):
    folder = write_checkpoint(in_layout(layouts.HF, tiny_wide_model), tiny_wide_model.config.to_dict())
    assert_same_weights(load_model(folder), tiny_wide_model)


def test_an_only_file_of_another_name_is_taken(tiny_model, in_layout, write_checkpoint):
    folder = write_checkpoint(in_layout(layouts.HF))
    (folder / "model.safetensors").rename(folder / "weights.safetensors")
    assert_same_weights(load_model(folder), tiny_model)


def test_tables_that_the_model_computes_are_passed_over(tiny_model, in_layout, write_checkpoint):
    tensors = in_layout(layouts.ORIGINAL)
    tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(4)
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    assert_same_weights(load_model(write_checkpoint(tensors)), tiny_model)


def test_weights_can_be_trained_without_touching_the_file(in_layout, write_checkpoint):
    folder = write_checkpoint(in_layout(layouts.HF))
    before = (folder / "model.safetensors").read_bytes()
    model = load_model(folder)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(1)
    assert (folder / "model.safetensors").read_bytes() == before


# --- dtype and device -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "asked", "expected"),
    [
        ("bfloat16", None, torch.bfloat16),
        ("bfloat16", "auto", torch.bfloat16),
        ("bfloat16", "float32", torch.float32),
        ("torch.float16", "auto", torch.float16),
        (None, "auto", torch.float32),  # what the tensors are
        (None, torch.bfloat16, torch.bfloat16),
        (None, "torch.bfloat16", torch.bfloat16),
    ],
)
@pytest.mark.parametrize("keyword", ["dtype", "torch_dtype"])
def test_the_dtype(said, asked, expected, keyword, tiny_model, tiny_config, in_layout, write_checkpoint):
    config = tiny_config.to_dict()
    if said is not None:
        config["dtype"] = said
    model = load_model(write_checkpoint(in_layout(layouts.HF), config), **{keyword: asked})
    assert {p.dtype for p in model.parameters()} == {expected}
    reference = tiny_model.state_dict()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, reference[name].to(expected)), name


def test_auto_takes_the_dtype_of_most_bytes(in_layout, write_checkpoint):
    tensors = in_layout(layouts.HF)
    tensors = {n: t if "layernorm" in n else t.bfloat16() for n, t in tensors.items()}
    assert {p.dtype for p in load_model(write_checkpoint(tensors)).parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("options", [{"device": "cpu"}, {"device_map": "cpu"}, {"device_map": {"": "cpu"}}])
def test_the_device(options, byte_folder):
    assert load_model(byte_folder, **options).device == torch.device("cpu")


@pytest.mark.skipif(
    torch.cuda.is_available() or torch.backends.mps.is_available(), reason="has an accelerator"
)
@pytest.mark.parametrize("keyword", ["device", "device_map"])
def test_auto_falls_back_on_the_cpu(keyword, byte_folder):
    assert load_model(byte_folder, **{keyword: "auto"}).device == torch.device("cpu")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "int8"}, "'int8'"),
        ({"dtype": torch.float64}, "'float64'"),
        ({"dtype": "float32", "torch_dtype": "bfloat16"}, "contradict"),
        ({"device": "cpu", "device_map": "auto"}, "contradict"),
        ({"device": "toaster"}, "'toaster' cannot be used here"),
        ({"device": "meta"}, "holds no weights"),
        ({"device_map": {"model": "cpu", "lm_head": "cpu"}}, "device_map must be a device or"),
    ],
)
def test_impossible_options_are_refused(options, message, tmp_path):
    with pytest.raises(InvalidOptionError, match=message):
        load_model(tmp_path, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "bfloat16", "torch_dtype": torch.bfloat16},
        {"device": "cpu", "device_map": torch.device("cpu")},
    ],
)
def test_the_same_said_twice_is_no_contradiction(options, byte_folder):
    model = load_model(byte_folder, **options)
    assert model.dtype == options.get("torch_dtype", torch.float32)


@pytest.mark.gpu
@pytest.mark.parametrize("device", ["cuda", 0, "auto"])
def test_a_cuda_device(device, byte_folder):
    model = load_model(byte_folder, device_map=device, dtype="bfloat16")
    assert {p.device.type for p in model.parameters()} == {"cuda"}
    reference = load_model(byte_folder, dtype="bfloat16").state_dict()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor.cpu(), reference[name]), name


@pytest.mark.skipif(torch.cuda.is_available(), reason="has CUDA")
def test_a_device_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidOptionError, match="'cuda:1' cannot be used here"):
        load_model(tmp_path, device="cuda:1")


# --- faults of a checkpoint -------------------------------------------------------------------------------


def test_a_missing_tensor_is_named(in_layout, write_checkpoint):
    tensors = in_layout(layouts.HF)
    del tensors["vision_tower.layers.2.attn.rel_pos_w"]
    with pytest.raises(CheckpointError, match=r"missing: model\.vision_tower\.layers\.2\.attn\.rel_pos_w\."):
        load_model(write_checkpoint(tensors))


def test_an_extra_tensor_is_named_as_the_file_names_it(in_layout, write_checkpoint):
    tensors = in_layout(layouts.ORIGINAL)
    tensors["model.layers.7.mlp.up_proj.weight"] = torch.zeros(44, 32)
    tensors["adapter.weight"] = torch.zeros(2)
    with pytest.raises(CheckpointError) as error:
        load_model(write_checkpoint(tensors))
    assert "not part of the model" in str(error.value)
    assert "model.layers.7.mlp.up_proj.weight" in str(error.value)
    assert "adapter.weight" in str(error.value)


@pytest.mark.parametrize("layout", [layouts.HF, layouts.MLX], ids=lambda layout: layout.name)
def test_a_misshapen_tensor_is_named(layout, in_layout, write_checkpoint):
    tensors = in_layout(layout)
    name = layout.to_file("model.multi_modal_projector.conv_upsampler2.weight")
    tensors[name] = tensors[name][:31].contiguous()
    with pytest.raises(CheckpointError, match=rf"misshapen: {name} is 31x20x3x3 but must be 32x20x3x3"):
        load_model(write_checkpoint(tensors))


def test_of_many_faults_five_are_named_and_the_rest_counted(in_layout, write_checkpoint):
    tensors = {n: t for n, t in in_layout(layouts.HF).items() if "language_model" not in n}
    with pytest.raises(
        CheckpointError, match=r"missing: (model\.language_model\.[\w.]+, ){4}\S+ and 33 more\."
    ):
        load_model(write_checkpoint(tensors))


def test_a_head_unlike_the_embedding_it_is_tied_to_is_refused(in_layout, write_checkpoint):
    tensors = in_layout(layouts.ORIGINAL)
    tensors["lm_head.weight"][-1, -1] += 1
    with pytest.raises(CheckpointError, match=r"lm_head\.weight differs from model\.embed_tokens\.weight"):
        load_model(write_checkpoint(tensors))


def test_an_untied_model_needs_its_head(tiny_config, in_layout, write_checkpoint):
    tensors = in_layout(layouts.HF)
    del tensors["language_model.lm_head.weight"]
    with pytest.raises(CheckpointError, match=r"missing: lm_head\.weight"):
        load_model(write_checkpoint(tensors, replace(tiny_config, tie_word_embeddings=False).to_dict()))


def test_a_tensor_under_two_names_is_refused(in_layout, write_checkpoint):
    tensors = in_layout(layouts.ORIGINAL)
    folder = write_checkpoint(tensors, shards=2)
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    first = sorted(tensors)[0]
    other = next(file for file in set(index["weight_map"].values()) if file != index["weight_map"][first])
    part = {n: tensors[n] for n, file in index["weight_map"].items() if file == other}
    save_file({**part, first: tensors[first].clone()}, folder / other)
    with pytest.raises(CheckpointError, match=rf"Tensor {first} is in both"):
        load_model(folder)


@pytest.mark.parametrize("suffix", [".bin", ".pt", ".pth"])
def test_a_pickle_is_refused_and_never_opened(suffix, in_layout, write_checkpoint):
    folder = write_checkpoint(in_layout(layouts.HF))
    (folder / "model.safetensors").unlink()
    # If anything unpickled this file, the test would end here.
    (folder / f"pytorch_model{suffix}").write_bytes(b"cbuiltins\nexit\n(tR.")
    with pytest.raises(CheckpointError, match=rf"only as a pickle \(pytorch_model{suffix}\)"):
        load_model(folder)


def test_integer_weights_are_refused(in_layout, write_checkpoint):
    tensors = in_layout(layouts.HF)
    tensors["vision_tower.pos_embed"] = tensors["vision_tower.pos_embed"].to(torch.int8)
    with pytest.raises(CheckpointError, match=r"vision_tower\.pos_embed is stored as I8"):
        load_model(write_checkpoint(tensors))


def test_a_quantised_mlx_checkpoint_is_refused(in_layout, write_checkpoint):
    tensors = in_layout(layouts.MLX)
    tensors["language_model.model.layers.0.mlp.up_proj.scales"] = torch.ones(3)
    with pytest.raises(CheckpointError, match=r"quantised by MLX .*up_proj\.scales"):
        load_model(write_checkpoint(tensors))


def _no_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def _broken_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def _no_weights(folder: Path) -> None:
    for path in folder.glob("*.safetensors"):
        path.unlink()
    (folder / "model.safetensors.index.json").unlink()


def _cut_short(folder: Path) -> None:
    path = next(folder.glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-10])


def _empty_file(folder: Path) -> None:
    next(folder.glob("*.safetensors")).write_bytes(b"")


def _missing_shard(folder: Path) -> None:
    (folder / "model-00002-of-00002.safetensors").unlink()


def _no_index(folder: Path) -> None:
    (folder / "model.safetensors.index.json").unlink()


def _empty_index(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text("{}")


def _wandering_index(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../other.safetensors"}}')


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_no_config, r"holds no config\.json"),
        (_broken_config, "cannot be read as JSON"),
        (_no_weights, r"holds no \.safetensors file"),
        (_cut_short, "cannot be read as safetensors"),
        (_empty_file, "cannot be read as safetensors"),
        (_missing_shard, "lacks the shard model-00002-of-00002"),
        (_no_index, r"several safetensors files \(model-00001-of-00002.safetensors, .*\) but no"),
        (_empty_index, "has no weight_map"),
        (_wandering_index, r"'\.\./other\.safetensors', which is not a plain file name"),
    ],
)
def test_a_damaged_folder_is_named(damage, message, in_layout, write_checkpoint):
    folder = write_checkpoint(in_layout(layouts.HF), shards=2)
    damage(folder)
    with pytest.raises(CheckpointError, match=message):
        load_model(folder)


def test_a_foreign_config_is_named_with_its_file(in_layout, write_checkpoint):
    folder = write_checkpoint(in_layout(layouts.HF), {"model_type": "llama"})
    with pytest.raises(ConfigError, match=r"config\.json: model_type must be"):
        load_model(folder)


# --- generation defaults ----------------------------------------------------------------------------------


def test_the_end_of_an_answer_is_known_by_name(byte_folder):
    defaults = load_model(byte_folder).generation_defaults
    assert defaults.eos_token_id == (302,)
    assert defaults.pad_token_id == 300


def test_an_original_checkpoint_ends_at_im_end(qwen_tiktoken, in_layout, write_checkpoint, original_config):
    folder = write_checkpoint(in_layout(layouts.ORIGINAL), original_config)
    (folder / "qwen.tiktoken").symlink_to(qwen_tiktoken)
    published = {"bos_token_id": 151643, "eos_token_id": 151643, "max_new_tokens": 2048}
    (folder / "generation_config.json").write_text(json.dumps(published))
    defaults = load_model(folder).generation_defaults
    assert defaults.eos_token_id == (151645, 151643)
    assert defaults.pad_token_id == 151643
    assert defaults.max_new_tokens == 2048


def test_a_folder_without_a_tokenizer_knows_what_its_file_says(in_layout, write_checkpoint):
    folder = write_checkpoint(in_layout(layouts.HF))
    assert load_model(folder).generation_defaults.eos_token_id == ()
    (folder / "generation_config.json").write_text('{"eos_token_id": [7, 9], "no_repeat_ngram_size": 20}')
    defaults = load_model(folder).generation_defaults
    assert defaults.eos_token_id == (7, 9)
    assert defaults.no_repeat_ngram_size == 20


# --- memory -----------------------------------------------------------------------------------------------

# The kernel's high-water mark of the program alone; `ru_maxrss` would start at the mark of its parent.
_MEASURE = """
import re, sys
from pathlib import Path
from got_ocr2.modeling import GotOcr2ForConditionalGeneration, load_model

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

before = peak()
model = load_model(sys.argv[1], dtype=sys.argv[2])
for p in model.parameters():
    p.sum()  # touches every page
print(peak() - before, sum(p.nbytes for p in model.parameters()))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's process status")
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
@pytest.mark.parametrize("layout", [layouts.HF, layouts.ORIGINAL], ids=lambda layout: layout.name)
def test_loading_the_published_size_holds_about_one_copy(layout, dtype, tmp_path):
    """560 million weights in bf16, loaded by another process whose peak is measured."""
    from got_ocr2.config import GotOcr2Config
    from got_ocr2.modeling import GotOcr2ForConditionalGeneration

    config = GotOcr2Config()
    with torch.device("meta"):
        shapes = {n: t.shape for n, t in GotOcr2ForConditionalGeneration(config).state_dict().items()}
    tensors = {layout.to_file(n): torch.full(s, 0.5, dtype=torch.bfloat16) for n, s in shapes.items()}
    if layout is layouts.HF:
        del tensors["language_model.lm_head.weight"]
    else:
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    save_file(tensors, tmp_path / "model.safetensors")
    del tensors
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))

    out = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path), dtype], check=True, capture_output=True, text=True
    )
    grown, weights = map(int, out.stdout.split())
    assert weights == 560_528_640 * getattr(torch, dtype).itemsize
    assert weights * 0.9 < grown  # or nothing was measured
    # Above one copy there may only be the mapped piece of the file, and the head while it is compared.
    assert grown < weights + (256 << 20)
