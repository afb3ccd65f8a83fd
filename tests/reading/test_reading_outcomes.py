"""What becomes of a page: every status and reason, second tries, deadlines, drafts, confidences."""

from __future__ import annotations

import math

import pytest

import got_ocr2.generation.engine.row
from fake_ocr import fake_ocr, picture
from got_ocr2 import OCR
from got_ocr2.errors import InvalidOptionError
from got_ocr2.reading import PageRead, TextPiece
from got_ocr2.results import PageResult
from make_pdf import make_pdf

BEGINNING = "The list that was asked for: "
UNIT = "item, the same as before\n"
LOOP = BEGINNING + UNIT * 36
NUMBERED = BEGINNING + "".join(f"{n}. another line of the list\n" for n in range(1, 90))


def read(answer, **options) -> PageResult:
    result = fake_ocr(answer).read(picture(), **options)
    assert isinstance(result, PageResult)
    return result


# --- statuses -------------------------------------------------------------------------------------------


class Clock:
    """Every look at it takes so many seconds."""

    def __init__(self, step: float = 0.1) -> None:
        self._step = step
        self._now = 0.0

    def __call__(self) -> float:
        self._now += self._step
        return self._now


def test_every_status_can_be_reached(monkeypatch):
    def outcome(answer, **options):
        (result,) = fake_ocr(answer).read_many([picture()], **options)
        return result.status, result.finish_reason

    assert outcome(lambda _: "text") == ("complete", "stop")
    assert outcome(lambda _: " ") == ("empty", "stop")
    assert outcome(lambda _: "text", max_new_tokens=2) == ("truncated", "length")
    assert outcome(lambda _: LOOP) == ("looped", "looped")
    assert outcome(lambda _: RuntimeError("boom")) == ("failed", "error")
    monkeypatch.setattr(got_ocr2.generation.engine.row, "monotonic", Clock())
    assert outcome(lambda _: "a longer text", deadline=0.45) == ("truncated", "deadline")


def test_a_deadline_keeps_what_was_written_until_then(monkeypatch):
    monkeypatch.setattr(got_ocr2.generation.engine.row, "monotonic", Clock())
    result = read(lambda _: "a longer text", deadline=0.45)
    assert result.text == "a longer text"[: result.tokens]
    assert 0 < result.tokens < 10


# --- loops ----------------------------------------------------------------------------------------------


def test_a_loop_is_cut_after_its_first_copy():
    result = read(lambda _: LOOP)
    assert (result.text, result.status, result.finish_reason) == (BEGINNING + UNIT, "looped", "looped")
    assert (result.repetition.on_loop, result.repetition.period) == ("stop", len(UNIT))
    assert result.repetition.dropped > 100
    assert not result.repetition.solved
    assert result.tokens == len(BEGINNING + UNIT)
    assert result.mean_logprob == pytest.approx(-0.5)


def test_what_comes_as_it_is_written_is_the_text_of_the_result():
    for options in ({}, {"on_loop": "retry_cropped"}, {"speculate": True}):
        pieces: list[str] = []
        for event in fake_ocr(lambda _: LOOP).events([picture(), picture()], batch_size=2, **options):
            if isinstance(event, TextPiece):
                pieces.append(event.text)
            if isinstance(event, PageRead):
                assert "".join(pieces) == event.result.text == BEGINNING + UNIT
                pieces = []


def test_numbered_copies_are_cut_too():
    result = read(lambda _: NUMBERED)
    assert result.status == "looped"
    assert result.repetition.period is None
    assert result.text.startswith(BEGINNING + "1. another line of the list\n")
    assert len(result.text) < len(NUMBERED) / 2


def test_half_a_character_at_the_cut_is_dropped():
    result = read(lambda _: "日本" * 200)
    assert result.status == "looped"
    assert "\ufffd" not in result.text
    assert set(result.text) <= set("日本")


def test_loops_can_be_ignored():
    result = read(lambda _: LOOP, on_loop="ignore")
    assert (result.text, result.status, result.repetition) == (LOOP, "complete", None)


def test_a_page_is_read_again_in_tiles():
    ocr = fake_ocr(lambda _: "All of it." if ocr.processor.calls[-1]["crop_to_patches"] else LOOP)
    result = ocr.read(picture(), on_loop="retry_cropped")
    assert (result.text, result.status, result.finish_reason) == ("All of it.", "complete", "stop")
    assert (result.repetition.on_loop, result.repetition.solved) == ("retry_cropped", True)
    assert result.request.crop is True
    assert [call["crop_to_patches"] for call in ocr.processor.calls] == [False, True]


def test_tiles_that_loop_too_are_cut_and_called_so():
    ocr = fake_ocr(lambda _: LOOP)
    result = ocr.read(picture(), on_loop="retry_cropped")
    assert (result.text, result.status) == (BEGINNING + UNIT, "looped")
    assert result.repetition.solved is False
    assert len(ocr.processor.calls) == 2


def test_where_tiles_cannot_be_read_the_first_try_stays():
    def answer(_):
        if ocr.processor.calls[-1]["crop_to_patches"]:
            raise AssertionError("not reached")
        return LOOP

    ocr = fake_ocr(answer)
    processor, call = ocr.processor, type(ocr.processor).__call__

    class Refusing(type(processor)):
        def __call__(self, images, **asked):
            if asked["crop_to_patches"]:
                raise InvalidOptionError("too many tiles")
            return call(self, images, **asked)

    processor.__class__ = Refusing
    result = ocr.read(picture(), on_loop="retry_cropped")
    assert (result.text, result.status, result.request.crop) == (BEGINNING + UNIT, "looped", False)
    assert "too many tiles" in result.repetition.failure


def test_where_the_second_try_fails_the_first_stays():
    def answer(_):
        return RuntimeError("boom") if ocr.processor.calls[-1]["crop_to_patches"] else LOOP

    ocr = fake_ocr(answer)
    result = ocr.read(picture(), on_loop="retry_cropped")
    assert (result.text, result.status, result.error) == (BEGINNING + UNIT, "looped", None)
    assert len(ocr.processor.calls) == 2
    assert "boom" in result.repetition.failure


def test_without_time_there_is_no_second_try(monkeypatch):
    ocr = fake_ocr(lambda _: LOOP)
    monkeypatch.setattr("got_ocr2.generation.engine.requests.monotonic", Clock(1000.0))
    result = ocr.read(picture(), on_loop="retry_cropped", deadline=900)
    assert (result.status, len(ocr.processor.calls)) == ("looped", 1)
    assert "deadline of 900" in result.repetition.failure


def test_batches_go_on_while_a_page_is_read_again():
    def answer(pages):
        again = ocr.processor.calls[-1]["crop_to_patches"] if pages[0].width == 9 else False
        return "nine" if again else LOOP if pages[0].width == 9 else "other"

    ocr = fake_ocr(answer)
    results = list(ocr.read_many([picture(9), picture(5), picture(6)], batch_size=2, on_loop="retry_cropped"))
    assert [result.text for result in results] == ["nine", "other", "other"]


def test_a_page_goes_on_without_long_repeats():
    answers = iter([LOOP, BEGINNING + UNIT + "and that was all."])
    ocr = fake_ocr(lambda _: next(answers))
    prompts = []
    submit = ocr.engine.submit
    ocr.engine.submit = lambda request: (prompts.append(request), submit(request))[1]
    result = ocr.read(picture(), on_loop="penalise", confidence="character")
    assert (result.text, result.status) == (BEGINNING + UNIT + "and that was all.", "complete")
    assert (result.repetition.on_loop, result.repetition.solved) == ("penalise", True)
    assert result.repetition.dropped > 100
    assert result.tokens == len(result.text) + 1
    assert len(result.characters) == len(result.text)
    first, second = prompts
    assert (first.options.no_repeat_ngram_size, second.options.no_repeat_ngram_size) == (0, 20)
    assert list(second.ids) == [*first.ids, *(BEGINNING + UNIT).encode()]
    assert second.max_new_tokens == first.max_new_tokens - len(BEGINNING + UNIT)
    assert result.prompt_tokens == len(first.ids)


def test_what_is_forbidden_is_not_written_and_a_second_loop_is_cut():
    result = read(lambda _: LOOP, on_loop="penalise", max_new_tokens=900)
    assert result.text.startswith(BEGINNING + UNIT)
    assert result.text.count(UNIT) == 1
    assert result.status in ("truncated", "looped", "complete")
    assert result.repetition.solved == (result.status != "looped")


# --- a model that really chooses ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny_ocr(byte_folder) -> OCR:
    return OCR.from_pretrained(byte_folder, device="cpu")


def test_no_repeat_ngram_size_reaches_generate(tiny_ocr, page_image):
    inputs = tiny_ocr.processor(page_image)
    ids = tiny_ocr.model.generate(**inputs, max_new_tokens=120, no_repeat_ngram_size=20)
    length = inputs["input_ids"].shape[1]
    for size in (20, "original"):
        result = tiny_ocr.read(page_image, max_new_tokens=120, no_repeat_ngram_size=size, on_loop="ignore")
        assert result.text == tiny_ocr.processor.decode(ids[0, length:], skip_special_tokens=True)


# --- drafts ---------------------------------------------------------------------------------------------

PROSE = (
    "The surveyor walked along the northern wall and wrote down every stone that had moved since spring. Rain had "
    "washed the path away; below the gate, two beams of the old bridge still stood in the river."
)


def steps(answer, **options):
    ocr = fake_ocr(answer)
    result = ocr.read(picture(), **options)
    return ocr.runner.steps, result


def test_a_draft_changes_the_steps_but_not_the_result():
    plain, expected = steps(lambda _: PROSE)
    for draft in (PROSE, PROSE.replace("wall", "hall").replace("Rain", "Bain"), "something else entirely"):
        drafted, result = steps(lambda _: PROSE, draft=draft)
        assert (result.text, result.tokens, result.status) == (expected.text, expected.tokens, "complete")
        assert drafted < plain / 3 if "surveyor" in draft else drafted <= plain
    assert result.speculation.agreement < 0.5


def test_agreement_says_how_much_of_the_draft_was_there():
    _, result = steps(lambda _: PROSE, draft=PROSE)
    assert (result.speculation.agreement, result.speculation.kept) == (1.0, result.speculation.drafted)
    _, result = steps(lambda _: PROSE, draft=PROSE.replace("e", "c"))
    assert 0.7 < result.speculation.agreement < 1
    _, result = steps(lambda _: PROSE)
    assert result.speculation is None
    _, result = steps(lambda _: "0 & 0 & " * 9, speculate=True)
    assert result.speculation.agreement is None
    assert result.speculation.kept > 0


def test_the_text_layer_of_a_pdf_is_a_draft():
    data = make_pdf(["The first page", "And a second"])
    lines = iter(["The first page", "And a second"])
    ocr = fake_ocr(lambda _: next(lines))
    pages = ocr.read(data, draft="pdf-text", dpi=20).pages
    assert [page.speculation.agreement for page in pages] == [1, 1]
    assert ocr.runner.steps < 12
    assert fake_ocr(lambda _: "x").read(picture(), draft="pdf-text").speculation is None


@pytest.mark.parametrize("speculate", [True, "ngram"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_with_a_real_model_the_text_is_the_same(tiny_ocr, page_image, speculate, batch_size):
    pages = [page_image, page_image.rotate(180), page_image.resize((40, 90))]
    options = {"max_new_tokens": 60, "on_loop": "ignore", "confidence": "character"}
    plain = [tiny_ocr.read(page, **options) for page in pages]
    fast = list(tiny_ocr.read_many(pages, batch_size=batch_size, speculate=speculate, **options))
    assert [page.text for page in fast] == [page.text for page in plain]
    assert [page.tokens for page in fast] == [page.tokens for page in plain]
    for a, b in zip(fast, plain, strict=True):
        assert a.characters == pytest.approx(b.characters, abs=1e-4)
    assert sum(page.speculation.kept for page in fast) > 60


# --- confidences ----------------------------------------------------------------------------------------


def test_confidences_are_as_fine_as_asked_for():
    half = math.exp(-0.5)
    page = read(lambda _: "ab c\nd", confidence="page")
    assert (page.lines, page.words, page.characters) == (None, None, None)
    line = read(lambda _: "ab c\nd", confidence="line")
    assert [x.text for x in line.lines] == ["ab c", "d"]
    assert [x.confidence for x in line.lines] == pytest.approx([half, half])
    assert (line.words, line.characters) == (None, None)
    word = read(lambda _: "ab c\nd", confidence="word")
    assert [(x.text, x.start, x.end) for x in word.words] == [("ab", 0, 2), ("c", 3, 4), ("d", 5, 6)]
    assert [x.confidence for x in word.words] == pytest.approx([half * half, half, half])
    assert word.characters is None
    character = read(lambda _: "ab c\nd", confidence="character")
    assert character.characters == pytest.approx([half] * 6)
    assert character.confidence == pytest.approx(half)


def test_confidences_of_a_cut_text_cover_what_is_kept():
    result = read(lambda _: "日本" * 200, confidence="character")
    assert len(result.characters) == len(result.text)
    result = read(lambda _: "né", max_new_tokens=2, confidence="character")
    assert (result.text, len(result.characters)) == ("n\ufffd", 2)
