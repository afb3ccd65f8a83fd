"""What happens to a page between the printer and the reader: each effect is one function on one picture.

Every effect takes the brightness of a picture ("L"), its source of randomness, a strength from 0 (hardly
there) to 1 (as strong as a reader can bear) and `height`, the height of the small letters in pixels: the
same blur that a heading survives would wipe out a footnote, so all limits are relative to it. It gives a
picture of the same size and mode. Pages are light with dark ink unless an effect says otherwise.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

from ..drawing.backgrounds import grain, octaves
from .warp import rim_shade

MIN_LETTER = 8.0
"""Letters lower than this many pixels are never made lower."""


def blur(image: Image.Image, rng: np.random.Generator, strength: float, height: float) -> Image.Image:
    """Out of focus, up to a standard deviation of 8 % of the letters' height."""
    sigma = min(0.08 * height * strength * rng.uniform(0.4, 1.0), 3.0)
    return image.filter(ImageFilter.GaussianBlur(sigma)) if sigma > 0.2 else image


def shake(image: Image.Image, rng: np.random.Generator, strength: float, height: float) -> Image.Image:
    """Moved during exposure: mixed with a copy shifted by up to 12 % of the letters' height."""
    angle, reach = rng.uniform(0, 2 * np.pi), min(0.12 * height * strength, 6.0)
    dx, dy = round(reach * np.cos(angle)), round(reach * np.sin(angle))
    return Image.blend(image, ImageChops.offset(image, dx, dy), rng.uniform(0.3, 0.5))


def noise(image: Image.Image, rng: np.random.Generator, strength: float, height: float) -> Image.Image:
    """Sensor noise of up to 22 gray levels; small letters get less."""
    sigma = strength * rng.uniform(4, 22) * min(1.0, height / 14)
    return ImageChops.add(image, grain(rng, image.size, sigma), 1, -128)


def jpeg(image: Image.Image, rng: np.random.Generator, strength: float, height: float) -> Image.Image:
    """Compression at quality 92 down to 25 (40 where letters are lower than 12 pixels)."""
    worst = 25 if height >= 12 else 40
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=round(92 - strength * rng.uniform(0.2, 1.0) * (92 - worst)))
    compressed = Image.open(buffer)
    compressed.load()
    return compressed


def low_resolution(
    image: Image.Image, rng: np.random.Generator, strength: float, height: float
) -> Image.Image:
    """Sampled coarsely and enlarged again; letters keep at least `MIN_LETTER` pixels of height."""
    smallest = min(1.0, max(MIN_LETTER / height, 0.4))
    factor = 1 - strength * rng.uniform(0.3, 1.0) * (1 - smallest)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    up = Image.Resampling.BILINEAR if rng.random() < 0.6 else Image.Resampling.BICUBIC
    return image.resize(size, Image.Resampling.BILINEAR).resize(image.size, up)


def uneven_light(image: Image.Image, rng: np.random.Generator, strength: float, height: float) -> Image.Image:
    """Shadows and a falling-off of light; the darkest place keeps at least half of its light."""
    field = octaves(rng, image.size, coarsest=1, count=2)
    darkest = 255 * (1 - 0.5 * strength * rng.uniform(0.3, 1.0))
    shade = field.point([round(darkest + (255 - darkest) * min(1.0, v / 200)) for v in range(256)])
    return ImageChops.multiply(image, shade)


def paper(image: Image.Image, rng: np.random.Generator, strength: float, height: float) -> Image.Image:
    """Grain and clouds of paper, at most 14 % darker."""
    texture = Image.blend(
        octaves(rng, image.size, 2, 5, 0.7), grain(rng, image.size, 30), rng.uniform(0.2, 0.7)
    )
    depth = 0.14 * strength * rng.uniform(0.3, 1.0)
    texture = texture.point([round(255 * (1 - depth * (1 - v / 255))) for v in range(256)])
    return ImageChops.multiply(image, texture)


def bleed_through(
    image: Image.Image, rng: np.random.Generator, strength: float, height: float
) -> Image.Image:
    """The other side shows: the page itself, mirrored, shifted, soft, with at most 22 % of its ink."""
    back = ImageOps.flip(image) if rng.random() < 0.3 else ImageOps.mirror(image)
    reach = max(1, round(2 * height))
    back = ImageChops.offset(back, int(rng.integers(-reach, reach + 1)), int(rng.integers(-reach, reach + 1)))
    ink = 0.22 * strength * rng.uniform(0.4, 1.0)
    back = back.filter(ImageFilter.BoxBlur(max(1.0, 0.1 * height)))
    back = back.point([round(255 - (255 - v) * ink) for v in range(256)])
    return ImageChops.multiply(image, back)


def ink_spread(image: Image.Image, rng: np.random.Generator, strength: float, height: float) -> Image.Image:
    """Ink runs into the paper by up to a pixel; not where letters are so small that they would fill up."""
    if height < 11:
        return image
    spread = ImageChops.darker(image, ImageChops.offset(image, 1, 0))
    spread = ImageChops.darker(spread, ImageChops.offset(spread, 0, 1))
    return Image.blend(image, spread, strength * rng.uniform(0.2, 0.8))


def ink_loss(image: Image.Image, rng: np.random.Generator, strength: float, height: float) -> Image.Image:
    """Worn type and pale toner: strokes thin out, and spots of ink are missing."""
    if height < 14:
        return image
    worn = ImageChops.lighter(image, ImageChops.offset(image, 1, 0))
    worn = Image.blend(image, worn, strength * rng.uniform(0.1, 0.45))
    spots = octaves(rng, image.size, coarsest=max(3, round(max(image.size) / height)), count=2)
    depth = strength * rng.uniform(0.1, 0.5)
    spots = spots.point([round(max(0.0, (v - 170) / 85) * 255 * depth) for v in range(256)])
    sheet = rim_shade(image)
    return ImageChops.lighter(worn, ImageChops.add(worn, spots).point([min(v, sheet) for v in range(256)]))


def fade(image: Image.Image, rng: np.random.Generator, strength: float, height: float) -> Image.Image:
    """Less contrast: ink gets lighter and paper darker, by up to 30 % and 12 %."""
    black = 255 * 0.30 * strength * rng.uniform(0.2, 1.0)
    white = 255 * (1 - 0.12 * strength * rng.uniform(0.0, 1.0))
    ramp = [round(black + (white - black) * v / 255) for v in range(256)]
    return image.point(ramp)


def dark_mode(image: Image.Image, rng: np.random.Generator, strength: float, height: float) -> Image.Image:
    """Light letters on a dark screen."""
    black, white = rng.uniform(0, 45), rng.uniform(255 - 60 * strength, 255)
    ramp = [round(white - (white - black) * v / 255) for v in range(256)]
    return image.point(ramp)


def fax(image: Image.Image, rng: np.random.Generator, strength: float, height: float) -> Image.Image:
    """Black and white only, at a coarser resolution, with specks and now and then a streak."""
    factor = max(min(1.0, 11 / height), 1 - 0.5 * strength * rng.uniform(0.0, 1.0))
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    small = np.asarray(image.resize(size, Image.Resampling.BILINEAR)).copy()
    ink, sheet = np.percentile(small, (0.5, 90))
    small = np.where(small < ink + (sheet - ink) * rng.uniform(0.5, 0.7), 0, 255).astype(np.uint8)
    specks = rng.poisson(strength * rng.uniform(0, 3e-4) * small.size)
    rows, columns = rng.integers(size[1], size=specks), rng.integers(size[0], size=specks)
    small[rows, columns] = rng.choice(np.array([0, 255], np.uint8), size=specks)
    if rng.random() < 0.15 * strength:
        small[int(rng.integers(size[1]))] = 0
    return Image.fromarray(small).resize(image.size, Image.Resampling.BILINEAR)
