"""The engine's back end for CUDA devices: recorded steps, and a host that never waits.

A step of rows that go on by a token each is a few hundred small kernels, which a GPU runs faster than Python can
launch them. Such a step is therefore recorded once for each bucket (`cuda.buckets`) and replayed; all that differs
from step to step, ids and places, is copied into fixed tensors first. Tokens are independent queries there: a row
that verifies n drafted tokens brings n + 1 of them, each looking back at its own number of positions, so one
recording serves plain and speculative steps alike. Prompts are long enough to run as they are, through the model
itself, those of equal length in one call of fused attention.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ....generation.engine.device_transfer import to_device
from ....generation.engine.runner import RowInput, Scores
from ....generation.rules.sampling import greedy, log_probability
from ...network import GotOcr2Network
from ..allocation import allocating
from ..model_runner import ModelRunner
from ..ragged_attention import Arena, RaggedCache
from ..torch_runner import place_features, wanted
from .buckets import Buckets, pieces
from .encoder import Encoder
from .fused_decoder import FusedDecoder
from .graphs import Graphs, graphs_for, on_device
from .operations import Operations
from .operations_choice import operations_for
from .token_steps import Outputs, TokenSteps

# More pictures than this are encoded one lot after the other: a few keep a GPU busy, and each takes memory.
_PICTURES_AT_ONCE = 8


class CudaRunner(ModelRunner):
    """Steps a model on a GPU; see `generation.engine.runner.Runner`. It keeps its dtype, bf16 being the fast one.

    It runs wherever torch does, so that its logic can be tested without a GPU; recordings and Triton's kernels are
    for CUDA devices only. The model must not change once the runner is made.
    """

    def __init__(
        self,
        model: GotOcr2Network,
        *,
        operations: Operations | None = None,
        graphs: Callable[[torch.device], Graphs] = graphs_for,
    ) -> None:
        """
        Args:
            model: in eval mode, on its device.
            operations: in place of the fastest ones for the device.
            graphs: makes what runs the steps on an arena.
        """
        super().__init__(model)
        chosen = operations_for(model.device) if operations is None else operations
        self._encoder = Encoder(model, chosen)
        self._decoder = FusedDecoder(model, chosen)
        self._buckets = Buckets(chosen.most_tokens, chosen.by_context)
        self._graphs = graphs
        self._steps: TokenSteps | None = None

    @property
    def capacity(self) -> int:
        return 0 if self._arena is None else self._arena.positions - 1

    def allocate(self, positions: int) -> None:
        self.release()  # the old arena goes before the new one comes
        text = self.model.config.text_config
        with allocating(positions * self.bytes_per_position):
            # One position more than pages can own: padding of buckets is stored there.
            arena = Arena(text, positions + 1, self.model.dtype, self.device)
            longest = min(positions, text.max_position_embeddings)
            self._steps = TokenSteps(self._decoder, arena, self._buckets, self._graphs(self.device), longest)
        self._arena = arena

    def release(self) -> None:
        if self._arena is not None and self.device.type == "cuda":
            # A step may still be running on what is about to be given back.
            torch.cuda.synchronize(self.device)
        self._arena = self._steps = None

    def encode(self, pixel_values: Tensor) -> Tensor:
        firsts = range(0, len(pixel_values), _PICTURES_AT_ONCE)
        with on_device(self.device):
            lots = [self._sent(pixel_values[first : first + _PICTURES_AT_ONCE]) for first in firsts]
            return torch.cat([self._encoder.features(lot.to(self.model.dtype)) for lot in lots])

    def forward(self, ids: Tensor, rows: Sequence[RowInput]) -> Scores:
        parts: list[Outputs] = []
        first = 0
        for piece in pieces(rows, self._buckets.most_tokens):
            own = ids[first : first + piece.tokens]
            first += piece.tokens
            run = self._go_on if piece.recorded else self._begin
            with on_device(self.device):
                part = run(own, piece.rows)
            whole = len(piece.rows) == len(rows)
            # What a recording gives is overwritten by the next one.
            parts.append(part if whole else Outputs(*(t.clone() for t in part)))
        if len(parts) == 1:
            return Scores(*parts[0])
        return Scores(*(torch.cat(of_parts) for of_parts in zip(*parts, strict=True)))

    def _go_on(self, ids: Tensor, rows: Sequence[RowInput]) -> Outputs:
        """Rows that bring a few tokens, through recordings."""
        assert self._steps is not None, "allocate() comes before forward()"
        return Outputs(*(wanted(t, rows) for t in self._steps.run(ids, rows)))

    def _begin(self, ids: Tensor, rows: Sequence[RowInput]) -> Outputs:
        """Prompts, through the model as it is."""
        assert self._arena is not None, "allocate() comes before forward()"
        cache = RaggedCache(self._arena, rows)
        x = place_features(self.model, ids, rows)
        hidden = self.model.model.language_model(x[None], position_ids=cache.position_ids, cache=cache)[0]
        logits = self.model.lm_head(wanted(hidden, rows)).float()
        best = greedy(logits)
        return Outputs(logits, best, log_probability(logits, best))

    def _sent(self, pictures: Tensor) -> Tensor:
        """To the device, without waiting for it."""
        return to_device(pictures, self.device) if pictures.device.type == "cpu" else pictures
