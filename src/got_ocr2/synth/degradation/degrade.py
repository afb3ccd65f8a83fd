"""Turns a clean sample into one that was scanned, photographed, copied, faxed, or shown on a screen.

The truth never changes, boxes follow the picture, and a page is never degraded past what a person can
read: the degraded page is compared with the clean one at the places of its text, and tried again more
gently if need be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from PIL import Image, ImageChops

from ...errors import InvalidOptionError
from ..drawing.backgrounds import colored
from ..sample import Sample
from . import effects
from .legibility import legible, letter_height, text_places
from .warp import Warp, map_places, perspective, rotation, warp_boxes, warp_image

Scene = Literal["scan", "photo", "copy", "fax", "screen"]
Effect = Callable[[Image.Image, np.random.Generator, float, float], Image.Image]

ATTEMPTS = 4


@dataclass(frozen=True)
class Recipe:
    """What may happen in one scene, in physical order.

    Attributes:
        before: effects on the paper, with their probabilities.
        warp: how the page may lie in the frame, with its probability; None if it stays straight.
        after: effects on the picture taken, with their probabilities.
    """

    before: tuple[tuple[Effect, float], ...]
    warp: tuple[Callable[[np.random.Generator, tuple[int, int], float], Warp], float] | None
    after: tuple[tuple[Effect, float], ...]


RECIPES: dict[Scene, Recipe] = {
    "scan": Recipe(
        before=((effects.ink_spread, 0.3), (effects.ink_loss, 0.2), (effects.bleed_through, 0.3),
                (effects.paper, 0.6), (effects.fade, 0.3)),
        warp=(rotation, 0.6),
        after=((effects.low_resolution, 0.4), (effects.noise, 0.5), (effects.jpeg, 0.5)),
    ),
    "photo": Recipe(
        before=((effects.ink_spread, 0.2), (effects.paper, 0.7)),
        warp=(perspective, 0.8),
        after=((effects.uneven_light, 0.8), (effects.blur, 0.4), (effects.shake, 0.2), (effects.noise, 0.6),
               (effects.jpeg, 0.7)),
    ),
    "copy": Recipe(
        before=((effects.ink_spread, 0.5), (effects.ink_loss, 0.5), (effects.fade, 0.4)),
        warp=(rotation, 0.5),
        after=((effects.uneven_light, 0.3), (effects.blur, 0.4), (effects.noise, 0.4)),
    ),
    "fax": Recipe(
        before=((effects.ink_spread, 0.4), (effects.ink_loss, 0.3)),
        warp=(rotation, 0.5),
        after=((effects.fax, 1.0),),
    ),
    "screen": Recipe(
        before=((effects.dark_mode, 0.6), (effects.fade, 0.2)),
        warp=None,
        after=((effects.low_resolution, 0.4), (effects.jpeg, 0.6)),
    ),
}  # fmt: skip
SCENES: tuple[Scene, ...] = tuple(RECIPES)

COLOR_SCENES: tuple[Scene, ...] = ("scan", "photo", "copy")
"""Scenes that leave hues as they are, for samples whose truth speaks of colours."""

COLOR_KINDS = frozenset({"chart", "geometry"})
"""Kinds whose truth depends on hues: a legend, the colour of a line."""


def degrade(
    sample: Sample, rng: np.random.Generator, strength: float = 0.5, scene: Scene | None = None
) -> Sample:
    """The sample as a worse picture shows it.

    Args:
        sample: a clean sample.
        rng: source of randomness.
        strength: 0 (unchanged) to 1 (as bad as a person can still read).
        scene: what happens to it; a random one if not given. Samples whose truth names colours (a coloured
            frame, a figure with coloured lines) are never inverted or turned black and white.

    Returns:
        A sample of the same text and sizes; `meta["degradation"]` lists the scene and the effects of page 0.

    Raises:
        InvalidOptionError: a strength outside 0 to 1, or an unknown scene.
    """
    if not 0 <= strength <= 1:
        raise InvalidOptionError(f"The strength of degradation is {strength}; it must lie in 0 to 1.")
    colors_matter = sample.task.color is not None or sample.kind in COLOR_KINDS
    choices = COLOR_SCENES if colors_matter else SCENES
    if scene is None:
        scene = choices[int(rng.integers(len(choices)))]
    elif scene not in RECIPES:
        raise InvalidOptionError(f"Unknown scene {scene!r}; it is one of {', '.join(SCENES)}.")
    elif scene not in choices:
        raise InvalidOptionError(
            f"Scene {scene!r} changes colours, which this {sample.kind} sample's truth names."
        )
    if strength == 0:
        return sample
    pages = [_degrade_page(sample, page, rng, strength, scene) for page in range(len(sample.images))]
    moved = map_places(sample, [warp for _, warp, _ in pages])
    images = tuple(image for image, _, _ in pages)
    return replace(moved, images=images, meta={**sample.meta, "degradation": [scene, *pages[0][2]]})


def _degrade_page(
    sample: Sample, page: int, rng: np.random.Generator, strength: float, scene: Scene
) -> tuple[Image.Image, Warp, list[str]]:
    """The degraded page (RGB), its warp, and the names of the effects that were kept.

    Effects work on brightness alone, which is three times as fast; hues only follow the warp.
    """
    clean, *hues = _brightness_and_hues(sample.images[page])
    height, places = letter_height(sample, page), text_places(sample, page)
    seed = int(rng.integers(2**63))
    for attempt in range(ATTEMPTS):
        again = np.random.default_rng(seed)
        image, warp, names = _follow(RECIPES[scene], clean, again, strength / 2**attempt, height)
        still = np.array_equal(warp, np.eye(3))
        if legible(clean if still else warp_image(clean, warp), image, warp_boxes(places, warp)):
            if hues and scene != "fax":
                hues = hues if still else [warp_image(hue, warp) for hue in hues]
                return Image.merge("YCbCr", (image, *hues)).convert("RGB"), warp, names
            return _tinted(image, again, scene), warp, names
    return sample.images[page], np.eye(3), []


def _follow(
    recipe: Recipe, image: Image.Image, rng: np.random.Generator, strength: float, height: float
) -> tuple[Image.Image, Warp, list[str]]:
    """One run through a recipe: the picture, how it was warped, and what was done to it."""
    warp, names = np.eye(3), list[str]()
    for effect, chance in recipe.before:
        if rng.random() < chance:
            image = effect(image, rng, strength, height)
            names.append(effect.__name__)
    if recipe.warp is not None and rng.random() < recipe.warp[1]:
        warp = recipe.warp[0](rng, image.size, strength)
        image = warp_image(image, warp)
        names.append(recipe.warp[0].__name__)
    for effect, chance in recipe.after:
        if rng.random() < chance:
            image = effect(image, rng, strength, height)
            names.append(effect.__name__)
    return image, warp, names


def _brightness_and_hues(image: Image.Image) -> tuple[Image.Image, ...]:
    """Brightness alone ("L") for an RGB picture without colours, else brightness and its two hues (YCbCr)."""
    red, green, blue = image.split()
    if all(ImageChops.difference(red, other).getbbox() is None for other in (green, blue)):
        return (red,)
    return image.convert("YCbCr").split()


def _tinted(image: Image.Image, rng: np.random.Generator, scene: Scene) -> Image.Image:
    """An RGB picture with faint tints of ink and paper, unless all is black and white."""
    if scene == "fax" or rng.random() < 0.4:
        return image.convert("RGB")
    dark, light = rng.integers(0, 25, size=3).tolist(), (255 - rng.integers(0, 25, size=3)).tolist()
    return colored(image, tuple(dark), tuple(light))
