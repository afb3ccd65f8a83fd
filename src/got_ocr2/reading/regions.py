"""The part of a page that is read."""

from __future__ import annotations

import math

from PIL import Image

from ..errors import InvalidOptionError
from .options import ReadOptions


def region_of(image: Image.Image, options: ReadOptions) -> tuple[Image.Image, tuple[float, float]]:
    """What is read of a page, and where its top left corner lies on it.

    Raises:
        InvalidOptionError: the box reaches over the page.
        InputError: there is no frame of the colour.
    """
    from ..layout import framed_box

    box = options.request.box
    if options.color is not None:
        box = framed_box(image, options.color)
    if box is None:
        return image, (0.0, 0.0)
    x1, y1, x2, y2 = box
    if x2 > image.width or y2 > image.height:
        raise InvalidOptionError(
            f"The box {list(box)} reaches over the page, which has {image.width} x {image.height} pixels."
        )
    whole = (math.floor(x1), math.floor(y1), math.ceil(x2), math.ceil(y2))
    return image.crop(whole), (float(whole[0]), float(whole[1]))
