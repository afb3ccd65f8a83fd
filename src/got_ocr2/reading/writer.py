"""What submits units to the engine, whichever way they are read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .options import ReadOptions
from .page_loading import Unit
from .progress import InProgress
from .text_wishes import TextWishes

if TYPE_CHECKING:
    from ..generation.engine.engine import Engine
    from ..modeling import GotOcr2ForConditionalGeneration
    from ..processing import GotOcr2Processor


class Writer(ABC):
    """Submits units to the engine, all with the same question."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        model: GotOcr2ForConditionalGeneration,
        processor: GotOcr2Processor,
        options: ReadOptions,
        wishes: TextWishes | None = None,
    ) -> None:
        """
        Args:
            engine: gives the engine, whose runner was made of the model.
            model, processor: of one checkpoint.
            options: what is asked of every unit, and how its text is written.
            wishes: what is wanted of the texts; by default nothing.
        """
        self.options = options
        self.wishes = wishes or TextWishes()
        self.processor = processor
        self._engine = engine
        self._model = model

    @property
    def engine(self) -> Engine:
        """The engine, made if this is the first time."""
        return self._engine()

    def most_tokens(self, default: int | None) -> int | None:
        """The most new tokens of a prompt, unless the options have a say; None is the checkpoint's own limit."""
        limits = (self.options.max_new_tokens or default, self.wishes.max_tokens)
        return min((limit for limit in limits if limit is not None), default=None)

    def sampling(self, numbers: Iterable[int]) -> dict[str, Any]:
        """For `model.requests`: how tokens are drawn, if they are.

        Args:
            numbers: one for each row, so that rows of one page draw different tokens with one seed.
        """
        options = self.options
        if options.temperature == 0:
            return {}
        import torch

        generators: list[torch.Generator] = []
        for number in numbers:
            generator = torch.Generator(self.engine.runner.device)
            if options.seed is None:
                generator.seed()
            else:
                generator.manual_seed((options.seed + number) % 2**63)
            generators.append(generator)
        return {
            "do_sample": True,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "top_k": 0,
            "generator": generators,
        }

    @abstractmethod
    def begin(self, unit: Unit, engine: Engine) -> InProgress:
        """Prepares a unit and submits it to the engine.

        Raises:
            GotOcr2Error: what is asked does not suit the page, or the page does not fit the model.
        """
