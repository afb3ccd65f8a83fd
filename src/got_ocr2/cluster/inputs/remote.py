"""Files behind addresses such as `s3://`, `gs://` and `hf://`, by fsspec."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO

from ...errors import FileAccessError
from ...wording import printable, reason
from ..addresses import file_system
from .sources import Source, stamp_of


def is_remote(path: str) -> bool:
    """Whether fsspec has to open it: an address, but none that the web or `data:` serves."""
    scheme, mark, _ = path.partition("://")
    return bool(mark) and scheme.lower() not in ("http", "https")


def forget_listings(path: str) -> None:
    """For file systems that keep what they have listed for an earlier run of this process, as the Hub's does.

    Raises:
        GotOcr2Error: see `file_system`.
    """
    file_system(path)[0].invalidate_cache()


def remote_info(path: str) -> dict[str, Any]:
    """What the file system says of one file or folder: `type` and `size`, and what `stamp_of` looks for.

    Raises:
        FileAccessError: there is none, or it cannot be reached.
    """
    system, inside = file_system(path)
    try:
        return system.info(inside)
    except FileNotFoundError as e:
        raise FileAccessError(f"{printable(path)} does not exist.") from e
    except Exception as e:  # each file system has errors of its own
        raise FileAccessError(f"{printable(path)} cannot be read: {reason(e)}.") from e


def remote_source(path: str, info: dict[str, Any]) -> Source:
    """One file as a source."""
    return Source(path, "remote", path, size=info.get("size"), stamp=stamp_of(info))


def remote_files(path: str, *, recursive: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files of a folder or pattern with what is known of each, sorted by name.

    Raises:
        FileAccessError: it cannot be listed.
    """
    system, inside = file_system(path)
    try:
        if glob.has_magic(inside):
            found = system.glob(inside, detail=True)
        else:
            found = system.find(inside, maxdepth=None if recursive else 1, detail=True)
    except Exception as e:
        raise FileAccessError(f"{printable(path)} cannot be listed: {reason(e)}.") from e
    for name in sorted(found):
        if found[name].get("type") == "file":
            yield system.unstrip_protocol(name), found[name]


def open_file(path: str) -> BinaryIO:
    """A file to be read, here or behind an address.

    Raises:
        FileAccessError: it is missing or cannot be reached.
    """
    if is_remote(path):
        system, inside = file_system(path)
        opener: Callable[[], BinaryIO] = partial(system.open, inside, "rb")
    else:
        opener = partial(open, path, "rb")
    try:
        return opener()
    except FileNotFoundError as e:
        raise FileAccessError(f"{printable(path)} does not exist.") from e
    except Exception as e:
        raise FileAccessError(f"{printable(path)} cannot be read: {reason(e)}.") from e


def remote_bytes(path: str, start: int | None = None, end: int | None = None) -> bytes:
    """A file, or the bytes `start .. end - 1` of it.

    Raises:
        FileAccessError: it cannot be read.
    """
    system, inside = file_system(path)
    try:
        return system.cat_file(inside, start=start, end=end)
    except FileNotFoundError as e:
        raise FileAccessError(f"{printable(path)} does not exist.") from e
    except Exception as e:
        raise FileAccessError(f"{printable(path)} cannot be read: {reason(e)}.") from e
