"""Where pixels go: tile grids, fitting a page on a canvas, boxes in thousandths. Pure arithmetic.

Sizes are `(height, width)` in pixels; grids are `(rows, cols)`; boxes are `(x1, y1, x2, y2)` in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

ResizeMode = Literal["squash", "pad"]


@lru_cache(maxsize=32)
def grids(min_tiles: int, max_tiles: int) -> tuple[tuple[int, int], ...]:
    """All grids of `min_tiles` to `max_tiles` tiles: fewest tiles first, then fewest columns."""
    found = [
        (rows, cols)
        for cols in range(1, max_tiles + 1)
        for rows in range(1, max_tiles // cols + 1)
        if rows * cols >= min_tiles
    ]
    return tuple(sorted(found, key=lambda grid: grid[0] * grid[1]))


def choose_grid(
    image_hw: tuple[int, int],
    tile_hw: tuple[int, int],
    min_tiles: int,
    max_tiles: int,
    *,
    tile_aspect: float = 1.0,
) -> tuple[int, int]:
    """The grid whose shape is nearest to the image's (InternVL-1.5's rule; HF `get_optimal_tiled_canvas`).

    Of grids equally near, a later (larger) one is taken only while the image covers more than half of it.

    Args:
        image_hw: size of the image.
        tile_hw: size of one tile.
        min_tiles, max_tiles: 1 <= min_tiles <= max_tiles.
        tile_aspect: width over height that a tile counts as. HF counts every tile as square.
    """
    height, width = image_hw
    best, best_distance = (1, 1), float("inf")
    for rows, cols in grids(min_tiles, max_tiles):
        distance = abs(width / height - cols / rows * tile_aspect)
        covers = height * width > 0.5 * tile_hw[0] * tile_hw[1] * rows * cols
        if distance < best_distance or (distance == best_distance and covers):
            best, best_distance = (rows, cols), distance
    return best


def fitted_size(
    image_hw: tuple[int, int],
    canvas_hw: tuple[int, int],
    mode: ResizeMode,
    max_upscale: float | None = None,
) -> tuple[int, int]:
    """The size that an image is resized to before it is laid at the top left of the canvas.

    Args:
        image_hw: size of the image.
        canvas_hw: size of the canvas.
        mode: "squash" fills the canvas whatever the shape; "pad" keeps the shape and fits inside.
        max_upscale: in "pad" mode, the largest factor by which a small image may grow; None sets no limit.
    """
    if mode == "squash":
        return canvas_hw
    scale = min(canvas_hw[0] / image_hw[0], canvas_hw[1] / image_hw[1])
    if max_upscale is not None:
        scale = min(scale, max_upscale)
    height, width = (
        min(canvas, max(1, round(side * scale))) for side, canvas in zip(image_hw, canvas_hw, strict=True)
    )
    return height, width


def to_thousandths(
    points: Sequence[float],
    image_hw: tuple[int, int],
    fitted_hw: tuple[int, int],
    canvas_hw: tuple[int, int],
) -> list[int]:
    """Alternating x and y in image pixels -> thousandths of the canvas, cut to whole numbers, 0..1000.

    Where the image fills the canvas this is `int(v / side * 1000)`, as the model was trained.
    """
    out: list[int] = []
    for i, value in enumerate(points):
        axis = 1 - i % 2  # x goes with the width, which is sizes[1]
        share = value / image_hw[axis]
        if fitted_hw[axis] != canvas_hw[axis]:
            share *= fitted_hw[axis] / canvas_hw[axis]
        out.append(int(share * 1000))
    return out
