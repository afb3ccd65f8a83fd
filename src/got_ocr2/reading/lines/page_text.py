"""The text of a page from those of its lines, and where each line stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class LineText(NamedTuple):
    """What a line says, and the block that it belongs to."""

    text: str
    block: int


class JoinedText:
    """Lines put together one after another; what has been put there stays as it is.

    Attributes:
        text: of all lines so far.
        spans: for each line, where it starts and ends in the text. A hyphen that was taken away at the end of a line
            is not in its span.
    """

    def __init__(self, *, paragraphs: bool = False, dehyphenate: bool = False) -> None:
        """
        Args:
            paragraphs: lines of a block make one line of running text, and a blank line stands between blocks;
                otherwise every line keeps its own.
            dehyphenate: words that were divided at the end of a line are put together again.
        """
        self.text = ""
        self.spans: list[tuple[int, int]] = []
        self._paragraphs = paragraphs
        self._dehyphenate = dehyphenate
        self._block: int | None = None

    def extend(self, lines: Sequence[LineText]) -> None:
        """Adds lines, none of them empty, in reading order."""
        for line in lines:
            self._add(line)

    def _add(self, line: LineText) -> None:
        same = self._block == line.block
        if not self.text:
            pass
        elif self._dehyphenate and same and _is_divided(self.text, line.text):
            self.text = self.text[:-1]
            start, end = self.spans[-1]
            self.spans[-1] = (start, end - 1)
        elif self._paragraphs:
            self.text += " " if same else "\n\n"
        else:
            self.text += "\n"
        self.spans.append((len(self.text), len(self.text) + len(line.text)))
        self.text += line.text
        self._block = line.block


def _is_divided(before: str, after: str) -> bool:
    """Whether a word goes on in the next line: a hyphen after a letter, a small letter after it."""
    return len(before) > 1 and before[-1] in "-\u2010\u00ad" and before[-2].isalpha() and after[:1].islower()
