"""Engine of sheet music: a score of our own, engraved by verovio, answered by its `**kern` text.

A title, a composer and a tempo may stand above the music, as in print; they are no part of the answer, which
is the score alone (so do GrandStaff and the model's published examples have it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont

from ...errors import GotOcr2Error, InvalidOptionError, MissingDependencyError
from ..corpora.catalog import Split, text_pool
from ..corpora.strings import random_string
from ..drawing.backgrounds import background
from ..drawing.svg import svg_to_image
from ..fonts.catalog import FontFile, fonts, pick_font
from ..sample import Sample, Task, sample_rng
from .scores import Score, ScoreOptions, random_score

_MUSIC_FONTS = ("Leipzig", "Bravura", "Leland", "Gootville", "Petaluma")
_FORMS = (
    *("Sonata", "Sonatina", "Menuet", "Prelude", "Fugue", "Waltz", "March", "Étude", "Rondo", "Allemande"),
    *(
        "Courante",
        "Sarabande",
        "Gigue",
        "Nocturne",
        "Scherzo",
        "Mazurka",
        "Polka",
        "Song",
        "Hymn",
        "Invention",
    ),
)
_TEMPI = (
    *(
        "Allegro",
        "Andante",
        "Adagio",
        "Moderato",
        "Presto",
        "Largo",
        "Vivace",
        "Allegretto",
        "Lento",
        "Grave",
    ),
    *("Allegro con brio", "Andante cantabile", "Tempo di Menuetto", "Molto vivace", "Adagio sostenuto"),
)


_UNIT = 9  # verovio's half distance of two staff lines, in tenths of a millimetre


@dataclass(frozen=True)
class Engraving:
    """How one score looks; lengths are in half distances of two staff lines unless said otherwise.

    Attributes:
        font: verovio's music font.
        scale: per cent of verovio's own size; at 100 two staff lines are 18 pixels apart.
        staff_line, stem, bar_line: widths of lines.
        linear: how evenly notes are spaced along the line, 0 (by room alone) to 1 (by duration).
        staff_gap: distance between staves.
        line_width: width at which the music breaks into several systems; None for one system.
    """

    font: str
    scale: int
    staff_line: float
    stem: float
    bar_line: float
    linear: float
    staff_gap: int
    line_width: int | None

    @property
    def space(self) -> float:
        """Distance of two staff lines in pixels."""
        return 2 * _UNIT * self.scale / 100

    @staticmethod
    def draw(rng: np.random.Generator, several_systems: float) -> Engraving:
        """A random look; `several_systems` is the chance that the music may break."""
        return Engraving(
            font=_MUSIC_FONTS[int(rng.choice(len(_MUSIC_FONTS), p=[0.4, 0.2, 0.15, 0.15, 0.1]))],
            scale=int(rng.integers(34, 68)),
            staff_line=float(rng.uniform(0.12, 0.25)),
            stem=float(rng.uniform(0.18, 0.32)),
            bar_line=float(rng.uniform(0.25, 0.6)),
            linear=float(rng.uniform(0.2, 0.4)),
            staff_gap=int(rng.integers(9, 16)),
            line_width=int(rng.integers(110, 200)) if rng.random() < several_systems else None,
        )


class MusicEngine:
    """Draws sheet music.

    Args:
        split: "train", or "test" for titles (and their fonts) that training never draws.
        score: what the scores hold.
        titles: share of samples with a title above the music.
        paper: share of samples on paper-like backgrounds; the others are on white.
        several_systems: share of samples whose music may break into several lines.
        max_side: longest side of the picture in pixels, at least 200; larger ones are scaled down.

    Raises:
        InvalidOptionError: an option out of range.
        MissingDependencyError: verovio or tikra is not installed (at the first sample).
    """

    kind = "music"

    def __init__(
        self,
        *,
        split: Split = "train",
        score: ScoreOptions | None = None,
        titles: float = 0.6,
        paper: float = 0.6,
        several_systems: float = 0.1,
        max_side: int = 1800,
    ) -> None:
        if split not in ("train", "test"):
            raise InvalidOptionError(f"The split is {split!r}; it must be 'train' or 'test'.")
        for name, share in (("titles", titles), ("paper", paper), ("several systems", several_systems)):
            if not 0 <= share <= 1:
                raise InvalidOptionError(f"The share of {name} is {share:g}; it must lie in 0 to 1.")
        if max_side < 200:
            raise InvalidOptionError(f"The longest side is {max_side} pixels; it must be at least 200.")
        self.split: Split = split
        self.score = score or ScoreOptions()
        self.titles = titles
        self.paper = paper
        self.several_systems = several_systems
        self.max_side = max_side

    def sample(self, seed: int, index: int) -> Sample:
        """Draws one score; the answer is its Humdrum text."""
        rng = sample_rng(seed, self.kind, index)
        score = random_score(rng, self.score)
        look = Engraving.draw(rng, self.several_systems)
        svg, (width, height) = engrave(score, look)
        shrink = min(1.0, self.max_side / max(width, height))
        music = svg_to_image(svg, max(1, int(width * shrink)))
        head = self._head(rng) if rng.random() < self.titles else {}
        page = self._page(rng, music, look.space * shrink, head)
        meta = {"font": look.font, "bars": score.bars, "staves": score.staves, **head}
        return Sample(self.kind, (page,), score.kern, Task(format=True), meta=meta)

    def _head(self, rng: np.random.Generator) -> dict[str, str]:
        """Title, and perhaps composer and tempo."""
        pool = text_pool(split=self.split)
        if rng.random() < 0.5:
            title = f"{rng.choice(_FORMS)} No. {rng.integers(1, 60)}"
            if rng.random() < 0.4:
                title += f" in {rng.choice(list('ABCDEFG'))} {rng.choice(['major', 'minor'])}"
        else:
            title = pool.words(rng, int(rng.integers(1, 5))).strip(" .,;:").title()
        head = {"title": title}
        if rng.random() < 0.6:
            initials = " ".join(
                f"{letter}." for letter in rng.choice(list("ABCDEFGHJKLMNPRSTW"), rng.integers(1, 3))
            )
            head["composer"] = f"{initials} {random_string(rng, 'word').capitalize()}"
        if rng.random() < 0.5:
            head["tempo"] = str(rng.choice(_TEMPI))
        return head

    def _page(
        self, rng: np.random.Generator, music: Image.Image, space: float, head: dict[str, str]
    ) -> Image.Image:
        """Music under its title on its background; `space` is the distance of two staff lines in pixels."""
        margins = rng.uniform(0.5, 5, 4) * space
        left, top, right, bottom = (int(margin) for margin in margins)
        lines = _set_head(rng, head, space, music.width, self.split) if head else None
        above = lines.height if lines else 0
        size = (left + music.width + right, top + above + music.height + bottom)
        ink = Image.new("L", size, 255)
        ink.paste(music.convert("L"), (left, top + above))
        if lines:
            ink.paste(lines, (left, top))
        on_paper = rng.random() < self.paper
        page = background(rng, size, "paper") if on_paper else Image.new("RGB", size, "white")
        dark = int(rng.integers(0, 70)) if on_paper else 0
        page.paste((dark, dark, dark), mask=ImageChops.invert(ink))
        return page


def engrave(score: Score, look: Engraving) -> tuple[str, tuple[int, int]]:
    """Engraves a score.

    Returns:
        SVG document without text elements, and its width and height in pixels.

    Raises:
        GotOcr2Error: verovio finds other bars than the score has, or several pages: a fault of the score.
        MissingDependencyError: verovio is not installed.
    """
    toolkit = _toolkit()
    toolkit.setOptions({
        "inputFrom": "humdrum", "header": "none", "footer": "none", "xmlIdSeed": 1, "unit": float(_UNIT),
        "adjustPageHeight": True, "adjustPageWidth": True, "pageHeight": 60000,
        "pageWidth": 100000 if look.line_width is None else look.line_width * _UNIT,
        "breaks": "none" if look.line_width is None else "auto",
        "font": look.font, "scale": look.scale, "spacingStaff": look.staff_gap, "spacingLinear": look.linear,
        "staffLineWidth": look.staff_line, "stemWidth": look.stem, "barLineWidth": look.bar_line,
    })  # fmt: skip
    loaded = toolkit.loadData(score.kern)
    svg = toolkit.renderToSVG(1) if loaded else ""
    bars = svg.count('class="measure"')
    if bars != score.bars or toolkit.getPageCount() != 1 or "<text" in svg:
        raise GotOcr2Error(f"Verovio drew {bars} bars of a score of {score.bars}:\n{score.kern}")
    size = re.search(r'<svg width="(\d+)px" height="(\d+)px"', svg)
    assert size is not None
    return svg, (int(size.group(1)), int(size.group(2)))


@lru_cache(maxsize=1)
def _toolkit() -> Any:
    try:
        import verovio
    except ImportError as error:
        raise MissingDependencyError('Sheet music needs verovio: pip install "got-ocr2[synth]".') from error
    verovio.enableLog(verovio.LOG_OFF)
    return verovio.toolkit()


def _set_head(
    rng: np.random.Generator, head: dict[str, str], space: float, width: int, split: Split
) -> Image.Image:
    """Title in the middle, composer on the right and tempo on the left below it; gray, black on white."""
    faces = fonts(("serif", "sans", "display"), split=split, weights=(300, 800))
    face = pick_font(rng, "".join(head.values()), faces)
    title = _fitted(face, head["title"], float(rng.uniform(3, 5)) * space, width)
    small = min(float(rng.uniform(1.6, 2.4)) * space, 0.8 * title.size)
    below = {
        place: _fitted(face, head[place], small, width * 0.45)
        for place in ("tempo", "composer")
        if place in head
    }
    first = int(title.size * 1.4)
    second = int(max((font.size for font in below.values()), default=0) * 1.5)
    strip = Image.new("L", (width, first + second), 255)
    draw = ImageDraw.Draw(strip)
    draw.text((width / 2, first / 2), head["title"], 0, title, anchor="mm")
    if "tempo" in below:
        draw.text((width * 0.02, first + second / 2), head["tempo"], 0, below["tempo"], anchor="lm")
    if "composer" in below:
        draw.text((width * 0.99, first + second / 2), head["composer"], 0, below["composer"], anchor="rm")
    return strip


def _fitted(face: FontFile, text: str, size: float, width: float) -> ImageFont.FreeTypeFont:
    """The face at `size` pixels per em, or smaller so that `text` is at most `width` pixels wide."""
    font = face.load(round(size, 1))
    room = font.getlength(text)
    return font if room <= width else face.load(round(size * width / room, 1))
