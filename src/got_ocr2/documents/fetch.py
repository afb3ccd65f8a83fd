"""Bytes from elsewhere: `http(s)` addresses, `data:` addresses and standard input, never more than a limit.

The standard library's client is used because the core has no other HTTP dependency it could rely on across
versions.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import io
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import IO, Any, TextIO

from .._version import __version__
from ..errors import FileAccessError, GotOcr2Error, InputError
from ..wording import printable, reason
from . import public_network
from .limits import Limits

_CHUNK = 1 << 16


def is_url(source: str) -> bool:
    """Whether the text is an address that `fetch` understands."""
    return source[:8].lower().startswith(("http://", "https://", "data:"))


def fetch(url: str, limits: Limits, *, public: bool = False) -> tuple[io.BytesIO, str]:
    """Downloads an `http(s)` address, or decodes a `data:` one.

    Args:
        url: the address.
        limits: on its size and time.
        public: refuse addresses on this machine and in private networks, redirects included; for what strangers
            name. No proxy is used then, since it would connect for us.

    Returns:
        The bytes, and a name for messages.

    Raises:
        FileAccessError: the server cannot be reached, refuses, breaks off or is too slow.
        InputError: an address that cannot be read, an empty answer, or one above `max_bytes`.
    """
    if url[:5].lower() == "data:":
        name = "<data>"
        return _checked(_decode_data(url, limits), name, limits), name
    name = "The address"
    try:
        parts = urllib.parse.urlsplit(url)
        # Queries and user names carry secrets; they stay out of messages and results.
        name = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
        return _download(url, name, limits, public), name
    except GotOcr2Error:
        raise
    except urllib.error.HTTPError as e:
        e.close()
        raise FileAccessError(f"{name} answers {e.code}.") from e
    except (OSError, http.client.HTTPException) as e:
        cause = e.reason if isinstance(e, urllib.error.URLError) else e
        if isinstance(cause, TimeoutError):
            raise FileAccessError(
                f"{name} does not answer within {limits.timeout:g} seconds (timeout)."
            ) from e
        raise FileAccessError(f"{name} cannot be downloaded: {reason(cause)}.") from e
    except ValueError as e:  # a host or port that is none; control characters
        raise InputError(f"{url!r} is not an address: {reason(e)}.") from e


def read_stdin(limits: Limits) -> tuple[io.BytesIO, str]:
    """All of standard input.

    Raises:
        FileAccessError: it is closed, or cannot be read.
        InputError: empty, or above `max_bytes`.
    """
    name = "<stdin>"
    stdin: TextIO | None = sys.stdin
    if stdin is None or stdin.closed:
        raise FileAccessError("Standard input is closed; there is nothing to read from it.")
    try:
        data = stdin.buffer.read(limits.max_bytes + 1)
    except OSError as e:
        raise FileAccessError(f"Standard input cannot be read: {reason(e)}.") from e
    return _checked(data, name, limits), name


def read_stream(stream: IO[Any], limits: Limits) -> tuple[io.BytesIO, str]:
    """The rest of an open binary file of the caller's, which stays open.

    Raises:
        InputError: empty, above `max_bytes`, or opened as text.
    """
    source = str(getattr(stream, "name", None) or "<stream>")
    name = printable(source)
    data: object = stream.read(limits.max_bytes + 1)
    if not isinstance(data, bytes):
        raise InputError(f"{name} gives {type(data).__name__}, not bytes; open it in binary mode.")
    return _checked(data, name, limits), source


def _download(url: str, name: str, limits: Limits, public: bool) -> io.BytesIO:
    end = (
        time.monotonic() + limits.deadline
    )  # before the handlers': what they cut off is late by this one too
    opener = urllib.request.OpenerDirector()  # unlike `build_opener` it knows no file:// and no ftp://
    anywhere = [urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler()]
    for handler in (
        *(public_network.handlers(limits.deadline) if public else anywhere),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(url, headers={"User-Agent": f"got-ocr2/{__version__}"})
    data = io.BytesIO()
    with opener.open(request, timeout=limits.timeout) as answer:
        announced = answer.headers.get("Content-Length", "")
        if announced.isdecimal():
            limits.check_bytes(name, int(announced))
        while True:
            chunk = answer.read1(_CHUNK)
            data.write(chunk)
            if time.monotonic() > end:
                raise FileAccessError(
                    f"{name} was not downloaded within {limits.deadline:g} seconds (deadline)."
                )
            if not chunk:
                break
            limits.check_bytes(name, data.tell())
        if announced.isdecimal() and data.tell() < int(announced):
            raise FileAccessError(f"{name} broke off after {data.tell():,} of {int(announced):,} bytes.")
    limits.check_bytes(name, data.tell())
    data.seek(0)
    return data


def _decode_data(url: str, limits: Limits) -> bytes:
    header, comma, body = url.partition(",")
    if not comma:
        raise InputError("A data: address needs a comma before its data, got none.")
    limits.check_bytes("<data>", len(body) * 3 // 4 if header.lower().endswith(";base64") else len(body))
    raw = urllib.parse.unquote_to_bytes(body)
    if not header.lower().endswith(";base64"):
        return raw
    try:
        return base64.b64decode(b"".join(raw.split()), validate=True)
    except binascii.Error as e:
        raise InputError(f"A data: address is not valid base64: {reason(e)}.") from e


def _checked(data: bytes, name: str, limits: Limits) -> io.BytesIO:
    limits.check_bytes(name, len(data))
    return io.BytesIO(data)
