"""Running the same step over and over: recorded as a CUDA graph, or simply called."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch


class Graphs(Protocol):
    """Runs steps that read and write the same memory each time."""

    def run(self, key: Hashable, step: Callable[[], None]) -> None:
        """Does what `step` does, in stream order.

        Args:
            key: equal keys mean that the step launches the same work on the same memory.
            step: without effect but on tensors that live longer than this object; doing it twice is doing it once.
        """
        ...


class DirectCalls:
    """Calls the step: for processors without graphs, and the twin that recordings are held to."""

    def run(self, key: Hashable, step: Callable[[], None]) -> None:
        step()


class CudaGraphs:
    """Records each step the first time, which runs it twice and waits for the device, and replays it from then on.

    All recordings take their temporary memory from one pool. That is safe in any order of replays as long as no
    recording reads what another one left there: steps keep what lasts in tensors made outside. The device is the
    current one whenever something is run.
    """

    def __init__(self, device: torch.device) -> None:
        # Libraries keep a workspace for each stream: one stream for all, so that they are shared and stay valid.
        self._stream: Any = torch.cuda.Stream(device)
        self._pool: Any = torch.cuda.graph_pool_handle()
        self._recorded: dict[Hashable, torch.cuda.CUDAGraph] = {}

    def run(self, key: Hashable, step: Callable[[], None]) -> None:
        graph = self._recorded.get(key)
        if graph is None:
            graph = self._recorded[key] = self._record(step)
        graph.replay()

    def _record(self, step: Callable[[], None]) -> torch.cuda.CUDAGraph:
        # The first call loads kernels and sets libraries up, which must not happen while recording.
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            step()
        graph = torch.cuda.CUDAGraph()
        # Other threads may go on preparing pages meanwhile; with "global" their allocations would be errors.
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"):
            step()
        torch.cuda.current_stream().wait_stream(self._stream)
        return graph


def on_device(device: torch.device) -> AbstractContextManager[object]:
    """Makes a CUDA device the current one, where streams are looked up and Triton launches kernels."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


def graphs_for(device: torch.device) -> Graphs:
    """Recordings on a CUDA device, plain calls anywhere else."""
    return CudaGraphs(device) if device.type == "cuda" else DirectCalls()
