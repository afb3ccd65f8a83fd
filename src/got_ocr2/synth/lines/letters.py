"""Drawing lines letter by letter, as machines strike them: every letter has a place and a blackness of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from ..drawing.typeset import hull
from ..sample import Glyphs, Region
from .typography import units

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

    from ..fonts import FontFile

_OPENING, _SET_OFF = frozenset("“«„‹"), frozenset(";:?!»”›")


@dataclass(frozen=True)
class Machine:
    """How a machine strikes letters; all lengths in ems.

    Attributes:
        shifts: how much each type sits too high or low, for the code of a character modulo the number of them.
        raised: how much capitals sit too high: the carriage was not shifted all the way.
        jitter: standard deviation of each strike, across and down.
        ink: mean blackness of a strike, 0..1.
        uneven: its standard deviation.
        twice: share of letters that are struck twice, a little beside.
    """

    shifts: tuple[float, ...] = (0.0,)
    raised: float = 0.0
    jitter: tuple[float, float] = (0.0, 0.0)
    ink: float = 1.0
    uneven: float = 0.0
    twice: float = 0.0


@dataclass(frozen=True)
class Hand:
    """What a line is set with.

    Attributes:
        face: the font.
        size: pixels per em.
        word_space: width of a space, in pixels.
        spacing: pixels added after every letter.
        small: size of a word's letters after its first, against the first: below 1 for small capitals.
        thin: pixels before a colon and the like, and inside of quotes: old printers' thin space, which nobody types.
        ligatures: the ligature characters to use.
        machine: strikes letters one by one; None draws whole words.
    """

    face: FontFile
    size: float
    word_space: float
    spacing: float = 0.0
    small: float = 1.0
    thin: float = 0.0
    ligatures: frozenset[str] = frozenset()
    machine: Machine | None = None

    def font(self, letter: int = 0) -> FreeTypeFont:
        """The face at the size that letter number `letter` of a word has."""
        return self.face.load(self.size * self.small if letter else self.size)

    @property
    def whole(self) -> bool:
        """Whether words are drawn at once, with the face's kerning."""
        return self.machine is None and not self.spacing and not self.thin and self.small == 1

    def edges(self, word: str) -> np.ndarray:
        """Where each character of a word begins and the last one ends, float `(len(word) + 1,)`, from 0."""
        parts = units(word, self.ligatures)
        lengths = [_advance(self.font(i), shown) + self.spacing for i, (shown, _) in enumerate(parts)]
        for i, ((shown, _), (following, _)) in enumerate(pairwise(parts)):
            lengths[i] += self.thin * (shown in _OPENING or following in _SET_OFF)
        if self.whole:  # its kerning is shared out over the letters
            kerned = self.font().getlength("".join(shown for shown, _ in parts)) / max(sum(lengths), 1e-9)
            lengths = [length * kerned for length in lengths]
        steps = [length / n for length, (_, n) in zip(lengths, parts, strict=True) for _ in range(n)]
        return np.concatenate([[0.0], np.cumsum(steps)])

    def length(self, word: str) -> float:
        """Pixels that a word takes."""
        return float(self.edges(word)[-1])

    def reach(self) -> tuple[float, float]:
        """How far its letters reach above and below the baseline, in pixels."""
        _, top, _, bottom = self.font().getbbox("dHlpg", anchor="ls")
        return float(-top), float(bottom)


def _wider(box: tuple[float, float, float, float], factor: float) -> tuple[float, float, float, float]:
    return box[0] * factor, box[1], box[2] * factor, box[3]


@lru_cache(maxsize=20_000)
def _advance(font: FreeTypeFont, shown: str) -> float:
    """Pixels from one letter to the next."""
    return font.getlength(shown)


@dataclass
class LineSheet:
    """A mask with lines of letters, and the truth about them.

    Attributes:
        mask: mode "L", 255 where ink is.
    """

    mask: Image.Image
    texts: list[str] = field(default_factory=list)
    _words: list[list[Region]] = field(default_factory=list)
    _offsets: list[int] = field(default_factory=list)
    _boxes: list[tuple[float, float, float, float]] = field(default_factory=list)

    def add(self, rng: np.random.Generator, words: list[tuple[float, Hand, str]], baseline: float) -> None:
        """Draws one line: each word with its left edge and what it is set with."""
        draw = ImageDraw.Draw(self.mask)
        up, down = (max(reach) for reach in zip(*(hand.reach() for _, hand, _ in words), strict=True))
        offset = sum(len(text) + 1 for text in self.texts)
        placed: list[Region] = []
        for x, hand, word in words:
            edges = hand.edges(word) + x
            self._strike(rng, draw, hand, word, edges, baseline)
            self._offsets += range(offset, offset + len(word))
            self._boxes += [(a, baseline - up, b, baseline + down) for a, b in pairwise(edges)]
            placed.append(
                Region("word", word, (float(edges[0]), baseline - up, float(edges[-1]), baseline + down))
            )
            offset += len(word) + 1
        self._words.append(placed)
        self.texts.append(" ".join(word for *_, word in words))

    def stretched(self, factor: float) -> LineSheet:
        """The sheet at `factor` times its width, as cold type sets narrow and wide letters."""
        size = (max(1, round(self.mask.width * factor)), self.mask.height)
        factor = size[0] / self.mask.width
        return LineSheet(
            self.mask.resize(size, Image.Resampling.BICUBIC),
            self.texts,
            [[replace(word, box=_wider(word.box, factor)) for word in line] for line in self._words],
            self._offsets,
            [_wider(box, factor) for box in self._boxes],
        )

    def truth(self) -> tuple[Glyphs, tuple[Region, ...]]:
        """Boxes of all characters, and regions: each line followed by its words."""
        regions: list[Region] = []
        for text, words in zip(self.texts, self._words, strict=True):
            regions += [Region("line", text, hull(words)), *words]
        return Glyphs(
            np.array(self._offsets, np.int32), np.array(self._boxes, np.float32).reshape(-1, 4)
        ), tuple(regions)

    @staticmethod
    def _strike(
        rng: np.random.Generator,
        draw: ImageDraw.ImageDraw,
        hand: Hand,
        word: str,
        edges: np.ndarray,
        baseline: float,
    ) -> None:
        parts = units(word, hand.ligatures)
        if hand.whole:
            shown = "".join(shown for shown, _ in parts)
            draw.text((float(edges[0]), baseline), shown, fill=255, font=hand.font(), anchor="ls")
            return
        machine = hand.machine or Machine()
        at = 0
        for i, (shown, count) in enumerate(parts):
            font = hand.font(i)
            dx, dy = rng.normal(0, 1, 2) * machine.jitter * np.array(hand.size)
            dy += hand.size * machine.shifts[ord(shown[0]) % len(machine.shifts)]
            dy -= hand.size * machine.raised * shown.isupper()
            ink = float(np.clip(rng.normal(machine.ink, machine.uneven), 0.25, 1.0))
            place = (float(edges[at] + dx), float(baseline + dy))
            if rng.random() < machine.twice:
                beside = (
                    place[0] + rng.normal(0, 0.03) * hand.size,
                    place[1] + rng.normal(0, 0.02) * hand.size,
                )
                draw.text(beside, shown, fill=round(200 * ink), font=font, anchor="ls")
            draw.text(place, shown, fill=round(255 * ink), font=font, anchor="ls")
            at += count
