"""Tar files of documents, such as WebDataset's: each member that is a picture or PDF by its name is a document."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator

from ...documents.sources import SUFFIXES
from ...errors import FileAccessError, InputError
from ...wording import printable, reason
from .remote import file_system, is_remote
from .sources import Source


def members(path: str, stamp: str | None) -> Iterator[Source]:
    """The documents of a tar file in its order; other members, such as captions, are left out.

    Args:
        path: the file, or an address that fsspec opens.
        stamp: of the whole file.

    Raises:
        FileAccessError: it cannot be read.
        InputError: it is no tar file, or a compressed one, in which nothing can be found without reading all.
    """
    name = printable(path)
    try:
        if is_remote(path):
            system, inside = file_system(path)
            stream = system.open(inside, "rb")
        else:
            stream = open(path, "rb")  # noqa: SIM115
        with stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            while (member := tar.next()) is not None:
                tar.members.clear()  # it would keep them all  # pyright: ignore[reportAttributeAccessIssue]
                if member.isfile() and not member.issparse() and _is_document(member.name):
                    at = (member.offset_data, member.size)
                    yield Source(f"{path}#{member.name}", "tar", path, at, "", member.size, stamp)
    except tarfile.TarError as e:
        raise InputError(f"{name} is no tar file without compression: {reason(e)}.") from e
    except OSError as e:
        raise FileAccessError(f"{name} cannot be read: {reason(e)}.") from e


def _is_document(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES
