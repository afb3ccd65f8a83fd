"""Where in a known text a growing output stands, though the two differ here and there."""

from __future__ import annotations

_WINDOW = 80  # bytes of the text that one table of edit distances covers
_BACK = 12  # of them before the place that is expected
_CERTAIN = 8  # equal bytes up to a place that make it certain
_ANCHOR = 12  # bytes of output that are looked for in the whole text when the place is lost


class Alignment:
    """Follows an output through a text, byte by byte.

    As long as the output says what the text says, following it is a comparison. From the first difference on,
    a row of edit distances is kept between the output since then and every beginning of a window of the text,
    so that any mixture of missing, additional and wrong bytes leads to the nearest place; `_CERTAIN` equal bytes
    end the doubt. An output that has little in common with the window, because a line or a column is missing or
    stands elsewhere, is looked up by its last `_ANCHOR` bytes, and the occurrence nearest to the expected place
    counts.
    """

    def __init__(self, text: bytes) -> None:
        """Args:
        text: the text that the output is expected to resemble, UTF-8.
        """
        self._text = text
        self._place = 0  # expected next; while in doubt, where the doubt began
        self._tail = b""  # last bytes of the output
        self._distances: list[int] | None = None  # [j]: from the output in doubt to `_window[:j]`
        self._window = b""
        self._start = 0  # of the window
        self._doubtful = 0  # bytes of output since the window was opened
        self._guess: int | None = None  # the likeliest place, while in doubt

    def push(self, data: bytes) -> None:
        """Adds bytes to the output."""
        if self._distances is not None and self._guess is not None:
            same = self._same(data, self._guess)
            if same + self._equal_before(self._guess) >= _CERTAIN:
                self._settle(self._guess)
        self._tail = (self._tail + data)[-_WINDOW:]
        if self._distances is None:
            same = self._same(data, self._place)
            self._place += same
            data = data[same:]
            if data:
                self._open(self._place)
        for byte in data:
            if self._doubtful >= _WINDOW - 2 * _BACK:
                self._open(self._nearest()[0])
            self._add(byte)
            self._guess = None

    def position(self) -> int | None:
        """The offset in the text of what should come next; None while there is no telling."""
        if self._distances is None:
            return self._place
        place, distance, equal = self._nearest()
        if equal < _CERTAIN:
            if 2 * distance <= self._doubtful or self._doubtful <= _CERTAIN:
                self._guess = place
                return place
            found = self._anchored(place)
            if found is None:
                return None
            place = found
        self._settle(place)
        return place

    def _same(self, data: bytes, place: int) -> int:
        """How many first bytes of the data stand in the text from a place on."""
        if self._text.startswith(data, place):
            return len(data)
        return next(i for i in range(len(data)) if not self._text.startswith(data[i : i + 1], place + i))

    def _settle(self, place: int) -> None:
        """Ends the doubt."""
        self._place = place
        self._distances = self._guess = None

    def _open(self, place: int) -> None:
        """Starts a window around the expected place; other places cost their distance from it."""
        self._start = max(0, place - _BACK)
        self._place = place
        self._window = self._text[self._start : self._start + _WINDOW]
        self._distances = [abs(self._start + j - place) for j in range(len(self._window) + 1)]
        self._doubtful = 0

    def _add(self, byte: int) -> None:
        """One more row of the table of edit distances."""
        assert self._distances is not None
        above = self._distances
        diagonal = above[0]
        left = diagonal + 1
        row = [left]
        for letter, up in zip(self._window, above[1:], strict=True):
            best = diagonal if letter == byte else diagonal + 1
            if up < best:
                best = up + 1
            if left < best:
                best = left + 1
            row.append(best)
            diagonal, left = up, best
        self._distances = row
        self._doubtful += 1

    def _nearest(self) -> tuple[int, int, int]:
        """The likeliest place, its edit distance, and how many bytes up to it are equal.

        Among equal distances more equal bytes count, then the place that the same number of bytes leads to.
        """
        assert self._distances is not None
        least = min(self._distances)
        straight = self._place + self._doubtful - self._start
        equal, _, j = max(
            (self._equal_before(self._start + j), -abs(j - straight), j)
            for j, distance in enumerate(self._distances)
            if distance == least
        )
        return self._start + j, least, equal

    def _equal_before(self, place: int) -> int:
        """How many last bytes of the output stand right before a place, up to `_CERTAIN`."""
        equal, most = 0, min(_CERTAIN, len(self._tail), place)
        while equal < most and self._text[place - 1 - equal] == self._tail[-1 - equal]:
            equal += 1
        return equal

    def _anchored(self, expected: int) -> int | None:
        """After the occurrence of the last bytes of output that is nearest to the expected place."""
        if len(self._tail) < _ANCHOR:
            return None
        anchor = self._tail[-_ANCHOR:]
        ahead = self._text.find(anchor, max(0, expected - _ANCHOR))
        behind = self._text.rfind(anchor, 0, expected)
        found = [place + _ANCHOR for place in (ahead, behind) if place >= 0]
        return min(found, key=lambda place: abs(place - expected), default=None)
