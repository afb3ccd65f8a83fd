"""Pictures that need high-resolution patches (paper section 3.4, multi-crop data)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from ...errors import InvalidOptionError
from ..sample import Engine, Glyphs, Sample, Task, sample_rng
from .attempts import ATTEMPTS, fresh_index, too_long

Box = tuple[float, float, float, float]


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
            pages = [self.source.sample(seed, fresh_index(rng)) for _ in range(count)]
            if sum(len(page.text) + 1 for page in pages) - 1 <= self.max_characters:
                return self._stitch(pages, horizontal=bool(rng.random() < 0.5))
        raise too_long(self.source, self.max_characters)

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


def _shifted(box: Box, x: float, y: float) -> Box:
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def _rim_color(image: Image.Image) -> tuple[int, int, int]:
    """The middle colour of the outermost pixels of an RGB picture."""
    pixels = np.asarray(image)
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = np.median(rim, axis=0).astype(int).tolist()
    return red, green, blue
