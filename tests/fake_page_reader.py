"""A reader without a model. A document is a text file: pages=N, then what happens at which page.

    pages=40 text=abc kill=7 hang=9 grow=11 bad=13 once=15

`kill`, `hang` and `grow` end the process, say nothing, or take memory, each time the page is read; `bad` fails; `once`
kills the first process only, which leaves a mark beside the document. `ill` fails as long as there is no such mark, for
page 0 the whole document; `kill_draw` ends the process that draws the page for another. `slow` is seconds a page,
`burn` seconds of a processor.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from got_ocr2.cluster.inputs import Source, content_of
from got_ocr2.cluster.inputs.opening import check_unchanged, digest_of
from got_ocr2.cluster.workers.reader import Item
from got_ocr2.documents import Limits
from got_ocr2.errors import InputError
from got_ocr2.results import PageError, PageResult, TextPart

TARGET = "fake_page_reader:FakeReader"


class FakeReader:
    def __init__(self, options: Mapping[str, Any]) -> None:
        self._known: dict[tuple[Source, str], dict[str, str]] = {}
        self._reading = options["reading"]

    @classmethod
    def identity(cls, options: Mapping[str, Any]) -> str:
        return options["model"].get("model") or "fake@1"

    def open(self) -> None:
        if self._reading.get("no_model"):
            raise InputError("There is no such model.")

    def look(self, source: Source) -> tuple[str, int]:
        content = content_of(source, Limits())
        said = _said(content)
        if "kill_look" in said:
            os.kill(os.getpid(), signal.SIGKILL)
        if said.get("ill") == "0" and not _mark(source).exists():
            raise InputError("This document is ill.")
        return digest_of(content), int(said["pages"])

    def draw(self, items: Iterable[Item]) -> Iterator[tuple[Item, bytes | PageError]]:
        for item in items:
            try:
                content = content_of(item.source, Limits())
                check_unchanged(item.source, content, item.digest)
                data = content if isinstance(content, bytes) else Path(content).read_bytes()
            except Exception as e:
                yield item, PageError.from_exception(e)
                continue
            if _said(data).get("kill_draw") == str(item.page):
                os.kill(os.getpid(), signal.SIGKILL)
            yield item, data

    def read(self, items: Iterable[Item]) -> Iterator[tuple[Item, PageResult]]:
        for item in items:
            try:
                yield item, self._page(item)
            except Exception as e:
                error = PageError.from_exception(e)
                yield item, PageResult("", "failed", "error", item.source.name, (item.page,), error=error)

    def _page(self, item: Item) -> PageResult:
        key = (item.source, item.digest)
        if item.drawn is not None:
            self._known = {key: _said(item.drawn)}
        elif key not in self._known:
            content = content_of(item.source, Limits())
            check_unchanged(item.source, content, item.digest)
            self._known = {key: _said(content)}
        said = self._known[key]
        here = {name for name, value in said.items() if value == str(item.page)}
        if "slow" in said:
            time.sleep(float(said["slow"]))
        if "burn" in said:
            end = time.process_time() + float(said["burn"])
            while time.process_time() < end:
                pass
        if "kill" in here:
            os.kill(os.getpid(), signal.SIGKILL)
        if "hang" in here:
            time.sleep(1000)
        if "grow" in here:
            held = []
            while True:
                held.append(b"x" * (32 << 20))
                time.sleep(0.02)
        if "once" in here:
            mark = _mark(item.source)
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        if "ill" in here and not _mark(item.source).exists():
            raise InputError(f"Page {item.page} is ill.")
        if "bad" in here:
            raise InputError(f"Page {item.page} is bad.")
        text = f"{said.get('text', '')} page {item.page} of {item.digest[:8]} é\n\x00\u2028"
        line = TextPart(text[:4], 0, 4, 0.5, (1.0, 2.0, 3.5, 4.0), 0.0, 0)
        return PageResult(
            text, "complete", "stop", item.source.name, (item.page,), 3, 5, 7, 9, 0.25, -0.5, (line,)
        )


def _mark(source: Source) -> Path:
    return Path(f"{source.path}.mark")


def _said(content: str | bytes) -> dict[str, str]:
    data = content if isinstance(content, bytes) else Path(content).read_bytes()
    try:
        words = dict(word.split("=") for word in data.decode().split())
        int(words["pages"])
    except (ValueError, KeyError) as e:
        raise InputError("This is no document.") from e
    return words
