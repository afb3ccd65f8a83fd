"""What one stage gives to the next: all of its weights, or its eyes alone where the decoder is another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from ..config import GotOcr2VisionConfig
from ..errors import CheckpointError, FileAccessError
from ..modeling import GotOcr2ForConditionalGeneration
from .config import ModelPreset, StageConfig
from .loop import STATE_NAME
from .position_embeddings import grow_positions

_POSITIONS = "model.model.vision_tower.pos_embed"
_PROJECTOR = "model.model.multi_modal_projector."
_ENCODER = ("model.model.vision_tower.", f"{_PROJECTOR}conv_upsampler", "glyph_head.")


def handed_over(
    folder: Path, preset: ModelPreset, old: StageConfig, stage: StageConfig, fresh: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """What the stage before learnt, its positions grown to the new canvas.

    Where the decoder is another one (paper: OPT-125M in stage 1, Qwen-0.5B after it) the encoder is kept and the
    decoder and the linear layer before it are fresh. The strided convolutions belong to the encoder, but the
    second one writes as many channels as the decoder is wide: it is kept where the widths are the same.

    Args:
        folder: of the stage before.
        preset: the network.
        old, stage: the stage before and this one.
        fresh: `Trainer.trained`'s state in this stage before any step.

    Returns:
        A whole state for `Trainer.trained`.

    Raises:
        FileAccessError: the stage before left no state.
    """
    if not (folder / STATE_NAME).exists():
        raise FileAccessError(f"{folder / STATE_NAME} is missing: the stage before has to be trained first.")
    state = torch.load(folder / STATE_NAME, map_location="cpu", weights_only=True)
    # With a running mean of the weights, that is what the stage made.
    weights: dict[str, Tensor] = {**state["weights"], **state.get("average", {})}
    if old.canvas != stage.canvas and _POSITIONS in weights:
        small, large = (GotOcr2VisionConfig(image_size=s.canvas, **preset.vision) for s in (old, stage))
        weights[_POSITIONS] = grow_positions(weights[_POSITIONS], small, large).data
    if old.decoder == stage.decoder:
        return weights
    kept = {
        name: value
        for name, value in weights.items()
        if name.startswith(_ENCODER) and value.shape == fresh[name].shape
    }
    return {**fresh, **kept}


def started_from(
    folder: Path, preset: ModelPreset, stage: StageConfig, fresh: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The weights of a checkpoint of the same network, its positions carried to the canvas of the stage.

    Args:
        folder: a checkpoint in any layout.
        preset: the network.
        stage: the first stage.
        fresh: `Trainer.trained`'s state before any step; the glyph head is taken from it.

    Returns:
        A whole state for `Trainer.trained`.

    Raises:
        CheckpointError: the checkpoint is of another network.
    """
    model = GotOcr2ForConditionalGeneration.from_pretrained(folder, device="cpu", dtype="float32")
    weights = {f"model.{name}": value for name, value in model.state_dict().items()}
    small, large = model.config.vision_config, GotOcr2VisionConfig(image_size=stage.canvas, **preset.vision)
    if small.image_hw != large.image_hw and _POSITIONS in weights:
        weights[_POSITIONS] = grow_positions(weights[_POSITIONS], small, large).data
    learnt = {**fresh, **weights}
    for name in learnt:
        if name not in fresh or learnt[name].shape != fresh[name].shape:
            there = tuple(fresh[name].shape) if name in fresh else "nothing"
            raise CheckpointError(
                f"{folder} is of another network: {name} is {tuple(learnt[name].shape)}, the recipe has {there}."
            )
    return learnt


@torch.no_grad()
def load_decoder(model: GotOcr2ForConditionalGeneration, folder: Path) -> None:
    """Takes a language model's weights for the decoder.

    Args:
        model: its decoder is overwritten. Of the embedding, the rows that both vocabularies have are taken.
        folder: a Qwen2 checkpoint in HF's layout, in one or more safetensors files.

    Raises:
        FileAccessError: no weights in the folder.
        CheckpointError: a tensor is missing or of another shape.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise FileAccessError(f"There are no safetensors files in {folder} to take a decoder from.")
    wanted = {f"model.{name}": p for name, p in model.model.language_model.named_parameters()}
    for file in files:
        with safe_open(file, framework="pt") as tensors:
            for name in wanted.keys() & set(tensors.keys()):
                p, value = wanted.pop(name), tensors.get_tensor(name)
                if name == "model.embed_tokens.weight" and value.shape[1] == p.shape[1]:
                    rows = min(len(p), len(value))
                    p[:rows] = value[:rows].to(p)
                elif value.shape == p.shape:
                    p.copy_(value)
                else:
                    raise CheckpointError(
                        f"{name} in {file} is {tuple(value.shape)}; this decoder needs {tuple(p.shape)}."
                    )
    if wanted:
        raise CheckpointError(
            f"{folder} lacks {len(wanted)} tensors of the decoder: {min(wanted)} and so on."
        )
