"""The model that users hold: the network, with `generate`, `from_pretrained` and `save_pretrained`."""

from __future__ import annotations

from ..checkpoints.mixin import PretrainedMixin
from ..generation.engine.runner import Runner
from ..generation.mixin import GenerationMixin
from .backends.torch_runner import TorchRunner
from .backends.uncached_runner import UncachedRunner
from .ecosystem import EcosystemNetwork


class GotOcr2ForConditionalGeneration(EcosystemNetwork, GenerationMixin, PretrainedMixin):
    """`GotOcr2Network` with its doors: pictures and a prompt in, text out; weights from a checkpoint and back."""

    def new_runner(self, *, use_cache: bool = True) -> Runner:
        """This model in plain torch, for an engine."""
        return TorchRunner(self) if use_cache else UncachedRunner(self)
