"""`OCR.read_many` and `OCR.events`: many documents, in order, none lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import got_ocr2.ocr
from fake_ocr import fake_ocr, mixed_sources, picture, tiff
from got_ocr2.errors import InvalidOptionError
from got_ocr2.reading import DocumentOpened, DocumentRead, PageRead, TextPiece


@pytest.fixture
def mixed(tmp_path: Path) -> list:
    return mixed_sources(tmp_path)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_results_come_in_order_and_none_is_lost(mixed, batch_size):
    ocr = fake_ocr()
    limits = got_ocr2.ocr.Limits(max_pixels=1000)
    results = list(ocr.read_many(mixed, batch_size=batch_size, limits=limits))
    assert [result.status for result in results] == [
        "complete", "failed", "failed", "failed", "failed", "complete",
    ]  # fmt: skip
    assert [result.text for result in results] == ["5x4", "", "6x3\n\n7x2", "", "", "8x1"]
    assert [page.status for page in results[2].pages] == ["complete", "failed", "complete"]
    codes = [page.error and page.error.exit_code for r in results for page in getattr(r, "pages", (r,))]
    assert codes == [None, 2, None, 2, None, 5, 8, None]
    assert results[2].pages[1].page_numbers == (2,)
    assert results[3].source == str(mixed[3])
    assert results[3].error.type == "FileAccessError"
    assert max(ocr.runner.batches) == min(batch_size, 4)


def test_a_page_that_spoils_its_batch_fails_alone():
    def answer(pages: list[Image.Image]) -> str | Exception:
        return RuntimeError("boom") if pages[0].width == 6 else "fine"

    ocr = fake_ocr(answer)
    results = list(ocr.read_many([picture(n, 1) for n in (5, 6, 7)], batch_size=3))
    assert [result.text for result in results] == ["fine", "", "fine"]
    assert results[1].error.message == "RuntimeError: boom"
    assert results[1].error.exit_code == 15
    assert (results[1].width, results[1].height) == (6, 1)
    # The step with all three failed; each was then tried alone, and the two good ones went on together.
    assert ocr.runner.batches == [3, 1, 1, 1, 2, 2, 2, 2]


def test_rows_of_a_batch_end_each_in_its_own_way():
    texts = {1: "abcdef", 2: "", 3: "ab"}
    ocr = fake_ocr(lambda pages: texts[pages[0].width])
    results = list(ocr.read_many([picture(n, 1) for n in texts], batch_size=3, max_new_tokens=4))
    assert [(r.text, r.status, r.tokens) for r in results] == [
        ("abcd", "truncated", 4), ("", "empty", 1), ("ab", "complete", 3),
    ]  # fmt: skip
    assert [r.mean_logprob for r in results] == [-0.5] * 3


def test_documents_are_opened_one_after_another():
    opened = []

    def sources():
        for n in range(1, 4):
            opened.append(n)
            yield picture(n, 1)

    results = fake_ocr().read_many(sources())
    assert opened == []
    assert next(results).width == 1
    assert opened == [1]
    assert [result.width for result in results] == [2, 3]


def test_a_folder_gives_a_result_for_each_document_and_an_empty_one_fails(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "empty").mkdir()
    for width in (2, 3):
        picture(width, 1).save(tmp_path / "full" / f"{width}.png")
    results = list(fake_ocr().read_many([tmp_path / "full", tmp_path / "empty"]))
    assert [result.text for result in results] == ["2x1", "3x1", ""]
    assert "holds no picture" in results[2].error.message


def test_events_tell_the_whole_story():
    limits = got_ocr2.ocr.Limits(max_pixels=10)
    events = list(fake_ocr().events([tiff((2, 1), (20, 10)), b""], limits=limits))
    kinds = [type(event) for event in events]
    assert kinds == [
        DocumentOpened, TextPiece, TextPiece, TextPiece, PageRead, PageRead, DocumentRead,
        DocumentOpened, PageRead, DocumentRead,
    ]  # fmt: skip
    assert (events[0].source, events[0].results) == ("<bytes>", 2)
    assert "".join(event.text for event in events[1:4]) == "2x1"
    assert events[6].result.pages == (events[4].result, events[5].result)


def test_in_a_batch_the_first_page_is_written_out_and_the_next_one_is_not_kept_waiting():
    texts = {1: "abcd", 2: "efgh", 3: "i"}
    ocr = fake_ocr(lambda pages: texts[pages[0].width])
    events = ocr.events([tiff((1, 1), (2, 1), (3, 1))], batch_size=2)
    pieces = [event.text for event in events if isinstance(event, TextPiece)]
    assert pieces == [*"abcd", "efgh", "i"]


def test_a_page_enters_as_soon_as_another_leaves():
    texts = {1: "abcdefgh", 2: "", 3: "i", 4: "jk"}
    ocr = fake_ocr(lambda pages: texts[pages[0].width])
    results = list(ocr.read_many([picture(n, 1) for n in texts], batch_size=2))
    assert [result.text for result in results] == list(texts.values())
    assert ocr.runner.batches == [2] * 6 + [1] * 3
    assert ocr.engine.free_positions == 100_000


def test_leaving_gives_up_the_pages_in_the_engine():
    ocr = fake_ocr(lambda _: "a long text")
    events = ocr.events([picture(n, 1) for n in range(1, 9)], batch_size=4)
    for event in events:
        if isinstance(event, TextPiece):
            break
    assert ocr.engine.running == 4
    events.close()
    assert (ocr.engine.running, ocr.engine.free_positions) == (0, 100_000)
    assert fake_ocr().read(picture(1, 1)).text == "1x1"


def test_pages_that_are_done_do_not_pile_up():
    opened = []

    def sources():
        for n in range(1, 200):
            opened.append(n)
            yield picture(n, 1)

    texts = {1: "a very long text that keeps all the others waiting " * 9}
    results = fake_ocr(lambda pages: texts.get(pages[0].width, "")).read_many(sources(), batch_size=2)
    next(results)
    assert len(opened) < 20
    assert sum(1 for _ in results) == 198


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, True])
def test_impossible_batches(batch_size):
    with pytest.raises(InvalidOptionError, match="batch_size must be a whole number >= 1"):
        fake_ocr().read_many([], batch_size=batch_size)
