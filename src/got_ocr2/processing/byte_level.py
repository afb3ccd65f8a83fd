"""The byte-level alphabet of GPT-2's tokenizers: 256 visible characters that stand for the 256 bytes."""

from __future__ import annotations


def _alphabet() -> tuple[str, ...]:
    # Visible Latin-1 characters stand for themselves; the others take the code points from 256 on, in order.
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in visible]
    return tuple(chr(b if b in visible else 256 + hidden.index(b)) for b in range(256))


CHARACTERS = _alphabet()
_BYTES = {character: byte for byte, character in enumerate(CHARACTERS)}
_CHARACTERS = dict(enumerate(CHARACTERS))  # Latin-1 has every byte as the character of its number


def to_characters(data: bytes) -> str:
    """Bytes -> the token as a vocabulary writes it."""
    return data.decode("latin-1").translate(_CHARACTERS)


def to_bytes(token: str) -> bytes:
    """A token as a vocabulary writes it -> its bytes.

    A token with any character outside the alphabet is an added one and stands for its own UTF-8, as in the
    ByteLevel decoder of `tokenizers`.
    """
    try:
        return bytes([_BYTES[character] for character in token])
    except KeyError:
        return token.encode("utf-8")
