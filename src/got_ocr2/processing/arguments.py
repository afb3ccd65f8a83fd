"""The arguments of `GotOcr2Processor`, brought into one form: one entry for each document."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, cast

from ..errors import InvalidOptionError


def pages_of_documents(images: object, multi_page: bool) -> list[list[Any]]:
    """Pictures as the caller passed them -> the pictures of each document.

    One page a document, unless `multi_page`; then a flat list is one document and a list of lists several.

    Raises:
        InvalidOptionError: no picture, lists nested otherwise, or a document without pages.
    """
    if images is None:
        raise InvalidOptionError("An image is needed, or text without one, got None.")
    items = _items(images)
    if items is None:
        return [[images]]
    if not items:
        raise InvalidOptionError("At least one image is needed, got an empty list.")
    documents = [_items(item) for item in items]
    if all(pages is None for pages in documents):
        return [items] if multi_page else [[item] for item in items]
    if not multi_page:
        raise InvalidOptionError(
            "A list of images within a list is a document of several pages; pass multi_page=True."
        )
    for number, pages in enumerate(documents, start=1):
        if pages is None:
            raise InvalidOptionError("images mixes single images with lists of pages; pass one kind.")
        if not pages:
            raise InvalidOptionError(f"Document {number} of {len(documents)} has no pages.")
        if any(_items(page) is not None for page in pages):
            raise InvalidOptionError("images may be nested once, documents and their pages, not deeper.")
    return cast(list[list[Any]], documents)


def boxes_of_documents(box: object, documents: int) -> list[list[Any] | None]:
    """One box for all, or a list with a box or None for each document -> that list; insides are not checked.

    Raises:
        InvalidOptionError: not a box, or a list of another length.
    """
    value = _listed(box)
    if value is None:
        return [None] * documents
    items = _items(value)
    if items is None:
        raise InvalidOptionError(f"A box must be [x1, y1, x2, y2], or a list of such boxes, got {box!r}.")
    boxes = [_listed(item) for item in items]
    if not any(item is None or _items(item) is not None for item in boxes):
        return [boxes] * documents
    _check_count("box", boxes, documents)
    for item in boxes:
        if item is not None and _items(item) is None:
            raise InvalidOptionError(f"box mixes boxes and single numbers: {items!r}.")
    return [_items(item) for item in boxes]


def colors_of_documents(color: object, documents: int) -> list[Any]:
    """One colour for all, or a list with a colour or None for each document -> that list.

    Raises:
        InvalidOptionError: a list of another length.
    """
    items = _items(color)
    if items is None:
        return [color] * documents
    _check_count("color", items, documents)
    return items


def texts_of_documents(text: object, documents: int) -> list[str] | None:
    """One prompt for all, or one for each document -> the list; None if the caller gave none.

    Raises:
        InvalidOptionError: not text, or a list of another length.
    """
    if text is None:
        return None
    texts = [text] * documents if isinstance(text, str) else _items(text)
    if texts is None or not all(isinstance(item, str) for item in texts):
        raise InvalidOptionError(f"text must be a string or a list of strings, got {text!r}.")
    _check_count("text", texts, documents)
    return texts


def beside_their_texts(
    text: object, documents: list[list[Any]], image_token: str
) -> tuple[list[str], list[list[Any]]]:
    """Prompts, and the pages of each: none for a prompt without the image token.

    Args:
        text: one prompt for all documents, or a list: one for each document, and any number without a picture.
        documents: pages of each document.
        image_token: what stands for a picture in a prompt.

    Raises:
        InvalidOptionError: not text, or prompts and documents that do not go together.
    """
    if not documents and isinstance(text, str):
        text = [text]
    items = _items(text)
    if items is None or not all(isinstance(item, str) for item in items):
        texts = texts_of_documents(text, len(documents)) or []
    else:
        texts = cast("list[str]", items)
    asking = [image_token in one for one in texts]
    if len(texts) == len(documents) and all(asking):
        return texts, documents
    if not texts or sum(asking) != len(documents):
        raise InvalidOptionError(
            f"text holds {len(texts)} prompts, {sum(asking)} of them with {image_token}, for {len(documents)} images "
            "or documents."
        )
    pages = iter(documents)
    return texts, [next(pages) if asks else [] for asks in asking]


def checked_box(points: Sequence[Any], image_hw: tuple[int, int], *, point_allowed: bool) -> list[float]:
    """The numbers of a box, cut off at the edges of its picture if it reaches a little beyond them.

    The published processor takes any numbers and then asks for thousandths below 0 or above 1000, which the model
    never saw. Detectors do put boxes a little outside, where the picture has nothing; a box that reaches farther
    than a tenth of a side, or two pixels, belongs to another picture or another scale.

    Args:
        points: x1, y1, x2, y2 in pixels.
        image_hw: height and width of the picture.
        point_allowed: take a point x, y too.

    Raises:
        InvalidOptionError: another count, not finite numbers, reversed, empty, or too far outside the picture.

    Warns:
        UserWarning: the box was cut.
    """
    shown = [_listed(value) for value in points]
    if len(shown) != 4 and not (point_allowed and len(shown) == 2):
        also = " or a point [x, y]" if point_allowed else ""
        raise InvalidOptionError(f"A box must be [x1, y1, x2, y2]{also}, got {len(shown)} values: {shown}.")
    if not all(is_number(value) for value in shown):
        raise InvalidOptionError(f"A box must hold finite numbers, got {shown}.")
    height, width = image_hw
    if len(shown) == 4 and (shown[0] >= shown[2] or shown[1] >= shown[3]):
        raise InvalidOptionError(f"The box {shown} is empty or reversed: it needs x1 < x2 and y1 < y2.")
    inside = [min(max(value, 0), (width, height)[i % 2]) for i, value in enumerate(shown)]
    if inside == shown:
        return shown
    beyond = [
        abs(value - cut) / max((width, height)[i % 2] / 10, 2)
        for i, (value, cut) in enumerate(zip(shown, inside, strict=True))
    ]
    if len(shown) == 2 or max(beyond) > 1 or inside[0] == inside[2] or inside[1] == inside[3]:
        raise InvalidOptionError(f"The box {shown} reaches outside the image of {width}x{height} pixels.")
    warnings.warn(
        f"The box {shown} reaches outside the image of {width}x{height} pixels and is cut to {inside}.",
        stacklevel=2,
    )
    return inside


def check_switches(**switches: object) -> None:
    """Refuses anything but True and False."""
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise InvalidOptionError(f"{name} must be True or False, got {value!r}.")


def is_count(value: object) -> bool:
    """Whether it is a whole number of 1 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def is_number(value: object) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _items(value: object) -> list[Any] | None:
    """The items of a list or tuple; None for anything else."""
    return list(cast(Sequence[Any], value)) if isinstance(value, (list, tuple)) else None


def _listed(value: Any) -> Any:
    """numpy arrays and tensors as lists, their scalars as numbers, anything else as it is."""
    return value.tolist() if hasattr(value, "tolist") else value


def _check_count(name: str, values: Sequence[object], documents: int) -> None:
    if len(values) != documents:
        raise InvalidOptionError(f"{name} holds {len(values)} values for {documents} images or documents.")
