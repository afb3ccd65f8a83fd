"""Text that a PDF page does not show and that is there to be found and copied (PDF 32000-1, text render mode 3).

The font shows nothing. Each character that the document uses is a glyph of its own, and the font's ToUnicode map says
which character it stands for; so any Unicode text comes back as it went in. In scripts that run from right to left a
glyph stands for a character with its marks, so that they stay together when a reader turns the letters round.
"""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from ...errors import RenderError
from ...extras import need
from .layout import PlacedLine, PlacedPage, advance, is_right_to_left
from .slanted import DESCENT, Point, Slanted

_HALF = 500  # width of a narrow character in thousandths of an em
_MOST = 0xFFFF  # glyphs that a two-byte font can number
_CMAP = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
{ranges}endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


class InvisibleFont:
    """Numbers the glyphs of one document as they are met, and writes the font that explains the numbers."""

    def __init__(self) -> None:
        self._glyphs: dict[str, int] = {}

    def encoded(self, clusters: list[str]) -> str:
        """Glyph numbers as hexadecimal digits.

        Raises:
            RenderError: the document has more distinct characters than a font can hold.
        """
        numbers = [self._glyphs.setdefault(cluster, len(self._glyphs) + 1) for cluster in clusters]
        if len(self._glyphs) > _MOST:
            raise RenderError(f"The text has more than {_MOST} different characters, too many for one font.")
        return "".join(f"{number:04X}" for number in numbers)

    def add_to(self, pdf: Any) -> Any:
        """The font as an indirect object of a `pikepdf.Pdf`."""
        pike = need("pikepdf", "Writing PDFs", extra="render")
        name = pike.Name
        shapes = b"".join(b"\0\2" if cluster_width(cluster) > 1 else b"\0\1" for cluster in self._glyphs)
        descriptor = pdf.make_indirect(
            pike.Dictionary(
                Type=name.FontDescriptor, FontName=name.GotOcr2Invisible, Flags=4, ItalicAngle=0, StemV=80,
                FontBBox=[0, round(-1000 * DESCENT), 2 * _HALF, round(1000 * (1 - DESCENT))],
                Ascent=round(1000 * (1 - DESCENT)), Descent=round(-1000 * DESCENT), CapHeight=700,
                FontFile2=pdf.make_stream(_font_file()),
            )
        )  # fmt: skip
        widths: list[Any] = []
        for cluster, number in self._glyphs.items():
            if (wide := round(cluster_width(cluster) * _HALF)) != _HALF:
                widths += [number, pike.Array([wide])]
        descendant = pike.Dictionary(
            Type=name.Font, Subtype=name.CIDFontType2, BaseFont=name.GotOcr2Invisible, DW=_HALF, W=pike.Array(widths),
            CIDSystemInfo=pike.Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
            FontDescriptor=descriptor, CIDToGIDMap=pdf.make_stream(b"\0\0" + shapes),
        )  # fmt: skip
        return pdf.make_indirect(
            pike.Dictionary(
                Type=name.Font, Subtype=name.Type0, BaseFont=name.GotOcr2Invisible, Encoding=name("/Identity-H"),
                DescendantFonts=[pdf.make_indirect(descendant)], ToUnicode=pdf.make_stream(self._cmap()),
            )
        )  # fmt: skip

    def _cmap(self) -> bytes:
        lines = [
            f"<{number:04X}> <{cluster.encode('utf-16-be').hex().upper()}>\n"
            for cluster, number in self._glyphs.items()
        ]
        ranges = ""
        for start in range(0, len(lines), 100):  # no more than that in one block, by the specification
            block = lines[start : start + 100]
            ranges += f"{len(block)} beginbfchar\n{''.join(block)}endbfchar\n"
        return _CMAP.format(ranges=ranges).encode("ascii")


def page_operators(
    page: PlacedPage, font: InvisibleFont, name: str, to_user: Callable[[Point], Point]
) -> bytes:
    """Content stream that writes a page's words in their places.

    Args:
        page: the words.
        font: numbers their characters.
        name: of the font in the page's resources, with its slash.
        to_user: from pixels of the page as it is seen to the page's user space; affine.
    """
    lines = [_line(line, font, name, to_user) for block in page.blocks for line in block]
    return f"q\nBT\n3 Tr\n{''.join(lines)}ET\nQ\n".encode("ascii")


def _line(line: PlacedLine, font: InvisibleFont, name: str, to_user: Callable[[Point], Point]) -> str:
    if not line.words:
        return ""
    if _would_be_broken(line):
        return _marked(line, font, name, to_user)
    parts: list[str] = []
    size = max(line.place.height, 1.0)
    pieces = list(_pieces(line))
    if is_right_to_left(line.text):
        ax, ay = line.place.along  # what readers of PDFs get as one run, they put into the order of reading
        pieces.sort(key=lambda piece: piece[1].x * ax + piece[1].y * ay)
    for text, place in pieces:
        clusters = clusters_of(text)
        natural = max(1.0, sum(map(cluster_width, clusters))) * _HALF / 1000 * size
        if is_right_to_left(text):
            clusters.reverse()  # readers of PDFs expect letters as they are seen, and turn them round
        else:
            clusters = list("".join(clusters))  # pdf.js takes a glyph that says a mark for one without width
        stretch = 100 * max(place.length, 0.02 * size) / natural
        shown = f"{_matrix(place, to_user)} Tm {_number(stretch)} Tz <{font.encoded(clusters)}> Tj\n"
        parts.append(f"{name} {_number(size)} Tf {shown}")
    return "".join(parts)


def _would_be_broken(line: PlacedLine) -> bool:
    """Whether poppler would take a line for several.

    It does where a line leaves its own height by half an em, and where words are about an em apart, as if they stood
    in two columns. Lines from right to left are left alone: poppler would turn round what marks them.
    """
    if is_right_to_left(line.text):
        return False
    off_level = (line.place.angle + 45) % 90 - 45
    drift = abs(math.sin(math.radians(off_level))) * line.place.length
    gaps = (place.length for text, place in _pieces(line) if text == " ")
    return drift > 0.4 * line.place.height or max(gaps, default=0.0) > line.place.height


def _marked(line: PlacedLine, font: InvisibleFont, name: str, to_user: Callable[[Point], Point]) -> str:
    """A line marked with what it says as a whole, which readers then keep together.

    It is one text object, since PDFium takes the first one's place for all that a mark says; words begin where they
    should, and all letters of the line are stretched alike.
    """
    size, (ax, ay) = max(line.place.height, 1.0), line.place.along
    texts = ["".join(clusters_of(word.text)) for word in line.words]
    ems = [max(1.0, sum(map(cluster_width, text))) * _HALF / 1000 for text in texts]
    stretch = max(sum(word.place.length for word in line.words) / (sum(ems) * size), 0.02)
    first = line.words[0].place
    shown, pen = "", 0.0  # ems from the start of the first word
    for word, text, wide in zip(line.words, texts, ems, strict=True):
        apart = (word.place.x - first.x) * ax + (word.place.y - first.y) * ay
        start = (apart - (word.place.length - first.length) / 2) / (size * stretch)
        said = text + " " * word.space
        shown += f"{_number(1000 * (pen - start))} <{font.encoded(list(said))}> "
        pen = start + wide + word.space * _HALF / 1000
    says = "".join(text + " " * word.space for word, text in zip(line.words, texts, strict=True))
    mark = ("\ufeff" + says).encode("utf-16-be").hex()
    how = f"{name} {_number(size)} Tf {_matrix(first, to_user)} Tm {_number(100 * stretch)} Tz"
    return f"/Span << /ActualText <{mark}> >> BDC\n{how} [{shown}] TJ\nEMC\n"


def _pieces(line: PlacedLine) -> Iterator[tuple[str, Slanted]]:
    """Words, and between them spaces that reach from one to the next."""
    for k, word in enumerate(line.words):
        yield word.text, word.place
        if word.space and k + 1 < len(line.words):
            yield " ", _gap(word.place, line.words[k + 1].place)


def _gap(one: Slanted, other: Slanted) -> Slanted:
    ax, ay = one.along
    apart = (other.x - one.x) * ax + (other.y - one.y) * ay
    side = 1 if apart >= 0 else -1
    start = side * one.length / 2
    wide = max(abs(apart) - (one.length + other.length) / 2, 0.05 * one.height)
    middle = start + side * wide / 2
    return Slanted(one.x + middle * ax, one.y + middle * ay, wide, one.height, one.angle)


def _matrix(place: Slanted, to_user: Callable[[Point], Point]) -> str:
    """Text matrix whose origin is the start of the baseline and whose unit is a pixel."""
    start = place.at(0, DESCENT)
    origin = to_user(start)
    (ax, ay), (ux, uy) = place.along, place.up
    right = to_user((start[0] + ax, start[1] + ay))
    up = to_user((start[0] + ux, start[1] + uy))
    numbers = (
        right[0] - origin[0], right[1] - origin[1], up[0] - origin[0], up[1] - origin[1], origin[0], origin[1],
    )  # fmt: skip
    return " ".join(_number(number, 5) for number in numbers)


def clusters_of(text: str) -> list[str]:
    """Characters with the marks, joiners and selectors that combine with them.

    Composed where Unicode can (NFC), because readers search for that; lone surrogates become U+FFFD.
    """
    clusters: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        character = "\ufffd" if "\ud800" <= character <= "\udfff" else character
        if clusters and (advance(character) == 0 or clusters[-1].endswith("\u200d")):
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def cluster_width(cluster: str) -> float:
    """In half ems; marks by themselves have none."""
    return max(map(advance, cluster))


def _number(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") or "0"


@lru_cache(maxsize=1)
def _font_file() -> bytes:
    """A TrueType font with a narrow and a wide glyph, which are lines there and back and enclose nothing.

    They are as high and wide as a letter because PDFium leaves out characters whose glyphs have no extent.
    """
    why = "Writing PDFs that can be searched"
    builder = need("fontTools.fontBuilder", why, extra="render").FontBuilder(1000)
    widths = {".notdef": _HALF, "narrow": _HALF, "wide": 2 * _HALF}
    low, high = round(-1000 * DESCENT), round(1000 * (1 - DESCENT))
    glyphs: dict[str, Any] = {}
    for name, width in widths.items():
        pen = need("fontTools.pens.ttGlyphPen", why, extra="render").TTGlyphPen(None)
        pen.moveTo((0, low))
        pen.lineTo((width, high))
        pen.closePath()
        glyphs[name] = pen.glyph()
    builder.setupGlyphOrder(list(widths))
    builder.setupCharacterMap({0x20: "narrow", 0x3000: "wide"})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics({name: (width, 0) for name, width in widths.items()})
    builder.setupHorizontalHeader(ascent=high, descent=low)
    builder.setupNameTable({"familyName": "GotOcr2Invisible", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=high, sTypoDescender=low, usWinAscent=high, usWinDescent=-low)
    builder.setupPost(keepGlyphNames=False)
    builder.font["head"].created = builder.font["head"].modified = 0
    builder.font.recalcTimestamp = False
    stream = io.BytesIO()
    builder.save(stream)
    return stream.getvalue()
