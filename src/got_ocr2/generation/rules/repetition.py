"""Notices when a row repeats itself for ever, as small decoders do on pages they cannot read.

Pages repeat themselves too: rows of zeros, dotted leaders, repeated notes. What tells a loop from them is how long
it goes on for how little it says, so a unit of few different tokens may be repeated longer than a sentence.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_ANCHOR = (
    8  # tokens in a row that must recur before a distance counts as a period, and between two differences
)
_SLIP = 4  # different tokens in a row that copies may have, such as their number
_COPIES = 3  # copies beyond the first, at least
_SHORT = 4  # units of so few tokens are not lines but parts of one,
_LINE = 256  # and a line is not longer than this
_LEAST = 192  # repeated tokens that make a loop of a unit of many different tokens,
_MOST = 1024  # and of few: rows of zeros, empty forms
_VARIETY = 4096  # in between, this divided by the perplexity of the unit's tokens
_NUMBERED = 2  # times as many if the copies differ: numbered rows and bars are less suspicious

_WINDOW = 1024
_GRAM = 4
_SHARE = 0.04  # of different n-grams in the window; the most monotonous page of the data engines has 0.3


@dataclass(frozen=True)
class Loop:
    """A row that repeats itself.

    Attributes:
        end: tokens of the row when it was noticed.
        kept: how many of them come before the repetition: the row until the end of the unit's first copy.
        period: tokens of the unit, or None if its copies are not quite the same.
    """

    end: int
    kept: int
    period: int | None

    @property
    def dropped(self) -> int:
        """Tokens that repeat what stands before them."""
        return self.end - self.kept


class LoopDetector:
    """Watches one row, token by token, at a constant cost a token.

    Two rules, either of which is enough. **Period**: the row equals itself some tokens earlier, for so many tokens
    and copies that no page would; copies may differ in a few tokens, such as their number. The distance is taken
    from the last place where the latest `_ANCHOR` tokens stood, and again whenever it fails, so a unit that repeats
    parts of itself is found too. **Variety**: the last `_WINDOW` tokens hold next to no different n-grams.
    """

    def __init__(self) -> None:
        self._row: list[int] = []
        self._last: dict[tuple[int, ...], int] = {}  # the latest tokens -> where they last ended
        self._known: set[int | tuple[int, int]] = set()  # tokens, and pairs of them
        self._open = 0  # last tokens that might turn out to be the beginning of a repetition
        self._period = 0  # 0: none is known
        self._start = 0  # of what repeats the copy before it
        self._equal = 0  # last tokens that equal those one period earlier
        self._different = 0  # last tokens that do not
        self._exact = True
        self._needed = 0  # repeated tokens that make a loop; 0 until it matters
        self._grams: Counter[tuple[int, ...]] = Counter()

    @property
    def certain(self) -> int:
        """Tokens, from the first on, that are kept whatever comes; a loop of little variety alone may take more."""
        return min(len(self._row) - self._open, self._start if self._period else len(self._row))

    def push(self, token: int) -> Loop | None:
        """Adds the row's next token; says whether the row is in a loop now."""
        row = self._row
        row.append(token)
        self._look_back()
        self._follow_period()
        self._slide_window()
        if self._is_too_long():
            return Loop(len(row), self._start, self._period if self._exact else None)
        if len(row) >= _WINDOW and len(self._grams) < _SHARE * _WINDOW:
            return Loop(len(row), _first_repetition(row), None)
        return None

    def _look_back(self) -> None:
        """How far back an anchor that is being written could have begun: not before anything new."""
        token, pair = self._row[-1], (self._row[-2:][0], self._row[-1])
        most = 0 if token not in self._known else 1 if pair not in self._known else _ANCHOR - 1
        self._open = min(self._open + 1, most)
        self._known |= {token, pair}

    def _follow_period(self) -> None:
        row, end = self._row, len(self._row)
        if self._period and row[-1] == row[-1 - self._period]:
            self._equal += 1
            self._different = 0
        else:
            self._differ()
        latest = tuple(row[-_ANCHOR:])
        if not self._period and latest in self._last:
            self._period = end - self._last[latest]
            self._start = end - _ANCHOR
            self._equal, self._different = _ANCHOR, 0
            self._exact, self._needed = True, 0
        if end >= _ANCHOR:
            self._last[latest] = end

    def _differ(self) -> None:
        """The last token is not that of the copy before: a slip, or the end of the repetition."""
        slipped = self._period > _SHORT and (self._different > 0 or self._equal >= _ANCHOR)
        self._different += 1
        self._equal = 0
        self._exact = False
        if not slipped or self._different > _SLIP:
            self._period = 0

    def _is_too_long(self) -> bool:
        """Whether more is repeated than a page would, for what the unit says."""
        repeated = len(self._row) - self._start
        if not self._period or repeated < _LEAST or not self._equal:
            return False
        if not self._needed:
            enough = float(_LINE)
            if self._period > _SHORT:
                enough = min(max(_VARIETY / _perplexity(self._row[-self._period :]), _LEAST), _MOST)
            self._needed = max(_COPIES * self._period, int(enough))
        return repeated >= self._needed * (1 if self._exact else _NUMBERED)

    def _slide_window(self) -> None:
        row, grams = self._row, self._grams
        if len(row) < _GRAM:
            return
        grams[tuple(row[-_GRAM:])] += 1
        left = len(row) - _WINDOW
        if left >= _GRAM:
            leaving = tuple(row[left - _GRAM : left])
            if grams[leaving] == 1:
                del grams[leaving]
            else:
                grams[leaving] -= 1


def _perplexity(tokens: Sequence[int]) -> float:
    """How many different tokens, equally frequent, would be as varied as these: 1 for equal ones."""
    shares = [count / len(tokens) for count in Counter(tokens).values()]
    return math.exp(-sum(share * math.log(share) for share in shares))


def _first_repetition(row: Sequence[int]) -> int:
    """Where a row that ends in a loop stops saying anything new.

    The place after which repeated n-grams outnumber new ones the most; the first copy of the unit is new, so it
    lies before it.
    """
    seen: set[tuple[int, ...]] = set()
    new: list[bool] = []
    for end in range(_GRAM, len(row) + 1):
        gram = tuple(row[end - _GRAM : end])
        new.append(gram not in seen)
        seen.add(gram)
    best, surplus, most = len(row), 0, 0
    for place in reversed(range(len(new))):
        surplus += -1 if new[place] else 1
        if surplus >= most:
            best, most = place + _GRAM - 1, surplus
    return best
