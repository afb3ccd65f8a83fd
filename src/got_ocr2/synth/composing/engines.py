"""Tasks made of other engines' samples: a region, a picture that needs patches, a document, nothing to read.

(Paper section 3.4: fine-grained, multi-crop and multi-page data.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from ...errors import GotOcr2Error, InvalidOptionError
from ..drawing.backgrounds import BACKGROUND_KINDS, BackgroundKind, background
from ..sample import Engine, Glyphs, Region, RegionKind, Sample, Task, sample_rng

Marking = Literal["box", "color"]

COLORS: dict[str, tuple[int, int, int]] = {"red": (255, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 255)}
ATTEMPTS = 50

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
            page = self.source.sample(seed, _fresh_index(rng))
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


class CropEngine:
    """Asks for pages that need high-resolution patches: several pages in one picture, or one dense page.

    Args:
        source: engine of one-page samples.
        pages: fewest and most pages in one picture, 1 to 4.
        max_characters: longest answer; longer ones are drawn again.

    Raises:
        InvalidOptionError: an option out of range.
    """

    kind = "crop"

    def __init__(
        self, source: Engine, *, pages: tuple[int, int] = (1, 3), max_characters: int = 6000
    ) -> None:
        if not 1 <= pages[0] <= pages[1] <= 4:
            raise InvalidOptionError(
                f"Pictures of {pages[0]} to {pages[1]} pages are outside 1 to 4, rising."
            )
        self.source = source
        self.pages = pages
        self.max_characters = max_characters

    def sample(self, seed: int, index: int) -> Sample:
        """Pages side by side or one above the other, answered in that order."""
        rng = sample_rng(seed, self.kind, index)
        for _ in range(ATTEMPTS):
            count = int(rng.integers(self.pages[0], self.pages[1] + 1))
            pages = [self.source.sample(seed, _fresh_index(rng)) for _ in range(count)]
            if sum(len(page.text) + 1 for page in pages) - 1 <= self.max_characters:
                return self._stitch(pages, horizontal=bool(rng.random() < 0.5))
        raise _too_long(self.source, self.max_characters)

    def _stitch(self, pages: Sequence[Sample], *, horizontal: bool) -> Sample:
        """Pages are pasted from the top left; what is left over takes the colour of its page's rim."""
        sizes = [page.image.size for page in pages]
        across, down = (sum, max) if horizontal else (max, sum)
        canvas = Image.new("RGB", (across(w for w, _ in sizes), down(h for _, h in sizes)))
        regions, offsets, boxes = [], [], []
        x = y = position = 0
        for page, (width, height) in zip(pages, sizes, strict=True):
            room = (x, y, x + width, canvas.height) if horizontal else (x, y, canvas.width, y + height)
            canvas.paste(_rim_color(page.image), room)
            canvas.paste(page.image, (x, y))
            shift = np.array([x, y, x, y], np.float32)
            regions += [replace(region, box=_shifted(region.box, x, y)) for region in page.regions]
            offsets.append(page.glyphs.offsets + position)
            boxes.append(page.glyphs.boxes + shift)
            position += len(page.text) + 1
            x, y = (x + width, y) if horizontal else (x, y + height)
        return Sample(
            kind=self.kind,
            images=(canvas,),
            text="\n".join(page.text for page in pages),
            task=Task(format=pages[0].task.format, crop_to_patches=True),
            regions=tuple(regions),
            glyphs=Glyphs(np.concatenate(offsets).astype(np.int32), np.concatenate(boxes).astype(np.float32)),
            meta={"source": pages[0].kind, "pages": len(pages), "horizontal": horizontal},
        )


class MultiPageEngine:
    """Asks for several pages as one text.

    Args:
        source: engine of one-page samples.
        pages: fewest and most pages, 2 to 8 in the paper.
        max_characters: longest answer of one page; longer pages are left out. (The paper allows 650
        tokens, about
            2600 letters.)

    Raises:
        InvalidOptionError: an option out of range.
    """

    kind = "multipage"

    def __init__(
        self, source: Engine, *, pages: tuple[int, int] = (2, 8), max_characters: int = 2600
    ) -> None:
        if not 2 <= pages[0] <= pages[1] <= 8:
            raise InvalidOptionError(
                f"Documents of {pages[0]} to {pages[1]} pages are outside 2 to 8, rising."
            )
        self.source = source
        self.pages = pages
        self.max_characters = max_characters

    def sample(self, seed: int, index: int) -> Sample:
        """Pages in order; glyphs are those of the first page."""
        rng = sample_rng(seed, self.kind, index)
        count = int(rng.integers(self.pages[0], self.pages[1] + 1))
        pages: list[Sample] = []
        for _ in range(ATTEMPTS):
            page = self.source.sample(seed, _fresh_index(rng))
            if len(page.text) <= self.max_characters:
                pages.append(page)
            if len(pages) == count:
                return self._bind(pages)
        raise _too_long(self.source, self.max_characters)

    def _bind(self, pages: Sequence[Sample]) -> Sample:
        return Sample(
            kind=self.kind,
            images=tuple(page.image for page in pages),
            text="\n".join(page.text for page in pages),
            task=Task(format=pages[0].task.format, multi_page=True),
            regions=tuple(replace(region, page=n) for n, page in enumerate(pages) for region in page.regions),
            glyphs=pages[0].glyphs,
            meta={"source": pages[0].kind, "pages": len(pages)},
        )


class NegativeEngine:
    """Shows blank paper, textures and photographs, so that the model learns to find nothing.

    Args:
        answer: what to say about them.
        sides: shortest and longest side in pixels.
        backgrounds: what is shown.

    Raises:
        InvalidOptionError: an option out of range.
    """

    kind = "negative"

    def __init__(
        self,
        *,
        answer: str = "",
        sides: tuple[int, int] = (64, 1024),
        backgrounds: Sequence[BackgroundKind] = BACKGROUND_KINDS,
    ) -> None:
        if not 1 <= sides[0] <= sides[1]:
            raise InvalidOptionError(
                f"Sides of {sides[0]} to {sides[1]} pixels must be at least 1 and rising."
            )
        self.answer = answer
        self.sides = sides
        self.backgrounds = tuple(backgrounds)

    def sample(self, seed: int, index: int) -> Sample:
        """One picture without text, asked for plainly or with format."""
        rng = sample_rng(seed, self.kind, index)
        width, height = (int(v) for v in rng.integers(self.sides[0], self.sides[1] + 1, size=2))
        shown = self.backgrounds[int(rng.integers(len(self.backgrounds)))]
        picture = background(rng, (width, height), shown)
        task = Task(format=bool(rng.random() < 0.5))
        return Sample(self.kind, (picture,), self.answer, task, meta={"background": shown})


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


def _fresh_index(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def _within(inner: Box, outer: Box) -> bool:
    slack = 1.0
    return (
        inner[0] >= outer[0] - slack
        and inner[1] >= outer[1] - slack
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


def _shifted(box: Box, x: float, y: float) -> Box:
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def _rim_color(image: Image.Image) -> tuple[int, int, int]:
    """The middle colour of the outermost pixels of an RGB picture."""
    pixels = np.asarray(image)
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = np.median(rim, axis=0).astype(int).tolist()
    return red, green, blue


def _too_long(source: Engine, limit: int) -> GotOcr2Error:
    return GotOcr2Error(
        f"{ATTEMPTS} draws of engine {source.kind!r} gave too few texts of at most {limit} characters."
    )
