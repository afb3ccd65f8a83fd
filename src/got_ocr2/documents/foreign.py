"""What a file is that is neither a picture nor a PDF, and what to do with it, as the end of a sentence."""

from __future__ import annotations

import re
from typing import BinaryIO

_UNKNOWN = "neither a picture in a known format nor a PDF"
_HEAD = 4096
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"AT&TFORM", "a DjVu document; make a PDF of it first, for example with ddjvu -format=pdf"),
    (b"%!PS", "a PostScript program, which is not run; make a PDF of it first, for example with ps2pdf"),
    (b"\xc5\xd0\xd3\xc6", "an EPS file, which is not run; make a PDF of it first, for example with epstopdf"),
    (b"{\\rtf", "an RTF document; save it as a PDF first"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document; save it as a PDF first"),
    (b"\xff\x0a", "a JPEG XL picture, for which Pillow has no decoder here; make a PNG of it first"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture, for which Pillow has no decoder here; make a PNG of it first"),
    (b"\x1f\x8b", "a compressed file; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "an archive; unpack it first"),
    (b"Rar!", "an archive; unpack it first"),
)
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def what_it_is(stream: BinaryIO | None) -> str:
    """Says what a refused file is, by its first bytes; the position in the stream may change."""
    if stream is None:
        return _UNKNOWN
    stream.seek(0)
    head = stream.read(_HEAD)
    for beginning, what in _BEGINNINGS:
        if head.startswith(beginning):
            return what
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF:
        return "a HEIC picture, which needs one more package: pip install got-ocr2[heic]"
    if head.startswith(b"PK\x03\x04"):
        return _zip(head)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if re.search(rb"<svg[\s>]", text):
        return "an SVG drawing; make a PNG or PDF of it first, for example with rsvg-convert"
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page; print it to a PDF first"
    return _UNKNOWN


def _zip(head: bytes) -> str:
    if b"epub" in head[:100]:
        return "an EPUB book, which holds its text already"
    office = (b"word/", b"xl/", b"ppt/", b"[Content_Types].xml", b"opendocument")
    if any(name in head for name in office):
        return "an Office document; save it as a PDF first"
    return "an archive; unpack it first"
