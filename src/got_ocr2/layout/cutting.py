"""Cuts lines out of a page, straight and dark on light, in pieces that a reader of lines takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .ink import ink_of
from .lines import Point, Quad, TextLine

Vector = NDArray[np.float64]

LONGEST = 18.0  # widths of a piece in its heights
HIGHEST = 256  # pixels; what is higher is made smaller, a reader needs far less
_BESIDE = 0.3  # room left and right of the letters, in heights of the line
_ABOVE, _BELOW = 0.07, 0.07
_HOLE = 5.0  # heights of a gap that is not cut out with the words beside it
_FAINT = 60  # levels between ink and paper
_FEW_GAPS = 8  # too few to be told apart by their widths
_WIDER = 2.2  # times: gaps between words than between letters
_GAP = 0.1  # heights of a cut: narrower ones part letters


@dataclass(frozen=True)
class Piece:
    """A line or a part of one, cut out.

    Attributes:
        image: straight, RGB, dark letters on light.
        quad: its corners in pixels of the page, from the top left of the text, clockwise as the text is read.
        joins_word: it goes on in the middle of the word with which the piece before ended.
        bend: how far below their place in `quad` its letters stand on the page, at places equally far apart from its
            left end to its right end; empty where they stand straight.
    """

    image: Image.Image
    quad: Quad
    joins_word: bool = False
    bend: tuple[float, ...] = ()


def line_pieces(
    image: Image.Image, line: TextLine, *, longest: float = LONGEST, widen: float = 1.0
) -> tuple[Piece, ...]:
    """A line of the page, cut out; what is wider than `longest` heights is cut at gaps between words.

    Args:
        image: the page that the line was found on.
        line: one of its lines.
        longest: widths of a piece in its heights.
        widen: what the widths of letters are multiplied by, > 0.
    """
    frame = _frame(line)
    strip = _lifted(image, frame)
    if line.light_on_dark:
        strip = 255 - strip
    strip = _stretched(strip)
    if widen != 1:
        size = (max(1, round(widen * strip.shape[1])), strip.shape[0])
        how = cv2.INTER_AREA if widen < 1 else cv2.INTER_CUBIC
        strip = cv2.resize(strip, size, interpolation=how).astype(np.uint8, copy=False)
    scale = strip.shape[1] / frame.width
    if widen * frame.width <= longest * frame.height:
        return (Piece(Image.fromarray(strip), frame.quad(0, frame.width), bend=frame.bend(0, frame.width)),)
    pieces: list[Piece] = []
    for left, right in _between_holes(strip):
        cuts = _cuts(strip[:, left:right], round(longest * strip.shape[0]), least=widen * _GAP)
        for (start, inside), (end, _) in pairwise(cuts):
            image_of_piece = Image.fromarray(np.ascontiguousarray(strip[:, left + start : left + end]))
            ends = (left + start) / scale, (left + end) / scale
            pieces.append(Piece(image_of_piece, frame.quad(*ends), inside, frame.bend(*ends)))
    return tuple(pieces)


def joined(texts: Sequence[str], pieces: Sequence[Piece]) -> str:
    """The text of a line from those of its pieces: a space where it was cut between words."""
    out = ""
    for text, piece in zip(texts, pieces, strict=True):
        text = text.strip()
        out += text if piece.joins_word or not out or not text else " " + text
    return out


@dataclass(frozen=True)
class _Frame:
    """The oblong that is cut out, in pixels of the page.

    Attributes:
        origin: its top left corner.
        along, down: unit vectors.
        width, height: with the room around the letters.
        beside: room left and right of them.
        sags: how far below their place letters stand, at places equally far apart between that room; empty where they
            stand straight.
    """

    origin: Vector
    along: Vector
    down: Vector
    width: float
    height: float
    beside: float
    sags: tuple[float, ...]

    def sag(self, x: Vector) -> Vector:
        """How far below their place letters stand at `x`, from the left of the oblong."""
        places = np.linspace(self.beside, self.width - self.beside, len(self.sags))
        return np.interp(x, places, self.sags)

    def bend(self, start: float, end: float) -> tuple[float, ...]:
        """The sags of a part of it, see `Piece`."""
        if not self.sags:
            return ()
        count = max(2, round(len(self.sags) * (end - start) / self.width))
        return tuple(self.sag(np.linspace(start, end, count)).tolist())

    def quad(self, start: float, end: float) -> Quad:
        def point(x: float, y: float) -> Point:
            place = self.origin + self.along * x + self.down * y
            return float(place[0]), float(place[1])

        return point(start, 0), point(end, 0), point(end, self.height), point(start, self.height)


def _frame(line: TextLine) -> _Frame:
    a, b, _, d = (np.array(p, np.float64) for p in line.quad)
    width, height = float(np.linalg.norm(b - a)), float(np.linalg.norm(d - a))
    along = (b - a) / max(width, 1e-6)
    down = np.array([-along[1], along[0]])
    beside = _BESIDE * height
    origin = a - along * beside - down * _ABOVE * height
    width, height = max(width, 1.0) + 2 * beside, max(height, 1.0) * (1 + _ABOVE + _BELOW)
    return _Frame(origin, along, down, width, height, beside, line.bend)


def _lifted(image: Image.Image, frame: _Frame) -> NDArray[np.uint8]:
    """The oblong as a picture of its own, uint8 `(rows, columns, 3)`, straightened; beyond the page lies paper."""
    scale = min(1.0, HIGHEST / frame.height)
    size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
    corners = np.array(frame.quad(0, frame.width))
    ends = min(frame.sags, default=0.0), max(frame.sags, default=0.0)
    rims = [corners + sag * frame.down for sag in ends]
    (left, top), (right, bottom) = np.min(rims, (0, 1)), np.max(rims, (0, 1))
    box = (
        max(0, int(left) - 2), max(0, int(top) - 2),
        min(image.width, int(right) + 3), min(image.height, int(bottom) + 3),
    )  # fmt: skip
    if box[0] >= box[2] or box[1] >= box[3]:
        return np.full((size[1], size[0], 3), 255, np.uint8)
    part = np.asarray(image.crop(box).convert("RGB"))
    how = cv2.INTER_LINEAR if scale < 1 else cv2.INTER_CUBIC
    within = min(left, top) >= 2 and right + 3 <= image.width and bottom + 3 <= image.height
    paper = (0.0, 0.0, 0.0) if within else tuple(np.percentile(part.reshape(-1, 3), 80, axis=0).tolist())
    corners = (corners - box[:2]).astype(np.float32)
    if not frame.sags:
        target = np.array([[0, 0], [size[0], 0], [0, size[1]]], np.float32)
        matrix = cv2.getAffineTransform(corners[[0, 1, 3]], target)
        return cv2.warpAffine(part, matrix, size, flags=how, borderValue=paper).astype(np.uint8)
    x = np.arange(size[0], dtype=np.float64) * (frame.width / size[0])
    y = np.arange(size[1])[:, None] * (frame.height / size[1]) + frame.sag(x)
    at_x, at_y = (
        (corners[0, axis] + frame.along[axis] * x + frame.down[axis] * y).astype(np.float32)
        for axis in (0, 1)
    )
    straight = cv2.remap(part, at_x, at_y, how, borderMode=cv2.BORDER_CONSTANT, borderValue=paper)
    return straight.astype(np.uint8)


def _stretched(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Print that hardly differs from its paper made darker and the paper lighter; other print as it is."""
    ink, paper = (float(v) for v in np.percentile(strip, (2, 80)))
    if not 4 <= paper - ink < _FAINT:
        return strip
    return np.clip((strip.astype(np.float32) - ink) * (200 / (paper - ink)) + 40, 0, 255).astype(np.uint8)


def _between_holes(strip: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """The strip's parts, from column to column: blank stretches as in a running head are no part of any."""
    rows, columns = strip.shape[:2]
    room = round(_BESIDE * rows)
    gaps = _gaps(_columns_of_ink(cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)))
    holes = [
        (start + room, end - room)
        for start, end in gaps
        if start > 0 and end < columns and end - start > _HOLE * rows
    ]
    ends = [0, *(column for hole in holes for column in hole), columns]
    return list(zip(ends[::2], ends[1::2], strict=True))


def _cuts(strip: NDArray[np.uint8], longest: int, least: float = _GAP) -> list[tuple[int, bool]]:
    """Where a strip is cut, its ends included; and whether a cut goes through a word.

    The fewest pieces of about one width; each cut lies in the widest gap near its place. Gaps of less than `least`
    heights part letters.
    """
    rows, columns = strip.shape[:2]
    columns_of_ink = _columns_of_ink(cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False))
    inner = [gap for gap in _gaps(columns_of_ink) if gap[0] > 0 and gap[1] < columns]
    gaps = [gap for gap in inner if gap[1] - gap[0] >= least * rows]
    # Letters of one width have gaps too; between words they are wider.
    between_words = _between_words([end - start for start, end in inner])
    usual = np.median([end - start for start, end in gaps]) if gaps else 0.0
    wide = [gap for gap in gaps if gap[1] - gap[0] >= (between_words or 1.6 * usual)]
    cuts: list[tuple[int, bool]] = [(0, False)]
    while columns - cuts[-1][0] > longest:
        start = cuts[-1][0]
        pieces = -(-(columns - start) // longest)
        aim, last = start + (columns - start) / pieces, start + longest
        first = start + longest // 3
        if (place := _cut_near(wide, aim, first, last)) is not None:
            cuts.append((place, False))
            continue
        if (place := _cut_near(gaps, aim, first, last)) is not None:
            cuts.append((place, between_words > 0))
            continue
        window = columns_of_ink[start + longest // 2 : last]
        cuts.append((start + longest // 2 + int(window.argmin()), True))
    return [*cuts, (columns, False)]


def _between_words(widths: Sequence[int]) -> float:
    """The least width of a gap between words, by the split of all into two kinds that differ most (Otsu's).

    0 where the wider kind is not clearly wider, as in one long word.
    """
    order = np.sort(np.array(widths, np.float64))
    if len(order) < _FEW_GAPS:
        return 0.0
    count, sums = np.arange(1, len(order)), np.cumsum(order)[:-1]
    narrow, wide = sums / count, (order.sum() - sums) / (len(order) - count)
    split = int(np.argmax(count * (len(order) - count) * (wide - narrow) ** 2))
    return float(narrow[split] + wide[split]) / 2 if wide[split] > _WIDER * narrow[split] else 0.0


def _cut_near(gaps: Sequence[tuple[int, int]], aim: float, first: int, last: int) -> int | None:
    """The middle of a gap between `first` and `last`: the nearer to `aim` and the wider, the better."""
    middles = [((start + end) // 2, end - start) for start, end in gaps]
    inside = [(middle, width) for middle, width in middles if first <= middle <= last]
    return min(inside, key=lambda gap: abs(gap[0] - aim) - 2 * gap[1])[0] if inside else None


def gaps_of(gray: NDArray[np.uint8]) -> tuple[int, int, NDArray[np.float64]]:
    """The first column of ink of a cut line, the column after the last, and the gaps between.

    Args:
        gray: uint8 `(rows, columns)`.

    Returns:
        The gaps as float64 `(n, 2)`, start and end in pixels, those that are wide enough to part words first to last.
        A line without ink has no gaps and reaches from end to end.
    """
    columns_of_ink = _columns_of_ink(gray)
    inked = np.flatnonzero(columns_of_ink)
    if not len(inked):
        return 0, gray.shape[1], np.zeros((0, 2))
    first, last = int(inked[0]), int(inked[-1]) + 1
    least = 0.08 * gray.shape[0]
    inner = [
        gap for gap in _gaps(columns_of_ink) if gap[0] > first and gap[1] < last and gap[1] - gap[0] >= least
    ]
    return first, last, np.array(inner, np.float64).reshape(-1, 2)


def _columns_of_ink(gray: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many pixels of ink each column has, without the rims, where other lines reach in."""
    rows = gray.shape[0]
    return (ink_of(gray)[0][round(0.08 * rows) : max(1, round(0.92 * rows))] > 0).sum(0)


def _gaps(columns_of_ink: NDArray[np.int64]) -> list[tuple[int, int]]:
    """The stretches of columns without ink."""
    blank = np.concatenate([[False], columns_of_ink == 0, [False]])
    edges = np.flatnonzero(np.diff(blank.astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
