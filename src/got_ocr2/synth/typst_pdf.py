"""Typst source in, pixels and places out.

Typst sets the page and writes it as PDF in memory; pdfium, which the documents room uses too, draws it. That is
twice as fast as Typst's own PNG, and what a reader will meet in practice. A part of the page whose place is
wanted is wrapped in a link to `box:NAME` (`marked`): the PDF then carries its rectangles, line by line, and
nothing of it shows.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from types import TracebackType
from typing import Any

from PIL import Image

from ..errors import MissingDependencyError

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
        RuntimeError: the source is not valid Typst: a defect of the engine that wrote it.
    """

    def __init__(self, source: str, font_folders: tuple[str, ...] = ()) -> None:
        import pypdfium2

        typst = import_typst()
        compiler = typst.Compiler(
            input=source.encode(), font_paths=typst_fonts(font_folders), ignore_system_fonts=True
        )
        self._document = pypdfium2.PdfDocument(compiler.compile(format="pdf", pdf_tags=False))
        self._pages: dict[int, Any] = {}

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
