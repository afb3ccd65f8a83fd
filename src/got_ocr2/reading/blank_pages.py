"""Pages with nothing on them, told by a look at the picture.

Paper is even but for its noise and for shadows that are wider than letters. So each pixel is compared with the mean
around it, and the mean of nine such differences must stay within what noise does everywhere on the page. Strokes of
pencil are fainter than that on rough paper, but long: so must the mean along a short line in each of eight directions.
In doubt a page is not blank: faint pencil, one small letter and dust all go to the model.
"""

# What a view of an array holds is not known to type checkers.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from __future__ import annotations

import functools
import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

SMALLEST = 32  # pixels; a picture with a shorter side says too little to be judged
_AROUND = 65  # pixels whose mean is the paper
_BAND, _OVERLAP = 512, 40  # rows that are looked at together
_INK = 20.0  # grey levels of 255 that are no noise whatever the page is like
_LEAST = 2.0  # grey levels that rounding and compression explain
_NOISE = 7.0  # standard deviations
_LEAST_STROKE = 2.5  # the same along a line, where shadows add to it at the rims
_STROKE, _DIRECTIONS = 15, 8  # length of a line at half the size, in pixels


def is_blank(image: Image.Image) -> bool:
    """Whether nothing stands on a page.

    Args:
        image: RGB. A page with text is left at its first lines; a blank one of 4 megapixels takes some 0.3 s.

    Returns:
        True only where every difference can be noise; False for pictures with a side below `SMALLEST` pixels.
    """
    if min(image.size) < SMALLEST:
        return False
    band = max(_BAND, min(image.height, _BAND * 512 // image.width))
    for top in range(0, image.height, band):
        rows = (max(0, top - _OVERLAP), min(image.height, top + band + _OVERLAP))
        if not _even(np.asarray(image.crop((0, rows[0], image.width, rows[1])))):
            return False
    return True


def _even(pixels: NDArray[np.uint8]) -> bool:
    """Whether a band (H, W, 3) holds noise alone."""
    first = pixels[..., 0]
    grey = np.array_equal(first, pixels[..., 1]) and np.array_equal(first, pixels[..., 2])
    for channel in range(1 if grey else 3):
        values: Any = pixels[..., channel].astype(np.float32)
        paper = cv2.blur(values, (_AROUND, _AROUND), borderType=cv2.BORDER_REFLECT)
        uneven = values - paper
        if _stands_out(cv2.blur(uneven, (3, 3), borderType=cv2.BORDER_REFLECT)):
            return False
        half: Any = cv2.resize(uneven, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        along = (cv2.filter2D(half, -1, line, borderType=cv2.BORDER_REFLECT) for line in _lines())
        if any(_stands_out(means, _LEAST_STROKE) for means in along):
            return False
    return True


def _stands_out(means: Any, least: float = _LEAST) -> bool:
    """Whether the strongest of some means (H, W) is more than rounding and the noise of them all."""
    difference: Any = np.abs(means)
    strongest = float(difference.max())
    if strongest <= least:
        return False
    noise = 1.4826 * float(np.median(difference))
    return strongest > min(_INK, max(least, _NOISE * noise))


@functools.cache
def _lines() -> tuple[NDArray[np.float32], ...]:
    """Weights of the pixels along a line of each direction; their sum is 1."""
    place = np.arange(_STROKE) - _STROKE // 2
    x, y = np.meshgrid(place, place)
    kernels: list[NDArray[np.float32]] = []
    for number in range(_DIRECTIONS):
        angle = math.pi * number / _DIRECTIONS
        across = np.abs(x * math.sin(angle) - y * math.cos(angle))
        along = np.abs(x * math.cos(angle) + y * math.sin(angle))
        weights = np.clip(1 - across, 0, 1) * (along <= _STROKE / 2)
        kernels.append((weights / weights.sum()).astype(np.float32))
    return tuple(kernels)
