"""From the picture of a page to its ink: black and white, whatever the paper and the light."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .screens import Gray, panels_of, with_pale_print

LEAST_CONTRAST = 14  # levels between ink and paper, after the paper has been made white
_PALE = 150  # ink is lighter than this on average
_SMALL = 500  # longer side of the reduced page on which paper is looked for
_MOST_AREAS = 200
_DARK = 105  # paper is light above this level


def ink_of(gray: Gray) -> tuple[Gray, Gray]:
    """Where there is ink.

    Args:
        gray: uint8 `(H, W)`.

    Returns:
        Ink, uint8 `(H, W)`, 255 where there is some; and where the picture shows light letters on dark, 255, of the
        same shape.
    """
    panels = panels_of(gray)
    if panels:
        gray = gray.copy()
        for x1, y1, x2, y2 in panels:
            inner = 255.0 - gray[y1:y2, x1:x2]
            gray[y1:y2, x1:x2] = np.clip(inner * (255 / max(1.0, float(np.median(inner)))), 0, 255)
    small, factor = _reduced(gray)
    dark = _dark_areas(gray, small, factor)
    if dark.any():
        gray = cv2.bitwise_xor(gray, dark).astype(np.uint8, copy=False)  # 255 inverts
        small, _ = _reduced(gray)
    clean = _on_white(gray, small)
    ink = np.empty_like(clean)
    level, _ = cv2.threshold(clean, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU, dst=ink)
    level = min(max(level, 90.0), 222.0)
    counts = cv2.calcHist([clean], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    faint = _mean(counts, 0, int(level))
    if faint is not None and faint > _PALE:
        # Otsu's level keeps the blackest strokes of pale print only.
        level = min(faint + 0.6 * (float(np.median(clean)) - faint), 240.0)
    black, white = _mean(counts, 0, int(level)), _mean(counts, int(level) + 1, 255)
    if black is not None and white is not None and white - black < LEAST_CONTRAST:
        ink[:] = 0
    else:
        cv2.threshold(clean, int(level), 255, cv2.THRESH_BINARY_INV, dst=ink)
        ink = with_pale_print(clean, ink)
    for x1, y1, x2, y2 in panels:
        dark[y1:y2, x1:x2] = 255 - dark[y1:y2, x1:x2]
    return ink, dark


def _mean(counts: NDArray[np.int64], first: int, last: int) -> float | None:
    """The mean of those pixels whose levels are `first` to `last`, from how many have each level; None of none."""
    part = counts[first : last + 1]
    return float((part * np.arange(first, last + 1)).sum() / part.sum()) if part.any() else None


def _reduced(gray: Gray) -> tuple[Gray, int]:
    """The page at no more than `_SMALL` pixels, and by what it was divided."""
    factor = max(1, round(max(gray.shape) / _SMALL))
    if factor == 1:
        return gray, 1
    size = (max(1, gray.shape[1] // factor), max(1, gray.shape[0] // factor))
    return resized(gray, size, cv2.INTER_AREA), factor


def resized(gray: Gray, size: tuple[int, int], how: int) -> Gray:
    """The picture at another size (width, height), by one of OpenCV's interpolations."""
    return cv2.resize(gray, size, interpolation=how).astype(np.uint8, copy=False)


def _odd(value: float, least: int = 3) -> int:
    return max(least, int(value) // 2 * 2 + 1)


def dark_areas(gray: Gray) -> Gray:
    """255 where the surface that letters stand on is dark, over areas larger than letters."""
    return _dark_areas(gray, *_reduced(gray))


def _dark_areas(gray: Gray, small: Gray, factor: int) -> Gray:
    # Otherwise a tight cut of a bold line would count as dark: paper is the lighter part of what is near.
    side = _odd(min(max(small.shape) / 14, min(small.shape) * 0.9, 101))
    if _is_light(small, side):
        return np.zeros_like(gray)
    near = cv2.medianBlur(small, side)
    dark = ((near < _DARK) & (near < 0.6 * max(1, int(np.percentile(near, 95))))).astype(np.uint8) * 255
    if np.percentile(near, 90) < _DARK + 40:
        dark[:] = 255
    count, areas = cv2.connectedComponents(dark)
    for area in range(1, min(count, _MOST_AREAS)):
        inside = areas == area
        # Paper in the shade is dark too: letters tell, they are few, and on the far side of the middle level.
        low, middle, high = np.percentile(small[inside], (2, 50, 98))
        if high - middle <= middle - low:
            dark[inside] = 0
    if not dark.any():
        return np.zeros_like(gray)
    height, width = gray.shape
    return dark if factor == 1 else resized(dark, (width, height), cv2.INTER_NEAREST)


def _is_light(small: Gray, side: int) -> bool:
    """Whether medians of squares of `side` pixels are dark nowhere: counting tells at a fraction of what they cost."""

    def darker(level: int) -> int:
        """How many medians are below a level."""
        below = (small < level).astype(np.uint8)
        counts = cv2.boxFilter(
            below, cv2.CV_32S, (side, side), normalize=False, borderType=cv2.BORDER_REPLICATE
        )
        return int(np.count_nonzero(counts > side * side // 2))

    return darker(_DARK + 40) <= int(0.9 * (small.size - 1)) and darker(_DARK) == 0


def _on_white(gray: Gray, small: Gray) -> Gray:
    """The page divided by its paper, which the reduced page shows, so that paper is near 255 everywhere."""
    kernel = _odd(min(max(small.shape) / 22, 41), 7)
    paper = cv2.dilate(small, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (kernel, kernel)))
    paper = (
        cv2.medianBlur(paper, _odd(min(kernel * 1.5, min(small.shape) - 1), 3))
        if min(small.shape) > 4
        else paper
    )
    paper = resized(np.maximum(paper, 16), gray.shape[::-1], cv2.INTER_LINEAR)
    return cv2.divide(gray, paper, scale=255).astype(np.uint8, copy=False)
