r"""Which characters of an answer are drawn, and where: the link between a page's text and its PDF.

The PDF knows the place of every character that Typst drew, the answer knows what it means. Both list the same
characters, so walking through the answer in Typst's drawing order (a superscript before its subscript, matrices
column by column) pairs them off. A command such as `\alpha` stands where its sign stands, with its first character;
a character that finds no partner (a stretched brace, a hyphen at a line's end) is left out, never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache

import numpy as np

from ..drawing.typst_pdf import Box, union
from ..sample import Glyphs
from .math_symbols import ACCENTS, BIG_OPERATORS, LIMIT_OPERATORS, OPERATORS, SYMBOLS

Mark = tuple[int, str]  # offset in the text, the character that is drawn there

_STRUCTURE = re.compile(
    r"\\begin\{tabular\}\{[|lcr]+\}|\\(?:begin|end)\{\w+\}|\\item\b|\\hline|\\cline\{[\d-]+\}|\\\\|&|\}|\s+"
    r"|\\(?:title|author|footnotetext|(?:sub)*section\*|multicolumn\{\d+\}\{[|lcr]+\}|multirow\{\d+\}\{\*\})\{"
)
_TAG = re.compile(r" \\tag\{(.*?)\}$")
_COMMAND = re.compile(r"\\(operatorname\*|[A-Za-z]+|.)", re.DOTALL)
_LETTERS_INSIDE = frozenset(
    ("mathbb", "mathbf", "mathcal", "mathfrak", "mathrm", "mathsf", "boldsymbol", "text", "operatorname",
     "operatorname*", "frac", "substack", *ACCENTS)
)  # fmt: skip
# Commands that draw a sign before their arguments, and environments that draw one before their cells.
_SIGN_FIRST = {"sqrt": "√", "xrightarrow": "→", "binom": "(", "underbrace": "⏟", "overbrace": "⏞"}
_MATRICES = {"matrix": "", "pmatrix": "(", "bmatrix": "[", "Bmatrix": "{", "vmatrix": "|", "Vmatrix": "‖"}
_SIGNS = {
    **{name: char for name, (char, _) in (SYMBOLS | BIG_OPERATORS).items()},
    "langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋",
    "lceil": "⌈", "rceil": "⌉", "|": "‖", "{": "{", "}": "}",
}  # fmt: skip
_SILENT = frozenset(("left", "right", "big", "Big", "bigg", "Bigg", "quad", ",", "\\"))
_DRAWN_AS = {"∗": "*", "⋅": "·", "−": "-"}
_PLAIN = re.compile(r"[^\\\s}&]+")
_MAX_SKIP = 6
_AGREEMENT = 4


def page_glyphs(
    found: Iterable[tuple[str, int, Sequence[Box]]], characters: Sequence[str], boxes: np.ndarray
) -> Glyphs:
    """The places of an answer's characters.

    Args:
        found: pieces of the answer: text, offset in the answer, and the rectangles that it is drawn in.
        characters, boxes: what the PDF holds, see `Typeset.characters`.
    """
    offsets: list[int] = []
    places: list[int] = []
    plain = plain_text(characters)
    across, down = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    for text, start, rectangles in found:
        left, top, right, bottom = union(list(rectangles))
        near = np.flatnonzero(
            (across > left - 1) & (across < right + 1) & (down > top - 1) & (down < bottom + 1)
        )
        lows, highs = np.hsplit(np.array(rectangles, np.float32), 2)
        x, y = across[near, None], down[near, None]
        inside = (x > lows[:, 0] - 1) & (x < highs[:, 0] + 1) & (y > lows[:, 1] - 1) & (y < highs[:, 1] + 1)
        own: list[int] = near[inside.any(1)].tolist()
        for offset, index in pair(text_marks(text, start), "".join([plain[i] for i in own])):
            offsets.append(offset)
            places.append(own[index])
    return Glyphs(np.array(offsets, np.int32), boxes[np.array(places, np.intp)])


def text_marks(text: str, start: int = 0) -> list[Mark]:
    """The drawn characters of a piece of an answer in drawing order, offsets counted from `start`."""
    marks: list[Mark] = []
    position = 0
    while position < len(text):
        if found := _PLAIN.match(text, position):
            marks += zip(range(start + position, start + found.end()), found.group(), strict=True)
            position = found.end()
        elif text.startswith(("\\( ", "\\[ "), position):
            end = text.index(" \\)" if text[position + 1] == "(" else " \\]", position)
            marks += _formula_marks(text[position + 3 : end], start + position + 3)
            position = end + 3
        elif found := _STRUCTURE.match(text, position):
            position = found.end()
        else:
            position += text[position] == "\\"
            marks.append((start + position, text[position]))
            position += 1
    return marks


def plain_text(characters: Iterable[str]) -> str:
    """Each character without its font and with one code for signs that have several."""
    return "".join(map(_plain, characters))


def pair(marks: Sequence[Mark], drawn: str) -> list[tuple[int, int]]:
    """Finds the drawn character of each mark.

    Args:
        marks: what should be drawn, in drawing order.
        drawn: what is drawn, as `plain_text`.

    Returns:
        Pairs `(offset in the text, index of the drawn character)`, both in drawing order; a mark without a drawn
        character, or a drawn character without a mark, is in none.
    """
    wanted = plain_text(char for _, char in marks)
    pairs: list[tuple[int, int]] = []
    here = there = 0
    while here < len(wanted) and there < len(drawn):
        if wanted[here] == drawn[there]:
            pairs.append((marks[here][0], there))
            here += 1
            there += 1
        elif step := _resumed(wanted, here, drawn, there):
            here += step[0]
            there += step[1]
        else:
            rest = SequenceMatcher(None, wanted[here:], drawn[there:], autojunk=False)
            for a, b, size in rest.get_matching_blocks():
                pairs += [(marks[here + a + index][0], there + b + index) for index in range(size)]
            break
    return pairs


def _resumed(wanted: str, here: int, drawn: str, there: int) -> tuple[int, int] | None:
    """How many characters to skip on either side, as few as may be, until the two agree again for a while."""
    for skipped in range(1, _MAX_SKIP + 1):
        for marks in range(skipped + 1):
            piece = wanted[here + marks : here + marks + _AGREEMENT]
            if piece and drawn.startswith(piece, there + skipped - marks):
                return marks, skipped - marks
    return None


@cache
def _plain(char: str) -> str:
    folded = unicodedata.normalize("NFKD", char)[:1] or char
    return _DRAWN_AS.get(folded, folded)


def _formula_marks(tex: str, start: int) -> list[Mark]:
    tag = _TAG.search(tex)
    marks = list(_Formula(tex if tag is None else tex[: tag.start()], start).marks())
    if tag is not None:
        marks += [(start + tag.start(1) + index, char) for index, char in enumerate(tag.group(1))]
    return marks


class _Formula:
    """A walk through LaTeX as our grammar writes it: every argument and every script in braces."""

    def __init__(self, tex: str, start: int) -> None:
        self._tex = tex
        self._start = start

    def marks(self) -> Iterator[Mark]:
        yield from self._sequence(0, len(self._tex))

    def _sequence(self, begin: int, end: int) -> Iterator[Mark]:
        """Marks of a stretch; scripts are drawn after their base, the upper one first."""
        position = begin
        while position < end:
            position, parts = self._item(position, end)
            scripts: dict[str, list[Mark]] = {}
            while position < end and self._tex[position] in "_^":
                close = self._closing(position + 1)
                marks = list(self._sequence(position + 2, close))
                if [char for _, char in marks] == ["′", "′"]:
                    marks.pop()  # two primes are drawn as one sign
                scripts[self._tex[position]] = marks
                position = close + 1
            yield from parts
            yield from scripts.get("^", ())
            yield from scripts.get("_", ())

    def _item(self, position: int, end: int) -> tuple[int, list[Mark]]:
        """One sign, group, command or environment: where it ends and its marks."""
        char = self._tex[position]
        if char == "{":
            close = self._closing(position)
            return close + 1, list(self._sequence(position + 1, close))
        if char.isspace() or char == "&":
            return position + 1, []
        if char != "\\":
            return position + 1, [(self._start + position, char)]
        found = _COMMAND.match(self._tex, position)
        assert found is not None
        return self._command(found.group(1), position, found.end(), end)

    def _command(self, name: str, position: int, after: int, end: int) -> tuple[int, list[Mark]]:
        here = self._start + position
        if name == "begin":
            return self._environment(position, after, end)
        if name in ("left", "right") and self._tex[after] == ".":
            return after + 1, []
        if name in _SILENT:
            return after, []
        if name in _SIGN_FIRST:
            return self._arguments(after, [(here, _SIGN_FIRST[name])])
        if name in _SIGNS:
            return after, [(here, _SIGNS[name])]
        if name == "stackrel":
            middle = self._closing(after)
            close = self._closing(middle + 1)
            return close + 1, [*self._sequence(middle + 2, close), *self._sequence(after + 1, middle)]
        if name in _LETTERS_INSIDE:
            return self._arguments(after, [])
        assert name in OPERATORS or name in LIMIT_OPERATORS, name
        return after, [(here + 1 + index, char) for index, char in enumerate(name)]

    def _arguments(self, position: int, marks: list[Mark]) -> tuple[int, list[Mark]]:
        """All arguments that follow a command, an optional one in brackets too."""
        if self._tex.startswith("[", position):
            close = self._tex.index("]", position)
            marks += self._sequence(position + 1, close)
            position = close + 1
        while self._tex.startswith("{", position):
            close = self._closing(position)
            marks += self._sequence(position + 1, close)
            position = close + 1
        return position, marks

    def _environment(self, begin: int, position: int, end: int) -> tuple[int, list[Mark]]:
        close = self._closing(position)
        name = self._tex[position + 1 : close]
        stop = self._end_of(name, close + 1, end)
        rows = self._cells(close + 1, stop)
        if name in _MATRICES:
            rows = [list(column) for column in zip(*rows, strict=True)]
        opening = _MATRICES.get(name, "{" if name == "cases" else "")
        marks = [(self._start + begin, opening)] if opening else []
        marks += [mark for row in rows for first, last in row for mark in self._sequence(first, last)]
        return stop + len(f"\\end{{{name}}}"), marks

    def _cells(self, begin: int, end: int) -> list[list[tuple[int, int]]]:
        """Where the cells of an environment stand, row by row."""
        rows: list[list[tuple[int, int]]] = [[]]
        position = first = begin
        depth = 0
        while position < end:
            if self._tex.startswith(("\\begin", "\\end"), position):
                depth += 1 if self._tex[position + 1] == "b" else -1
            if depth == 0 and self._tex[position] == "&":
                rows[-1].append((first, position))
                first = position + 1
            elif depth == 0 and self._tex.startswith("\\\\", position):
                rows[-1].append((first, position))
                rows.append([])
                first = position = position + 2
                continue
            position += 2 if self._tex[position] == "\\" else 1
        rows[-1].append((first, end))
        return rows

    def _end_of(self, name: str, position: int, end: int) -> int:
        """Where the `\\end` of an environment begins; one of the same name may stand inside."""
        depth = 1
        opening, closing = f"\\begin{{{name}}}", f"\\end{{{name}}}"
        while position < end:
            if self._tex.startswith(opening, position):
                depth += 1
            elif self._tex.startswith(closing, position):
                depth -= 1
                if depth == 0:
                    return position
            position += 1
        raise AssertionError(f"{opening} is never closed in {self._tex}")

    def _closing(self, position: int) -> int:
        """The brace that closes the one at `position`."""
        assert self._tex[position] == "{", self._tex[position:]
        depth = 0
        while True:
            char = self._tex[position]
            if char == "\\":
                position += 2
                continue
            depth += (char == "{") - (char == "}")
            if depth == 0:
                return position
            position += 1
