"""One block or line of a page, by its box or by a coloured frame (paper section 3.4, fine-grained data)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from PIL import ImageDraw

from ...errors import GotOcr2Error, InvalidOptionError
from ..sample import Engine, Glyphs, Region, RegionKind, Sample, sample_rng
from .attempts import ATTEMPTS, fresh_index

Marking = Literal["box", "color"]

COLORS: dict[str, tuple[int, int, int]] = {"red": (255, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 255)}

Box = tuple[float, float, float, float]


class RegionEngine:
    """Asks for one block or line of a page, by its box or by a coloured frame drawn around it.

    Args:
        source: engine of one-page samples with regions.
        units: kinds of regions to ask for.
        marking: chances of a box and of a frame.
        jitter: how far each side of the box may lie from the text, as a share of the letters' line
        height; boxes
            drawn by hand are never exact. Up to a fifth of it inwards, all of it outwards.

    Raises:
        InvalidOptionError: an option out of range.
    """

    kind = "region"

    def __init__(
        self,
        source: Engine,
        *,
        units: Sequence[RegionKind] = ("block", "line"),
        marking: tuple[float, float] = (0.5, 0.5),
        jitter: float = 0.3,
    ) -> None:
        if min(marking) < 0 or sum(marking) <= 0:
            raise InvalidOptionError(
                f"The chances of box and frame are {marking}; they must be >= 0, not both 0."
            )
        if not 0 <= jitter <= 1:
            raise InvalidOptionError(f"The jitter of boxes is {jitter}; it must lie in 0 to 1.")
        self.source = source
        self.units = tuple(units)
        self.marking = marking
        self.jitter = jitter

    def sample(self, seed: int, index: int) -> Sample:
        """One page and one of its regions; `regions` and `glyphs` are those inside it."""
        rng = sample_rng(seed, self.kind, index)
        for _ in range(ATTEMPTS):
            page = self.source.sample(seed, fresh_index(rng))
            choices = [region for region in page.regions if region.kind in self.units and region.page == 0]
            if choices:
                return self._ask(rng, page, choices[int(rng.integers(len(choices)))])
        units = " or ".join(self.units)
        raise GotOcr2Error(
            f"{ATTEMPTS} samples of engine {self.source.kind!r} had no region of kind {units}."
        )

    def _ask(self, rng: np.random.Generator, page: Sample, region: Region) -> Sample:
        box = self._jittered(rng, region, page)
        image = page.image
        chances = np.array(self.marking) / sum(self.marking)
        if rng.random() < chances[0]:
            task = replace(page.task, box=box)
        else:
            color = str(rng.choice(list(COLORS)))
            task = replace(page.task, color=color)
            image = image.copy()
            width = max(1, round(max(image.size) * rng.uniform(0.0015, 0.004)))
            ImageDraw.Draw(image).rectangle(box, outline=COLORS[color], width=width)
        inside = tuple(r for r in page.regions if r.page == 0 and _within(r.box, region.box))
        return Sample(
            kind=self.kind,
            images=(image,),
            text=region.text,
            task=task,
            regions=inside,
            glyphs=glyphs_of(page, region),
            meta={**page.meta, "source": page.kind, "unit": region.kind},
        )

    def _jittered(self, rng: np.random.Generator, region: Region, page: Sample) -> Box:
        x1, y1, x2, y2 = region.box
        lines = max(1, region.text.count("\n") + 1)
        reach = self.jitter * min((y2 - y1) / lines, x2 - x1)
        left, top, right, bottom = rng.uniform(-0.2, 1.0, size=4) * reach
        width, height = page.image.size
        return (
            float(np.clip(x1 - left, 0, width - 1)),
            float(np.clip(y1 - top, 0, height - 1)),
            float(np.clip(x2 + right, 0, width - 1)),
            float(np.clip(y2 + bottom, 0, height - 1)),
        )


def glyphs_of(page: Sample, region: Region) -> Glyphs:
    """The glyphs of a page's region, with offsets into the region's text; none where they cannot be told.

    A region's text may stand in the page's text several times; it is the one whose glyphs lie in its box.
    """
    if not len(page.glyphs.offsets):
        return Glyphs.empty()
    centres = (page.glyphs.boxes[:, :2] + page.glyphs.boxes[:, 2:]) / 2
    x1, y1, x2, y2 = region.box
    inside = (centres[:, 0] >= x1) & (centres[:, 0] <= x2) & (centres[:, 1] >= y1) & (centres[:, 1] <= y2)
    start = page.text.find(region.text)
    while start >= 0:
        offsets = page.glyphs.offsets - start
        here = (offsets >= 0) & (offsets < len(region.text))
        if here.any() and inside[here].all():
            return Glyphs(offsets[here].astype(np.int32), page.glyphs.boxes[here])
        start = page.text.find(region.text, start + 1)
    return Glyphs.empty()


def _within(inner: Box, outer: Box) -> bool:
    slack = 1.0
    return (
        inner[0] >= outer[0] - slack
        and inner[1] >= outer[1] - slack
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )
