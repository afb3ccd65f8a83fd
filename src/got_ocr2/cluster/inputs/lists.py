"""Lists of documents: txt, CSV, JSONL, and Parquet with a column of paths or of bytes.

A list is read as a stream, so it may have any length. Relative paths are relative to the folder of the list. It may lie
behind an address, as the Parquet files of data sets do.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from ...documents.fetch import is_url
from ...errors import FileAccessError, InputError
from ...extras import need
from ...wording import printable, reason
from .remote import is_remote, open_file, remote_info
from .sources import Source, stamp_of

LISTS = (".txt", ".csv", ".jsonl", ".ndjson", ".parquet")
_PATH_COLUMNS = ("path", "file", "filename", "file_name", "url", "uri", "source", "document")
_BYTES_COLUMNS = ("bytes", "data", "content", "image")
_NAME_COLUMNS = ("name", "id", "key", "path", "filename", "file_name")

Opened = Callable[[str], Iterator[Source]]
"""Makes sources of a path that a list names."""


def listed(path: str, opened: Opened) -> Iterator[Source]:
    """The documents that a list names, in its order.

    Args:
        path: the list, whose name ends as one of `LISTS`; a path or an address that fsspec opens.
        opened: makes a source of each path; a path that leads nowhere must become a source as well.

    Raises:
        FileAccessError: the list cannot be read.
        InputError: it is not what its name says, or no column holds documents.
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".parquet":
        yield from _parquet(path, opened)
        return
    try:
        with (
            open_file(path) as data,
            io.TextIOWrapper(data, encoding="utf-8-sig", newline="" if suffix == ".csv" else None) as file,
        ):
            found = (
                _lines(file)
                if suffix == ".txt"
                else _csv(file, path)
                if suffix == ".csv"
                else _json(file, path)
            )
            for name in found:
                yield from opened(_beside(path, name))
    except UnicodeDecodeError as e:
        raise InputError(f"The list {printable(path)} is not UTF-8 text: {reason(e)}.") from e
    except FileAccessError:
        raise
    except OSError as e:
        raise FileAccessError(f"The list {printable(path)} cannot be read: {reason(e)}.") from e


def _beside(path: str, name: str) -> str:
    if is_url(name) or is_remote(name) or os.path.isabs(name):
        return name
    return os.path.join(os.path.dirname(path), name)


def _lines(file: TextIO) -> Iterator[str]:
    for line in file:
        name = line.rstrip("\r\n")
        if name.strip() and not name.startswith("#"):
            yield name


def _csv(file: TextIO, path: str) -> Iterator[str]:
    rows = csv.DictReader(file)
    try:
        column = _column(rows.fieldnames or (), _PATH_COLUMNS, path)
        for row in rows:
            if not row.get(column):
                raise InputError(
                    f"The list {printable(path)} names nothing in line {rows.line_num} ({column})."
                )
            yield row[column]
    except csv.Error as e:
        raise InputError(f"The list {printable(path)} is no CSV in line {rows.line_num}: {reason(e)}.") from e


def _json(file: TextIO, path: str) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
        except ValueError as e:
            raise InputError(f"The list {printable(path)} is no JSON in line {number}: {reason(e)}.") from e
        name = row
        if isinstance(row, dict):
            name = row.get(_column(list(row), _PATH_COLUMNS, f"{path}, line {number},"))
        if not isinstance(name, str) or not name:
            raise InputError(f"The list {printable(path)} names no path in line {number}, got {name!r}.")
        yield name


def _parquet(path: str, opened: Opened) -> Iterator[Source]:
    pq = need("pyarrow.parquet", "Reading Parquet", extra="batch")
    pa = need("pyarrow", "Reading Parquet", extra="batch")
    data = open_file(path)
    try:
        file = pq.ParquetFile(data)
    except (OSError, pa.ArrowException) as e:
        data.close()
        raise FileAccessError(f"The list {printable(path)} cannot be read: {reason(e)}.") from e
    with data, file:
        types = {field.name: field.type for field in file.schema_arrow}
        holds = next((name for name in _BYTES_COLUMNS if name in types and _is_binary(pa, types[name])), None)
        if holds is None:
            column = _column([*types], _PATH_COLUMNS, path)
            for batch in file.iter_batches(columns=[column]):
                for name in batch.column(0).to_pylist():
                    if not isinstance(name, str) or not name:
                        raise InputError(
                            f"The list {printable(path)} names no path ({column}), got {name!r}."
                        )
                    yield from opened(_beside(path, name))
            return
        names = next((name for name in _NAME_COLUMNS if name in types and name != holds), None)
        stamp = stamp_of(remote_info(path)) if is_remote(path) else str(os.stat(path).st_mtime_ns)
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            given = (
                file.read_row_group(group, columns=[names]).column(0).to_pylist() if names else [None] * rows
            )
            for row in range(rows):
                name = f"{path}#{group}-{row}" if given[row] is None else f"{path}#{given[row]}"
                yield Source(name, "parquet", path, (group, row), holds, None, stamp)


def _is_binary(pa: Any, found: Any) -> bool:
    """Bytes, or the struct {bytes, path} of Hugging Face's data sets."""
    if pa.types.is_struct(found):
        return any(field.name == "bytes" and _is_binary(pa, field.type) for field in found)
    return pa.types.is_binary(found) or pa.types.is_large_binary(found)


def _column(there: Any, wanted: tuple[str, ...], path: str) -> str:
    for name in wanted:
        if name in there:
            return name
    raise InputError(
        f"The list {printable(path)} has no column of documents: it may be called {', '.join(wanted)}, got "
        f"{', '.join(map(str, there)) or 'none'}."
    )
