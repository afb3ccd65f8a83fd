"""PDFs that can be searched: the page untouched, the text in its place, whatever the page's rotation."""

from __future__ import annotations

import ctypes
import io
import json
import os
import shutil
import subprocess
import unicodedata
import xml.etree.ElementTree as ET
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2 as pdfium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from placed_results import placed

from got_ocr2.errors import (
    EncryptedDocumentError,
    FileAccessError,
    InputError,
    InvalidOptionError,
    RenderError,
)
from got_ocr2.rendering.places import Slanted, write
from got_ocr2.rendering.places.layout import advance
from got_ocr2.results import DocumentResult, PageResult, TextPart

SIZE = (800, 600)
SCRIPTS = (
    "Grüße, naïve façade", "Привет, мир", "Καλημέρα κόσμε", "数学は 楽しい", "한국어 텍스트",
    "שלום עולם", "مرحبا بالعالم",
    "नमस्ते दुनिया", "ไทย ภาษา", "∑ αβγ ≤ ∞", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🎼👩‍🔬", "e\u0301a\u0308 combined",
)  # fmt: skip


def noise(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    rng = np.random.default_rng(3)
    return (
        Image.fromarray(rng.integers(0, 255, (size[1] // 8, size[0] // 8, 3), np.uint8))
        .resize(size)
        .convert(mode)
    )


def encoded(picture: Image.Image, format: str, **how) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format, **how)
    return stream.getvalue()


def words_at(data: bytes, page: int = 0) -> list[tuple[str, float, float]]:
    """Words with the centre of their first letter in shares of the page as it is seen, from its upper left."""
    document = pdfium.PdfDocument(data)
    seen = document[page]
    layer = seen.get_textpage()
    found, word, start = [], "", None
    for k in range(layer.count_chars()):
        character = layer.get_text_range(k, 1)
        if not character.strip():
            if word:
                found.append((word, *start))
            word = ""
            continue
        if not word:
            left, bottom, right, top = layer.get_charbox(k, loose=True)
            x, y = ctypes.c_int(), ctypes.c_int()
            pdfium.raw.FPDF_PageToDevice(
                seen, 0, 0, 100000, 100000, 0, (left + right) / 2, (bottom + top) / 2, x, y
            )
            start = (x.value / 100000, y.value / 100000)
        word += character
    if word:
        found.append((word, *start))
    layer.close(), seen.close(), document.close()
    return found


def pdftotext(data: bytes, tmp_path, *options: str) -> str:
    (tmp_path / "made.pdf").write_bytes(data)
    command = ["pdftotext", *options, str(tmp_path / "made.pdf"), "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")


def scan(
    rotate: int = 0, crop: tuple[float, ...] | None = None, content: bytes = b""
) -> tuple[bytes, tuple[int, int]]:
    """A PDF of one picture on a page that may be turned and cropped, and its size in pixels at 144 dpi."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(500, 300))
    image = pdf.make_stream(zlib.compress(noise("L", (50, 30)).tobytes()))
    for key, value in (
        ("/Type", pikepdf.Name.XObject), ("/Subtype", pikepdf.Name.Image), ("/Width", 50), ("/Height", 30),
        ("/ColorSpace", pikepdf.Name.DeviceGray), ("/BitsPerComponent", 8), ("/Filter", pikepdf.Name.FlateDecode),
    ):  # fmt: skip
        image[key] = value
    page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
    page.obj.Contents = pdf.make_stream(content or b"q 500 0 0 300 0 0 cm /Im0 Do Q")
    if rotate:
        page.obj.Rotate = rotate
    if crop:
        page.obj.CropBox = list(crop)
    x1, y1, x2, y2 = crop or (0, 0, 500, 300)
    size = (round(2 * (x2 - x1)), round(2 * (y2 - y1)))
    stream = io.BytesIO()
    pdf.save(stream)
    return stream.getvalue(), size if rotate % 180 == 0 else size[::-1]


@pytest.mark.parametrize("crop", [None, (40, 20, 460, 250)])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270, -90, 450])
def test_words_lie_where_they_were_read_on_turned_and_cropped_pages(rotate, crop):
    data, size = scan(rotate, crop)
    box = (0.2 * size[0], 0.4 * size[1], 0.7 * size[0], 0.5 * size[1])
    made = write(placed(("some words here", box), size=size), "searchable-pdf", source=data)
    assert not made.problems
    found = words_at(made.data)
    assert [word for word, *_ in found] == ["some", "words", "here"]
    for (_, x, y), first in zip(found, (0.5, 5.5, 11.5), strict=True):  # fifteen letters, equally wide
        assert x == pytest.approx(0.2 + 0.5 * first / 15, abs=0.006)
        assert y == pytest.approx(0.45, abs=0.01)


def test_the_streams_of_a_pdf_stay_as_they_are():
    data, size = scan()
    made = write(placed(("text", (10, 10, 90, 40)), size=size), "searchable-pdf", source=data)
    with pikepdf.open(io.BytesIO(data)) as before, pikepdf.open(io.BytesIO(made.data)) as after:
        old, new = before.pages[0], after.pages[0]
        assert (
            new.obj.Resources.XObject.Im0.read_raw_bytes() == old.obj.Resources.XObject.Im0.read_raw_bytes()
        )
        assert new.obj.Contents[1].read_raw_bytes() == old.obj.Contents.read_raw_bytes()
        modes = [ops[0] for ops, op in pikepdf.parse_content_stream(new) if str(op) == "Tr"]
        assert modes == [3]
    drawn = [pdfium.PdfDocument(d)[0].render(scale=1).to_numpy() for d in (data, made.data)]
    assert np.array_equal(*drawn)


def test_the_same_input_gives_the_same_bytes():
    data, size = scan()
    page = placed(("text", (10, 10, 90, 40)), size=size)
    assert write(page, "searchable-pdf", source=data).data == write(page, "searchable-pdf", source=data).data


def test_content_that_never_restores_its_state_does_not_move_the_text():
    data, size = scan(content=b"q 500 0 0 300 0 0 cm q /Im0 Do 1 0 0 1 40 40 cm")
    made = write(
        placed(("text", (0.5 * size[0], 200, 0.9 * size[0], 260)), size=size), "searchable-pdf", source=data
    )
    ((word, x, _),) = words_at(made.data)
    assert word == "text"
    assert x == pytest.approx(0.5 + 0.4 / 8, abs=0.01)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16"])
def test_pictures_are_embedded_without_loss(mode):
    picture = (
        Image.fromarray(np.asarray(noise("L"), np.uint16) * 200)
        if mode == "I;16"
        else noise("RGB").convert(mode)
    )
    made = write(placed(("text", (10, 10, 90, 40)), size=SIZE), "searchable-pdf", source=picture)
    with pikepdf.open(io.BytesIO(made.data)) as pdf:
        image = pdf.pages[0].obj.Resources.XObject.Im
        kept = (
            picture.convert({"RGBA": "RGB", "LA": "L"}.get(mode, mode)) if mode in ("RGBA", "LA") else picture
        )
        expected = np.asarray(picture).astype(">u2").tobytes() if mode == "I;16" else kept.tobytes()
        assert image.read_bytes() == expected
        assert ("/SMask" in image) == (mode in ("RGBA", "LA"))
        assert [float(n) for n in pdf.pages[0].mediabox] == [0, 0, 800 * 72 / 200, 600 * 72 / 200]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_data_stay_as_they_are_and_are_shown_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.new("RGB", (80, 60), "white")
    stored.paste("black", (0, 0, 40, 20))
    data = encoded(stored, "JPEG", exif=exif, dpi=(72, 72))
    size = (80, 60) if orientation < 5 else (60, 80)
    made = write(placed(("a", (1, 1, 30, 9)), size=size), "searchable-pdf", source=data)
    with pikepdf.open(io.BytesIO(made.data)) as pdf:
        assert pdf.pages[0].obj.Resources.XObject.Im.read_raw_bytes() == data
    from PIL import ImageOps

    seen = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("L"), int)
    drawn = np.asarray(pdfium.PdfDocument(made.data)[0].render(scale=1).to_pil().convert("L"), int)
    assert drawn.shape == seen.shape
    assert (abs(drawn - seen) > 100).mean() < 0.06  # but for the edges


def test_every_frame_is_a_page_and_dpi_is_the_pictures_own(tmp_path):
    frames = [noise("L"), noise("1"), noise("RGB")]
    data = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:], dpi=(100, 100))
    pages = [placed((f"page {n}", (10, 10, 100, 40)), number=n, size=SIZE) for n in (1, 3)]
    (tmp_path / "a.tif").write_bytes(data)
    made = write(pages, "searchable-pdf", source=tmp_path / "a.tif")
    with pikepdf.open(io.BytesIO(made.data)) as pdf:
        assert [float(n) for n in pdf.pages[0].mediabox][2:] == [576, 432]
    assert [[w for w, *_ in words_at(made.data, n)] for n in range(3)] == [["page", "1"], [], ["page", "3"]]


@needs_poppler
def test_any_script_comes_back_from_pdftotext(tmp_path):
    widths = [sum(map(advance, text)) * 16 for text in SCRIPTS]
    lines = [(text, (50, 20 + 45 * k, 50 + widths[k], 55 + 45 * k)) for k, text in enumerate(SCRIPTS)]
    made = write(placed(*lines, size=SIZE), "searchable-pdf", source=noise())
    marks = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u200e\u200f\u2066\u2067\u2068\u2069\f"))
    said = [line for line in pdftotext(made.data, tmp_path).translate(marks).splitlines() if line]
    assert [unicodedata.normalize("NFC", s) for s in said] == [
        unicodedata.normalize("NFC", s) for s in SCRIPTS
    ]


@needs_poppler
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("angle", [0.7, 3.0, -6.0, 14.0])
def test_skewed_lines_come_back_as_lines(tmp_path, angle, turn):
    data, size = scan(turn)
    lines = []
    for k, text in enumerate(("The first line leans to one side", "and so do the second and", "the last")):
        spot = Slanted(size[0] / 2, size[1] * (0.3 + 0.12 * k), 11 * len(text), 22, angle)
        lines.append((text, spot.box, angle, 0))
    made = write(placed(*lines, size=size), "searchable-pdf", source=data)
    assert [line for line in pdftotext(made.data, tmp_path).splitlines() if line.strip("\f")] == [
        t for t, *_ in lines
    ]


@pytest.mark.slow
def test_pdf_js_reads_every_script(tmp_path):
    """Needs node, and pdfjs-dist where `npm root --global` or NODE_PATH says."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    roots = [os.environ.get("NODE_PATH", "")]
    if shutil.which("npm"):
        roots.append(
            subprocess.run(["npm", "root", "--global"], capture_output=True, text=True).stdout.strip()
        )
    beside = next((root for root in roots if root and (Path(root) / "pdfjs-dist").is_dir()), None)
    if beside is None:
        pytest.skip("pdfjs-dist is not installed")
    said = [
        *(s.replace("\u200d", "") for s in SCRIPTS),
        "this line leans to one side a bit",
    ]  # it drops joiners
    lines = [
        (t, (50, 20 + 40 * k, 50 + 16 * sum(map(advance, t)), 50 + 40 * k)) for k, t in enumerate(SCRIPTS)
    ]
    leaning = (said[-1], Slanted(400, 560, 11 * len(said[-1]), 22, 3.0).box, 3.0, 0)
    made = write(placed(*lines, leaning, size=SIZE), "searchable-pdf", source=noise())
    (tmp_path / "made.pdf").write_bytes(made.data)
    script = Path(__file__).with_name("read_with_pdfjs.mjs")
    node = ["node", script, Path(beside) / "here.js", tmp_path / "made.pdf"]
    done = subprocess.run(node, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout).split("\n")
    assert [unicodedata.normalize("NFC", line) for line in found] == [
        unicodedata.normalize("NFC", line) for line in said
    ]


@given(
    st.text(
        st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co", "Zs", "Zl", "Zp", "Cf")),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=60, deadline=None)
def test_the_font_says_every_character(text):
    page = placed((text, (50, 50, 700, 90)), size=SIZE)
    made = write(page, "searchable-pdf", source=Image.new("1", SIZE, 1))
    with pikepdf.open(io.BytesIO(made.data)) as pdf:
        font = next(iter(pdf.pages[0].obj.Resources.Font.values()))
        said = {}
        for line in font.ToUnicode.read_bytes().decode().splitlines():
            if line.startswith("<") and line.count("<") == 2 and line != "<0000> <FFFF>":
                code, value = (part.strip("<>") for part in line.split())
                said[code] = bytes.fromhex(value).decode("utf-16-be")
        shown = [
            bytes(ops[0]).hex().upper()
            for ops, op in pikepdf.parse_content_stream(pdf.pages[0])
            if str(op) == "Tj"
        ]
    found = "".join(said[run[i : i + 4]] for run in shown for i in range(0, len(run), 4)).replace(" ", "")
    assert sorted(found) == sorted("".join(unicodedata.normalize("NFC", word) for word in text.split()))


@needs_poppler
def test_wide_gaps_do_not_make_two_columns_of_a_line(tmp_path):
    lines = (("every day, and whatever", (50, 50, 450, 80)), ("get it. But it was not", (50, 90, 450, 120)))
    page = placed(*lines, size=SIZE)
    places = iter(
        [
            (50, 120),
            (160, 200),
            (260, 300),
            (340, 450),
            (50, 90),
            (135, 150),
            (220, 260),
            (300, 320),
            (360, 390),
            (425, 450),
        ]
    )
    words = tuple(
        replace(w, box=(*(x := next(places))[:1], lines[w.start > 22][1][1], x[1], lines[w.start > 22][1][3]))
        for w in page.words
    )
    made = write(replace(page, words=words), "searchable-pdf", source=noise())
    assert pdftotext(made.data, tmp_path).split("\n")[:2] == [said for said, _ in lines]
    xs = [x * SIZE[0] for _, x, _ in words_at(made.data)]
    # PDFium spreads what a mark says evenly over its text
    assert xs == pytest.approx([w.box[0] for w in words], abs=40)


def test_text_that_is_there_already():
    data, size = scan()
    page = placed(("text", (10, 10, 90, 40)), size=size)
    once = write(page, "searchable-pdf", source=data).data
    kept = write(page, "searchable-pdf", source=once)
    assert ["page 1 has text of its own" in str(p) for p in kept.problems] == [True]
    assert [w for w, *_ in words_at(kept.data)] == ["text"]
    added = write(page, "searchable-pdf", source=once, existing_text="add")
    assert not added.problems
    with pikepdf.open(io.BytesIO(added.data)) as pdf:
        assert len(pdf.pages[0].obj.Resources.Font) == 2
    with pytest.raises(RenderError, match="has text of its own"):
        write(page, "searchable-pdf", source=once, strict=True)


def test_encrypted_documents():
    data, size = scan()
    page = placed(("text", (10, 10, 90, 40)), size=size)
    stream = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.save(stream, encryption=pikepdf.Encryption(user="u", owner="o"))
    with pytest.raises(EncryptedDocumentError, match="needs a password"):
        write(page, "searchable-pdf", source=stream.getvalue())
    with pytest.raises(EncryptedDocumentError, match="does not open"):
        write(page, "searchable-pdf", source=stream.getvalue(), password="x")
    assert words_at(write(page, "searchable-pdf", source=stream.getvalue(), password="u").data)


def test_pages_share_resources_without_sharing_the_font():
    pdf = pikepdf.new()
    for _ in range(2):
        pdf.add_blank_page(page_size=(400, 300))
    shared = pdf.make_indirect(pikepdf.Dictionary())
    for page in pdf.pages:
        page.obj.Resources = shared
    stream = io.BytesIO()
    pdf.save(stream)
    made = write(placed(("text", (10, 10, 90, 40)), size=SIZE), "searchable-pdf", source=stream.getvalue())
    with pikepdf.open(io.BytesIO(made.data)) as pdf:
        assert ["/Font" in page.obj.Resources for page in pdf.pages] == [True, False]


@pytest.mark.parametrize(
    ("page", "source", "error", "words"),
    [
        (placed(("a", (1, 1, 9, 9)), number=2, size=SIZE), noise(), RenderError, "not in a document of 1"),
        (placed(("a", (1, 1, 9, 9)), size=(700, 600)), noise(), RenderError, "its picture has 800 x 600"),
        (placed(("a", (1, 1, 9, 9)), size=(600, 600)), scan()[0], RenderError, "another shape"),
        (placed(("a", (1, 1, 9, 9)), size=SIZE), b"nothing", InputError, "not a picture"),
        (placed(("a", (1, 1, 9, 9)), size=SIZE), b"%PDF-1.7 nothing", InputError, "damaged"),
        (placed(("a", (1, 1, 9, 9)), size=SIZE), "/nowhere/a.pdf", FileAccessError, "cannot be read"),
        (placed(("a", (1, 1, 9, 9)), size=SIZE), None, RenderError, "give `source`"),
        (placed(("a", (1, 1, 9, 9)), size=SIZE), Image.new("F", SIZE), InputError, "mode F"),
    ],
)  # fmt: skip
def test_what_cannot_be_done(page, source, error, words):
    with pytest.raises(error, match=words):
        write(page, "searchable-pdf", source=source)


def test_unknown_rule_for_existing_text():
    with pytest.raises(InvalidOptionError, match="got 'replace'"):
        write(
            placed(("a", (1, 1, 9, 9)), size=SIZE), "searchable-pdf", source=noise(), existing_text="replace"
        )


@needs_poppler
@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_words_of_a_real_page_are_found_where_tesseract_saw_them(tmp_path):
    picture = Path(__file__).parents[2] / "examples" / "brochure_paragraph.png"
    command = ["tesseract", picture, "-", "--psm", "6", "tsv"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [row.split("\t") for row in table.splitlines()[1:]]
    width, height = (int(rows[0][8]), int(rows[0][9]))
    text, lines, words, seen = "", [], [], []
    for row in rows:
        left, top, wide, high = map(int, row[6:10])
        box = (left, top, left + wide, top + high)
        if row[0] == "4":
            text += "\n" if text else ""
            lines.append(TextPart("", len(text), len(text), 0.9, box, 0.0, 0))
        elif row[0] == "5" and row[11].strip():
            text += " " if text and text[-1] != "\n" else ""
            words.append(TextPart(row[11], len(text), len(text) + len(row[11]), 0.9, box, 0.0, 0))
            text += row[11]
            lines[-1] = replace(lines[-1], text=text[lines[-1].start :], end=len(text))
            seen.append((row[11], left / width, (left + wide) / width, (top + high / 2) / height))
    page = PageResult(
        text, "complete", "stop", width=width, height=height, lines=tuple(lines), words=tuple(words)
    )
    made = write(page, "searchable-pdf", source=picture)
    assert pdftotext(made.data, tmp_path).split() == text.split()
    document = ET.fromstring(pdftotext(made.data, tmp_path, "-bbox"))
    (sheet,) = (e for e in document.iter() if e.tag.endswith("page"))
    size = float(sheet.get("width")), float(sheet.get("height"))
    found = [e for e in sheet.iter() if e.tag.endswith("word")]
    assert len(found) == len(seen) > 40
    for word, (said, left, right, middle) in zip(found, seen, strict=True):
        assert word.text == said
        assert float(word.get("xMin")) / size[0] == pytest.approx(left, abs=0.01)
        assert float(word.get("xMax")) / size[0] == pytest.approx(right, abs=0.01)
        assert (float(word.get("yMin")) + float(word.get("yMax"))) / 2 / size[1] == pytest.approx(
            middle, abs=0.03
        )


def test_a_document_is_found_by_its_name_and_its_other_pages_stay(tmp_path):
    data, size = scan(90)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for _ in range(2):
            pdf.pages.append(pdf.pages[0])
        pdf.save(tmp_path / "three.pdf")
    name = str(tmp_path / "three.pdf")
    pages = tuple(placed((f"page{n}", (10, 10, 90, 40)), number=n, size=size, source=name) for n in (1, 3))
    made = DocumentResult(name, pages).render("searchable-pdf")
    assert [[w for w, *_ in words_at(made.data, n)] for n in range(3)] == [["page1"], [], ["page3"]]
    assert (made.kind, made.media_type, made.suffix) == ("page", "application/pdf", ".searchable.pdf")
