"""Documents as clients give them: sent along, uploaded before, or at an address."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable
from pathlib import PurePosixPath

from ...documents import Limits
from ...documents.fetch import fetch, is_url
from ...errors import InputError
from ..settings import Settings
from ..stores.uploads import Upload

_LONGEST_NAME = 200


class Named(io.BytesIO):
    """The bytes of a document, under the name that results and messages give it."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


Given = Callable[[], Named]
"""Gives a document; called where it may block. It raises what `documents.fetch.fetch` raises."""


def safe_name(name: str | None, default: str = "document") -> str:
    """The last part of a file's name, on one line and not too long."""
    last = PurePosixPath((name or "").replace("\\", "/")).name
    clean = "".join(c for c in last if c.isprintable()).strip()
    return clean[-_LONGEST_NAME:] or default


def sent(data: bytes, name: str | None) -> Given:
    """A document that came with the request."""
    return lambda: Named(data, safe_name(name))


def uploaded(upload: Upload) -> Given:
    """A document that was uploaded before."""
    return lambda: Named(upload.read(), upload.filename)


def at_address(url: str, settings: Settings) -> Given:
    """A document at an `http(s)` or in a `data:` address.

    Raises:
        InputError: it is no such address.
    """
    if not is_url(url):
        raise InputError("A document's address begins with http://, https:// or data:.")

    def download() -> Named:
        stream, name = fetch(url, settings.limits, public=not settings.fetch_private)
        return Named(stream.getvalue(), safe_name(name))

    return download


def in_base64(data: str, name: str | None, limits: Limits) -> Given:
    """A document in the text of the request, as base64 or as a data: address.

    Raises:
        InputError: it is neither, or too large.
    """
    if data[:5].lower() == "data:":
        stream, _ = fetch(data, limits)
        return sent(stream.getvalue(), name)
    limits.check_bytes("data", len(data) * 3 // 4)
    try:
        return sent(base64.b64decode("".join(data.split()), validate=True), name)
    except (binascii.Error, ValueError) as e:
        raise InputError("data is not valid base64.") from e
