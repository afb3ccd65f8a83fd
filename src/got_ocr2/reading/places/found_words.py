"""The words that were found on a page line by line, in the form in which a text is laid over them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from ...results import TextPart
from .letters import letters_of

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class FoundWord:
    """A word with a place: `line` is the number of its line, `start` and `end` bound its letters among all."""

    box: Box
    line: int
    start: int
    end: int


class FoundWords:
    """Lines and words with places, and all their letters one after another.

    Attributes:
        lines: in reading order.
        words: of all lines, in order.
        letters: of all words.
        owners: for each letter the number of its word.
        spans: for each line its first word and the one after its last.
    """

    def __init__(self, lines: Sequence[TextPart], words: Sequence[TextPart]) -> None:
        """Takes the lines and words of a result; those without a box are left out."""
        self.lines: list[TextPart] = []
        self.words: list[FoundWord] = []
        self.owners: list[int] = []
        self.spans: list[tuple[int, int]] = []
        starts = [word.start for word in words]
        letters: list[str] = []
        for line in lines:
            if line.box is None:
                continue
            first = len(self.words)
            for word in words[bisect_left(starts, line.start) : bisect_left(starts, line.end)]:
                text = letters_of(word.text).text
                if word.box is None or not text:
                    continue
                begin = len(self.owners)
                self.owners += [len(self.words)] * len(text)
                self.words.append(FoundWord(word.box, len(self.lines), begin, len(self.owners)))
                letters.append(text)
            if len(self.words) > first:
                self.lines.append(line)
                self.spans.append((first, len(self.words)))
        self.letters = "".join(letters)

    def letters_of_line(self, line: int) -> range:
        """The places of its letters among all."""
        first, last = self.spans[line]
        return range(self.words[first].start, self.words[last - 1].end)

    def box_of(self, line: int, words: Sequence[int]) -> Box:
        """Around some words of a line and what stands between them; the line's own box if those are all of it."""
        first, last = self.spans[line]
        low, high = min(words), max(words)
        own = self.lines[line].box
        if (low, high) == (first, last - 1) and own is not None:
            return own
        return hull([self.words[number].box for number in range(low, high + 1)])


def hull(boxes: Sequence[Box]) -> Box:
    """The least box around all."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
