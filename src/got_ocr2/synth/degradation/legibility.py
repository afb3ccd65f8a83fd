"""How large the letters of a sample are, and whether a person can still read them in a worse picture."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ..sample import Sample

MIN_CONTRAST = 40.0
"""Least difference between ink and paper, in gray levels, that a reader should have to cope with."""

MIN_LIKENESS = 0.7
"""Least correlation between a piece of the page and what it was."""

CHECKED_PLACES = 24

X_HEIGHT = 0.45
"""Height of small letters relative to a line, from ascenders to descenders."""


def letter_height(sample: Sample, page: int = 0) -> float:
    """Height in pixels of small letters (an "x") in the smaller print of a page.

    Taken from its glyphs, or from its lines and words; a page that has neither is assumed to be dense.
    """
    lines = [r.box for r in sample.regions if r.page == page and r.kind in ("line", "word")]
    boxes = sample.glyphs.boxes if page == 0 and len(sample.glyphs.boxes) else np.array(lines).reshape(-1, 4)
    if len(boxes):
        return max(1.0, X_HEIGHT * float(np.percentile(boxes[:, 3] - boxes[:, 1], 20)))
    width, height = sample.images[page].size
    return max(6.0, min(14.0, 0.012 * max(width, height)))


def text_places(sample: Sample, page: int = 0) -> np.ndarray:
    """A few boxes (n, 4) where something stands that must stay readable.

    Taken from words, lines or glyphs; where a sample has none, the cells of a grid that are not blank.
    """
    boxes = np.array(
        [r.box for r in sample.regions if r.page == page and r.kind in ("word", "line")], np.float32
    )
    if not len(boxes) and page == 0:
        boxes = sample.glyphs.boxes
    if not len(boxes):
        boxes = _busy_cells(sample.images[page])
    step = max(1, len(boxes) // CHECKED_PLACES)
    return boxes[::step]


def legible(before: Image.Image, after: Image.Image, boxes: np.ndarray) -> bool:
    """Whether every place (n, 4) that could be read before can still be read.

    Args:
        before: gray page, already in the geometry of `after`.
        after: gray page; may be light on dark.
        boxes: places in pixels, `(x1, y1, x2, y2)`.
    """
    old, new = np.asarray(before, np.float32), np.asarray(after, np.float32)
    for box in boxes:
        x1, y1, x2, y2 = (max(0, round(v)) for v in box.tolist())
        clean, seen = old[y1:y2, x1:x2], new[y1:y2, x1:x2]
        if clean.size < 4 or np.ptp(clean) < MIN_CONTRAST:
            continue
        clean, seen = clean - clean.mean(), seen - seen.mean()
        spread = float((clean**2).mean())
        slope = abs(float((clean * seen).mean())) / spread
        likeness = slope * (spread / max(float((seen**2).mean()), 1e-6)) ** 0.5
        contrast = slope * float(np.ptp(clean))
        if contrast < MIN_CONTRAST or likeness < MIN_LIKENESS:
            return False
    return True


def _busy_cells(image: Image.Image) -> np.ndarray:
    """Cells (n, 4) of a 6 x 6 grid whose contents are not all of one shade."""
    pixels = np.asarray(image.convert("L"))
    xs = np.linspace(0, image.width, 7).astype(int).tolist()
    ys = np.linspace(0, image.height, 7).astype(int).tolist()
    cells = [
        (xs[column], ys[row], xs[column + 1], ys[row + 1])
        for row in range(6)
        for column in range(6)
        if xs[column + 1] - xs[column] > 1 and ys[row + 1] - ys[row] > 1
    ]
    busy = [(x1, y1, x2, y2) for x1, y1, x2, y2 in cells if np.ptp(pixels[y1:y2, x1:x2]) >= MIN_CONTRAST]
    return np.array(busy, np.float32).reshape(-1, 4)
