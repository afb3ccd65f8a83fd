"""What a worker's process and its supervisor say to each other: one line of bytes each, through its two pipes.

down  {"seq": 7, "kind": "look", "items": [[source], ...]}            JSON
      {"seq": 8, "kind": "read", "sources": [[source, digest], ...], "items": [[source number, page, drawn], ...]}
      {"seq": 9, "kind": "draw", as "read"}
up    S                                       the process has started
      O                                       the model is open
      R <seq> <item> <exit code> <status> <seconds> <JSON of the row>
      L <seq> <item> <JSON: digest, pages or error; of a drawn page in base64 or error>
      F <JSON: type, message, exit code>      no work can be done here at all: the run ends
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ...results import PageError
from ..plan import Slice
from ..rows import Row

Kind = Literal["look", "draw", "read", "render"]
Drawn: TypeAlias = "bytes | PageError"
"""A page that was drawn, or why it cannot be."""


@dataclass(frozen=True)
class Request:
    """Work for a process: every item gets exactly one reply.

    Attributes:
        kind: "look" at documents, "draw" or "read" pages, or "render" documents.
        items: JSON each; what they refer to stands in `shared`.
        shared: further keys of the message.
        names: document and page of every item, for messages.
    """

    kind: Kind
    items: Sequence[Any]
    names: Sequence[tuple[str, int]]
    shared: dict[str, Any] = field(default_factory=dict)

    def message(self, seq: int, wanted: Sequence[int]) -> bytes:
        """The line for some of the items; replies count within them."""
        items = [self.items[i] for i in wanted]
        return json.dumps({"seq": seq, "kind": self.kind, "items": items, **self.shared}).encode() + b"\n"

    @classmethod
    def of_pages(cls, kind: Kind, slices: Sequence[Slice]) -> Request:
        """Asks to read or draw the pages of some slices."""
        sources = [[s.document.source.to_list(), s.document.digest] for s in slices]
        places = [(i, s.first + k, None) for i, s in enumerate(slices) for k in range(s.count)]
        names = [(slices[i].document.source.name, page) for i, page, _ in places]
        return cls(kind, places, names, {"sources": sources})

    def with_drawn(self, pages: Sequence[bytes | None]) -> Request:
        """The same with pages that were drawn elsewhere."""
        drawn = [None if page is None else b64encode(page).decode() for page in pages]
        items = [(*item[:2], page) for item, page in zip(self.items, drawn, strict=True)]
        return Request(self.kind, items, self.names, self.shared)

    def only(self, wanted: Sequence[int]) -> Request:
        """The same for some of the items."""
        items, names = ([part[i] for i in wanted] for part in (self.items, self.names))
        return Request(self.kind, items, names, self.shared)


@dataclass(frozen=True)
class Reply:
    """One line from below."""

    seq: int
    item: int
    row: Row


def drawn_json(page: Drawn) -> bytes:
    """A drawn page for a reply."""
    if isinstance(page, PageError):
        said: dict[str, Any] = {"error": [page.type, page.message, page.exit_code]}
    else:
        said = {"page": b64encode(page).decode()}
    return json.dumps(said).encode()


def parse_drawn(data: bytes) -> Drawn:
    """The inverse of `drawn_json`."""
    said = json.loads(data)
    return PageError(*said["error"]) if "error" in said else b64decode(said["page"])


def row_line(seq: int, item: int, row: Row) -> bytes:
    """The line of a row."""
    return b"R %d %d %d %s %r %s\n" % (seq, item, row.exit_code, row.status.encode(), row.seconds, row.json)


def parse_reply(line: bytes) -> Reply:
    """The inverse of `row_line`, and the same for the other kinds, whose status is "looked"."""
    tag, rest = line[:1], line[2:].rstrip(b"\n")
    if tag == b"R":
        seq, item, code, status, seconds, text = rest.split(b" ", 5)
        return Reply(int(seq), int(item), Row(text, status.decode(), float(seconds), int(code)))
    seq, item, text = rest.split(b" ", 2)
    return Reply(int(seq), int(item), Row(text, "looked", 0.0, 0))
