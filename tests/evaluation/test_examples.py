"""The examples are small, sourced, and as their README says."""

import re
import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from got_ocr2.evaluation import load_dataset

EXAMPLES = Path(__file__).parents[2] / "examples"
DATASET = load_dataset(EXAMPLES, "pairs")
WHOLE = [page for page in DATASET.pages if page.id.endswith("_page")]
CUTTINGS = [page for page in DATASET.pages if not page.id.endswith("_page")]
LICENCES = (
    "public domain", "no copyright", "BSD-2-Clause", "BSD-3-Clause", "MIT", "CC0-1.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0",
    "GFDL-1.2", "GPL-2.0",
)  # fmt: skip


def test_there_are_enough_of_both_kinds_and_the_folder_stays_small():
    assert len(CUTTINGS) >= 30
    assert len(WHOLE) >= 8
    assert sum(path.stat().st_size for path in EXAMPLES.iterdir()) < 15_000_000


@pytest.mark.parametrize("page", DATASET.pages, ids=lambda page: page.id)
def test_a_picture_is_small_and_its_text_is_typed_as_the_readme_says(page):
    whole = page in WHOLE
    (file,) = page.files
    assert file.stat().st_size < (900_000 if whole else 400_000)
    with Image.open(file) as image:
        assert image.width <= 4000
        image.load()
        assert not image.getexif()
    assert page.text == unicodedata.normalize("NFC", page.text)
    lines = page.text.split("\n")
    assert 1 <= len(lines) <= (100 if whole else 11)
    for line in lines:
        assert line == " ".join(line.split())
        assert 1 <= len(line) <= 120
    assert not set(page.text) & set("\u2018\u2019\u201c\u201d\u2026\ufb01\ufb02")
    assert not re.search(r"\w [;!?]", page.text)


def test_every_source_is_named_with_its_licence():
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    rows = [line for line in readme.splitlines() if line.startswith("| `")]
    sources = {page.id.partition("_")[0] for page in DATASET.pages}
    for source in sources:
        (row,) = [line for line in rows if line.startswith(f"| `{source}_*`")]
        assert any(licence in row for licence in LICENCES)
    assert len(rows) == len(sources)


def test_every_licence_file_is_named_and_there():
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    there = {path.name for path in EXAMPLES.glob("LICENSE-*.txt")}
    assert set(re.findall(r"LICENSE-[\w-]+\.txt", readme)) == there
    named = {page.id.partition("_")[0] for page in DATASET.pages}
    for name in there:
        head = (EXAMPLES / name).read_text(encoding="utf-8").partition("\n\n")[0]
        assert head.startswith("Applies to ")
        assert set(re.findall(r"\b([a-z]+)_", head)) <= named


def test_every_picture_stands_in_the_report():
    report = (EXAMPLES.parent / "docs" / "reports" / "examples.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^\| (\w+) \| \d", report, re.MULTILINE))
    assert shown == {page.id for page in DATASET.pages}
