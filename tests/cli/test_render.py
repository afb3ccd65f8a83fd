"""`got-ocr2 render` and `got-ocr2 read --to`."""

from __future__ import annotations

import io
import zipfile

import pypdfium2
import pytest
from PIL import Image, ImageDraw

PAGE = "\\title{\nA page\n}\n\nCosts \\$5 and \\( x^{2} \\)."


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.mmd"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_one_format_goes_to_standard_output_or_a_file(cli, page, tmp_path):
    ran = cli("render", page, "--to", "md")
    assert (ran.code, ran.out, ran.err) == (0, "# A page\n\nCosts \\$5 and $x^{2}$.\n", "")
    ran = cli("render", page, "--to", "docx", "-o", tmp_path / "out.docx")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert "word/document.xml" in zipfile.ZipFile(io.BytesIO((tmp_path / "out.docx").read_bytes())).namelist()


def test_several_formats_go_to_a_folder(cli, page, tmp_path):
    assert cli("render", page, "--to", "md, html,latex", "-o", tmp_path / "out").code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["page.html", "page.md", "page.tex"]
    ran = cli("render", page, "--to", "md,html", "-o", tmp_path / "out")
    assert (ran.code, "would be overwritten" in ran.err) == (5, True)
    assert cli("render", page, "--to", "md,html", "-o", tmp_path / "out", "--force").code == 0


def test_what_cannot_be_is_one_sentence(cli, page, tmp_path):
    for arguments, said in (
        (("--to", "midi"), "A page cannot be written as midi; it can as md, html,"),
        (("--to", "gif"), "The format is one of md, html,"),
        (("--to", "md,html"), "2 formats cannot all go to standard output"),
        (("--to", "hocr"), "hocr needs the places of words"),
        (("--to", "csv"), "The page has no table."),
        (("--to", "md", "--kind", "song"), "The kind is one of page, music,"),
    ):
        ran = cli("render", page, *arguments)
        assert ran.code in (1, 2)
        assert said in ran.err
    assert cli("render", tmp_path / "none", "--to", "md").code == 5


def test_problems_are_said_and_strict_refuses(cli, tmp_path):
    path = tmp_path / "broken.mmd"
    path.write_text("a\n\\( x", encoding="utf-8")
    ran = cli("render", path, "--to", "md")
    assert (ran.code, ran.err) == (
        0,
        f"{path}, line 2, column 1: the formula that begins with \\( is never closed.\n",
    )
    ran = cli("render", path, "--to", "md", "--strict")
    assert (ran.code, ran.out) == (2, "")
    assert cli("render", path, "--to", "txt", "--plain").out == "a\n\\( x\n"


def test_read_writes_a_file_a_format(cli, picture, tmp_path):
    out = tmp_path / "out"
    ran = cli(
        "read", picture("a.png", 1, 1), "--format", "--to", "md,html,json", "-o", out, answer=lambda _: PAGE
    )
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert sorted(path.name for path in out.iterdir()) == ["a.html", "a.json", "a.md"]
    assert (out / "a.md").read_text() == "# A page\n\nCosts \\$5 and $x^{2}$.\n"
    ran = cli("read", picture("a.png", 1, 1), "--to", "md,html", "-o", out)
    assert (ran.code, "would be overwritten" in ran.err) == (5, True)
    assert cli("read", picture("a.png", 1, 1), "--to", "md,html", "-o", out, "--skip-existing").code == 0


def test_a_format_that_does_not_suit_a_page_is_an_error_for_that_page_alone(cli, picture, tmp_path):
    answers = iter(["a letter", "c1ccccc1O"])
    out = tmp_path / "out"
    sources = picture("a.png", 1, 1), picture("b.png", 1, 1)
    ran = cli("read", *sources, "--format", "--to", "smiles,txt", "-o", out, answer=lambda _: next(answers))
    assert f"{sources[0]}: A page cannot be written as smiles" in ran.err
    assert f"{sources[1]}: A molecule cannot be written as txt" in ran.err
    assert sorted(path.name for path in out.iterdir()) == ["a.txt", "b.smi"]
    assert ran.code == 1


def test_plain_reads_are_not_taken_for_markup(cli, picture):
    ran = cli("read", picture("a.png", 1, 1), "--to", "md", answer=lambda _: "# 1 *x*\n$5 {")
    assert (ran.code, ran.out, ran.err) == (0, "\\# 1 \\*x\\*\\\n\\$5 {\n", "")


def test_standard_output_takes_one_text(cli, picture):
    for formats in ("md,html", "docx"):
        ran = cli("read", picture("a.png", 1, 1), "--to", formats)
        assert (ran.code, "cannot go to standard output" in ran.err) == (1, True)
    assert cli("read", picture("a.png", 1, 1), "--to", "md", "--json").code == 1


def test_a_searchable_pdf_of_an_encrypted_one_takes_the_same_password(cli, tmp_path):
    pikepdf = pytest.importorskip("pikepdf")
    pytest.importorskip("fontTools")
    image = Image.new("L", (600, 200), 255)
    ImageDraw.Draw(image).text((40, 80), "some words to find", fill=0, font_size=40)
    image.save(tmp_path / "a.pdf", resolution=100)
    locked, out = tmp_path / "locked.pdf", tmp_path / "out.pdf"
    with pikepdf.open(tmp_path / "a.pdf") as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(user="u", owner="o"))
    arguments = ("read", locked, "--lines", "--to", "searchable-pdf", "-o", out)
    assert cli(*arguments).code == 8
    ran = cli(*arguments, "--password", "u", answer=lambda _: "some words")
    assert (ran.code, ran.err) == (0, "")
    with pypdfium2.PdfDocument(out) as document:
        assert document[0].get_textpage().get_text_range().strip() == "some words"
