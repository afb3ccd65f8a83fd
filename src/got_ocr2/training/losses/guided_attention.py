"""Guided attention: one head of a few decoder layers is taught to look at the character written next.

Alignment is what a small decoder is slowest to find by itself. The renderer knows the image token under every
character, so the attention from the place that predicts a character to that token gets a loss of its own. The
network is unchanged; afterwards the same heads tell where on the page each character was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import InvalidOptionError
from ...modeling import GotOcr2ForConditionalGeneration
from ...modeling.decoder import DecoderAttention, rotate

NOWHERE = -100


class GuidedAttention:
    """Watches chosen attention layers and turns where they look into an alignment loss.

    What they look at is worked out while the layer computes: only then are its weights at hand where they are
    dealt out over several processes.

    Args:
        model: the model to watch; call `remove` to let go of it.
        layers: decoder layers whose head `head` is guided.

    Raises:
        InvalidOptionError: the decoder has no such layer.
    """

    def __init__(self, model: GotOcr2ForConditionalGeneration, layers: Sequence[int], head: int = 0) -> None:
        self.head = head
        self._seen: list[Tensor] = []
        decoder = model.model.language_model.layers
        if not all(0 <= i < len(decoder) for i in layers):
            raise InvalidOptionError(
                f"guided_layers {tuple(layers)} are wrong: the decoder has {len(decoder)} layers."
            )
        self._hooks = [
            decoder[i].get_submodule("self_attn").register_forward_pre_hook(self._remember) for i in layers
        ]

    def _remember(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if torch.is_grad_enabled() and isinstance(module, DecoderAttention):
            self._seen.append(self._logits(module, inputs[0], inputs[1]))

    def loss(self, targets: Tensor) -> Tensor:
        """Mean cross-entropy of the guided heads' attention since the last call.

        Args:
            targets: int64 `(batch, T)`: the position each query should attend to, or `NOWHERE`.

        Returns:
            Scalar fp32; 0 if no query has a target.
        """
        total = targets.new_zeros((), dtype=torch.float32)
        for logits in self._seen:
            flat = logits.flatten(0, 1)  # (batch * T, T)
            total = total + F.cross_entropy(flat, targets.flatten(), ignore_index=NOWHERE, reduction="sum")
        count = (targets != NOWHERE).sum().clamp(min=1) * max(1, len(self._seen))
        self._seen.clear()
        return total / count

    def _logits(self, module: DecoderAttention, x: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
        """Causal attention logits of the guided head, `(batch, T, T)` fp32, computed again from its inputs."""
        size = module.head_dim
        rows = slice(self.head * size, (self.head + 1) * size)
        q, k = (
            rotate(F.linear(x, p.weight[rows], p.bias[rows])[:, None], *rotary)[:, 0]
            for p in (module.q_proj, module.k_proj)
        )
        logits = (q @ k.transpose(1, 2)).float() * size**-0.5  # (batch, T, head_dim) twice -> (batch, T, T)
        future = torch.ones(logits.shape[1:], dtype=torch.bool, device=logits.device).triu(1)
        return logits.masked_fill(future, float("-inf"))

    def forget(self) -> None:
        """Drops what was seen: recomputed activations pass by a second time, on the way back."""
        self._seen.clear()

    def remove(self) -> None:
        """Stops watching."""
        for hook in self._hooks:
            hook.remove()
