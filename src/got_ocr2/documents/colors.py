"""Colours as a person sees them: profiles (ICC.1:2022) and the gamma of PNG files, brought to sRGB."""

from __future__ import annotations

import io
import itertools
import math
from typing import Any

import numpy as np
from PIL import Image, ImageCms

_LOOKS_LIKE_SRGB = 3  # levels of 255 by which a profile may differ before it is applied
_SRGB_GAMMA = (0.4, 0.5)  # encodings that sRGB stands for (1 / 2.2)
_GAMMA = (0.05, 5.0)  # encodings that are meant seriously
_COLOR = {
    "L": "GRAY", "LA": "GRAY", "RGB": "RGB ", "RGBA": "RGB ", "RGBX": "RGB ", "P": "RGB ", "PA": "RGB ",
    "CMYK": "CMYK", "I;16": "GRAY", "I;16B": "GRAY", "I;16L": "GRAY",
}  # fmt: skip
_ROOM = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK"}
_STEPS = (0, 64, 128, 192, 255)


def managed(picture: Image.Image) -> Image.Image:
    """A decoded picture with its profile or gamma applied.

    A profile that is damaged, or that is about other kinds of colour than the picture's, counts as none, as in
    browsers; so does one that looks like sRGB.

    Args:
        picture: of any mode; not changed.

    Returns:
        The picture in sRGB: RGB, L, or these with opacity; `picture` itself where nothing is to be done.
    """
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in _COLOR:
        return _through_profile(picture, profile)
    gamma = picture.info.get("gamma")
    if picture.format == "PNG" and gamma and "srgb" not in picture.info and not profile:
        return _with_gamma(picture, float(gamma))
    return picture


def _through_profile(picture: Image.Image, data: bytes) -> Image.Image:
    cms: Any = ImageCms  # Pillow leaves profiles untyped
    try:
        profile = cms.ImageCmsProfile(io.BytesIO(data))
        room = profile.profile.xcolor_space
        if room != _COLOR[picture.mode]:
            return picture
        transform = cms.buildTransform(profile, cms.createProfile("sRGB"), _ROOM[room], "RGB")
        if _changes_nothing(transform, _ROOM[room]):
            return picture
        plain, opacity = _plain(picture, _ROOM[room])
        seen: Image.Image = cms.applyTransform(plain, transform)
    except (cms.PyCMSError, OSError, ValueError, TypeError):
        return picture
    return _dressed(seen, picture, opacity)


def _changes_nothing(transform: Any, mode: str) -> bool:
    if mode == "CMYK":
        return False
    colors = np.array([[*itertools.product(_STEPS, repeat=len(mode))]], np.uint8)  # (1, colours, channels)
    sample = Image.fromarray(colors[..., 0] if mode == "L" else colors)
    seen = np.asarray(ImageCms.applyTransform(sample, transform)).astype(int)
    return bool(np.abs(seen - colors).max() <= _LOOKS_LIKE_SRGB)


def _with_gamma(picture: Image.Image, gamma: float) -> Image.Image:
    """`gamma` is the encoding: stored values are light to its power (PNG, third edition, 11.3.2.2)."""
    if not (math.isfinite(gamma) and _GAMMA[0] <= gamma <= _GAMMA[1]):
        return picture
    if _SRGB_GAMMA[0] <= gamma <= _SRGB_GAMMA[1] or picture.mode not in _COLOR or picture.mode == "CMYK":
        return picture
    long = picture.mode.startswith("I;16")
    light = np.linspace(0.0, 1.0, 65536 if long else 256) ** (1 / gamma)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    levels = np.rint(255 * coded).astype(np.uint8)
    if long:
        return _dressed(Image.fromarray(levels[np.asarray(picture)]), picture, None)
    plain, opacity = _plain(picture, _ROOM[_COLOR[picture.mode]])
    return _dressed(Image.fromarray(levels[np.asarray(plain)]), picture, opacity)


def _plain(picture: Image.Image, mode: str) -> tuple[Image.Image, Image.Image | None]:
    """The picture without opacity, and its opacity."""
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)), None
    if not picture.has_transparency_data:
        return (picture if picture.mode == mode else picture.convert(mode)), None
    whole = picture.convert("RGBA")
    return whole.convert(mode), whole.getchannel("A")


def _dressed(seen: Image.Image, picture: Image.Image, opacity: Image.Image | None) -> Image.Image:
    """With the opacity and the orientation of the picture."""
    if opacity is not None:
        seen = seen.convert("RGBA")
        seen.putalpha(opacity)
    try:
        orientation = picture.getexif().get(274, 1)
    except Exception:  # damaged EXIF makes Pillow raise a dozen kinds
        return seen
    if orientation in range(2, 9):
        seen.getexif()[274] = orientation
    return seen
