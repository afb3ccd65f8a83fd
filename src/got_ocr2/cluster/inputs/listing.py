"""Inputs of the command line -> sources, one after another, in an order that depends only on the inputs."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from typing import Any

from ...documents import expand
from ...documents.fetch import is_url
from ...documents.sources import SUFFIXES
from ...errors import InputError
from ...wording import printable
from .lists import LISTS, listed
from .remote import forget_listings, is_remote, remote_files, remote_info, remote_source
from .sources import Source, stamp_of
from .tars import members


def list_sources(inputs: Iterable[str], *, recursive: bool = False) -> Iterator[Source]:
    """Every document of the inputs, not opened.

    Args:
        inputs: folders, patterns, pictures and PDFs, lists (txt, CSV, JSONL, Parquet), tar files, addresses.
        recursive: search the folders within a folder.

    Raises:
        FileAccessError: an input is missing or cannot be read. What a list names is not looked at here: a document
            that is missing fails for itself.
        InputError: a folder without documents, or a list or tar file that is none.
    """
    for path in inputs:
        check_inputs([path])
        if is_url(path):
            yield _address(path)
        elif is_remote(path):
            forget_listings(path)
            yield from _remote(path, recursive)
        elif path.lower().endswith(".tar") and os.path.isfile(path):
            yield from members(path, _stamp(path))
        elif path.lower().endswith(LISTS) and os.path.isfile(path):
            yield from listed(path, _named)
        elif os.path.isdir(path) or not os.path.exists(path):
            yield from _expanded(path, recursive)
        else:
            yield _file(path)


def check_inputs(inputs: Iterable[str]) -> None:
    """Refuses what can be told to be wrong without listing anything, before a run leaves its first trace.

    Raises:
        InputError: an input is missing, or is none.
    """
    for path in inputs:
        if path in ("", "-"):
            raise InputError(f"A run reads files, folders, lists and addresses, got {path!r}.")
        if not (is_url(path) or is_remote(path) or glob.has_magic(path) or os.path.exists(path)):
            raise InputError(f"{printable(path)} does not exist.")


def _expanded(path: str, recursive: bool) -> Iterator[Source]:
    """A folder or pattern; a pattern may name tar files and lists too."""
    for one in expand(path, recursive=recursive):
        name = os.fspath(one)  # type: ignore[arg-type]
        if name.lower().endswith((".tar", *LISTS)):
            yield from list_sources([name])
        else:
            yield _file(name)


def _named(path: str) -> Iterator[Source]:
    """What a list names: one document, or a tar file of them."""
    if is_url(path):
        yield _address(path)
    elif is_remote(path):
        # Asking for each would take a round trip a document; its content is looked at anyway.
        yield Source(path, "remote", path)
    elif path.lower().endswith(".tar") and os.path.isfile(path):
        yield from members(path, _stamp(path))
    else:
        yield _file(path)


def _remote(path: str, recursive: bool) -> Iterator[Source]:
    if not glob.has_magic(path):
        info = remote_info(path)
        if info.get("type") != "directory":
            yield from _remote_file(path, info)
            return
    any_found = False
    for name, info in remote_files(path, recursive=recursive):
        # As here, a folder gives its pictures, PDFs and tar files, and a pattern lists as well.
        if name.lower().endswith((".tar", *SUFFIXES)) or (
            glob.has_magic(path) and name.lower().endswith(LISTS)
        ):
            any_found = True
            yield from _remote_file(name, info)
    if not any_found:
        raise InputError(f"{printable(path)} holds no picture, no PDF and no tar file.")


def _remote_file(path: str, info: dict[str, Any]) -> Iterator[Source]:
    if path.lower().endswith(".tar"):
        yield from members(path, stamp_of(info))
    elif path.lower().endswith(LISTS):
        yield from listed(path, _named)
    else:
        yield remote_source(path, info)


def _address(url: str) -> Source:
    return Source(url, "address", url)


def _file(path: str) -> Source:
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # it fails when it is opened, with the reason
        return Source(path, "file", path)
    return Source(path, "file", path, (), "", found.st_size, str(found.st_mtime_ns))


def _stamp(path: str) -> str:
    return str(os.stat(path).st_mtime_ns)
