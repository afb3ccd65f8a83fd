"""Steps of single tokens, recorded: fixed tensors for what goes in and comes out, one recording for each bucket."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from ....generation.engine.runner import RowInput
from ....generation.rules.sampling import greedy, log_probability
from ..ragged_attention import Arena
from .buckets import Bucket, Buckets
from .fused_decoder import FusedDecoder
from .graphs import Graphs
from .operations import Places


class Outputs(NamedTuple):
    """Scores after n tokens.

    Attributes:
        logits: `(n, vocabulary)` fp32.
        best: `(n,)` int64, see `generation.engine.runner.Scores`.
        logprobs: `(n,)` fp32.
    """

    logits: Tensor
    best: Tensor
    logprobs: Tensor


class TokenSteps:
    """Runs rows that go on, on one arena. Recordings hold its addresses: a new arena needs a new object."""

    def __init__(
        self, decoder: FusedDecoder, arena: Arena, buckets: Buckets, graphs: Graphs, longest: int
    ) -> None:
        """
        Args:
            decoder: the network.
            arena: its last position belongs to nobody; padding is stored there.
            buckets: shapes of steps.
            graphs: fresh.
            longest: most positions that a row may have; rotary tables take 4 bytes * head_dim for each in bf16.
        """
        self._decoder, self._arena, self._buckets, self._graphs = decoder, arena, buckets, graphs
        self._spare = arena.positions - 1
        self._rotary = decoder.rotary(longest)
        most, device = buckets.most_tokens, arena.keys.device
        # Ids of padding stay what they were: any token will do.
        self._ids = torch.zeros(most, dtype=torch.int64, device=device)
        self._table = torch.zeros(2 * most, dtype=torch.int64, device=device)  # starts, then places
        self._logits = torch.zeros((most, decoder.vocabulary), device=device)
        self._best = torch.zeros(most, dtype=torch.int64, device=device)
        self._logprobs = torch.zeros(most, device=device)

    def run(self, ids: Tensor, rows: Sequence[RowInput]) -> Outputs:
        """One step.

        Args:
            ids: `(n,)` int64 on the device, n of at most `most_tokens`.
            rows: at least one; `wanted` is not looked at.

        Returns:
            Scores after every token; they are overwritten by the next call.
        """
        tokens = [(row.span.start, row.past + j) for row in rows for j in range(row.tokens)]
        count, context = len(tokens), 1 + max(place for _, place in tokens)
        assert count == len(ids), "one id for each new token"
        assert context <= len(self._rotary[0]), "a row is longer than the model's context"
        bucket = self._buckets.fitting(count, context)
        tokens += [(self._spare, 0)] * (bucket.tokens - count)
        table = torch.tensor(tokens, dtype=torch.int64).T.flatten()  # (2 * n,): all starts, then all places
        self._send(table, self._table[: len(table)])
        # An id may be NO_TOKEN, of a row whose end the host has not seen yet; nobody will look at its scores.
        torch.clamp(ids, min=0, out=self._ids[:count])
        self._graphs.run(bucket, partial(self._step, bucket))
        return Outputs(self._logits[:count], self._best[:count], self._logprobs[:count])

    def _step(self, bucket: Bucket) -> None:
        """What is recorded: from the fixed inputs to the fixed outputs, without waiting for the device."""
        n = bucket.tokens
        starts, places = self._table[: 2 * n].view(2, n).unbind()
        cos, sin = (table.index_select(0, places) for table in self._rotary)
        where = Places(starts, places, starts + places, (cos, sin), bucket.context)
        logits, best = self._logits[:n], self._best[:n]
        logits.copy_(self._decoder.logits(self._ids[:n], where, self._arena))
        best.copy_(greedy(logits))
        self._logprobs[:n].copy_(log_probability(logits, best))

    @staticmethod
    def _send(host: Tensor, device: Tensor) -> None:
        # Pinned memory is given back to its allocator only when the copy is done, so it need not be waited for.
        device.copy_(host.pin_memory() if device.is_cuda else host, non_blocking=True)
