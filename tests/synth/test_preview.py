"""Contact sheets show each sample, what is asked, and its truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from PIL import Image
from synth_helpers import PageOfLines

from got_ocr2.synth import preview
from got_ocr2.synth.composing.documents import MultiPageEngine
from got_ocr2.synth.preview import ASKED, CAPTION_LINES, contact_sheet
from got_ocr2.synth.sample import Sample, Task


@dataclass(frozen=True)
class Boxed:
    kind: str = "boxed"

    def sample(self, seed: int, index: int) -> Sample:
        return replace(PageOfLines().sample(seed, index), task=Task(box=(20.0, 30.0, 200.0, 90.0)))


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (5, 3, 2), (4, 2, 2)])
def test_sheets_have_a_cell_for_each_sample(count: int, columns: int, rows: int) -> None:
    sheet = contact_sheet(PageOfLines(), 0, count, columns)
    one = contact_sheet(PageOfLines(), 0, 1, 1)
    assert sheet.width - preview.GAP == columns * (one.width - preview.GAP)
    assert sheet.height - preview.GAP == rows * (one.height - preview.GAP)
    assert sheet.tobytes() == contact_sheet(PageOfLines(), 0, count, columns).tobytes()


def test_a_box_that_is_asked_for_is_drawn() -> None:
    picture = np.asarray(preview._picture(Boxed().sample(0, 0)))
    rows, columns = np.nonzero((picture == ASKED).all(-1))
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (20, 30, 200, 90)


def test_pages_stand_side_by_side() -> None:
    sample = MultiPageEngine(PageOfLines(), pages=(3, 3)).sample(0, 0)
    picture = preview._picture(sample)
    assert picture.width > 3 * sample.images[0].width
    assert picture.height == sample.images[0].height


def test_what_is_asked_is_said() -> None:
    task = Task(format=True, box=(1.2, 2, 3, 4), color="red", multi_page=True, crop_to_patches=True)
    assert preview._asked(task) == "format, box 1, 2, 3, 4, red frame, pages, patches"
    assert preview._asked(Task()) == "plain"


def test_captions_keep_their_lines_and_end_in_an_ellipsis() -> None:
    assert preview._caption("", 20) == ["(nothing)"]
    assert preview._caption("one\n\ntwo words and more of them", 12) == [
        "one",
        "",
        "two words",
        "and more of",
        "them",
    ]
    long = preview._caption("\n".join("abc" for _ in range(50)), 10)
    assert len(long) == CAPTION_LINES
    assert long[-1] == "…"


def test_the_caption_font_draws_the_truth() -> None:
    for text in ("\\frac{a}{b} \\alpha", "Déjà vu – Čapek", "{'x': 1}"):
        face = preview._font(text)
        assert face.covers(text)
        assert not face.italic


def test_a_tall_page_is_shown_whole() -> None:
    tall = replace(PageOfLines().sample(0, 0), images=(Image.new("RGB", (40, 900), "red"),))

    class Tall:
        kind = "tall"

        def sample(self, seed: int, index: int) -> Sample:
            return tall

    sheet = np.asarray(contact_sheet(Tall(), 0, 1, 1))
    red = np.nonzero((sheet == (255, 0, 0)).all(-1))[0]
    assert red.max() - red.min() + 1 == preview.PICTURE_HEIGHT
