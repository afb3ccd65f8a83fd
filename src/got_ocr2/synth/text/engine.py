"""The text engine: plain print from a word to a page, and scene-like signs (paper section 3.2.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from PIL import Image

from ...errors import InvalidOptionError
from ..corpora.catalog import Split, text_pool
from ..corpora.content import Content, ContentMixture
from ..drawing.typeset import TextLayer
from ..fonts.catalog import Script
from ..sample import Sample, sample_rng
from .pages import PageMaker
from .scenes import compose_scene
from .slices import SliceMaker
from .styles import print_on_plain_paper

Layout = Literal["word", "line", "paragraph", "page", "scene"]


def _layouts() -> dict[Layout, float]:
    return {"word": 0.1, "line": 0.2, "paragraph": 0.4, "page": 0.2, "scene": 0.1}


@dataclass(frozen=True)
class TextEngine:
    """Draws printed text.

    Attributes:
        layouts: weight of each layout.
        canvas: for words, lines and paragraphs: height and width in pixels for which letters are sized.
        em: for the same: smallest and largest letters, pixels per em on that canvas.
        mixed: for the same: share of samples in which every line has a font and size of its own, the richest
            lesson per pixel.
        mixture: what is written.
        language: corpus language or languages, as `corpora.text_pool` takes them; "zh" sets Chinese.
        accents: random strings may carry accents.
        split: "train", or "test" for held-out fonts and text.
    """

    layouts: dict[Layout, float] = field(default_factory=_layouts)
    canvas: tuple[int, int] = (256, 512)
    em: tuple[float, float] = (12.0, 48.0)
    mixed: float = 0.0
    mixture: ContentMixture = field(default_factory=ContentMixture)
    language: str | tuple[str, ...] = "en"
    accents: bool = False
    split: Split = "train"
    kind: str = "text"

    def __post_init__(self) -> None:
        if not 1 <= self.em[0] <= self.em[1] <= self.canvas[0]:
            raise InvalidOptionError(
                f"em must be 1 <= smallest <= largest <= canvas height {self.canvas[0]}, got {self.em}."
            )
        unknown = set(self.layouts) - set(get_args(Layout))
        if unknown:
            raise InvalidOptionError(
                f"Unknown layout {', '.join(sorted(unknown))}; it is one of {', '.join(get_args(Layout))}."
            )
        if not self.layouts or min(self.layouts.values()) < 0 or sum(self.layouts.values()) <= 0:
            raise InvalidOptionError(f"layouts need weights >= 0 that are not all zero, got {self.layouts}.")

    def sample(self, seed: int, index: int) -> Sample:
        """Picture number `index` of stream `seed`, RGB, undegraded."""
        rng = sample_rng(seed, self.kind, index)
        names = list(self.layouts)
        weights = np.array([self.layouts[name] for name in names], float)
        layout = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        layer, picture = self._draw(rng, layout)
        while not layer.lines:  # every word drawn was wider than its place
            layer, picture = self._draw(rng, layout)
        glyphs, regions = layer.truth()
        return Sample(
            kind=self.kind,
            images=(picture,),
            text=layer.text,
            regions=regions,
            glyphs=glyphs,
            meta={"layout": layout, "fonts": sorted({line.style.face.name for line in layer.lines})},
        )

    def _draw(self, rng: np.random.Generator, layout: Layout) -> tuple[TextLayer, Image.Image]:
        """The text, and the picture of it."""
        chinese = self.language == "zh"
        script: Script = "chinese" if chinese else "latin"
        content = Content(
            text_pool(self.language, self.split), self.mixture, self.accents, spaced=not chinese
        )
        if layout == "scene":
            return compose_scene(rng, content, self.split, script)
        layer: TextLayer
        if layout == "page":
            layer = PageMaker(content, self.split, script).compose(rng)
        else:
            layer = SliceMaker(content, self.canvas, self.em, self.mixed, self.split, script).compose(
                rng, layout
            )
        return layer, print_on_plain_paper(rng, layer.mask)
