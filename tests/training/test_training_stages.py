"""Stages as data: the published recipe, resampling, and what goes from one decoder to the next."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from test_training_loop import STAGE, TEXT
from test_training_pieces import TINY

from got_ocr2 import OCR
from got_ocr2.cli import main
from got_ocr2.config import GotOcr2Config
from got_ocr2.errors import CheckpointError, FileAccessError, InvalidOptionError
from got_ocr2.synth.registry import KINDS
from got_ocr2.training.loop import STATE_NAME
from got_ocr2.training.recipes.catalog import Recipe, with_resampling
from got_ocr2.training.recipes.published import PUBLISHED, PUBLISHED_STAGES
from got_ocr2.training.run import build, run
from got_ocr2.training.warm_start import handed_over, load_decoder

SMALLER = {"hidden_size": 16, "num_attention_heads": 2, "num_key_value_heads": 2, "num_hidden_layers": 2}


def state_of(t_model, glyph):
    return {**{f"model.{k}": v for k, v in t_model.state_dict().items()}, "glyph_head.classify.bias": glyph}


def test_the_published_recipe_is_the_published_network_and_the_papers_numbers():
    assert PUBLISHED.config((1024, 1024), 151860, 151859) == replace(
        GotOcr2Config(), vision_config=replace(GotOcr2Config().vision_config, image_size=(1024, 1024))
    )
    stages = dict(with_resampling(PUBLISHED_STAGES))
    assert [(s.learning_rate, s.batch_size, s.max_length, s.trained) for s in stages.values()] == [
        (1e-4, 128, 4096, "all"), (1e-4, 128, 6000, "all"), (2e-5, 128, 8192, "decoder"),
    ]  # fmt: skip
    assert stages["encoder"].steps == 117188
    assert stages["encoder"].decoder
    assert not stages["joint"].decoder
    amounts = {name: {e["kind"]: e["weight"] for e in s.engines} for name, s in stages.items()}
    assert amounts["joint"]["text"] == 4.0
    assert sum(amounts["joint"].values()) == pytest.approx(11.0)
    assert amounts["reading"]["chart"] == pytest.approx(1.6)
    assert amounts["reading"]["text"] == pytest.approx(3.2)
    assert {kind for found in amounts.values() for kind in found} <= set(KINDS)
    for stage in stages.values():  # one epoch of what is mixed; the first stage has three
        epochs = 3 if stage.decoder else 1
        assert stage.steps == pytest.approx(
            sum(e["weight"] for e in stage.engines) * 1e6 * epochs / 128, abs=1
        )


@pytest.mark.parametrize("hidden", [16, 32])
def test_another_decoder_keeps_the_eyes_and_nothing_else(tmp_path, hidden):
    old = replace(STAGE, decoder={**SMALLER, "hidden_size": hidden})
    before, _ = build(TINY, old.canvas, 1, old.decoder)
    torch.save({"weights": state_of(before, torch.ones(3))}, tmp_path / STATE_NAME)
    after, _ = build(TINY, STAGE.canvas, 2)
    fresh = state_of(after, torch.zeros(3))
    got = handed_over(tmp_path, TINY, old, STAGE, fresh)
    assert got.keys() == fresh.keys()
    kept = {name for name, value in got.items() if value is not fresh[name]}
    connector = "model.model.multi_modal_projector."
    expected = {name for name in fresh if ".vision_tower." in name or name.startswith("glyph_head")}
    expected |= {f"{connector}conv_upsampler1.weight"}
    # The second convolution writes as many channels as the decoder is wide.
    expected |= {f"{connector}conv_upsampler2.weight"} if hidden == 32 else set()
    assert kept == expected
    for name in kept:
        assert torch.equal(got[name], state_of(before, torch.ones(3))[name])
    with pytest.raises(FileAccessError, match="stage before has to be trained first"):
        handed_over(tmp_path / "none", TINY, old, STAGE, fresh)


def test_a_decoder_is_taken_from_a_language_model(tmp_path):
    model, _ = build(TINY, STAGE.canvas, 3)
    decoder = model.model.language_model
    theirs = {f"model.{name}": torch.randn_like(p) for name, p in decoder.named_parameters()}
    rows = decoder.embed_tokens.num_embeddings
    theirs["model.embed_tokens.weight"] = torch.randn(rows + 5, 32)  # Qwen's has padding rows
    half = dict(list(theirs.items())[:4])
    save_file(half, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match=r"lacks \d+ tensors of the decoder: model\."):
        load_decoder(model, tmp_path)
    save_file({k: v for k, v in theirs.items() if k not in half}, tmp_path / "b.safetensors")
    load_decoder(model, tmp_path)
    for name, p in decoder.named_parameters():
        assert torch.equal(p, theirs[f"model.{name}"][: len(p)]), name
    assert torch.equal(model.lm_head.weight, decoder.embed_tokens.weight)
    save_file({"model.norm.weight": torch.ones(7)}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match=r"model.norm.weight .* is \(7,\); this decoder needs \(32,\)"):
        load_decoder(model, tmp_path)
    with pytest.raises(FileAccessError, match="no safetensors files"):
        load_decoder(model, tmp_path / "none")


def test_three_stages_run_one_after_another(tmp_path):
    one = replace(STAGE, steps=1, decoder=SMALLER, ema=0.5, guided_layers=(1,))
    two = replace(STAGE, steps=1, resampled=0.8, held_out=1, accumulate=2, ema=0.5)
    three = replace(two, trained="decoder", glyph_weight=0.0, checkpointing=True, max_length=300)
    told: list[str] = []
    with pytest.raises(InvalidOptionError, match=r"guided_layers \(1, 2\) .* decoder has 2 layers"):
        run(Recipe(TINY, (("encoder", replace(one, guided_layers=(1, 2))),)), tmp_path / "wrong")
    recipe = Recipe(TINY, (("encoder", one), ("joint", two), ("reading", three)))
    folder = run(recipe, tmp_path, told.append, progress=told.append)
    states = [
        torch.load(tmp_path / name / STATE_NAME, weights_only=True)
        for name in ("encoder", "joint", "reading")
    ]
    patches = "model.model.vision_tower.patch_embed.projection.weight"
    # The last stage starts from the mean of the second one's weights, and leaves the encoder alone.
    assert torch.equal(states[2]["weights"][patches], states[1]["average"][patches])
    assert not torch.equal(states[1]["weights"][patches], states[0]["average"][patches])
    assert any(line.startswith("joint: step 1 of 1, held-out pages: loss ") for line in told)
    model = OCR.from_pretrained(folder).model
    name = "model.language_model.layers.2.mlp.up_proj.weight"
    mean = states[2]["average"][f"model.{name}"]
    assert torch.equal(model.get_parameter(name), mean.bfloat16().float())


def test_resampling_is_of_all_that_the_stage_before_drew():
    stages = tuple(
        (name, replace(STAGE, engines=({**TEXT, "weight": weight},), resampled=share))
        for name, weight, share in (("a", 5.0, 0.8), ("b", 7.0, 0.8), ("c", 1.0, 0.5))
    )
    amounts = [[e["weight"] for e in stage.engines] for _, stage in with_resampling(stages)]
    assert amounts == [[5.0], [7.0, 4.0], [1.0, 3.5, 2.0]]


def test_the_rehearsal_runs_from_the_command_line(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    settings = [
        f"--set={name}.{s}"
        for name in ("encoder", "joint", "reading")
        for s in ("steps=1", "batch_size=2", "held_out=1", "workers=0")
    ]
    assert main(["train", "rehearsal", "-o", str(tmp_path), "--plot", "--device", "cpu", *settings]) == 0
    said = capsys.readouterr().err
    for name in ("encoder", "joint", "reading"):
        assert f"{name}: step 1 of 1, loss " in said
        assert f"{name}: step 1 of 1, held-out pages: loss " in said
    assert (tmp_path / "log.png").is_file()
    assert OCR.from_pretrained(tmp_path / "model").model.config.text_config.num_hidden_layers == 3
    assert main(["train", "none", "-o", str(tmp_path)]) == 1
    assert (
        "Unknown recipe 'none'; it is one of small, lines, rehearsal, gpu-half-hour, published"
        in capsys.readouterr().err
    )


def test_one_process_has_nobody_to_share_with(tmp_path, capsys):
    assert main(["train", "rehearsal", "-o", str(tmp_path), "--shard", "--device", "cpu", "-q"]) == 1
    assert "Sharding needs several processes; start them with: torchrun" in capsys.readouterr().err
