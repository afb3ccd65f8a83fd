"""What every layer of a model gives for one page, to be held against the same layer of another model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..config import GotOcr2Config


def layer_names(config: GotOcr2Config) -> dict[str, str]:
    """What a report calls each layer -> its path in our model, which is its path in transformers' too; in order."""
    vision, text = config.vision_config.num_hidden_layers, config.text_config.num_hidden_layers
    return {
        **{f"vision layer {i}": f"model.vision_tower.layers.{i}" for i in range(vision)},
        "vision neck": "model.vision_tower.neck",
        "projector": "model.multi_modal_projector",
        **{f"decoder layer {i}": f"model.language_model.layers.{i}" for i in range(text)},
        "decoder norm": "model.language_model.norm",
        "logits": "lm_head",
    }


@contextmanager
def capturing(model: nn.Module, names: dict[str, str]) -> Iterator[dict[str, Tensor]]:
    """Fills the dict that it gives with the layers' outputs, fp32 on the CPU, whenever the model runs.

    Args:
        model: any module.
        names: what to call each output -> path of the submodule.
    """
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            found[name] = (output[0] if isinstance(output, tuple) else output).detach().float().cpu()

        return hook

    handles = [model.get_submodule(path).register_forward_hook(keep(name)) for name, path in names.items()]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def difference(a: Tensor, b: Tensor) -> float:
    """The largest difference of two tensors of equal shape, as a share of the largest magnitude in `b`.

    NaN or infinity in either gives infinity.
    """
    if not (torch.isfinite(a).all() and torch.isfinite(b).all()):
        return float("inf")
    return float((a - b).abs().max() / b.abs().max().clamp(min=torch.finfo(b.dtype).tiny))
