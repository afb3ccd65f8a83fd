"""What a scanner and a file format do to a line: one bit, few pixels, compression, specks."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from ..drawing.backgrounds import grain
from ..sample import Glyphs

if TYPE_CHECKING:
    from ..sample import Sample


def scanned(line: Sample, rng: np.random.Generator, strength: float) -> Sample:
    """The line as a file has it; glyphs follow when its size changes.

    Args:
        line: one line, "RGB".
        rng: source of randomness.
        strength: 0 (unchanged) to 1.
    """
    if strength == 0:
        return line
    image = line.image
    if rng.random() < 0.3 * min(1.0, 2 * strength):
        image = coarse(image, rng)
    if rng.random() < 0.25 * min(1.0, 2 * strength):
        image = one_bit(image, rng, strength)
    elif rng.random() < 0.3:
        image = ImageChops.add(
            image, grain(rng, image.size, strength * rng.uniform(0, 25)).convert("RGB"), 1, -128
        )
    if rng.random() < 0.35:
        image = _jpeg(image, round(95 - 65 * strength * rng.random()))
    across, down = image.width / line.image.width, image.height / line.image.height
    boxes = line.glyphs.boxes * np.array([across, down, across, down], np.float32)
    return replace(line, images=(image,), glyphs=Glyphs(line.glyphs.offsets, boxes))


def coarse(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Sampled down to 11 to 24 pixels of height, as pages at 60 to 150 dots an inch are."""
    height = int(rng.integers(11, 25))
    if height >= image.height:
        return image
    size = (max(1, round(image.width * height / image.height)), height)
    return image.resize(size, Image.Resampling.BOX if rng.random() < 0.5 else Image.Resampling.BILINEAR)


def one_bit(image: Image.Image, rng: np.random.Generator, strength: float) -> Image.Image:
    """Black and white at up to twice the size, with a threshold that thickens or breaks letters, and specks."""
    factor = rng.uniform(1.0, 2.0) if image.height < 48 else rng.uniform(0.7, 1.3)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    gray = image.convert("L").resize(size, Image.Resampling.BICUBIC)
    if rng.random() < 0.6:
        gray = gray.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.0) * factor))
    if rng.random() < 0.6:
        gray = ImageChops.add(gray, grain(rng, size, strength * rng.uniform(0, 28)), 1, -128)
    levels = np.asarray(gray)
    ink, paper = np.percentile(levels, (1, 90))
    black = levels < ink + (paper - ink) * (0.5 + 0.25 * strength * rng.uniform(-1, 1))
    return Image.fromarray(np.where(black, 0, 255).astype(np.uint8)).convert("RGB")


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    compressed = Image.open(buffer)
    compressed.load()
    return compressed
