"""Surfaces without text, made of noise: paper, textures, pictures as colourful and blurred as photographs.

They are what scene-like words stand on, what degraded pages are printed on, and what negative samples show.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ...errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

BackgroundKind = Literal["plain", "gradient", "paper", "ruled", "fabric", "wood", "stone", "photo"]
Size = tuple[int, int]
Color = tuple[int, int, int]


def background(rng: np.random.Generator, size: Size, kind: BackgroundKind | None = None) -> Image.Image:
    """An RGB picture of `size` (width, height) without any text; of a random kind if none is given.

    Raises:
        InvalidOptionError: an unknown kind, or a side below one pixel.
    """
    if min(size) < 1:
        raise InvalidOptionError(
            f"A background of {size[0]} x {size[1]} pixels is too small; sides are at least 1."
        )
    if kind is None:
        kind = BACKGROUND_KINDS[int(rng.integers(len(BACKGROUND_KINDS)))]
    if kind not in _MAKERS:
        raise InvalidOptionError(f"Unknown background {kind!r}; it is one of {', '.join(BACKGROUND_KINDS)}.")
    return _MAKERS[kind](rng, size)


def octaves(
    rng: np.random.Generator, size: Size, coarsest: int = 3, count: int = 4, decay: float = 0.5
) -> Image.Image:
    """Smooth noise ("L", mean 128, standard deviation 48 before clipping): random grids, each finer and weaker.

    Args:
        rng: source of randomness.
        size: width and height in pixels.
        coarsest: cells of the first grid along the longer side.
        count: how many grids are added; the last has `coarsest * 2 ** (count - 1)` cells.
        decay: strength of a grid relative to the one before.
    """
    rows, columns = _grid(size, coarsest * 2 ** (count - 1))
    total = np.zeros((rows, columns), np.float32)
    for level in range(count):
        values = rng.standard_normal(_grid(size, coarsest * 2**level), np.float32)
        layer = Image.fromarray(values).resize((columns, rows), Image.Resampling.BICUBIC)
        total += np.asarray(layer) * decay**level
    scaled = 128 + 48 * (total - total.mean()) / max(float(total.std()), 1e-6)
    return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)


def grain(rng: np.random.Generator, size: Size, sigma: float) -> Image.Image:
    """Fine noise ("L", mean 128, standard deviation `sigma`), repeating too far apart to be seen."""
    side = 256
    tile = np.clip(128 + sigma * rng.standard_normal((side, side), np.float32), 0, 255).astype(np.uint8)
    rows, columns = -(-size[1] // side), -(-size[0] // side)
    shifted = [np.roll(np.tile(tile, (1, columns)), int(rng.integers(side)), axis=1) for _ in range(rows)]
    return Image.fromarray(np.vstack(shifted)[: size[1], : size[0]])


def colored(gray: Image.Image, dark: Color, light: Color) -> Image.Image:
    """A gray picture with black replaced by `dark`, white by `light`, and the rest in between."""
    ramps = [
        [round(low + (high - low) * v / 255) for v in range(256)]
        for low, high in zip(dark, light, strict=True)
    ]
    return Image.merge("RGB", [gray.point(ramp) for ramp in ramps])


def _grid(size: Size, cells: int) -> tuple[int, int]:
    """Rows and columns of a grid with `cells` along the longer side, never finer than the picture itself."""
    unit = max(size) / cells
    return max(2, min(size[1], round(size[1] / unit))), max(2, min(size[0], round(size[0] / unit)))


def _color(rng: np.random.Generator, low: int = 0, high: int = 255) -> Color:
    r, g, b = rng.integers(low, high + 1, size=3)
    return int(r), int(g), int(b)


def _near(rng: np.random.Generator, color: Color, spread: int) -> Color:
    r, g, b = (int(np.clip(c + rng.integers(-spread, spread + 1), 0, 255)) for c in color)
    return r, g, b


def _paper_color(rng: np.random.Generator) -> Color:
    light = int(rng.integers(215, 256))
    return light, int(light - rng.integers(0, 12)), int(light - rng.integers(0, 45))


def _plain(rng: np.random.Generator, size: Size) -> Image.Image:
    return Image.new("RGB", size, _color(rng) if rng.random() < 0.5 else _paper_color(rng))


def _gradient(rng: np.random.Generator, size: Size) -> Image.Image:
    angle = rng.uniform(0, 2 * math.pi)
    x = np.linspace(-1, 1, size[0], dtype=np.float32)[None] * math.cos(angle)
    y = np.linspace(-1, 1, size[1], dtype=np.float32)[:, None] * math.sin(angle)
    distance = (x + y) / (abs(math.cos(angle)) + abs(math.sin(angle)))
    gray = Image.fromarray((127.5 + 127.5 * distance).astype(np.uint8))
    return colored(gray, _color(rng), _color(rng))


def _paper(rng: np.random.Generator, size: Size) -> Image.Image:
    light = _paper_color(rng)
    shade = rng.uniform(0.7, 0.92)
    dark = tuple(int(c * shade) for c in light)
    clouds = octaves(rng, size, coarsest=2, count=5, decay=0.7)
    fibres = grain(rng, size, rng.uniform(10, 40))
    return colored(Image.blend(clouds, fibres, rng.uniform(0.2, 0.6)), dark, light)  # type: ignore[arg-type]


def _ruled(rng: np.random.Generator, size: Size) -> Image.Image:
    """Empty ruled, squared or dotted paper."""
    image = _paper(rng, size)
    draw = ImageDraw.Draw(image)
    step = int(rng.integers(14, 50))
    ink = _color(rng, 100, 200)
    style = rng.choice(["lines", "squares", "dots"])
    for y in range(int(rng.integers(step)), size[1], step):
        if style == "dots":
            draw.point([(x, y) for x in range(step // 2, size[0], step)], ink)
        else:
            draw.line([(0, y), (size[0], y)], ink)
    if style == "squares":
        for x in range(int(rng.integers(step)), size[0], step):
            draw.line([(x, 0), (x, size[1])], ink)
    return image


def _fabric(rng: np.random.Generator, size: Size) -> Image.Image:
    across, down = (2 * math.pi / rng.uniform(3, 14) for _ in range(2))
    x = np.sin(np.arange(size[0], dtype=np.float32) * across)[None]
    y = np.sin(np.arange(size[1], dtype=np.float32) * down)[:, None]
    weave = 128 + 50 * x * y + 30 * (x + y)
    gray = Image.blend(Image.fromarray(np.clip(weave, 0, 255).astype(np.uint8)), grain(rng, size, 50), 0.4)
    base = _color(rng)
    return colored(gray, _near(rng, base, 50), _near(rng, base, 50))


def _wood(rng: np.random.Generator, size: Size) -> Image.Image:
    warp = np.asarray(octaves(rng, size, coarsest=2, count=3), np.float32) / 255
    along = np.linspace(0, 1, size[1], dtype=np.float32)[:, None]
    rings = np.sin((along * rng.uniform(3, 12) + warp * rng.uniform(1, 4)) * 2 * math.pi)
    gray = Image.blend(Image.fromarray((127 + 100 * rings).astype(np.uint8)), grain(rng, size, 40), 0.25)
    light = (int(rng.integers(140, 230)), int(rng.integers(90, 170)), int(rng.integers(40, 110)))
    dark = tuple(int(c * rng.uniform(0.4, 0.8)) for c in light)
    return colored(gray, dark, light)  # type: ignore[arg-type]


def _stone(rng: np.random.Generator, size: Size) -> Image.Image:
    gray = octaves(rng, size, coarsest=int(rng.integers(2, 8)), count=6, decay=rng.uniform(0.6, 0.95))
    low = int(rng.integers(20, 110))
    high = min(255, 2 * low + 40)
    return colored(gray, _near(rng, (low, low, low), 20), _near(rng, (high, high, high), 20))


def _photo(rng: np.random.Generator, size: Size) -> Image.Image:
    """Out-of-focus colours: a sky-to-ground gradient, clouds of colour, and soft and sharp blobs."""
    image = Image.blend(
        _gradient(rng, size), colored(octaves(rng, size, 2, 6, 0.7), _color(rng), _color(rng)), 0.5
    )
    draw = ImageDraw.Draw(image)
    count = int(rng.integers(3, 14))
    for number in range(count):
        if number == count // 2:
            image = image.filter(ImageFilter.BoxBlur(max(size) * rng.uniform(0.005, 0.03)))
            draw = ImageDraw.Draw(image)
        x, y = rng.uniform(0, size[0]), rng.uniform(0, size[1])
        w, h = rng.uniform(0.02, 0.4, size=2) * max(size)
        shape = draw.ellipse if rng.random() < 0.7 else draw.rectangle
        shape((x - w / 2, y - h / 2, x + w / 2, y + h / 2), fill=_color(rng))
    image = image.filter(ImageFilter.BoxBlur(max(size) * rng.uniform(0.0, 0.008)))
    return Image.blend(image, Image.merge("RGB", [grain(rng, size, 30)] * 3), rng.uniform(0.02, 0.12))


_MAKERS: Mapping[str, Callable[[np.random.Generator, Size], Image.Image]] = MappingProxyType({
    "plain": _plain, "gradient": _gradient, "paper": _paper, "ruled": _ruled, "fabric": _fabric,
    "wood": _wood, "stone": _stone, "photo": _photo,
})  # fmt: skip
BACKGROUND_KINDS: tuple[BackgroundKind, ...] = tuple(_MAKERS)  # type: ignore[assignment]
