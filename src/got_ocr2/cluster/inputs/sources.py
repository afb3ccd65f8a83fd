"""Where a document lies, in a form that goes through JSON to another process or machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from ...errors import InputError

Kind = Literal["file", "address", "remote", "tar", "parquet"]


@dataclass(frozen=True)
class Source:
    """One document, not opened.

    Attributes:
        name: what rows call it.
        kind: "file"; "address" (http, https, data); "remote" (anything else with ://, by fsspec); "tar" (a member of
            a tar file); "parquet" (bytes in a column).
        path: the file or address that holds it.
        at: where in `path`: first byte and length for "tar", row group and row for "parquet".
        column: of "parquet".
        size: bytes, if they are known without opening.
        stamp: changes when the content does, such as the time of the last change; None where nothing tells, and the
            content itself has to be looked at.
    """

    name: str
    kind: Kind
    path: str
    at: tuple[int, ...] = ()
    column: str = ""
    size: int | None = None
    stamp: str | None = None

    def to_list(self) -> list[Any]:
        """For JSON."""
        return [self.name, self.kind, self.path, list(self.at), self.column, self.size, self.stamp]

    @classmethod
    def from_list(cls, data: Any) -> Source:
        """The inverse of `to_list`.

        Raises:
            InputError: something else.
        """
        try:
            name, kind, path, at, column, size, stamp = data
            if kind not in get_args(Kind):
                raise ValueError(kind)
            return cls(name, cast(Kind, kind), path, tuple(at), column, size, stamp)
        except (TypeError, ValueError) as e:
            raise InputError(f"This is no record of a document: {data!r}.") from e

    def same_place(self, other: Source) -> bool:
        """Whether both stand for one document that has not changed, as far as can be told without opening it."""
        return self.stamp is not None and self == other


def stamp_of(info: Mapping[str, Any]) -> str | None:
    """What a file system says that changes with the content: an ETag, or the time of the last change."""
    for key in (
        "ETag",
        "etag",
        "md5Hash",
        "checksum",
        "blob_id",
        "mtime",
        "LastModified",
        "last_modified",
        "updated",
    ):
        if info.get(key):
            return f"{key} {info[key]}"
    return None
