"""The engine's back end without keys and values: every step reads every row anew (`use_cache=False`)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...generation.engine.runner import RowInput, Scores
from ..network import GotOcr2Network
from .allocation import allocating
from .torch_runner import place_features


class UncachedRunner:
    """Keeps the embeddings of each row in its span instead of keys and values; see `generation.engine.runner.Runner`.

    Slow, and right for reasons that have nothing to do with a cache.
    """

    def __init__(self, model: GotOcr2Network) -> None:
        self.model = model
        self._embeds: Tensor | None = None  # (positions, hidden)

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def bytes_per_position(self) -> int:
        return self.model.config.text_config.hidden_size * self.model.dtype.itemsize

    @property
    def capacity(self) -> int:
        return 0 if self._embeds is None else self._embeds.shape[0]

    def allocate(self, positions: int) -> None:
        self._embeds = None
        hidden = self.model.config.text_config.hidden_size
        with allocating(positions * self.bytes_per_position):
            self._embeds = torch.empty(positions, hidden, dtype=self.model.dtype, device=self.device)

    def release(self) -> None:
        self._embeds = None

    def encode(self, pixel_values: Tensor) -> Tensor:
        return self.model.encode_pictures(pixel_values)

    def forward(self, ids: Tensor, rows: Sequence[RowInput]) -> Scores:
        assert self._embeds is not None, "allocate() comes before forward()"
        new = place_features(self.model, ids, rows)
        logits: list[Tensor] = []
        first = 0
        for row in rows:
            stored = self._embeds[row.span.start : row.span.start + row.past + row.tokens]
            stored[row.past :] = new[first : first + row.tokens]
            first += row.tokens
            out = self.model(inputs_embeds=stored[None], logits_to_keep=max(row.wanted, 1))
            logits.append(out.logits[0, : row.wanted].float())
        return Scores(torch.cat(logits))
