"""The engine of an `OCR`: threads, closing, memory."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

import got_ocr2.ocr
from fake_ocr import fake_ocr, mixed_sources, picture
from got_ocr2.errors import InvalidOptionError
from got_ocr2.reading import PageRead, ReadOptions, TextPiece


@pytest.fixture
def mixed(tmp_path: Path) -> list:
    return mixed_sources(tmp_path)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_an_engine_with_a_thread_of_its_own_gives_the_same(mixed, batch_size):
    limits = got_ocr2.ocr.Limits(max_pixels=1000)
    with_thread, without = fake_ocr(threaded=True), fake_ocr()
    events = [
        [(type(event), getattr(event, "result", None)) for event in ocr.events(
            mixed, batch_size=batch_size, limits=limits)]
        for ocr in (with_thread, without)
    ]  # fmt: skip

    def told(events):
        """Pieces of text may be cut elsewhere, and seconds differ."""
        pages = [result for kind, result in events if kind is PageRead]
        return [(p.source, p.text, p.status, p.tokens, p.mean_logprob) for p in pages]

    assert told(events[0]) == told(events[1])
    with_thread.close()


def test_leaving_while_pages_are_prepared_leaves_nobody_behind():
    ocr = fake_ocr(lambda _: "a long text", threaded=True)
    for batch_size in (2, 8):
        events = ocr.events([picture(n, 1) for n in range(1, 20)], batch_size=batch_size)
        for event in events:
            if isinstance(event, TextPiece):
                break
        events.close()
        ocr.engine.wait(lambda: ocr.engine.running == 0, timeout=30)
    assert ocr.engine.free_positions == 100_000
    ocr.close()


def test_with_a_thread_too_a_page_fails_alone_and_read_raises():
    def answer(pages: list[Image.Image]) -> str | Exception:
        return RuntimeError("boom") if pages[0].width == 6 else "fine"

    ocr = fake_ocr(answer, threaded=True)
    sizes = (5, 6, 7)
    results = list(ocr.read_many([picture(n, 1) for n in sizes], batch_size=2, box=[0, 0, 1, 1]))
    assert [result.text for result in results] == ["fine", "", "fine"]
    reader = ocr.reader(ReadOptions(), batch_size=3, strict=True)
    with pytest.raises(RuntimeError, match="boom"):
        list(reader.events([picture(n, 1) for n in sizes]))
    ocr.close()


def test_an_ocr_that_nobody_uses_ends_its_thread():
    ocr = fake_ocr(threaded=True)
    assert ocr.read(picture(3, 2)).text == "3x2"
    engine = ocr.engine
    assert not engine.closed
    got_ocr2.ocr.finalize(ocr, engine.close)  # as the property does for engines that it has made
    del ocr
    gc.collect()
    assert engine.closed


def test_closing_gives_the_cache_back_and_reading_goes_on():
    ocr = fake_ocr()
    first = ocr.engine
    ocr.close()
    assert first.closed
    assert ocr.runner.capacity == 0
    ocr._engine_options = got_ocr2.ocr.EngineOptions(kv_memory="3 KB", max_batch=2)
    ocr.model.config = SimpleNamespace(text_config=SimpleNamespace(max_position_embeddings=2000))
    assert ocr.read(picture(3, 2), max_new_tokens=50).text == "3x2"
    assert (ocr.engine is not first, ocr.runner.capacity) == (True, 3000)
    assert ocr.engine is ocr.engine
    with pytest.raises(InvalidOptionError, match=r"7 tokens and 2994 new ones need 3001 .* holds 3000"):
        ocr.read(picture(3, 2), max_new_tokens=2994)


def test_several_threads_read_with_one_model():
    ocr = fake_ocr(threaded=True)
    found: dict[int, list[str]] = {}

    def read(first: int) -> None:
        pages = [picture(first + n, 1) for n in range(5)]
        found[first] = [result.text for result in ocr.read_many(pages, batch_size=2)]

    workers = [threading.Thread(target=read, args=(first,)) for first in (1, 11, 21)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert found == {first: [f"{first + n}x1" for n in range(5)] for first in (1, 11, 21)}
    ocr.close()
