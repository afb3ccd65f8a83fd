"""Typst source in, pixels and places out.

Typst sets the page and writes it as PDF in memory; pdfium, which the documents room uses too, draws it. That is
twice as fast as Typst's own PNG, and what a reader will meet in practice. A part of the page whose place is
wanted is wrapped in a link to `box:NAME` (`marked`): the PDF then carries its rectangles, line by line, and
nothing of it shows.
"""

from __future__ import annotations

import ctypes
import os
import unicodedata
from functools import lru_cache
from types import TracebackType
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from ...errors import GotOcr2Error, MissingDependencyError

Box = tuple[float, float, float, float]

_SCHEME = "box:"
_POINTS_PER_INCH = 72.0


def marked(name: str, body: str) -> str:
    """Typst markup that draws `body` (markup too) and has its place reported as `name`."""
    return f'#link("{_SCHEME}{name}")[{body}]'


def string(text: str) -> str:
    """A Typst string literal; as an argument or after `#` it draws exactly these characters."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Typeset:
    """A document set by Typst; a context manager, because pdfium holds memory until it is closed.

    Args:
        source: the document; it sets its own page size.
        font_folders: folders of fonts beside the four families that Typst embeds (Libertinus Serif, New Computer
            Modern, its mathematics, DejaVu Sans Mono). System fonts are never looked at, so that the same source
            gives the same pixels on every machine.

    Raises:
        MissingDependencyError: the `typst` package is not installed.
        GotOcr2Error: the process was forked from one that had already set pages.
        RuntimeError: the source is not valid Typst: a defect of the engine that wrote it.
    """

    _first_process: ClassVar[int | None] = None

    def __init__(self, source: str, font_folders: tuple[str, ...] = ()) -> None:
        import pypdfium2

        typst = import_typst()
        self._refuse_fork()
        compiler = typst.Compiler(
            input=source.encode(), font_paths=typst_fonts(font_folders), ignore_system_fonts=True
        )
        self._document = pypdfium2.PdfDocument(compiler.compile(format="pdf", pdf_tags=False))
        self._pages: dict[int, Any] = {}

    @classmethod
    def _refuse_fork(cls) -> None:
        """Typst writes PDF with threads, which a fork does not copy: the child would wait for them for ever."""
        process = os.getpid()
        if cls._first_process is None:
            cls._first_process = process
        if cls._first_process != process:
            raise GotOcr2Error(
                f"Process {process} was forked from process {cls._first_process}, which had already set pages with "
                'Typst; start the workers by "spawn" or "forkserver", or draw nothing before they start.'
            )

    def __enter__(self) -> Typeset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._document.close()

    def __len__(self) -> int:
        """How many pages it has."""
        return len(self._document)

    def _page(self, number: int) -> Any:
        """A page, parsed once."""
        if number not in self._pages:
            self._pages[number] = self._document[number]
        return self._pages[number]

    def size(self, page: int = 0) -> tuple[float, float]:
        """Width and height of a page in points."""
        return self._page(page).get_size()

    def image(self, dpi: float, page: int = 0) -> Image.Image:
        """A page as RGB picture at `dpi` pixels per inch."""
        image = self._page(page).render(scale=dpi / _POINTS_PER_INCH).to_pil()
        return image if image.mode == "RGB" else image.convert("RGB")

    def text(self, page: int = 0) -> str:
        """The characters drawn on a page, in drawing order; stretched delimiters and rules may be missing."""
        return self._page(page).get_textpage().get_text_range()

    def characters(self, dpi: float, page: int = 0) -> tuple[list[str], np.ndarray]:
        """The visible characters of a page in drawing order, accents aside, and their ink boxes in pixels at `dpi`.

        Returns:
            `n` characters, and float32 (n, 4), `(x1, y1, x2, y2)`. The letters of a ligature share its box evenly.
        """
        import pypdfium2.raw as pdfium

        sheet, scale = self._page(page), dpi / _POINTS_PER_INCH
        owner = sheet.get_textpage()  # closes itself when it is forgotten
        text, unicode, box_of = owner.raw, pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetCharBox
        sides = [ctypes.c_double() for _ in range(4)]
        references = [ctypes.byref(side) for side in sides]
        left, right, bottom, top = sides
        found: list[str] = []
        boxes: list[Box] = []
        high = 0
        for index in range(owner.count_chars()):
            code = unicode(text, index)
            if 0xD800 <= code < 0xDC00:  # the first half of a character beyond 16 bits
                high = code
                continue
            if 0xDC00 <= code < 0xE000:
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
            if code <= 0x20 or code == 0xA0 or unicodedata.category(chr(code)) == "Mn":
                continue
            box_of(text, index, *references)
            found.append(chr(code))
            boxes.append((left.value, top.value, right.value, bottom.value))
        points = np.array(boxes, np.float32).reshape(-1, 4)
        points[:, 1::2] = sheet.get_height() - points[:, 1::2]
        return found, _shared(points) * np.float32(scale)

    def places(self, dpi: float, page: int = 0) -> dict[str, list[Box]]:
        """Where the marked pieces of a page stand: name -> rectangles `(x1, y1, x2, y2)` in pixels at `dpi`.

        A piece that runs over several lines or columns has several rectangles, in drawing order.
        """
        import pypdfium2.raw as pdfium

        sheet, scale = self._page(page), dpi / _POINTS_PER_INCH
        height = sheet.get_height()
        position, link, rectangle = ctypes.c_int(0), pdfium.FPDF_LINK(), pdfium.FS_RECTF()
        target = ctypes.create_string_buffer(256)
        found: dict[str, list[Box]] = {}
        while pdfium.FPDFLink_Enumerate(sheet, ctypes.byref(position), ctypes.byref(link)):
            action = pdfium.FPDFLink_GetAction(link)
            length = pdfium.FPDFAction_GetURIPath(self._document, action, target, len(target))
            name = target.raw[
                : max(0, length - 1)
            ].decode()  # empty for Typst's own links, as from a footnote
            if name.startswith(_SCHEME):
                pdfium.FPDFLink_GetAnnotRect(link, ctypes.byref(rectangle))
                box = (
                    scale * rectangle.left,
                    scale * (height - rectangle.top),
                    scale * rectangle.right,
                    scale * (height - rectangle.bottom),
                )
                found.setdefault(name[len(_SCHEME) :], []).append(box)
        return found


def _shared(boxes: np.ndarray) -> np.ndarray:
    """Divides a box that several characters in a row have in common: a ligature's."""
    if len(boxes) == 0:
        return boxes
    starts = np.flatnonzero(np.r_[True, (boxes[1:] != boxes[:-1]).any(axis=1)])
    counts = np.diff(np.r_[starts, len(boxes)])
    count = np.repeat(counts, counts).astype(np.float32)
    rank = (np.arange(len(boxes)) - np.repeat(starts, counts)).astype(np.float32)
    width = (boxes[:, 2] - boxes[:, 0]) / count
    left = boxes[:, 0] + rank * width
    return np.stack([left, boxes[:, 1], left + width, boxes[:, 3]], axis=1)


def union(boxes: list[Box]) -> Box:
    """The smallest box around all of them."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def import_typst() -> Any:
    """The `typst` package.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import typst
    except ImportError as error:
        raise MissingDependencyError('Setting pages needs typst: pip install "got-ocr2[synth]".') from error
    return typst


@lru_cache(maxsize=4)
def typst_fonts(font_folders: tuple[str, ...]) -> Any:
    """Typst's font book over its embedded fonts and some folders; a tenth of a second for a hundred folders."""
    return import_typst().Fonts(include_system_fonts=False, font_paths=list(font_folders))
