"""Anything that is a picture -> an upright 8-bit RGB Pillow image, as a person sees it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias, Union, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, ImageOps

from ..errors import InputError, InvalidOptionError

if TYPE_CHECKING:
    import torch

ImageLike: TypeAlias = Union[Image.Image, NDArray[Any], "torch.Tensor"]

_CHANNELS = (1, 3, 4)
_ORIENTATION = 0x0112  # the EXIF tag
_WHITE = (255, 255, 255, 255)
_BAND = 1 << 20  # pixels


def load_whole(image: Image.Image) -> None:
    """Decodes the pixels, and refuses truncated files as Pillow does by itself.

    Other libraries of the program, WeasyPrint is one, tell Pillow to fill up what is missing, for everybody.

    Raises:
        OSError, SyntaxError, ValueError, EOFError: as Pillow does.
    """
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        image.load()
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def to_rgb(image: Image.Image) -> Image.Image:
    """The current frame of a Pillow image of any mode, upright, on white, in 8-bit RGB.

    EXIF rotation is applied; transparency is flattened on white; 16-bit grey keeps its tones; CMYK, palette,
    LAB and the other modes are converted by Pillow. Whole-number grey of 32 bits counts as 8-bit if nothing
    in it is above 255 and as 16-bit if nothing is above 65535; float grey counts as 0..1 if it stays there.
    Other ranges say nothing about black and white, so their darkest value becomes black and their lightest
    white.

    Args:
        image: any Pillow image; not changed.

    Returns:
        An RGB image; `image` itself where nothing had to be done.

    Raises:
        InputError: the pixels cannot be decoded (a truncated or damaged file).
    """
    try:
        load_whole(image)
    except (OSError, SyntaxError, ValueError, EOFError) as e:
        raise InputError(f"The image cannot be decoded: {e}.") from e
    if image.width < 1 or image.height < 1:
        raise InputError(f"The image is {image.width}x{image.height} pixels; it needs at least 1x1.")

    upright = _upright(image)
    if upright.mode.startswith("I") or upright.mode == "F":
        return _grey_to_rgb(upright)
    if upright.mode == "LAB":
        return _lab_to_rgb(upright)
    if upright.has_transparency_data:
        rgba = _straight_alpha(upright).convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, _WHITE), rgba).convert("RGB")
    return upright if upright.mode == "RGB" else upright.convert("RGB")


def as_rgb(image: ImageLike) -> Image.Image:
    """Pillow images, numpy arrays and torch tensors -> what `to_rgb` gives.

    Args:
        image: a Pillow image; or a numpy array or torch tensor with one, three or four channels, or none, first
            or last. Where either could be meant, an array has them last and a tensor first. uint8 and uint16 span
            their type, bool is black and white, floats are 0..1. A fourth channel is opacity.

    Raises:
        InvalidOptionError: not an image, or of another shape, type or range.
        InputError: as `to_rgb`.
    """
    if isinstance(image, Image.Image):
        return to_rgb(image)
    if isinstance(image, np.ndarray):
        return _from_array(image, "A numpy image must be (H, W), (H, W, C) or (C, H, W) with C of 1, 3 or 4")
    # A tensor can only exist where torch has been imported already.
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(image, torch.Tensor):
        tensor = image.detach().cpu()
        if tensor.is_floating_point():
            tensor = tensor.float()  # numpy knows no bfloat16
        array = tensor.numpy()
        rule = "A torch image must be (H, W), (C, H, W) or (H, W, C) with C of 1, 3 or 4"
        if array.ndim == 3 and array.shape[0] in _CHANNELS:
            array = np.moveaxis(array, 0, -1)  # (C, H, W) -> (H, W, C)
        return _from_array(array, rule, shape=tuple(image.shape))
    raise InvalidOptionError(
        f"An image must be a Pillow image, a numpy array or a torch tensor, got {type(image).__name__}."
    )


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except (
        Exception
    ):  # Pillow raises a dozen kinds on damaged EXIF; viewers then show the picture as it is stored.
        return image
    return ImageOps.exif_transpose(image) if orientation in range(2, 9) else image


def _straight_alpha(image: Image.Image) -> Image.Image:
    # Pillow converts premultiplied modes only to their straight twins.
    twin = {"La": "LA", "RGBa": "RGBA"}.get(image.mode)
    return image.convert(twin) if twin else image


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    cms: Any = ImageCms  # Pillow leaves profiles untyped
    lab, srgb = cms.createProfile("LAB"), cms.createProfile("sRGB")
    return cast(Image.Image, cms.profileToProfile(image, lab, srgb, outputMode="RGB"))


def _grey_to_rgb(image: Image.Image) -> Image.Image:
    values = np.asarray(image)  # (H, W)
    if image.mode == "F" and not (np.isfinite(values.min()) and np.isfinite(values.max())):
        raise InputError("The image holds values that are not finite numbers.")
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;16"):
        low, high = 0.0, 65535.0
    elif low >= 0:
        ranges = (1.0,) if image.mode == "F" else (255.0, 65535.0)
        low, high = next(((0.0, top) for top in ranges if high <= top), (low, high))
    span = high - low or 1.0  # one single tone becomes black
    levels = np.empty(values.shape, np.uint8)
    rows = max(1, _BAND // image.width)
    for top in range(0, image.height, rows):  # widened a band at a time: float64 has eight times the bytes
        band = values[top : top + rows].astype(np.float64)
        levels[top : top + rows] = np.rint((band - low) / span * 255.0)
    return Image.fromarray(levels).convert("RGB")


def _from_array(array: NDArray[Any], rule: str, shape: tuple[int, ...] | None = None) -> Image.Image:
    """An array (H, W) or (H, W, C) -> RGB image. `shape` is what the caller passed, for the message."""
    if array.ndim == 3 and array.shape[-1] not in _CHANNELS and array.shape[0] in _CHANNELS:
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in (3, 4))):
        raise InvalidOptionError(f"{rule} and not empty, got shape {shape or array.shape}.")
    return to_rgb(Image.fromarray(_to_bytes(array)))


def _to_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return np.rint(array / 257.0).astype(np.uint8)
    if np.issubdtype(array.dtype, np.floating):
        low, high = float(array.min()), float(array.max())
        if not (low >= 0.0 and high <= 1.0):  # also true of NaN
            raise InvalidOptionError(f"A floating-point image must stay within 0..1, got {low:g}..{high:g}.")
        return np.rint(array * 255.0).astype(np.uint8)
    raise InvalidOptionError(
        f"An image array must be uint8, uint16, bool or floating-point, got {array.dtype}."
    )
