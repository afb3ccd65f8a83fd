"""Pages line by line: order, places, streaming, what is refused, pages on their heads."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from jsonschema import validate
from PIL import Image, ImageDraw, ImageFont

from fake_ocr import fake_ocr
from got_ocr2.errors import InputError, InvalidOptionError
from got_ocr2.evaluation.metrics.edit_distance import levenshtein
from got_ocr2.layout import find_lines, joined, line_pieces
from got_ocr2.ocr import EMBEDDED_MODEL, OCR
from got_ocr2.reading import PageRead, ReadOptions, TextPiece
from got_ocr2.reading.lines import page_lines
from got_ocr2.reading.lines.line import Line
from got_ocr2.reading.lines.page_text import JoinedText, LineText
from got_ocr2.results import PageResult, json_schema

WORDS = "the quick brown fox jumps over a lazy dog while nobody looks at all of them twice"


def page_of(lines=7, size=24, width=900, gap=1.8, left=60):
    """A page of print, each line a word longer than the one before."""
    image = Image.new("RGB", (width, round(lines * size * gap) + 120), "white")
    font = ImageFont.load_default(size)
    draw = ImageDraw.Draw(image)
    texts = [" ".join(WORDS.split()[: 2 + n]) for n in range(lines)]
    for n, text in enumerate(texts):
        draw.text((left, 50 + n * size * gap), text, fill="black", font=font)
    return image, texts


def by_size(pieces):
    (image,) = pieces
    return f"piece {image.width} x"


def expected_text(image):
    lines = find_lines(image).lines
    out = []
    for line in lines:
        pieces = line_pieces(image, line)
        out.append(joined([by_size([piece.image]) for piece in pieces], pieces))
    return "\n".join(out)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_lines_come_in_reading_order_whatever_the_batch(batch_size):
    pages = [page_of(n)[0] for n in (5, 8, 3)]
    ocr = fake_ocr(by_size, reads="lines")
    results = list(ocr.read_many(pages, batch_size=batch_size))
    assert [result.text for result in results] == [expected_text(page) for page in pages]
    assert [result.status for result in results] == ["complete"] * 3


def test_more_lines_than_the_engine_takes_at_a_time():
    image, _ = page_of(80, size=14, gap=1.7)
    result = fake_ocr(by_size, reads="lines").read(image)
    assert result.text == expected_text(image)
    assert len(result.lines) == 80


def test_the_text_is_streamed_line_by_line():
    image, _ = page_of(24, size=14)
    ocr = fake_ocr(by_size, reads="lines", max_batch=2)
    pieces = list(ocr.stream(image))
    assert "".join(pieces) == expected_text(image)
    assert len(pieces) >= 9  # two lines end at a time; the longest six are read first, to see which way is up
    for dehyphenate in (False, True):
        assert (
            "".join(ocr.stream(image, dehyphenate=dehyphenate))
            == ocr.read(image, dehyphenate=dehyphenate).text
        )


def test_lines_and_words_have_places_that_hold_their_ink():
    image, texts = page_of(6)
    ocr = fake_ocr(by_size, reads="lines")
    result = ocr.read(image)
    assert len(result.lines) == 6
    ink = np.asarray(image.convert("L")) < 128
    for line, text in zip(result.lines, texts, strict=True):
        x1, y1, x2, y2 = (round(v) for v in line.box)
        assert abs(x1 - 60) <= 6
        assert ink[y1:y2, x1:x2].any()
        assert line.angle == pytest.approx(0, abs=0.6)
        assert line.block == 0
        assert result.text[line.start : line.end] == line.text
        assert len(text) > 0
    for word in result.words:
        assert result.text[word.start : word.end] == word.text
        (line,) = [part for part in result.lines if part.start <= word.start and word.end <= part.end]
        assert line.box[0] - 25 <= word.box[0] <= word.box[2] <= line.box[2] + 25
    validate(json.loads(result.to_json()), json_schema())
    assert PageResult.from_dict(json.loads(result.to_json())) == result


def test_a_box_is_read_in_its_own_lines_and_places_are_those_of_the_page():
    image, _ = page_of(8)
    lines = find_lines(image).lines
    _, top, _, _ = lines[2].box
    _, _, _, bottom = lines[4].box
    ocr = fake_ocr(by_size, reads="lines")
    result = ocr.read(image, box=(0, top - 8, image.width, bottom + 8))
    assert len(result.lines) == 3
    assert result.lines[0].box[1] == pytest.approx(top, abs=4)
    with pytest.raises(InvalidOptionError, match=r"reaches over the page, which has 900 x"):
        ocr.read(image, box=(0, 0, 901, 50))


def test_a_frame_is_found_by_its_colour():
    image, _ = page_of(8)
    lines = find_lines(image).lines
    x1, y1, x2, y2 = lines[3].box
    framed = image.copy()
    ImageDraw.Draw(framed).rectangle((x1 - 20, y1 - 8, x2 + 20, y2 + 8), outline="green", width=3)
    ocr = fake_ocr(by_size, reads="lines")
    result = ocr.read(framed, color="green")
    assert len(result.lines) == 1
    assert result.lines[0].box[1] == pytest.approx(y1, abs=4)
    with pytest.raises(InputError, match="There is no red frame on the page"):
        ocr.read(framed, color="red")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": True}, "format is for models that read whole pages; .*stepfun-ai/GOT-OCR-2.0-hf"),
        ({"multi_page": True}, "multi_page is for models that read whole pages"),
        ({"crop": True}, "crop is for models that read whole pages"),
        ({"max_patches": 4}, "crop is for models that read whole pages"),
        ({"draft": "some text"}, "draft is for models that read whole pages"),
        ({"on_loop": "retry_cropped"}, "retry_cropped"),
    ],
)
def test_what_lines_cannot_give_is_refused_in_one_sentence(options, message):
    with pytest.raises(InvalidOptionError, match=message):
        fake_ocr(by_size, reads="lines").read(page_of(2)[0], **options)


def test_any_model_can_be_made_to_read_lines_or_not():
    image, _ = page_of(4)
    pages = fake_ocr(by_size)
    assert pages.read(image).lines is None
    assert pages.read(image, lines=True).text == expected_text(image)
    by_lines = fake_ocr(by_size, reads="lines")
    assert by_lines.read(image, lines=False).text == by_size([image])
    with pytest.raises(InvalidOptionError, match="lines must be True, False or None, got 'yes'"):
        by_lines.read(image, lines="yes")


def test_a_blank_page_is_empty():
    result = fake_ocr(by_size, reads="lines").read(Image.new("RGB", (500, 700), "white"))
    assert (result.status, result.text, result.lines, result.words) == ("empty", "", (), ())


def test_a_line_that_fails_fails_its_page_alone():
    image, _ = page_of(4)
    bad = find_lines(image).lines[2]
    width = line_pieces(image, bad)[0].image.width

    def answer(pieces):
        return RuntimeError("no") if pieces[0].width == width else by_size(pieces)

    good = page_of(2)[0]
    first, second = fake_ocr(answer, reads="lines").read_many([image, good])
    assert first.status == "failed"
    assert second.status == "complete"


def test_a_line_that_failed_is_told_though_enough_was_written_after_it():
    image, _ = page_of(80, size=14, gap=1.7)
    bad = line_pieces(image, find_lines(image).lines[2])[0].image.width

    def answer(pieces):
        return RuntimeError("no") if pieces[0].width == bad else by_size(pieces)

    texts, results = list[str](), list[PageResult]()
    reader = fake_ocr(answer, reads="lines", max_batch=4).reader(ReadOptions())
    for event in reader.events(
        [image], finished=lambda: "length" if "".join(texts).count("\n") > 20 else None
    ):
        if isinstance(event, TextPiece):
            texts.append(event.text)
        elif isinstance(event, PageRead):
            results.append(event.result)
    text = "".join(texts)
    assert 20 < text.count("\n") < 70  # the page was ended
    assert [(result.status, result.error.type) for result in results] == [("failed", "RuntimeError")]


def test_a_page_waits_for_a_turn_of_the_others_lines_not_for_all_of_them():
    long, short = page_of(60, size=14, gap=1.7)[0], page_of(1)[0]
    ocr = fake_ocr(by_size, reads="lines", max_batch=4)
    events = ocr.reader(ReadOptions()).events([long])
    while not isinstance(next(events), TextPiece):
        pass
    before = ocr.engine.waiting
    assert ocr.read(short).text == expected_text(short)
    assert before > 20
    assert ocr.engine.waiting > before - 12
    assert [event.result.status for event in events if isinstance(event, PageRead)] == ["complete"]


@pytest.mark.parametrize("narrow", [0.4, 1.0])
def test_condensed_print_is_read_again_with_wider_letters(embedded, monkeypatch, narrow):
    """What the model is not sure of is read in other widths, and the surest reading counts; places stay the page's."""
    image, texts = page_of(8, size=26)
    image = image.resize((round(narrow * image.width), image.height), Image.Resampling.LANCZOS)
    again = embedded.read(image)
    monkeypatch.setattr("got_ocr2.reading.lines.line.READ_AGAIN_BELOW", 0.0)
    once = embedded.read(image)
    right = "\n".join(texts)
    assert levenshtein(again.text, right) <= levenshtein(once.text, right)
    assert (again.tokens == once.tokens) == (narrow == 1)
    if narrow < 1:
        assert again.mean_logprob > once.mean_logprob
        assert levenshtein(again.text, right) < 0.5 * levenshtein(once.text, right)
    for line, same in zip(again.lines, once.lines, strict=True):
        assert line.box == pytest.approx(same.box)
    for word in again.words:
        assert word.box[0] <= word.box[2] <= image.width


def test_lines_that_were_read_stay_where_a_deadline_cuts_their_other_readings(monkeypatch):
    image, _ = page_of(7)
    widths = {line_pieces(image, line)[0].image.width for line in find_lines(image).lines}
    ocr = fake_ocr(
        lambda pieces: by_size(pieces) if pieces[0].width in widths else "x" * 900,
        reads="lines",
        logprob=-0.5,
    )
    # After so many steps all lines have been read, and none of them in another width.
    monkeypatch.setattr(page_lines, "monotonic", lambda: 2e6 if ocr.engine.steps > 60 else 0.0)
    result = ocr.read(image, deadline=1e6)
    assert (result.text, result.status) == (expected_text(image), "complete")
    assert ocr.engine.steps < 100


@pytest.mark.parametrize(
    ("text", "confidence", "counts"),
    [("The . . . . . . . . . . . . . .", 0.76, False), (". . . . . 12", 0.95, True), ("Index ..... 12", 0.6, True),
     ("§", 0.8, False), ("word", 0.51, True), ("word", 0.49, False)],
)  # fmt: skip
def test_rows_of_dots_count_only_if_the_model_is_sure(monkeypatch, text, confidence, counts):
    monkeypatch.setattr(Line, "text", lambda line: text)
    monkeypatch.setattr(Line, "confidence", property(lambda line: confidence))
    assert Line(None, ()).counts == counts


def test_the_surest_reading_of_a_line_counts():
    @dataclass
    class Read:
        name: str
        logprobs: tuple[float, ...]

        @property
        def writing(self):
            return self

    def line(name, *logprobs):
        return Line(None, (name,), [Read(name, logprobs)])

    first = line("first", -0.5, -0.3)
    first.others = [line("narrow", -0.6), line("wide", -0.1, -0.2)]
    assert [other.attempts[0].name for other in first.settle()] == ["narrow", "first"]
    assert (first.pieces, first.attempts[0].name, first.others) == (("wide",), "wide", [])
    hardly = line("first", -0.2)
    hardly.others = [line("wide", -0.195)]
    hardly.settle()
    assert hardly.pieces == ("first",)


def test_lines_become_paragraphs():
    lines = [
        LineText("A word that is di-", 0),
        LineText("vided and one-", 0),
        LineText("Two", 0),
        LineText("New", 1),
    ]
    plain = JoinedText()
    plain.extend(lines)
    assert plain.text == "A word that is di-\nvided and one-\nTwo\nNew"
    running = JoinedText(paragraphs=True, dehyphenate=True)
    for line in lines:
        running.extend([line])
    assert running.text == "A word that is divided and one- Two\n\nNew"
    assert [running.text[a:b] for a, b in running.spans] == [
        "A word that is di",
        "vided and one-",
        "Two",
        "New",
    ]


@pytest.fixture(scope="module")
def embedded():
    return OCR.from_pretrained()


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_is_righted_by_what_can_be_read(embedded, turn):
    image, _ = page_of(6, size=30)
    upright = embedded.read(image)
    turned = embedded.read(image.rotate(turn, expand=True))
    assert upright.text.split()[:2] == ["the", "quick"]
    assert turned.text.split()[:2] == ["the", "quick"]
    x1, y1, x2, y2 = turned.lines[0].box
    assert (x2 - x1 < y2 - y1) == (turn != 180)


def test_columns_of_figures_are_not_taken_for_lines_that_run_down(embedded):
    image = Image.new("L", (560, 330), 255)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(34)
    rows = [[f"{(17 * i + 31 * j) % 90 + 10}" for j in range(4)] for i in range(9)]
    for i, row in enumerate(rows):
        for j, figures in enumerate(row):
            for k, digit in enumerate(figures):
                draw.text((20 + 140 * j + 36 * k, 8 + 34 * i), digit, 0, font)
    assert find_lines(image).turn == 90
    read = embedded.read(image).text.split()
    assert sum(figures in read for row in rows for figures in row) > 24
    # The digits of some figures stand so far apart that they are read one by one.
    assert "".join(read) == "".join(figures for row in rows for figures in row)


def test_the_embedded_model_says_that_it_reads_lines():
    config = json.loads((EMBEDDED_MODEL / "processor_config.json").read_text())
    assert config["reads"] == "lines"
