"""Slices of print: a word, a line, or a paragraph, laid out for the canvas of a small reader.

A slice is set at a random resolution, so that letters come out between barely readable and large whatever
their number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from ..corpora.catalog import Split
from ..corpora.content import Content
from ..drawing.typeset import PlacedLine, TextLayer, break_lines, place_lines
from ..fonts.catalog import Script
from .styles import random_style

SliceLayout = Literal["word", "line", "paragraph"]

_MARKS = ("-", "*", "•", "–", "1.", "2.", "a)", "(1)", "(i)")


@dataclass(frozen=True)
class SliceMaker:
    """Composes slices.

    Attributes:
        content: what is written.
        canvas: height and width in pixels for which letters are sized.
        em: smallest and largest letters, pixels per em on that canvas.
        mixed: share of slices in which every line has a font and size of its own.
        split: whose fonts.
        script: "latin" or "chinese".
    """

    content: Content
    canvas: tuple[int, int]
    em: tuple[float, float]
    mixed: float
    split: Split
    script: Script = "latin"

    def compose(self, rng: np.random.Generator, layout: SliceLayout) -> TextLayer:
        """One slice, cropped to its text; a layer without lines if no word drawn fits the canvas."""
        # One canvas pixel is `scale` image pixels: the reader will have to shrink or enlarge the picture.
        scale = float(np.exp(rng.normal(0.25, 0.4)).clip(0.55, 2.5))
        low, high = self.em
        em = scale * low * (high / low) ** (rng.random() ** (1.6 if layout == "paragraph" else 1.0))
        page_width, page_height = self.canvas[1] * scale, self.canvas[0] * scale
        margin_x, margin_y = em * rng.uniform(0.1, 1.2, 2)
        width = page_width - 2 * margin_x
        limit = 1
        if layout == "paragraph":
            width *= 1.0 if rng.random() < 0.7 else rng.uniform(0.4, 1.0)
            limit = 1000
        elif rng.random() < 0.5:
            width *= rng.uniform(0.3, 1.0)
        blocks = self._blocks(rng, layout, em, margin_x, margin_y, width, page_height - margin_y, limit)
        lines = [line for block in blocks for line in block]
        if not lines:
            return TextLayer(Image.new("L", (1, 1)))
        right = max(x + line.style.width(word) for line in lines for x, word in line.words)
        bottom = max(line.baseline + 0.3 * line.style.size for line in lines)
        full = layout == "paragraph" and rng.random() < 0.8
        shape = (
            math.ceil(page_width if full else min(right + margin_x, page_width)),
            math.ceil(min(bottom + margin_y, page_height)),
        )
        layer = TextLayer(Image.new("L", shape))
        for block in blocks:
            layer.add_block(block)
        return layer

    def _blocks(
        self, rng: np.random.Generator, layout: SliceLayout, em: float, left: float, top: float, width: float,
        bottom: float, limit: int,
    ) -> list[list[PlacedLine]]:  # fmt: skip
        """Fills a column with blocks until it, or the number of lines, is used up."""
        blocks: list[list[PlacedLine]] = []
        alone = rng.random() < self.mixed
        body = random_style(rng, self.split, em, script=self.script)
        while limit > 0:
            style, heading = body, False
            if alone:
                style = random_style(rng, self.split, em * rng.uniform(0.75, 1.6), script=self.script)
            elif layout == "paragraph" and rng.random() < 0.15:
                style, heading = (
                    random_style(rng, self.split, em * rng.uniform(1.0, 1.7), script=self.script),
                    True,
                )
            room = int((bottom - top - style.size) / (style.size * style.leading)) + 1
            if bottom - top < style.size * 1.05 or room < 1:
                break
            single = alone or heading or layout != "paragraph"
            count = (
                1
                if layout == "word"
                else max(2, int(width / style.size * (2 if single else 2 * room) * 0.25))
            )
            words = [word for word in self.content.words(rng, count) if style.face.covers(word)]
            if not single and rng.random() < 0.08:
                words = [_MARKS[int(rng.integers(len(_MARKS)))], *words]
                words = [word for word in words if style.face.covers(word)]
            most = min(room, limit, 1 if single else int(rng.integers(1, 14)))
            broken = break_lines(words, style, width)
            lines = place_lines(broken[:most], style, left, top, width, ends=len(broken) <= most)
            if not lines:
                limit -= 1
                continue
            blocks.append(lines)
            limit -= len(lines)
            top = lines[-1].baseline + style.size * (style.leading - 0.8)
            if layout != "paragraph":
                break
            top += em * (rng.uniform(0.0, 1.0) if rng.random() < 0.5 else 0.0)
            if rng.random() < 0.02:
                break
        return blocks
