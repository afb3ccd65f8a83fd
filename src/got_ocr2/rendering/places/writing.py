"""What the writers of text formats share: valid XML, and boxes in whole pixels of the page."""

from __future__ import annotations

import html
import re

from .layout import PlacedPage
from .slanted import Point, Slanted

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: str) -> str:
    """Text for XML 1.0 and HTML, in elements and between double quotes; what XML cannot hold becomes U+FFFD."""
    return html.escape(_NO_XML.sub("\ufffd", text))


def pixels(place: Slanted, page: PlacedPage) -> tuple[int, int, int, int]:
    """`(left, top, right, bottom)` of whole pixels around a place, within the page and not empty."""
    x1, y1, x2, y2 = place.box
    left, top = _within(x1, page.width - 1), _within(y1, page.height - 1)
    return left, top, max(left + 1, _within(x2, page.width)), max(top + 1, _within(y2, page.height))


def around(places: list[Slanted], page: PlacedPage) -> tuple[int, int, int, int]:
    """The box of whole pixels around several places, at least one."""
    left, top, right, bottom = zip(*(pixels(place, page) for place in places), strict=True)
    return min(left), min(top), max(right), max(bottom)


def points(corners: tuple[Point, ...], page: PlacedPage) -> str:
    """Points as "x,y x,y": whole pixels within the page."""
    return " ".join(f"{_within(x, page.width)},{_within(y, page.height)}" for x, y in corners)


def _within(value: float, limit: int) -> int:
    return max(0, min(limit, round(value)))
