"""Slight rotation and perspective of a page, with every box of its sample following.

A warp is a 3 x 3 matrix that takes a pixel place of the old page to one of the new page (homogeneous
coordinates).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from ..sample import Glyphs, Region, Sample

MAX_ANGLE = math.radians(3.0)
MAX_SHRINK = 0.08
MAX_CORNER_SHIFT = 0.04

Warp = np.ndarray
Box = tuple[float, float, float, float]


def rotation(rng: np.random.Generator, size: tuple[int, int], strength: float) -> Warp:
    """A turn about the centre by up to 3 degrees, shrunk just enough to keep the whole page in the frame.

    Wide and tall pages turn less, so that they never shrink by more than 8 %.
    """
    width, height = size
    long, short = max(size), min(size)
    limit = min(MAX_ANGLE, math.atan(MAX_SHRINK * short / long))
    angle = strength * rng.uniform(-limit, limit)
    c, s = math.cos(angle), math.sin(angle)
    scale = min(width / (width * c + height * abs(s)), height / (height * c + width * abs(s)))
    x, y = width / 2, height / 2
    turn = np.array([[scale * c, -scale * s, 0], [scale * s, scale * c, 0], [0, 0, 1]])
    return _shift(x, y) @ turn @ _shift(-x, -y)


def perspective(rng: np.random.Generator, size: tuple[int, int], strength: float) -> Warp:
    """A view from slightly aside: each corner moves inwards by up to 4 % of the sides."""
    width, height = size
    inwards = strength * MAX_CORNER_SHIFT * rng.uniform(0, 1, size=(4, 2)) * (width, height)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    signs = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])
    return _homography(corners, corners + signs * inwards)


def warp_image(image: Image.Image, warp: Warp) -> Image.Image:
    """An "L" picture seen through a warp, same size; what lies outside takes the shade of its rim."""
    inverse = np.linalg.inv(warp)
    inverse /= inverse[2, 2]
    affine = np.allclose(inverse[2, :2], 0)
    method = Image.Transform.AFFINE if affine else Image.Transform.PERSPECTIVE
    coefficients = inverse.flatten()[: 6 if affine else 8].tolist()
    return image.transform(
        image.size, method, coefficients, Image.Resampling.BILINEAR, fillcolor=rim_shade(image)
    )


def warp_box(box: Sequence[float], warp: Warp) -> Box:
    """The upright box around a warped box."""
    x1, y1, x2, y2 = warp_boxes(np.asarray([box], np.float64), warp)[0].tolist()
    return x1, y1, x2, y2


def warp_boxes(boxes: np.ndarray, warp: Warp) -> np.ndarray:
    """The upright boxes (n, 4) around warped boxes (n, 4)."""
    x1, y1, x2, y2 = boxes.T
    xs, ys = np.stack([x1, x2, x2, x1], 1), np.stack([y1, y1, y2, y2], 1)  # (n, corners)
    points = np.stack([xs, ys, np.ones_like(xs)], -1) @ warp.T  # (n, corners, 3)
    places = points[..., :2] / points[..., 2:]
    return np.concatenate([places.min(1), places.max(1)], 1).astype(boxes.dtype)


def map_places(sample: Sample, warps: Sequence[Warp]) -> Sample:
    """The sample with regions, glyphs and the task's box moved by the warp of their page; the same images."""
    glyphs = sample.glyphs
    if len(glyphs.boxes):
        glyphs = Glyphs(glyphs.offsets, warp_boxes(glyphs.boxes, warps[0]))
    moved: Callable[[Region], Region] = lambda r: replace(r, box=warp_box(r.box, warps[r.page]))  # noqa: E731
    task = sample.task
    if task.box is not None:
        task = replace(task, box=warp_box(task.box, warps[0]))
    return replace(sample, glyphs=glyphs, regions=tuple(map(moved, sample.regions)), task=task)


def rim_shade(image: Image.Image) -> int:
    """The middle value of the outermost pixels of an "L" picture: its paper, as a rule."""
    pixels = np.asarray(image)
    return int(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])))


def _shift(x: float, y: float) -> Warp:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def _homography(source: np.ndarray, target: np.ndarray) -> Warp:
    """The warp that takes four points (4, 2) to four others, from eight linear equations."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(source.tolist(), target.tolist(), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    solution = np.linalg.solve(np.array(rows), target.flatten())
    return np.append(solution, 1.0).reshape(3, 3)
