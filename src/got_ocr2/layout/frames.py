"""Coloured frames that somebody drew on a page to mark what is to be read."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from ..errors import InputError
from .lines import Box

# OpenCV's hues run from 0 to 179; red lies at both ends.
_HUES: dict[str, tuple[tuple[int, int], ...]] = {
    "red": ((0, 10), (168, 179)),
    "green": ((40, 88),),
    "blue": ((95, 135),),
}
_VIVID, _LIT = 90, 60  # least saturation and brightness
_LEAST = 12  # pixels of a side
_HOLLOW = 0.4  # a frame covers no more of its box


def framed_box(image: Image.Image, color: str) -> Box:
    """The inside of the largest frame of a colour, `(x1, y1, x2, y2)` in pixels.

    Args:
        image: the page.
        color: "red", "green" or "blue".

    Raises:
        InputError: another colour, or no such frame on the page.
    """
    if color not in _HUES:
        raise InputError(f"Frames are looked for in {', '.join(_HUES)}, not in {color!r}.")
    hsv = cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2HSV)
    mask = np.zeros(hsv.shape[:2], np.uint8)
    for low, high in _HUES[color]:
        mask = np.maximum(mask, cv2.inRange(hsv, (low, _VIVID, _LIT), (high, 255, 255)))
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    best: Box | None = None
    for x, y, w, h, area in stats[1:].tolist():
        edge = max(1, round(area / (2 * (w + h))))  # how thick its line is, about
        if min(w, h) < _LEAST or area > _HOLLOW * w * h or not _surrounds(closed[y : y + h, x : x + w], edge):
            continue
        if best is None or w * h > (best[2] - best[0]) * (best[3] - best[1]):
            best = (float(x + edge), float(y + edge), float(x + w - edge), float(y + h - edge))
    if best is None:
        raise InputError(f"There is no {color} frame on the page.")
    return best


def _surrounds(mask: np.ndarray, edge: int) -> bool:
    """Whether a box of the mask has ink along most of each of its four sides."""
    band = edge + 2
    sides = (mask[:band].max(0), mask[-band:].max(0), mask[:, :band].max(1), mask[:, -band:].max(1))
    return all(float((side > 0).mean()) > 0.7 for side in sides)
