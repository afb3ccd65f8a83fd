"""Setting text: words into lines of a given width, lines onto a mask, with the box of every character."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from ..fonts.catalog import FontFile
from ..sample import Glyphs, Region

Alignment = Literal["left", "center", "right", "justify"]


@dataclass(frozen=True)
class Style:
    """How a block is set.

    Attributes:
        face: the font.
        size: pixels per em, >= 1.
        leading: distance of baselines in ems.
        align: where lines shorter than the column stand; the last line of justified text stands left.
        word_space: width of a space in spaces of the font.
        joint: what stands between words in the text; empty in Chinese, where every character is a word.
    """

    face: FontFile
    size: float
    leading: float = 1.25
    align: Alignment = "left"
    word_space: float = 1.0
    joint: str = " "

    def width(self, word: str) -> float:
        """Pixels that a word takes."""
        return _width(self.face, self.size, word)

    @property
    def space(self) -> float:
        return self.word_space * self.width(" ") if self.joint else 0.0


@dataclass(frozen=True)
class PlacedLine:
    """One set line: each word with the x of its left edge, all on one baseline (pixels)."""

    style: Style
    baseline: float
    words: tuple[tuple[float, str], ...]

    @property
    def text(self) -> str:
        return self.style.joint.join(word for _, word in self.words)


def break_lines(words: Sequence[str], style: Style, width: float) -> list[list[str]]:
    """Fills lines of `width` pixels greedily; a word wider than the column is left out."""
    lines: list[list[str]] = []
    room = 0.0
    for word in words:
        needed = style.width(word)
        if needed > width:
            continue
        if lines and needed + style.space <= room:
            lines[-1].append(word)
            room -= needed + style.space
        else:
            lines.append([word])
            room = width - needed
    return lines


def place_lines(
    lines: Sequence[Sequence[str]], style: Style, left: float, top: float, width: float, *, ends: bool = True
) -> list[PlacedLine]:
    """Puts broken lines into a column.

    Args:
        lines: words of each line, as `break_lines` gives them.
        left, top, width: the column in pixels; `top` is the top of the first line's em square.
        ends: the last line ends the paragraph, so it is not stretched.
    """
    placed: list[PlacedLine] = []
    for number, words in enumerate(lines):
        baseline = top + style.size * (0.8 + number * style.leading)
        widths = [style.width(word) for word in words]
        gap = style.space
        slack = width - sum(widths) - gap * (len(words) - 1)
        x = left
        if style.align == "justify" and len(words) > 1 and not (ends and number == len(lines) - 1):
            gap += slack / (len(words) - 1)
        elif style.align in ("center", "right"):
            x += slack / 2 if style.align == "center" else slack
        starts = list(accumulate((w + gap for w in widths[:-1]), initial=x))
        placed.append(PlacedLine(style, baseline, tuple(zip(starts, words, strict=True))))
    return placed


@dataclass
class TextLayer:
    """Everything set on one page: the ink as a mask, and the truth about it.

    Attributes:
        mask: mode "L", 255 where ink is.
        lines: the lines in reading order, blocks separated as `block_ends` tells.
    """

    mask: Image.Image
    lines: list[PlacedLine] = field(default_factory=list)
    block_ends: list[int] = field(default_factory=list)

    def add_block(self, lines: Sequence[PlacedLine]) -> None:
        """Draws the lines of one block; blocks come in reading order."""
        draw = ImageDraw.Draw(self.mask)
        for line in lines:
            font = line.style.face.load(line.style.size)
            for x, word in line.words:
                draw.text((x, line.baseline), word, fill=255, font=font, anchor="ls")
        self.lines += lines
        self.block_ends.append(len(self.lines))

    @property
    def text(self) -> str:
        """The truth: lines joined by line breaks."""
        return "\n".join(line.text for line in self.lines)

    def truth(self) -> tuple[Glyphs, tuple[Region, ...]]:
        """Boxes of all characters, and regions: each block, then its lines, each followed by its words."""
        offsets: list[int] = []
        boxes: list[tuple[float, float, float, float]] = []
        regions: list[Region] = []
        offset = start = 0
        for end in self.block_ends:
            block: list[Region] = []
            for line in self.lines[start:end]:
                words: list[Region] = []
                for x, word in line.words:
                    edges = _edges(line.style.face, line.style.size, word) + x
                    up, down = line.baseline - 0.75 * line.style.size, line.baseline + 0.22 * line.style.size
                    offsets += range(offset, offset + len(word))
                    boxes += [(a, up, b, down) for a, b in pairwise(edges)]
                    words.append(Region("word", word, (float(edges[0]), up, float(edges[-1]), down)))
                    offset += len(word) + len(line.style.joint)
                offset += 1 - len(line.style.joint)
                block += [Region("line", line.text, hull(words)), *words]
            text = "\n".join(line.text for line in self.lines[start:end])
            regions += [Region("block", text, hull(block)), *block]
            start = end
        glyphs = Glyphs(np.array(offsets, np.int32), np.array(boxes, np.float32).reshape(-1, 4))
        return glyphs, tuple(regions)


def hull(regions: Sequence[Region]) -> tuple[float, float, float, float]:
    """The smallest box around all regions (at least one)."""
    left, top, right, bottom = zip(*(region.box for region in regions), strict=True)
    return min(left), min(top), max(right), max(bottom)


@lru_cache(maxsize=200_000)
def _width(face: FontFile, size: float, word: str) -> float:
    return face.load(size).getlength(word)


def _edges(face: FontFile, size: float, word: str) -> np.ndarray:
    """Left edge of every character and right edge of the last, (n + 1,), from 0.

    Advances of single characters, scaled to the word's true width: kerning moves an edge by less than a pixel.
    """
    advances = np.array([0.0, *(_width(face, size, char) for char in word)]).cumsum()
    return advances * (_width(face, size, word) / advances[-1]) if advances[-1] > 0 else advances
