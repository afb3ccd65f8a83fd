"""The examples are small, sourced, and as their README says."""

from pathlib import Path

from PIL import Image

from got_ocr2.evaluation import load_dataset

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(p.stem for p in EXAMPLES.glob("*.png"))


def test_every_picture_is_small_and_has_its_text():
    assert len(NAMES) >= 8
    for page in load_dataset(EXAMPLES, "pairs").pages:
        assert page.files[0].stat().st_size < 100_000
        with Image.open(page.files[0]) as image:
            assert image.width <= 2000
        lines = page.text.split("\n")
        assert 1 <= len(lines) <= 10
        assert all(line == line.strip() and 1 <= len(line) <= 70 for line in lines)
        assert page.text.isascii()


def test_every_source_is_named_with_its_licence():
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for source in {name.partition("_")[0] for name in NAMES}:
        (row,) = [line for line in readme.splitlines() if line.startswith(f"| `{source}_*`")]
        assert any(licence in row for licence in ("public domain", "BSD-3-Clause", "CC-BY-SA-3.0"))
