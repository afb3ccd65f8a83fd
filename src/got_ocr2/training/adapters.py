"""LoRA by `peft`: small matrices learn beside the frozen weights, and are merged into them afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import CheckpointError, FileAccessError, InvalidOptionError
from ..extras import need
from ..modeling import GotOcr2ForConditionalGeneration

CONFIG_NAME = "adapter_config.json"
_DECODER = r"model\.language_model\.layers\.\d+\..*\.(q|k|v|o|gate|up|down)_proj"
_PROJECTOR = r"model\.multi_modal_projector\.multimodal_projector"
_ENCODER = r"model\.vision_tower\.layers\.\d+\..*\.(qkv|proj|lin1|lin2)"
TARGETS = {"decoder": f"{_DECODER}|{_PROJECTOR}", "all": f"{_DECODER}|{_PROJECTOR}|{_ENCODER}"}


def add_adapter(
    model: GotOcr2ForConditionalGeneration, *, rank: int = 16, alpha: float = 32.0, target: str = "decoder"
) -> Any:
    """Freezes a model and puts an adapter into its linear layers, in place.

    Args:
        model: may be used as before; only the adapter learns.
        rank: of the matrices, >= 1.
        alpha: what the adapter adds is scaled by `alpha / rank`.
        target: "decoder" (and projector), or "all" with the encoder's layers.

    Returns:
        The `peft.PeftModel` around it, for `save_adapter` and `merge`.

    Raises:
        InvalidOptionError: a value out of range.
        MissingDependencyError: peft is not installed.
    """
    if rank < 1:
        raise InvalidOptionError(f"The rank of an adapter must be >= 1, got {rank}.")
    if alpha <= 0:
        raise InvalidOptionError(f"The alpha of an adapter must be above 0, got {alpha}.")
    if target not in TARGETS:
        raise InvalidOptionError(f"An adapter's target must be one of {', '.join(TARGETS)}, got {target!r}.")
    peft = need("peft", "Training an adapter (LoRA)", extra="train")
    config = peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=TARGETS[target])
    return peft.get_peft_model(model, config)


def save_adapter(adapted: Any, folder: Path) -> None:
    """Writes `adapter_config.json` and `adapter_model.safetensors`, as peft does."""
    adapted.save_pretrained(str(folder), save_embedding_layers=False)


def merge(adapted: Any) -> GotOcr2ForConditionalGeneration:
    """The model with the adapter added to its weights; the adapter is gone."""
    return adapted.merge_and_unload()


def merge_saved(model: GotOcr2ForConditionalGeneration, folder: Path) -> GotOcr2ForConditionalGeneration:
    """A model with a saved adapter added to its weights.

    Raises:
        FileAccessError: there is no adapter in the folder.
        CheckpointError: it is of another network.
        MissingDependencyError: peft is not installed.
    """
    if not (folder / CONFIG_NAME).is_file():
        raise FileAccessError(f"There is no adapter in {folder}: {CONFIG_NAME} is missing.")
    peft = need("peft", "Merging an adapter (LoRA)", extra="train")
    try:
        return merge(peft.PeftModel.from_pretrained(model, str(folder)))
    except (RuntimeError, ValueError) as e:
        raise CheckpointError(
            f"The adapter in {folder} is of another network: {' '.join(str(e).split())}."
        ) from e
