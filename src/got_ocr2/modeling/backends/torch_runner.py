"""The engine's back end in plain torch: the model itself, on any device, in any number format."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ...generation.engine.device_transfer import ids_to_device
from ...generation.engine.runner import RowInput, Scores
from ..network import GotOcr2Network
from .allocation import allocating
from .model_runner import ModelRunner
from .ragged_attention import Arena, RaggedCache


class TorchRunner(ModelRunner):
    """Steps a model as it is; see `generation.engine.runner.Runner`. The twin that faster back ends are held to.

    The model keeps its device and dtype; it must not change while pages run.
    """

    def allocate(self, positions: int) -> None:
        self._arena = None  # the old one goes before the new one comes
        model = self.model
        with allocating(positions * self.bytes_per_position):
            self._arena = Arena(model.config.text_config, positions, model.dtype, model.device)

    def release(self) -> None:
        self._arena = None

    def encode(self, pixel_values: Tensor) -> Tensor:
        return self.model.encode_pictures(pixel_values)

    def forward(self, ids: Tensor, rows: Sequence[RowInput]) -> Scores:
        assert self._arena is not None, "allocate() comes before forward()"
        cache = RaggedCache(self._arena, rows)
        x = place_features(self.model, ids, rows)
        hidden = self.model.model.language_model(x[None], position_ids=cache.position_ids, cache=cache)[0]
        return Scores(self.model.lm_head(wanted(hidden, rows)).float())


def place_features(model: GotOcr2Network, ids: Tensor, rows: Sequence[RowInput]) -> Tensor:
    """Embeddings `(sum n, hidden)` of a step's ids `(sum n,)`, with the features of pictures where they belong."""
    x = model.model.language_model.embed_tokens(ids)
    first = 0
    for row in rows:
        if row.features is not None:
            own = slice(first, first + row.tokens)
            places = ids[own] == model.config.image_token_index
            x[own] = x[own].masked_scatter(places[:, None], row.features.to(x.dtype))
        first += row.tokens
    return x


def wanted(hidden: Tensor, rows: Sequence[RowInput]) -> Tensor:
    """Of `(sum n, hidden)`, the last `wanted` of each row: `(sum wanted, hidden)`."""
    if all(row.wanted == row.tokens for row in rows):
        return hidden
    chosen: list[int] = []
    end = 0
    for row in rows:
        end += row.tokens
        chosen += range(end - row.wanted, end)
    return hidden.index_select(0, ids_to_device(chosen, hidden.device))
