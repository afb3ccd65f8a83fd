"""Tiny PDF files for tests, written by hand so that every byte is known.

Encryption is the standard security handler, revision 2: RC4 with a 40-bit key (PDF 1.7, section 7.6.3).
"""

from __future__ import annotations

import hashlib
import struct

_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
_PERMISSIONS = -4
_FILE_ID = b"0123456789abcdef"


def make_pdf(
    texts: list[str],
    size: tuple[float, float] = (200, 100),
    rotate: int = 0,
    password: str | None = None,
    field: str | None = None,
) -> bytes:
    """A PDF with one line of Helvetica a page.

    Args:
        texts: what stands on each page.
        size: width and height in points, before the turn by `rotate` degrees.
        password: encrypts the texts.
        field: what is filled into a form field on every page.
    """
    key = None if password is None else _key(password)
    first = 4
    kids = " ".join(f"{first + 2 * i} 0 R" for i in range(len(texts)))
    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(texts)} >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for i, text in enumerate(texts):
        number = first + 2 * i
        content = f"BT /F 24 Tf 20 40 Td ({text}) Tj ET".encode("latin-1")
        if key is not None:
            salt = struct.pack("<I", number + 1)[:3] + b"\0\0"  # object and generation number
            content = _rc4(hashlib.md5(key + salt).digest()[:10], content)
        objects[number] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size[0]} {size[1]}] /Rotate {rotate} "
            f"/Contents {number + 1} 0 R /Resources << /Font << /F 3 0 R >> >> >>"
        ).encode()
        objects[number + 1] = _stream(b"<<", content)
    if field is not None:
        _add_field(objects, field)
    return _file(objects, password, key)


def _add_field(objects: dict[int, bytes], text: str) -> None:
    widget = max(objects) + 1
    objects[1] = objects[1].replace(b" >>", b" /AcroForm << /Fields [%d 0 R] >> >>" % widget)
    for number, body in objects.items():
        objects[number] = body.replace(b"/Contents", b"/Annots [%d 0 R] /Contents" % widget)
    objects[widget] = (
        f"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V ({text}) /F 4 /Rect [10 10 90 30] "
        f"/AP << /N {widget + 1} 0 R >> >>"
    ).encode("latin-1")
    objects[widget + 1] = _stream(
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 80 20] /Resources << /Font << /F 3 0 R >> >>",
        f"/Tx BMC BT /F 12 Tf 2 5 Td ({text}) Tj ET EMC".encode("latin-1"),
    )


def _stream(head: bytes, content: bytes) -> bytes:
    return b"%s /Length %d >>\nstream\n%s\nendstream" % (head, len(content), content)


def _file(objects: dict[int, bytes], password: str | None, key: bytes | None) -> bytes:
    out, places = bytearray(b"%PDF-1.4\n"), {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % places[number] for number in sorted(places))
    encrypt = b""
    if password is not None and key is not None:
        encrypt = b"/Encrypt << /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P %d >> /ID [<%s> <%s>]" % (
            _owner_entry(password).hex().encode(),
            _rc4(key, _PADDING).hex().encode(),
            _PERMISSIONS,
            _FILE_ID.hex().encode(),
            _FILE_ID.hex().encode(),
        )
    out += b"trailer << /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, encrypt)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def _padded(password: str) -> bytes:
    return (password.encode("latin-1") + _PADDING)[:32]


def _owner_entry(password: str) -> bytes:
    return _rc4(hashlib.md5(_padded(password)).digest()[:5], _padded(password))


def _key(password: str) -> bytes:
    seed = _padded(password) + _owner_entry(password) + struct.pack("<i", _PERMISSIONS) + _FILE_ID
    return hashlib.md5(seed).digest()[:5]


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
