"""Whether bars are as long as their metre says, and equally long in all staves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction


class Bars:
    """Adds up the notes of every spine between two bar lines.

    The first bar and the last may be shorter than the metre (an upbeat), and two bars at a repeat may make one.

    Args:
        say: called with the reason, the column (None) and the line of a problem.
    """

    def __init__(self, say: Callable[[str, int | None, int | None], None]) -> None:
        self.metre: Fraction | None = None
        self.count = 0
        self._say = say
        self._totals: list[Fraction | None] = []
        self._opened: int | None = None  # the line of the bar's first notes
        self._short: Fraction | None = None  # a bar that ended early, waiting for its other half

    def begin(self, counted: Sequence[bool]) -> None:
        """One spine a flag; lyrics and other spines without lengths are not counted."""
        self._totals = [Fraction(0) if one else None for one in counted]

    def regroup(self, plan: Sequence[tuple[int, ...]]) -> None:
        """Spines after a line of interpretations, each given by those that it is made of."""
        old = self._totals
        self._totals = [
            max((total for m in made if (total := old[m]) is not None), default=None) for made in plan
        ]

    def notes(self, line: int, lengths: Sequence[Fraction | None]) -> None:
        """Adds a line of notes; None where a spine has none."""
        if self._opened is None:
            self._opened = line
        for k, length in enumerate(lengths):
            total = self._totals[k]
            if total is not None and length is not None:
                self._totals[k] = total + length

    def bar_line(self, token: str) -> None:
        """Ends a bar."""
        self._end(repeat=":" in token, last=token.startswith("=="))

    def close(self) -> None:
        """Ends the score."""
        self._end(repeat=False, last=True)

    def _end(self, *, repeat: bool, last: bool) -> None:
        totals = [total for total in self._totals if total is not None]
        longest = max(totals, default=Fraction(0))
        if longest > 0:
            self.count += 1
            self._judge(totals, longest, may_be_short=self.count == 1 or repeat or last)
        self._totals = [None if total is None else Fraction(0) for total in self._totals]
        self._opened = None

    def _judge(self, totals: list[Fraction], longest: Fraction, *, may_be_short: bool) -> None:
        half, self._short = self._short, None
        if len(set(totals)) > 1:
            told = ", ".join(f"{_written(total)} in spine {k}" for k, total in enumerate(totals, 1))
            self._say(f"bar {self.count} is not equally long everywhere: {told}", None, self._opened)
        elif self.metre is None or longest == self.metre:
            self._short = half
        elif longest < self.metre and half is not None and half + longest == self.metre:
            return
        elif longest < self.metre and may_be_short:
            self._short = longest  # an upbeat, its rest at the end, or half of such a pair
        else:
            reason = f"bar {self.count} lasts {_written(longest)}, but its metre is {_written(self.metre)}"
            self._say(reason, None, self._opened)


def _written(length: Fraction) -> str:
    """In quarters where that is exact, as musicians count."""
    quarters = length * 4
    if quarters.denominator == 1:
        return f"{quarters.numerator}/4"
    return f"{length.numerator}/{length.denominator}"
