"""A PDF that can be searched: the page as it is, and over it the text that was read, invisible."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from ...errors import EncryptedDocumentError, FileAccessError, InputError, InvalidOptionError, RenderError
from ...extras import need
from ...wording import printable, reason
from ..problems import Problem
from .image_pages import Picture, pdf_of_pictures
from .invisible_text import InvisibleFont, page_operators
from .layout import PlacedPage
from .slanted import Point

ExistingText = Literal["keep", "add"]
_SHOWING = {"Tj", "TJ", "'", '"'}
_SAME_SHAPE = 0.02  # by how much the sides' ratio of the page that was read may differ from the document's


def write_searchable_pdf(
    pages: Sequence[PlacedPage],
    source: Picture | Sequence[Picture],
    *,
    dpi: float | None = None,
    password: str | None = None,
    existing_text: ExistingText = "keep",
) -> tuple[bytes, list[Problem]]:
    """Puts text over the pages that it was read from.

    Args:
        pages: what was read; each goes onto the page of its number, the others stay as they are.
        source: a PDF (a path or bytes), or pictures. A PDF's own streams stay as they are, byte for byte.
        dpi: resolution of pictures; None takes their own, or 200. No effect on PDFs.
        password: of an encrypted PDF; what is written is not encrypted.
        existing_text: what becomes of pages that hold text already: "keep" leaves them as they are, and says so;
            "add" puts the text that was read over them too.

    Raises:
        EncryptedDocumentError: the password is missing or wrong.
        FileAccessError, InputError: the source cannot be read.
        RenderError: a page is not in the source, or has another shape there.
    """
    if existing_text not in get_args(ExistingText):
        raise InvalidOptionError(
            f"existing_text is one of {', '.join(get_args(ExistingText))}, got {existing_text!r}."
        )
    pdf, sizes = _opened(source, dpi, password)
    font, problems, written = InvisibleFont(), list[Problem](), list[tuple[Any, bytes, str]]()
    with pdf:
        for page in pages:
            if page.number > len(pdf.pages):
                raise RenderError(
                    f"Page {page.number} of {page.source} is not in a document of {len(pdf.pages)}."
                )
            target = pdf.pages[page.number - 1]
            if sizes is not None and sizes[page.number - 1] != (page.width, page.height):
                w, h = sizes[page.number - 1]
                raise RenderError(
                    f"Page {page.number} was read at {page.width} x {page.height} pixels, its picture has {w} x {h}."
                )
            if not any(page.blocks):
                continue
            if sizes is None and existing_text == "keep" and _has_text(target):
                reason_ = (
                    f"page {page.number} has text of its own, which was kept; what was read was not added"
                )
                problems.append(Problem(1, None, reason_))
                continue
            name = _free_name(target)
            written.append((target, page_operators(page, font, name, _to_user(target, page)), name))
        if written:
            shared = font.add_to(pdf)
            for target, operators, name in written:
                _overlay(pdf, target, operators, name, shared)
        stream = io.BytesIO()
        pdf.save(stream, deterministic_id=True)
    return stream.getvalue(), problems


def write_text_only_pdf(page: PlacedPage, dpi: float) -> bytes:
    """One page as large as the picture at `dpi` pixels per inch, with its words and nothing that shows.

    Made as Tesseract makes its own, with one content stream and a font named /f-0-0, which OCRmyPDF looks for.
    """
    pike = need("pikepdf", "Writing PDFs", extra="render")
    with pike.new() as pdf:
        target = pdf.add_blank_page(page_size=(page.width * 72 / dpi, page.height * 72 / dpi))
        font = InvisibleFont()
        target.obj.Contents = pdf.make_stream(page_operators(page, font, "/f-0-0", _to_user(target, page)))
        target.obj.Resources = pike.Dictionary(Font=pike.Dictionary({"/f-0-0": font.add_to(pdf)}))
        stream = io.BytesIO()
        pdf.save(stream, deterministic_id=True)
    return stream.getvalue()


def _opened(
    source: Picture | Sequence[Picture], dpi: float | None, password: str | None
) -> tuple[Any, list[tuple[int, int]] | None]:
    """The document, and its pages' sizes in pixels where it was made of pictures."""
    data: bytes | None = None
    if isinstance(source, bytes):
        data, name = source, "<bytes>"
    elif isinstance(source, (str, os.PathLike)):
        name = printable(source)
        try:
            data = Path(source).read_bytes()
        except OSError as e:
            raise FileAccessError(f"{name} cannot be read: {reason(e)}.") from e
    else:
        name = ""
    if data is None:
        return pdf_of_pictures(source, dpi)
    if b"%PDF-" not in data[:1024]:
        return pdf_of_pictures(data, dpi)
    pike = need("pikepdf", "Writing PDFs", extra="render")
    try:
        return pike.open(io.BytesIO(data), password=password or ""), None
    except pike.PasswordError as e:
        problem = "needs a password" if password is None else "does not open with this password"
        raise EncryptedDocumentError(f"{name} is encrypted and {problem}.") from e
    except pike.PdfError as e:
        raise InputError(f"{name} is damaged and cannot be opened as a PDF: {reason(e)}.") from e


def _to_user(target: Any, page: PlacedPage) -> Callable[[Point], Point]:
    """From pixels of the page as it is seen (y down) to its user space, whatever its rotation and crop box."""
    x1, y1, x2, y2 = _visible(target)
    turn = int(target.obj.get("/Rotate", _inherited(target, "/Rotate") or 0)) % 360
    wide, high = x2 - x1, y2 - y1
    seen = (wide, high) if turn % 180 == 0 else (high, wide)
    if abs(seen[0] * page.height / (seen[1] * page.width) - 1) > _SAME_SHAPE:
        raise RenderError(
            f"Page {page.number} was read at {page.width} x {page.height} pixels, but measures "
            f"{seen[0]:g} x {seen[1]:g} points in the PDF: another shape."
        )
    h, v = seen[0] / page.width, seen[1] / page.height

    def to_user(point: Point) -> Point:
        right, down = point[0] * h, point[1] * v
        if turn == 90:
            return x1 + down, y1 + right
        if turn == 180:
            return x2 - right, y1 + down
        if turn == 270:
            return x2 - down, y2 - right
        return x1 + right, y2 - down

    return to_user


def _visible(target: Any) -> tuple[float, float, float, float]:
    """The crop box, where it lies inside the media box, in user space."""
    boxes = [[float(number) for number in box] for box in (target.mediabox, target.cropbox)]
    media, crop = ((min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in boxes)
    both = max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3])
    return both if both[0] < both[2] and both[1] < both[3] else media


def _inherited(target: Any, key: str) -> Any:
    node, steps = target.obj, 0
    while node is not None and steps < 50:
        if key in node:
            return node[key]
        node, steps = node.get("/Parent"), steps + 1
    return None


def _has_text(target: Any, depth: int = 0) -> bool:
    """Whether the page, or a form that it draws, shows text."""
    pike = need("pikepdf", "Writing PDFs", extra="render")
    if depth > 5:
        return False
    try:
        for operands, operator in pike.parse_content_stream(target):
            if str(operator) in _SHOWING:
                return True
            if str(operator) == "Do":
                resources: Any = _inherited(target, "/Resources") if depth == 0 else target.get("/Resources")
                drawings: Any = {} if resources is None else resources.get("/XObject", {})
                drawn: Any = drawings.get(str(operands[0]))
                if drawn is not None and drawn.get("/Subtype") == "/Form" and _has_text(drawn, depth + 1):
                    return True
    except (pike.PdfError, KeyError, TypeError, ValueError):
        return False  # what cannot be parsed holds no text that could be searched
    return False


def _free_name(target: Any) -> str:
    """A name for a font that the page does not use yet."""
    resources: Any = _inherited(target, "/Resources")
    fonts: Any = {} if resources is None else resources.get("/Font", {})
    number = 0
    while f"/GotOcr2Text{number}" in fonts:
        number += 1
    return f"/GotOcr2Text{number}"


def _overlay(pdf: Any, target: Any, operators: bytes, name: str, font: Any) -> None:
    """Adds a content stream after the page's own, which are enclosed so that they leave no traces."""
    pike = need("pikepdf", "Writing PDFs", extra="render")
    # Pages often share their resources and fonts: those of this page become its own before they grow.
    resources = pike.Dictionary(dict(_inherited(target, "/Resources") or {}))
    resources[pike.Name.Font] = pike.Dictionary({**dict(resources.get("/Font", {})), name: font})
    target.obj.Resources = resources
    own = target.obj.get("/Contents", pike.Array())
    streams = list(own) if isinstance(own, pike.Array) else [own]
    before, after = (
        pdf.make_stream(b"q\n"),
        pdf.make_stream(b"\n" + b"Q " * (1 + _left_open(target)) + b"\n" + operators),
    )
    target.obj.Contents = pike.Array([before, *streams, after])


def _left_open(target: Any) -> int:
    """Graphics states that the page saves and never restores."""
    pike = need("pikepdf", "Writing PDFs", extra="render")
    depth = 0
    try:
        for _, operator in pike.parse_content_stream(target, operators="q Q"):
            depth = depth + 1 if str(operator) == "q" else max(0, depth - 1)
    except pike.PdfError:
        return 0
    return depth
