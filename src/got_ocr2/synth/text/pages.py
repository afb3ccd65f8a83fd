"""Whole pages of plain print: one to three columns, headings, lists, headers and footers.

The truth is the page read as a person reads it: header, then column by column, then footer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from ..corpora.catalog import Split
from ..corpora.content import Content
from ..drawing.typeset import Alignment, PlacedLine, Style, TextLayer, break_lines, place_lines
from ..fonts.catalog import Script
from .styles import random_style

_BULLETS = ("•", "-", "–", "*")


@dataclass(frozen=True)
class PageMaker:
    """Composes pages.

    Attributes:
        content: what is written.
        split: whose fonts.
        script: "latin" or "chinese".
    """

    content: Content
    split: Split
    script: Script = "latin"

    def compose(self, rng: np.random.Generator) -> TextLayer:
        """A page 768 to 1280 pixels high, upright or lying, with body letters of 10 to 22 pixels per em."""
        height = int(rng.integers(768, 1281))
        width = int(height * rng.choice([0.707, 0.77, 1.0, 1.33], p=[0.5, 0.3, 0.1, 0.1]))
        layer = TextLayer(Image.new("L", (width, height)))
        body = self._style(rng, rng.uniform(10, 22), align="justify" if rng.random() < 0.5 else "left")
        side = rng.uniform(0.06, 0.12) * width
        top, bottom = (rng.uniform(0.05, 0.1) * height for _ in range(2))
        bottom = height - bottom
        if rng.random() < 0.4:
            self._running_line(rng, layer, body, side, width - 2 * side, top - 1.8 * body.size)
        if rng.random() < 0.5:
            top = self._title(rng, layer, body, side, width - 2 * side, top)
        columns = int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
        gap = 1.6 * body.size
        column = (width - 2 * side - gap * (columns - 1)) / columns
        if column < 9 * body.size:
            columns, column = 1, width - 2 * side
        for number in range(columns):
            self._fill_column(rng, layer, body, side + number * (column + gap), column, top, bottom)
        if rng.random() < 0.5:
            self._running_line(rng, layer, body, side, width - 2 * side, bottom + 0.8 * body.size)
        return layer

    def _style(self, rng: np.random.Generator, size: float, align: Alignment) -> Style:
        style = random_style(rng, self.split, size, script=self.script, align=align)
        return Style(
            style.face, style.size, min(style.leading, 1.45), style.align, min(style.word_space, 1.2)
        )

    def _set(
        self, rng: np.random.Generator, style: Style, count: int, left: float, top: float, width: float,
        most: int, mark: str | None = None,
    ) -> list[PlacedLine]:  # fmt: skip
        """`count` words in at most `most` lines; a mark hangs before the first and indents the others."""
        words = [w for w in self.content.words(rng, count) if style.face.covers(w)]
        indent = style.width(mark) + style.space if mark else 0.0
        broken = break_lines(words, style, width - indent)
        lines = place_lines(
            broken[:most], style, left + indent, top, width - indent, ends=len(broken) <= most
        )
        if mark and lines:
            first = lines[0]
            lines[0] = PlacedLine(first.style, first.baseline, ((left, mark), *first.words))
        return lines

    def _fill_column(
        self, rng: np.random.Generator, layer: TextLayer, body: Style, left: float, width: float,
        top: float, bottom: float,
    ) -> None:  # fmt: skip
        """Headings, paragraphs and list items until the column is full."""
        heading = replace(body, size=round(body.size * rng.uniform(1.1, 1.4)), align="left", word_space=1.0)
        bullet = next((b for b in rng.permutation(_BULLETS) if body.face.covers(b)), None)
        part = "paragraph"
        while True:
            part = self._next_part(rng, part, bullet)
            style = heading if part == "heading" else body
            most = int((bottom - top - style.size) // (style.size * style.leading)) + 1
            if bottom - top < style.size * (4 if part == "heading" else 1.05):
                return
            longest = {"heading": 6, "item": 25, "paragraph": 90}[part]
            mark = str(bullet) if part == "item" else None
            lines = self._set(
                rng, style, int(rng.integers(2, longest)), left, top, width,
                1 if part == "heading" else most, mark,
            )  # fmt: skip
            if not lines:
                return
            layer.add_block(lines)
            top = lines[-1].baseline + style.size * (style.leading - 0.8)
            top += body.size * (0.15 if part == "item" else rng.uniform(0.2, 0.9))

    @staticmethod
    def _next_part(rng: np.random.Generator, last: str, bullet: object) -> str:
        if last == "heading":
            return "paragraph"
        stays = last == "item" and rng.random() < 0.7
        if bullet is not None and (stays or rng.random() < 0.12):
            return "item"
        return "heading" if last != "heading" and rng.random() < 0.25 else "paragraph"

    def _title(
        self, rng: np.random.Generator, layer: TextLayer, body: Style, left: float, width: float, top: float
    ) -> float:
        """A title across all columns; gives the y below it."""
        align: Alignment = "center" if rng.random() < 0.6 else "left"
        style = self._style(rng, body.size * rng.uniform(1.6, 2.4), align)
        lines = self._set(rng, style, int(rng.integers(2, 10)), left, top, width, 2)
        if not lines:
            return top
        layer.add_block(lines)
        return lines[-1].baseline + style.size * 0.3 + body.size * rng.uniform(0.6, 1.5)

    def _running_line(
        self, rng: np.random.Generator, layer: TextLayer, body: Style, left: float, width: float, top: float
    ) -> None:
        """A header or footer on one line: a page number, or a few words and a page number."""
        style = replace(body, size=max(8.0, round(body.size * 0.85)), align="left", word_space=1.0)
        number = str(int(rng.integers(1, 999)))
        if rng.random() < 0.5:
            line = PlacedLine(style, top + style.size, ((left + (width - style.width(number)) / 2, number),))
            layer.add_block([line])
            return
        lines = self._set(rng, style, int(rng.integers(1, 6)), left, top, width - 4 * style.size, 1)
        if not lines:
            return
        at_right = (left + width - style.width(number), number)
        layer.add_block([PlacedLine(style, lines[0].baseline, (*lines[0].words, at_right))])
