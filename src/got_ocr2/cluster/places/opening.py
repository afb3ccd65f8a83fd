"""The place behind what people name as output."""

from __future__ import annotations

import os
from urllib.parse import unquote, urlsplit

from ...errors import InvalidOptionError
from ...wording import printable
from .folder import Folder
from .objects import SCHEMES, Objects
from .place import Place


def open_place(root: str | os.PathLike[str]) -> Place:
    """A path, file:// or an address of an object store.

    Raises:
        InvalidOptionError: another kind of address.
        MissingDependencyError: fsspec, or the package for this kind of address, is not installed.
    """
    text = os.fspath(root)
    scheme, mark, _ = text.partition("://")
    if not mark:
        return Folder(text)
    if scheme in ("file", "local"):
        return Folder(unquote(urlsplit(text).path))
    if scheme in SCHEMES:
        return Objects(text)
    raise InvalidOptionError(
        f"An output is a folder or {', '.join(f'{one}://' for one in SCHEMES)}, got {printable(text)}."
    )
