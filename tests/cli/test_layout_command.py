"""`got-ocr2 layout` draws and lists the lines of pages."""

from __future__ import annotations

import json

from PIL import Image, ImageDraw, ImageFont


def written(path, count=3):
    image = Image.new("RGB", (420, 60 + 50 * count), "white")
    for i in range(count):
        ImageDraw.Draw(image).text((20, 20 + 50 * i), "some words of print", 0, ImageFont.load_default(26))
    image.save(path)
    return path


def test_summary_and_picture(cli, tmp_path):
    page = written(tmp_path / "page.png")
    ran = cli("layout", page, "-o", tmp_path / "lines.png")
    assert (ran.code, ran.err) == (0, "")
    assert "3 lines in 1 block, turn 0" in ran.out
    with Image.open(tmp_path / "lines.png") as drawn, Image.open(page) as plain:
        assert drawn.size == plain.size
        assert len(drawn.convert("RGB").getcolors(10_000)) > len(plain.convert("RGB").getcolors(10_000))
    again = cli("layout", page, "-o", tmp_path / "lines.png")
    assert again.code != 0
    assert "--force" in again.err


def test_json_and_several_inputs(cli, tmp_path):
    pages = [written(tmp_path / "a.png", 2), written(tmp_path / "b.png", 4)]
    ran = cli("layout", *pages, "--json", "-o", tmp_path / "out")
    assert ran.code == 0
    found = [json.loads(line) for line in ran.out.splitlines()]
    assert [len(page["lines"]) for page in found] == [2, 4]
    assert found[0]["size"] == [420, 160]
    assert {"box", "quad", "angle", "letter_height", "block", "order", "light_on_dark", "bend"} == set(
        found[0]["lines"][0]
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png"]


def test_pages_have_numbers(cli, tmp_path, picture):
    ran = cli("layout", picture("two.tif", 50, 40, 50, 40), "-o", tmp_path / "lines.png")
    assert ran.code == 0
    assert sorted(path.name for path in tmp_path.glob("lines*")) == ["lines-1.png", "lines-2.png"]


def test_mistakes_have_one_sentence(cli, tmp_path):
    page = written(tmp_path / "page.png")
    assert "turn must be" in cli("layout", page, "--turn", "45").err
    ran = cli("layout", tmp_path / "missing.png", page)
    assert ran.code != 0
    assert "missing.png" in ran.err
    assert "3 lines" in ran.out
    assert "ending" in cli("layout", page, "-o", tmp_path / "lines.xyz").err
