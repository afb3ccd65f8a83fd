"""Finds the lines of a page: ink -> letters -> runs -> lines -> blocks in reading order."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .ink import Gray, ink_of, resized
from .letters import Letters, may_be_letters, pieces_of, typical_height
from .lines import LayoutOptions, PageLayout, Point, Quad, TextLine, outline
from .order import reading_order
from .row import Row
from .rows import rows_of
from .skew import lies_on_its_side, slant_of

MOST_PIXELS = 12_000_000  # larger pages are looked at in a smaller copy
MOST_LINES = 4000
_WHOLE = 0.85  # of the height of other lines' letters: what is lower at a rim is cut off
_SCRAP = 0.5  # of the longest line's height of letters
_SCRAP_ROOM = 0.6  # heights of its letters from the rim
_STRAIGHT = 0.15  # degrees of slant that need no turning back


def find_lines(image: Image.Image, options: LayoutOptions | None = None) -> PageLayout:
    """The lines of a page in reading order.

    Pictures, half-tones, rules and specks are passed over. A page without letters has no lines.

    Args:
        image: a page of any mode and size.
        options: see `LayoutOptions`.
    """
    options = options or LayoutOptions()
    gray = np.asarray(image if image.mode == "L" else image.convert("L"))
    scale = min(1.0, (MOST_PIXELS / gray.size) ** 0.5)
    if scale < 1:
        size = (max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale)))
        gray = resized(gray, size, cv2.INTER_AREA)
    view = _View((gray.shape[1], gray.shape[0]), scale, 0, 0.0)
    ink, dark = ink_of(gray)
    pieces, letters, height = _letters(ink)
    if not len(letters):
        return PageLayout(image.size, options.turn or 0)
    turn = options.turn
    if turn is None:
        turn = 90 if lies_on_its_side(letters) else 0
    if turn:
        ink, dark = (np.ascontiguousarray(np.rot90(one, turn // 90)) for one in (ink, dark))
        pieces, letters, height = _letters(ink)
    slant = slant_of(letters, height) if options.deskew else 0.0
    if abs(slant) > _STRAIGHT:
        ink, dark = (_turned_back(one, slant) for one in (ink, dark))
        pieces, letters, height = _letters(ink)
    else:
        slant = 0.0
    view = replace(view, turn=turn, slant=slant)
    rows = rows_of(pieces, letters, height, dark) if len(letters) else []
    rows = _without_rests(rows, [view.cuts_off(row, letters) for row in rows])
    rows = _without_scraps(rows, ink.shape[0])
    left_out = max(0, len(rows) - MOST_LINES)
    rows = sorted(rows, key=lambda row: -row.letters)[:MOST_LINES]
    if not rows:
        return PageLayout(image.size, turn, slant)
    order, blocks = reading_order(
        np.array([row.box for row in rows]), np.array([row.x_height for row in rows])
    )
    lines = tuple(
        view.line(rows[index], int(blocks[index]), place, _is_dark(dark, rows[index]))
        for place, index in enumerate(order)
    )
    return PageLayout(image.size, turn, slant, lines, left_out)


def _without_rests(rows: list[Row], cut: list[bool]) -> list[Row]:
    """Rows without those that a rim cuts through.

    One whose letters are as high as those of whole lines only lies close to the rim; and one of which more stands than
    of any other is no rest.
    """
    whole = [row for row, is_cut in zip(rows, cut, strict=True) if not is_cut]
    if not whole:
        return rows
    usual = max(whole, key=lambda row: row.letters).ascent
    largest = max((row.x2 - row.x1) * (row.box[3] - row.box[1]) for row in whole)
    return [
        row for row, is_cut in zip(rows, cut, strict=True)
        if not is_cut or row.ascent >= _WHOLE * usual
        or (row.x2 - row.x1) * (row.box[3] - row.box[1]) > 1.5 * largest
    ]  # fmt: skip


def _without_scraps(rows: list[Row], page_height: int) -> list[Row]:
    """Rows without those close to the head or foot of the picture that are far lower than the longest line.

    They are what a cut left of another line: feet, accents, the tails of letters.
    """
    if not rows:
        return rows
    usual = max(rows, key=lambda row: row.letters).ascent
    room = _SCRAP_ROOM * usual
    return [
        row for row in rows
        if row.ascent > _SCRAP * usual or (row.box[1] > room and row.box[3] < page_height - room)
    ]  # fmt: skip


def _letters(ink: Gray) -> tuple[Letters, Letters, float]:
    """All pieces of ink, those that may be letters, and the height of most of these."""
    pieces = pieces_of(ink)
    height = typical_height(pieces)
    if not height:
        return pieces, pieces[np.zeros(len(pieces), bool)], 0.0
    return pieces, pieces[may_be_letters(pieces, height, ink.shape[0])], height


def _turned_back(mask: Gray, slant: float) -> Gray:
    """The mask about its centre so that what slanted by `slant` degrees is level; same size, no ink outside."""
    h, w = mask.shape
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), slant, 1.0)
    return cv2.warpAffine(mask, matrix, (w, h), flags=cv2.INTER_NEAREST).astype(np.uint8, copy=False)


def _is_dark(dark: Gray, row: Row) -> bool:
    x1, y1, x2, y2 = (round(v) for v in row.box)
    part: NDArray[np.uint8] = dark[max(0, y1) : y2, max(0, x1) : x2]
    return bool(part.size and part.mean() > 127)


@dataclass(frozen=True)
class _View:
    """How the page that was looked at lies on the page that was given.

    Attributes:
        size: width and height of the smaller copy, before turning.
        scale: its size over that of the page.
        turn, slant: as in `PageLayout`.
    """

    size: tuple[int, int]
    scale: float
    turn: int
    slant: float

    def line(self, row: Row, block: int, order: int, dark: bool) -> TextLine:
        """A row of the turned copy as a line of the page."""
        x1, x2, line = row.x1, row.x2, row.line
        levels = [line.height + line.slope * x for x in (x1, x2)]
        top_left, top_right = ((x, y - row.ascent) for x, y in zip((x1, x2), levels, strict=True))
        bottom_left, bottom_right = ((x, y + row.descent) for x, y in zip((x1, x2), levels, strict=True))
        quad: Quad = tuple(self.back(p) for p in (top_left, top_right, bottom_right, bottom_left))  # type: ignore[assignment]
        angle = float(np.degrees(np.arctan2(quad[1][1] - quad[0][1], quad[1][0] - quad[0][0])))
        bend: tuple[float, ...] = ()
        if line.bend:
            places = np.linspace(x1, x2, 3 + round((x2 - x1) / row.height))
            sags = line.at(places) - line.height - line.slope * places
            bend = tuple((sags / self.scale).tolist())
        rim = outline(quad, bend)
        xs, ys = zip(*rim, strict=True)
        box = (min(xs), min(ys), max(xs), max(ys))
        return TextLine(box, quad, angle, row.x_height / self.scale, block, order, dark, bend)

    def cuts_off(self, row: Row, letters: Letters) -> bool:
        """Whether a rim of the picture cuts through most letters of a row: it is the rest of a line."""
        x1, y1, x2, y2 = row.box
        room = 0.5 * row.x_height
        corners = [self.back(p) for p in ((x1, y1 - room), (x2, y1 - room), (x1, y2 + room), (x2, y2 + room))]
        width, height = self.size[0] / self.scale, self.size[1] / self.scale
        if all(0 < x < width and 0 < y < height for x, y in corners):
            return False
        middle = (letters.y1 + letters.y2) / 2
        own = letters[(letters.x1 >= x1 - 1) & (letters.x2 <= x2 + 1) & (middle > y1) & (middle < y2)]
        near = (1.5 + 0.3 * row.x_height) / self.scale
        cut = 0
        for x1, y1, x2, y2 in zip(own.x1, own.y1, own.x2, own.y2, strict=True):
            ends = (self.back(((x1 + x2) / 2, y1)), self.back(((x1 + x2) / 2, y2)))
            cut += any(x <= near or y <= near or x >= width - near or y >= height - near for x, y in ends)
        return cut > 0.4 * max(1, len(own))

    def back(self, point: Point) -> Point:
        """A place of the turned copy on the page."""
        width, height = self.size
        turned = (height, width) if self.turn in (90, 270) else (width, height)
        x, y = point
        if self.slant:
            t = np.radians(self.slant)
            dx, dy = x - turned[0] / 2, y - turned[1] / 2
            x = turned[0] / 2 + dx * np.cos(t) - dy * np.sin(t)
            y = turned[1] / 2 + dx * np.sin(t) + dy * np.cos(t)
        if self.turn == 90:
            x, y = width - y, x
        elif self.turn == 180:
            x, y = width - x, height - y
        elif self.turn == 270:
            x, y = y, height - x
        return float(x / self.scale), float(y / self.scale)
