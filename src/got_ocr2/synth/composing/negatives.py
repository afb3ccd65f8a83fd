"""Pictures with nothing to read."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import InvalidOptionError
from ..drawing.backgrounds import BACKGROUND_KINDS, BackgroundKind, background
from ..sample import Sample, Task, sample_rng


class NegativeEngine:
    """Shows blank paper, textures and photographs, so that the model learns to find nothing.

    Args:
        answer: what to say about them.
        sides: shortest and longest side in pixels.
        backgrounds: what is shown.

    Raises:
        InvalidOptionError: an option out of range.
    """

    kind = "negative"

    def __init__(
        self,
        *,
        answer: str = "",
        sides: tuple[int, int] = (64, 1024),
        backgrounds: Sequence[BackgroundKind] = BACKGROUND_KINDS,
    ) -> None:
        if not 1 <= sides[0] <= sides[1]:
            raise InvalidOptionError(
                f"Sides of {sides[0]} to {sides[1]} pixels must be at least 1 and rising."
            )
        self.answer = answer
        self.sides = sides
        self.backgrounds = tuple(backgrounds)

    def sample(self, seed: int, index: int) -> Sample:
        """One picture without text, asked for plainly or with format."""
        rng = sample_rng(seed, self.kind, index)
        width, height = (int(v) for v in rng.integers(self.sides[0], self.sides[1] + 1, size=2))
        shown = self.backgrounds[int(rng.integers(len(self.backgrounds)))]
        picture = background(rng, (width, height), shown)
        task = Task(format=bool(rng.random() < 0.5))
        return Sample(self.kind, (picture,), self.answer, task, meta={"background": shown})
