"""The literal ids of both dialects, as they are known of the original code and of transformers."""

import pytest
from PIL import Image

from got_ocr2.errors import InvalidOptionError
from got_ocr2.processing import GotOcr2ImageProcessor, GotOcr2Processor
from got_ocr2.processing.prompts import Question

PREFIX = [
    *(151_644, 8948, 198, 2610, 1265, 1795, 279, 11221, 15516, 323, 10339, 697, 11253, 304, 7716, 13),
    *(151_645, 151_644, 872, 198, 151_857),
]
SUFFIX = [151_645, 151_644, 77_091, 198]
IMAGE, IMAGE_END, NEWLINE, SPACE = 151_859, 151_858, 198, 220
OCR, SPACE_OCR, COLON = 93_495, 80_577, 25
WITH_FORMAT = [448, 3561]
ACROSS_PAGES = [3941, 7299, 6816]
UPON_PATCHES = [5193, 279, 10_900, 5785]
RED = [58, 1151, 60]


def page(width=600, height=800):
    return Image.new("RGB", (width, height), "white")


@pytest.fixture(scope="module")
def make(qwen_tokenizer):
    def processor(dialect):
        return GotOcr2Processor(GotOcr2ImageProcessor((32, 32)), qwen_tokenizer, dialect=dialect)

    return processor


def whole(question, images=1):
    return [*PREFIX, *[IMAGE] * (256 * images), IMAGE_END, NEWLINE, *question, COLON, SPACE, *SUFFIX]


@pytest.mark.parametrize(
    ("kwargs", "question", "length"),
    [
        ({}, [OCR], 286),
        ({"format": True}, [OCR, *WITH_FORMAT], 288),
        ({"color": "red"}, [*RED, SPACE_OCR], 289),
        ({"color": "red", "format": True}, [*RED, SPACE_OCR, *WITH_FORMAT], 291),
        ({"crop_to_patches": True, "max_patches": 1}, [OCR, *UPON_PATCHES], 290),
        (
            {"crop_to_patches": True, "max_patches": 1, "format": True},
            [OCR, *WITH_FORMAT, *UPON_PATCHES],
            292,
        ),
        ({"multi_page": True, "format": True}, [OCR, *WITH_FORMAT, *ACROSS_PAGES], 291),
    ],
)
def test_original_ids(make, kwargs, question, length):
    ids = make("original")(page(), **kwargs).input_ids[0].tolist()
    assert ids == whole(question)
    assert len(ids) == length


@pytest.mark.parametrize(
    ("kwargs", "question", "length"),
    [
        ({}, [SPACE_OCR], 286),
        ({"format": True}, [SPACE_OCR, *WITH_FORMAT], 288),
        ({"color": "red"}, [*RED, SPACE, SPACE_OCR], 290),
        ({"multi_page": True}, [SPACE_OCR, *ACROSS_PAGES], 289),
        ({"multi_page": True, "format": True}, [SPACE_OCR, *WITH_FORMAT, *ACROSS_PAGES], 291),
        (
            {"crop_to_patches": True, "max_patches": 1, "format": True},
            [SPACE_OCR, *WITH_FORMAT, *UPON_PATCHES],
            292,
        ),
    ],
)
def test_hf_ids(make, kwargs, question, length):
    ids = make("hf")(page(), **kwargs).input_ids[0].tolist()
    assert ids == whole(question)
    assert len(ids) == length


@pytest.mark.parametrize("dialect", ["hf", "original"])
def test_box_ids(make, qwen_tokenizer, dialect):
    ids = make(dialect)(page(), box=[60, 80, 300, 400]).input_ids[0].tolist()
    assert len(ids) == 306
    assert ids == whole(qwen_tokenizer.encode("[100, 100, 500, 500] OCR"))
    ids = make(dialect)(page(), box=[60, 80, 300, 400], format=True).input_ids[0].tolist()
    assert ids == whole(qwen_tokenizer.encode("[100, 100, 500, 500] OCR with format"))


@pytest.mark.parametrize("pages", [2, 3])
def test_pages_stand_in_one_block(make, pages):
    for dialect, word in (("original", OCR), ("hf", SPACE_OCR)):
        ids = make(dialect)([page()] * pages, multi_page=True, format=True).input_ids[0].tolist()
        assert ids == whole([word, *WITH_FORMAT, *ACROSS_PAGES], images=pages)
        assert len(ids) == 291 + 256 * (pages - 1)


def test_tiles_stand_in_one_block_with_the_thumbnail_last(make):
    ids = make("original")(page(), crop_to_patches=True, max_patches=6, format=True).input_ids[0].tolist()
    assert ids == whole([OCR, *WITH_FORMAT, *UPON_PATCHES], images=7)  # 3 rows of 2, and the whole page


def test_points_are_an_original_question(make, qwen_tokenizer):
    ids = make("original")(page(), box=(300, 400)).input_ids[0].tolist()
    assert ids == whole(qwen_tokenizer.encode("[500, 500] OCR"))
    with pytest.raises(InvalidOptionError, match="got 2 values"):
        make("hf")(page(), box=(300, 400))


@pytest.mark.parametrize(
    ("dialect", "question", "expected"),
    [
        ("hf", Question(), " OCR: "),
        ("hf", Question(color="dark red"), "[dark red]  OCR: "),
        ("hf", Question(box=[1, 2, 3, 4]), "[1, 2, 3, 4] OCR: "),
        ("hf", Question(box=[1, 2, 3, 4], color="b", format=True), "[b] [1, 2, 3, 4] OCR with format: "),
        ("hf", Question(multi_page=True, patches=True), " OCR across multi pages upon the patch reference: "),
        ("hf", Question(color="b", multi_page=True), "[b]  OCR across multi pages: "),
        ("hf", Question(box=[1, 2, 3, 4], patches=True), "[1, 2, 3, 4] OCR upon the patch reference: "),
        ("original", Question(), "OCR: "),
        ("original", Question(color="blue"), "[blue] OCR: "),
        ("original", Question(box=(1, 2, 3, 4), format=True), "[1, 2, 3, 4] OCR with format: "),
        ("original", Question(multi_page=True, format=True), "OCR with format across multi pages: "),
        ("original", Question(patches=True), "OCR upon the patch reference: "),
    ],
)
def test_wordings(dialect, question, expected):
    assert question.wording(dialect) == expected


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question(box=[1, 2, 3, 4], color="red"), "no prompt for a box and a color together"),
        (Question(color="red", patches=True), "a color and crop_to_patches"),
        (Question(box=[1, 2, 3, 4], patches=True), "a box and crop_to_patches"),
        (Question(multi_page=True, format=True, patches=True), "multi_page and crop_to_patches"),
        (Question(multi_page=True), "several pages formatted only"),
        (Question(color="pink"), "red, green, blue, got 'pink'"),
    ],
)
def test_what_the_original_never_asks_is_refused(question, message):
    with pytest.raises(InvalidOptionError, match=message):
        question.wording("original")


@pytest.mark.parametrize("dialect", ["hf", "original"])
@pytest.mark.parametrize("color", ["", " ", "[red]", "<imgpad>", "re\nd", 3, ["red"]])
def test_wrong_colors_are_refused(dialect, color):
    with pytest.raises(InvalidOptionError, match="color must be"):
        Question(color=color).wording(dialect)
