"""The content of a source: a path where the file lies on this machine, else its bytes; and the sum of it."""

from __future__ import annotations

import os
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from ...documents import Limits
from ...documents.fetch import fetch
from ...errors import FileAccessError, InputError
from ...extras import need
from ...wording import printable, reason
from .remote import is_remote, open_file, remote_bytes, remote_info
from .sources import Source

_CHUNK = 1 << 20


def content_of(source: Source, limits: Limits) -> str | bytes:
    """What `documents.open_document` opens.

    Raises:
        FileAccessError: it is missing or cannot be read.
        InputError: it is empty, above a limit, or not where its record says.
    """
    if source.kind == "file":
        return source.path
    if source.kind == "address":
        return fetch(source.path, limits)[0].read()
    if source.kind == "remote":
        size = source.size if source.size is not None else remote_info(source.path).get("size")
        if size is not None:  # before anything is loaded
            limits.check_bytes(printable(source.name), size)
        data = remote_bytes(source.path)
    elif source.kind == "tar":
        start, size = source.at
        limits.check_bytes(printable(source.name), size)
        data = _part(source.path, start, size)
    else:
        data = _cell(source)
    limits.check_bytes(printable(source.name), len(data))
    return data


def digest_of(content: str | bytes) -> str:
    """The sum of a content, 32 hexadecimal digits: equal for equal documents wherever they lie.

    Raises:
        FileAccessError: the file cannot be read.
    """
    total = blake2b(digest_size=16)
    if isinstance(content, bytes):
        total.update(content)
        return total.hexdigest()
    try:
        with open(content, "rb") as file:
            while chunk := file.read(_CHUNK):
                total.update(chunk)
    except FileNotFoundError as e:
        raise FileAccessError(f"{printable(content)} does not exist.") from e
    except (OSError, ValueError) as e:
        raise FileAccessError(f"{printable(content)} cannot be read: {reason(e)}.") from e
    return total.hexdigest()


def check_unchanged(source: Source, content: str | bytes, digest: str) -> None:
    """Refuses a document that is no longer what the plan was made of.

    Raises:
        InputError: it has changed.
        FileAccessError: it is gone.
    """
    if isinstance(content, bytes):
        same = digest_of(content) == digest
    else:
        try:
            found = os.stat(content)
        except OSError as e:
            raise FileAccessError(f"{printable(content)} cannot be read: {reason(e)}.") from e
        same = (found.st_size, str(found.st_mtime_ns)) == (source.size, source.stamp)
        same = same or digest_of(content) == digest
    if not same:
        raise InputError(
            f"{printable(source.name)} has changed since the run looked at it; go on with --resume to read it anew."
        )


def _part(path: str, start: int, size: int) -> bytes:
    if is_remote(path):
        data = remote_bytes(path, start, start + size)
    else:
        try:
            with open(path, "rb") as file:
                file.seek(start)
                data = file.read(size)
        except OSError as e:
            raise FileAccessError(f"{printable(path)} cannot be read: {reason(e)}.") from e
    if len(data) != size:
        raise InputError(
            f"{printable(path)} ends before byte {start + size:,}; it has changed or is cut off."
        )
    return data


def _cell(source: Source) -> bytes:
    group, row = source.at
    pa = need("pyarrow", "Reading Parquet", extra="batch")
    try:
        column = _column(source.path, group, source.column, source.stamp)
        value: Any = column[row].as_py()
    except (OSError, IndexError, KeyError, pa.ArrowException) as e:
        raise FileAccessError(f"{printable(source.path)} cannot be read: {reason(e)}.") from e
    value = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(value, bytes):
        raise InputError(f"{printable(source.name)} holds no bytes.")
    return value


@lru_cache(maxsize=2)
def _column(path: str, group: int, column: str, stamp: str | None) -> Any:
    """A column of one row group; its rows are usually asked for one after another."""
    pq = need("pyarrow.parquet", "Reading Parquet", extra="batch")
    with open_file(path) as data, pq.ParquetFile(data) as file:
        return file.read_row_group(group, columns=[column]).column(0)
