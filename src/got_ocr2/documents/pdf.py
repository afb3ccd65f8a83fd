"""PDF files, drawn by PDFium at a chosen resolution."""

from __future__ import annotations

import io
import math
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from PIL import Image

from ..errors import EncryptedDocumentError, InputError, InvalidOptionError
from ..wording import printable, reason
from .document import Document, Page
from .library_messages import silence_libraries
from .limits import Limits
from .page_ranges import PageRanges

DEFAULT_DPI = 200.0
_DYNAMIC_FORM = 2  # FORMTYPE_XFA_FULL
_POINTS_PER_INCH = 72.0
_HEADER_WINDOW = 1024  # readers accept the header anywhere in the first kilobyte (PDF 1.7, appendix H)
_NO_TEXT = {ord("\r"): None, ord("\0"): None}  # PDFium ends lines with CR LF
_HYPHENATED = re.compile("[\x02\ufffe]\n?")  # PDFium's sign for a hyphen and the line break after it
_ENDLESS = 1e12  # pixels; for sizes that are too large to be whole numbers
_PDFIUM = threading.Lock()  # PDFium keeps state of its own: one call at a time in a process


def is_pdf(head: bytes) -> bool:
    """Whether the first bytes of a file hold a PDF's header."""
    return b"%PDF-" in head[:_HEADER_WINDOW]


class PdfFile(Document):
    """A PDF; pages are drawn with their annotations and filled-in forms, on white."""

    def __init__(
        self,
        stream: BinaryIO,
        name: str,
        *,
        pages: PageRanges | None = None,
        dpi: float = DEFAULT_DPI,
        password: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Opens the file; takes over `stream`.

        Args:
            stream: seekable; read while pages are drawn.
            name: what messages call the document.
            pages: which pages to read; all when None.
            dpi: pixels per inch of the drawn page.
            password: opens an encrypted file; ignored by others.
            limits: what is refused.

        Raises:
            EncryptedDocumentError: the password is missing or wrong.
            InputError: damaged, without pages, or above a limit.
            InvalidOptionError: a page that is not there, or a resolution that is not above 0.
        """
        if not (math.isfinite(dpi) and dpi > 0):
            raise InvalidOptionError(f"dpi must be above 0, got {dpi!r}.")
        silence_libraries()
        self._scale = dpi / _POINTS_PER_INCH
        self._dpi = dpi
        self._stream = stream
        self._pdf = _opened(stream, name, password)
        try:
            with _PDFIUM:
                self._pdf.init_forms()  # before pages are touched, as PDFium demands
                count = len(self._pdf)
                form = self._pdf.get_formtype()
            if form == _DYNAMIC_FORM:
                raise InputError(
                    f"{printable(name)} is a dynamic XFA form, whose pages only Adobe's programs draw; print it to a "
                    "PDF there."
                )
            structure = _structure(stream, password, count)
            self._units = structure.units
            if structure.portfolio:
                raise InputError(
                    f"{printable(name)} is a portfolio of attached files; take them out, for example with pdfdetach "
                    "-saveall, and read those."
                )
            if count < 1:
                raise InputError(f"{printable(name)} is a PDF without pages.")
            super().__init__(name, count, pages, limits or Limits())
        except BaseException:
            self.close()
            raise

    def load(self, number: int) -> Page:
        name = self.page_name(number)
        with _PDFIUM, _page(self._pdf, number, name) as page:
            scale = self._scale * self._units[number - 1]
            try:
                self.limits.check_pixels(name, *_pixels(page, scale))
            except InputError as e:
                raise InputError(f"At {self._dpi:g} dpi {e}") from e
            return Page(_drawn(page, scale), number, self.source)

    def size(self, number: int) -> tuple[int, int]:
        with _PDFIUM, _page(self._pdf, number, self.page_name(number)) as page:
            return _pixels(page, self._scale * self._units[number - 1])

    def text(self, number: int) -> str | None:
        """The page's text layer, its lines ended by a newline each; None if there is none or it is damaged."""
        try:
            with _PDFIUM, _page(self._pdf, number, self.page_name(number)) as page:
                layer = page.get_textpage()
                try:
                    text: str = layer.get_text_bounded()
                finally:
                    layer.close()
        except InputError:
            return None
        return _HYPHENATED.sub("-\n", text.translate(_NO_TEXT)) if text.strip() else None

    def close(self) -> None:
        with _PDFIUM:
            self._pdf.close()
        self._stream.close()


@dataclass
class _Structure:
    """What PDFium does not tell of a file.

    Attributes:
        units: how many 72ths of an inch the unit of each page is (PDF 1.7, table 30).
        portfolio: it is a cover for attached files.
        pages: how many there are; None if qpdf cannot read the file.
    """

    units: list[float]
    portfolio: bool = False
    pages: int | None = None


def _structure(stream: BinaryIO, password: str | None, count: int) -> _Structure:
    """What qpdf cannot make out of a damaged file is as usual: a unit of 1, no portfolio."""
    import pikepdf

    found = _Structure([1.0] * count)
    place = stream.tell()
    stream.seek(0)
    try:
        try:
            opened: Any = pikepdf.open(cast("BinaryIO", _Lent(stream)), suppress_warnings=True)
        except pikepdf.PasswordError:
            lent = cast("BinaryIO", _Lent(stream))
            opened = pikepdf.open(lent, password=password or "", suppress_warnings=True)
        with opened as pdf:
            found.portfolio = "/Collection" in pdf.Root
            found.pages = len(pdf.pages)
            for number, page in enumerate(pdf.pages):
                unit = float(page.obj.get("/UserUnit", 1))
                if number < count and math.isfinite(unit) and unit > 0:
                    found.units[number] = unit
    except Exception:  # a damaged file makes it raise nearly anything; PDFium decides whether that is bad
        pass
    finally:
        stream.seek(place)
    return found


class _Lent(io.RawIOBase):
    """The stream without its `close`."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


def _opened(stream: BinaryIO, name: str, password: str | None) -> Any:
    """The document as PDFium opens it.

    Raises:
        EncryptedDocumentError: the password is missing or wrong.
        InputError: damaged, or without pages.
    """
    with _PDFIUM:
        try:
            return _pdfium().PdfDocument(stream, password=password)
        except _pdfium().PdfiumError as e:
            # PDFium says so in words in every version; the error code came later.
            if "password" in str(e).lower():
                problem = "needs a password" if password is None else "does not open with this password"
                raise EncryptedDocumentError(f"{printable(name)} is encrypted and {problem}.") from e
            if _structure(stream, password, 0).pages == 0:
                raise InputError(f"{printable(name)} is a PDF without pages.") from e
            why = reason(e).removesuffix(" (PDFium: Success)")
            raise InputError(f"{printable(name)} is damaged and cannot be opened as a PDF: {why}.") from e


def _pdfium() -> Any:
    import pypdfium2  # pyright: ignore[reportMissingTypeStubs]

    return pypdfium2


@contextmanager
def _page(pdf: Any, number: int, name: str) -> Generator[Any]:
    try:
        page = pdf[number - 1]
        try:
            yield page
        finally:
            page.close()
    except _pdfium().PdfiumError as e:
        raise InputError(f"{name} cannot be drawn: {reason(e)}.") from e


def _pixels(page: Any, scale: float) -> tuple[int, int]:
    """Width and height of a page that is drawn; PDFium rounds up."""
    width, height = page.get_size()
    return math.ceil(min(width * scale, _ENDLESS)), math.ceil(min(height * scale, _ENDLESS))


def _drawn(page: Any, scale: float) -> Image.Image:
    bitmap = page.render(scale=scale)
    try:
        # `to_pil` may lend PDFium's own memory, so the page must be a copy.
        return bitmap.to_pil().convert("RGB").copy()
    finally:
        bitmap.close()
