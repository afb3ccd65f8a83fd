"""Lines that are read before a whole page is: drafts of its text, places for it, and where the two disagree."""

from __future__ import annotations

import io
import json
import random

import pytest
from jsonschema import validate
from PIL import Image, ImageDraw, ImageFont

from fake_ocr import fake_ocr
from got_ocr2.errors import InvalidOptionError
from got_ocr2.layout import find_lines, line_pieces
from got_ocr2.ocr import OCR
from got_ocr2.reading.places.common_runs import partners
from got_ocr2.results import PageResult, json_schema

LEFT = (
    "Every morning the harbour master",
    "writes down which ships have come,",
    "what they carry, and who they",
    "belong to; his book is older",
    "than the town itself, people say.",
)
RIGHT = (
    "Nobody has read it to the end",
    "since 1894, when a clerk looked",
    "for his grandfather's sloop and",
    "found, on page 212, a drawing",
    "of the lighthouse as it was once.",
)


@pytest.fixture(scope="module")
def page():
    """Two columns of five lines, and what each of their cuts says, by its pixels."""
    image = Image.new("RGB", (1040, 420), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(24)
    for left, column in ((50, LEFT), (560, RIGHT)):
        for row, text in enumerate(column):
            draw.text((left, 40 + 62 * row), text, fill="black", font=font)
    lines = find_lines(image).lines
    assert len(lines) == 10
    texts = [*LEFT, *RIGHT]
    said = {
        line_pieces(image, line)[0].image.tobytes(): text for line, text in zip(lines, texts, strict=True)
    }
    assert len(said) == 10
    boxes = {text: line.box for line, text in zip(lines, texts, strict=True)}
    return image, said, boxes


def reader(page, text, said=None):
    """A model that writes `text` of any page, beside a reader of lines that reads those of `page` right."""
    answers = page[1] if said is None else said
    ocr = fake_ocr(lambda pages: text)
    # A line that is made wider or narrower says nothing: no reading is surer than the first.
    ocr._small = fake_ocr(lambda pieces: answers.get(pieces[0].tobytes(), ""), reads="lines")
    return ocr


def placed(page, text, **options):
    result = reader(page, text).read(page[0], boxes=True, draft="lines", max_new_tokens=2000, **options)
    assert result.text == text
    for part in (*result.lines, *result.words):
        assert text[part.start : part.end] == part.text
    return result


def boxes(parts):
    return {part.text: part.box for part in parts}


def near(a, b, within=2.0):
    return a is not None and all(abs(x - y) <= within for x, y in zip(a, b, strict=True))


def test_lines_and_words_get_the_places_of_those_on_the_page(page):
    result = placed(page, "\n".join(LEFT + RIGHT))
    assert result.agreement == 1.0
    assert result.skipped == ()
    assert boxes(result.lines) == page[2]
    assert len(result.words) == sum(len(line.split()) for line in LEFT + RIGHT)
    for word in result.words:
        (line,) = [line for line in result.lines if line.start <= word.start < line.end]
        assert line.box[0] - 25 <= word.box[0] < word.box[2] <= line.box[2] + 25
        assert (word.block, word.angle) == (line.block, line.angle)


def test_columns_in_another_order(page):
    result = placed(page, "\n".join(RIGHT + LEFT))
    assert result.agreement == 1.0
    assert boxes(result.lines) == page[2]
    by_rows = placed(page, "\n".join(f"{a}\n{b}" for a, b in zip(LEFT, RIGHT, strict=True)))
    assert boxes(by_rows.lines) == page[2]


def test_a_line_that_is_left_out_is_named_with_its_place(page):
    text = "\n".join((*LEFT[:2], *LEFT[3:], *RIGHT))
    result = placed(page, text)
    (skipped,) = result.skipped
    assert (skipped.text, skipped.box) == (LEFT[2], page[2][LEFT[2]])
    assert skipped.start == skipped.end == text.index(LEFT[1]) + len(LEFT[1])
    assert not any(line.unsupported for line in result.lines)
    assert 0.9 < result.agreement < 1
    first = placed(page, "\n".join((*LEFT[1:], *RIGHT))).skipped
    assert [(part.text, part.start) for part in first] == [(LEFT[0], 0)]


def test_a_line_that_stands_nowhere_is_unsupported(page):
    invented = "The quick brown fox jumped over my zebras."
    result = placed(page, "\n".join((*LEFT, invented, *RIGHT)))
    assert [line.text for line in result.lines if line.unsupported] == [invented]
    found = boxes(result.lines)
    assert found.pop(invented) is None
    assert found == page[2]
    assert result.skipped == ()
    assert all(word.box is None for word in result.words if word.text in ("quick", "zebras."))


def test_invented_words_inside_running_text_are_a_part_of_their_own(page):
    invented = "while zebras quickly jump past foxes"
    text = " ".join((*LEFT[:2], invented, *LEFT[2:])) + "\n\n" + " ".join(RIGHT)
    result = placed(page, text)
    assert [line.text for line in result.lines if line.unsupported] == [invented]
    found = boxes(result.lines)
    assert found.pop(invented) is None
    assert found == page[2]


def test_only_one_copy_of_what_is_repeated_has_a_place(page):
    result = placed(page, "\n".join((*LEFT, *LEFT[2:], *LEFT[2:], *RIGHT)))
    assert [line.text for line in result.lines if not line.unsupported] == [*LEFT, *RIGHT]
    assert sum(line.unsupported for line in result.lines) == 6
    assert result.skipped == ()


@pytest.mark.parametrize("share", [0.05, 0.1])
def test_letters_that_were_misread_do_not_matter(page, share):
    draw = random.Random(8)
    text = "\n".join(RIGHT + LEFT)
    text = "".join(draw.choice("aeiou") if c.isalpha() and draw.random() < share else c for c in text)
    result = placed(page, text)
    assert not result.skipped
    assert not any(line.unsupported for line in result.lines)
    for line, wanted in zip(result.lines, RIGHT + LEFT, strict=True):
        assert near(line.box, page[2][wanted], within=60)
        assert near(line.box[1::2], page[2][wanted][1::2], within=8)
    assert sum(word.box is not None for word in result.words) >= 0.85 * len(result.words)


def test_another_text_has_no_places(page):
    text = "Pack my box with\nfive dozen jugs."
    result = placed(page, text)
    assert all(line.box is None and line.unsupported for line in result.lines)
    assert all(word.box is None for word in result.words)
    assert len(result.skipped) == 10
    assert result.agreement < 0.1


def test_signs_without_letters_are_not_called_unsupported(page):
    result = placed(page, "\n".join((*LEFT, "* * *", *RIGHT)))
    (rule,) = [line for line in result.lines if line.text == "* * *"]
    assert (rule.box, rule.unsupported) == (None, False)
    assert result.agreement == 1.0


def test_the_places_come_through_json(page):
    result = placed(page, "\n".join((*LEFT[1:], "Zebras quickly jump.", *RIGHT)), confidence="character")
    assert len(result.characters) == len(result.text)
    data = json.loads(result.to_json())
    validate(data, json_schema())
    assert PageResult.from_dict(data) == result


def test_writers_of_places_take_them(page):
    pdfium = pytest.importorskip("pypdfium2")
    invented = "Zebras quickly jump past foxes."
    result = placed(page, "\n".join((*RIGHT, invented, *LEFT)))
    hocr = result.render("hocr")
    assert hocr.text.count("ocr_line") == 10 + 1  # one in the capabilities
    assert [problem.line for problem in hocr.problems] == [6]
    rows = [row.split("\t") for row in result.render("tsv").text.splitlines()[1:]]
    words = {row[11]: [int(cell) for cell in row[6:10]] for row in rows if row[0] == "5"}
    x1, y1, x2, y2 = boxes(result.words)["lighthouse"]
    left, top, width, height = words["lighthouse"]
    assert (left, left + width) == pytest.approx((x1, x2), abs=2)
    assert (top, top + height) == pytest.approx((y1, y2), abs=2)
    stream = io.BytesIO()
    page[0].save(stream, "PNG")
    pdf = pdfium.PdfDocument(result.render("searchable-pdf", source=stream.getvalue()).data)
    found = pdf[0].get_textpage().get_text_range()
    assert all(line in found.replace("\r", "") for line in LEFT + RIGHT)
    assert invented not in found


def test_a_blank_page_has_nothing_to_place(page):
    result = reader(page, "").read(Image.new("RGB", (300, 200), "white"), boxes=True)
    assert (result.lines, result.words, result.skipped, result.agreement) == ((), (), (), 1.0)


def test_a_reader_of_lines_has_places_without_asking(page):
    ocr = fake_ocr(lambda pieces: page[1].get(pieces[0].tobytes(), ""), reads="lines")
    with_boxes, without = ocr.read(page[0], boxes=True), ocr.read(page[0])
    assert (with_boxes.lines, with_boxes.agreement) == (without.lines, None)


def test_a_line_that_cannot_be_read_fails_the_page_alone(page):
    said = {**page[1], next(iter(page[1])): RuntimeError("no")}
    ocr = reader(page, "text", said)
    blank = Image.new("RGB", (300, 200), "white")
    bad, good = ocr.read_many([page[0], blank], boxes=True)
    assert (bad.status, bad.error.message, good.status) == ("failed", "RuntimeError: no", "empty")


def test_what_cannot_be_is_refused(page):
    with pytest.raises(InvalidOptionError, match="boxes are places on one page"):
        reader(page, "").read(page[0], boxes=True, multi_page=True)
    with pytest.raises(InvalidOptionError, match="boxes must be True or False, got 1"):
        reader(page, "").read(page[0], boxes=1)


def test_the_lines_are_a_draft(page):
    text = "\n".join(LEFT + RIGHT)
    plain, drafted = reader(page, text), reader(page, text)
    without, found = (
        plain.read(page[0], max_new_tokens=999),
        drafted.read(page[0], draft="lines", max_new_tokens=999),
    )
    assert (found.text, found.tokens, found.lines) == (without.text, without.tokens, None)
    assert found.speculation.agreement == 1.0
    assert drafted.runner.steps < plain.runner.steps / 3
    both = reader(page, text)
    assert both.read(page[0], draft="lines", boxes=True, max_new_tokens=999).agreement == 1.0
    assert both._small.runner.steps == drafted._small.runner.steps  # read once for both


def test_several_pages_have_one_draft(page):
    text = "\n".join(LEFT + RIGHT + LEFT + RIGHT)
    found = reader(page, text).read([page[0], page[0]], draft="lines", multi_page=True, max_new_tokens=999)
    assert (found.text, found.speculation.agreement) == (text, 1.0)


@pytest.mark.parametrize("kernels", ["auto", "torch"])
def test_a_model_writes_the_same_ids_whatever_the_small_one_read(byte_folder, page, kernels):
    one_line = page[0].crop((0, 20, 520, 90))
    ocr = OCR.from_pretrained(byte_folder, device="cpu", kernels=kernels)
    options = {"max_new_tokens": 40, "on_loop": "ignore", "confidence": "character"}
    plain = ocr.read(one_line, **options)
    drafted = ocr.read(one_line, draft="lines", **options)
    assert (drafted.text, drafted.tokens) == (plain.text, plain.tokens)
    assert drafted.characters == pytest.approx(plain.characters, abs=1e-4)
    assert drafted.speculation is not None
    assert ocr._small.processor.reads == "lines"


def test_the_embedded_model_gives_places(page):
    result = fake_ocr(lambda pages: LEFT[0]).read(page[0].crop((0, 20, 520, 90)), boxes=True)
    (line,) = result.lines
    x1, y1, x2, y2 = page[2][LEFT[0]]
    assert near(line.box, (x1, y1 - 20, x2, y2 - 20), within=4)
    assert result.agreement > 0.8


def test_letters_have_one_partner_each():
    draw = random.Random(0)
    for _ in range(60):
        a, b = ("".join(draw.choices("abc", k=draw.randrange(40))) for _ in range(2))
        found = partners(a, b)
        given = [place for place in found if place >= 0]
        assert len(set(given)) == len(given)
        assert all(a[place] == letter for place, letter in zip(found, b, strict=True) if place >= 0)
    assert partners("", "abc") == [-1] * 3
    assert partners("abcdefghij", "abcdefghij") == list(range(10))
