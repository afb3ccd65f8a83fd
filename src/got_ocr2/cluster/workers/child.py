"""The process that reads: `python -m got_ocr2.cluster.workers.child`, its settings as JSON in the first line."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from ...errors import GotOcr2Error
from ...results import PageError
from ...wording import printable
from ..inputs import Source
from ..rows import row_of
from .protocol import drawn_json, row_line
from .reader import Item, PageReader, reader_class


@dataclass(frozen=True)
class Settings:
    """What a process is told when it begins.

    Attributes:
        options: `BatchOptions.to_dict()`.
        model: name and sum of the checkpoint, as rows have it.
        root: the output folder, for rendering.
    """

    options: dict[str, Any]
    model: str
    root: str


class Child:
    """Does what comes down its pipe, one request after another; pages of consecutive requests meet in the engine."""

    def __init__(self, up: BinaryIO, settings: Settings) -> None:
        self._up = up
        self._settings = settings
        self._reader: PageReader = reader_class(settings.options["reader"])(settings.options)
        self._keep = bool(settings.options["files"])
        self._opened = False
        self._has_read = False
        self._requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._held: dict[str, Any] | None = None

    def put(self, request: dict[str, Any]) -> None:
        """From the thread that listens."""
        self._requests.put(request)

    def run(self) -> None:
        """Works for ever; the thread that listens ends the process."""
        while True:
            request = self._held or self._requests.get()
            self._held = None
            if request["kind"] == "look":
                self._look(request)
            elif request["kind"] == "render":
                self._render(request)
            elif request["kind"] == "draw":
                self._draw(request)
            else:
                self._read(request)

    def _say(self, line: bytes) -> None:
        self._up.write(line)
        self._up.flush()

    def _look(self, request: dict[str, Any]) -> None:
        for number, data in enumerate(request["items"]):
            try:
                digest, pages = self._reader.look(Source.from_list(data))
                found: dict[str, Any] = {"digest": digest, "pages": pages}
            except Exception as e:
                error = PageError.from_exception(e)
                found = {"error": [error.type, printable(error.message), error.exit_code]}
            self._say(b"L %d %d %s\n" % (request["seq"], number, json.dumps(found).encode()))

    def _draw(self, request: dict[str, Any]) -> None:
        for item, page in self._reader.draw(self._items_of(request)):
            self._say(b"L %d %d %s\n" % (*item.tag, drawn_json(page)))

    def _render(self, request: dict[str, Any]) -> None:
        from ..files import render_document

        for number, data in enumerate(request["items"]):
            found = render_document(self._settings.root, self._settings.options, data)
            self._say(b"L %d %d %s\n" % (request["seq"], number, json.dumps(found).encode()))

    def _read(self, request: dict[str, Any]) -> None:
        if not self._opened:
            self._reader.open()
            self._opened = True
            self._say(b"O\n")
        try:
            self._read_all(request)
        except GotOcr2Error:
            if self._has_read:  # it is about these pages, not about the model or the options
                os._exit(1)
            raise

    def _read_all(self, request: dict[str, Any]) -> None:
        for item, result in self._reader.read(self._items(request)):
            self._has_read = True
            seq, number = item.tag
            row = row_of(item.source.name, item.page, result, self._settings.model, keep_result=self._keep)
            self._say(row_line(seq, number, row))

    def _items(self, request: dict[str, Any]) -> Iterator[Item]:
        """The pages of this request, and of those that have come meanwhile, so that the engine stays filled."""
        more: dict[str, Any] | None = request
        while more is not None:
            yield from self._items_of(more)
            more = self._next_to_read()

    @staticmethod
    def _items_of(request: dict[str, Any]) -> Iterator[Item]:
        sources = [(Source.from_list(data), digest) for data, digest in request["sources"]]
        for number, (index, page, drawn) in enumerate(request["items"]):
            source, digest = sources[index]
            picture = None if drawn is None else b64decode(drawn)
            yield Item(source, digest, page, (request["seq"], number), picture)

    def _next_to_read(self) -> dict[str, Any] | None:
        try:
            found = self._requests.get_nowait()
        except queue.Empty:
            return None
        if found["kind"] == "read":
            return found
        self._held = found
        return None


def main() -> None:
    """Listens in one thread and works in another; ends when its pipe does, whatever it is doing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the driver decides
    down = os.fdopen(os.dup(0), "rb")
    up = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)  # whatever a library reads or prints
    os.dup2(nowhere, 1)
    settings = Settings(**json.loads(down.readline()))
    try:
        child = Child(up, settings)
        up.write(b"S\n")
        up.flush()
        threading.Thread(target=_listen, args=(down, child), daemon=True).start()
        child.run()
    except GotOcr2Error as e:
        said = {"type": type(e).__name__, "message": str(e), "exit_code": e.exit_code}
        up.write(b"F " + json.dumps(said).encode() + b"\n")
        up.flush()
        os._exit(1)
    except BrokenPipeError:
        os._exit(1)


def _listen(down: BinaryIO, child: Child) -> None:
    for line in down:
        child.put(json.loads(line))
    os._exit(0)  # the supervisor has gone; nobody would hear the rest


if __name__ == "__main__":
    sys.exit(main())
