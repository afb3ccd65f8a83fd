"""The kinds of input in docs/inputs.md that have no test of their own elsewhere."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pikepdf
import pytest
from PIL import Image, ImageCms

from got_ocr2.documents import open_document, open_source, pictures, source_name
from got_ocr2.errors import FileAccessError, InputError
from make_pdf import make_pdf


def saved(image: Image.Image, format: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def changed(data: bytes, change, **options) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        change(pdf)
        pdf.save(out, **options)
    return out.getvalue()


def sizes(data: bytes, dpi: float = 72) -> list[tuple[int, int]]:
    return [page.image.size for page in open_source(data, dpi=dpi)]


def zipped(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"AT&TFORM\0\0\0\0DJVU", "a DjVu document; .*ddjvu"),
        (b"%!PS-Adobe-3.0\n", "a PostScript program.*ps2pdf"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x"></svg>', "an SVG drawing; .*rsvg-convert"),
        (b"<!DOCTYPE html><html></html>", "a web page; print it to a PDF"),
        (b"{\\rtf1 }", "an RTF document; save it as a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "an Office document; save it as a PDF"),
        (zipped("word/document.xml"), "an Office document; save it as a PDF"),
        (zipped("xl/workbook.xml"), "an Office document; save it as a PDF"),
        (zipped("ppt/presentation.xml"), "an Office document; save it as a PDF"),
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/epub+zip", "an EPUB book"),
        (zipped("scan.png"), "an archive; unpack it"),
        (b"\x1f\x8b" + bytes(99), "a compressed file; unpack it"),
        (b"\xff\x0a" + bytes(99), "a JPEG XL picture"),
    ],
)
def test_what_is_refused_says_what_to_do(data, said):
    with pytest.raises(InputError, match=rf"^<bytes> is {said}.*\.$"):
        open_document(data)


def test_heic_without_its_plugin_names_the_extra(monkeypatch):
    monkeypatch.setattr(pictures, "_register_heif", lambda: None)
    monkeypatch.setattr(Image, "ID", [name for name in Image.ID if name not in ("HEIF", "AVIF")])
    data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99)
    with pytest.raises(InputError, match=r"a HEIC picture, .*pip install got-ocr2\[heic\]"):
        list(open_source(data))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_heic_is_read_with_its_plugin():
    plugin = pytest.importorskip("pillow_heif")
    image = Image.new("RGB", (64, 32), "white")
    image.paste("black", (32, 0, 64, 32))
    out = io.BytesIO()
    plugin.from_pillow(image).save(out)
    (page,) = open_source(out.getvalue())
    assert page.image.size == (64, 32)
    assert [page.image.getpixel((x, 16))[0] > 128 for x in (8, 56)] == [True, False]


@pytest.mark.parametrize("size", [(200, 4000), (2880, 1800), (4000, 60)])
def test_long_receipts_and_large_screenshots_keep_their_size(size):
    assert sizes(saved(Image.new("L", size, 200), "PNG")) == [size]


@pytest.mark.parametrize(
    "profile", [None, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), b"no"]
)
def test_cmyk_with_any_profile_is_black_on_white(profile):
    image = Image.new("CMYK", (32, 16), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (16, 0, 32, 16))
    options = {} if profile is None else {"icc_profile": profile}
    (page,) = open_source(saved(image, "TIFF", **options))
    assert page.image.getpixel((3, 3))[0] > 240
    assert page.image.getpixel((28, 3))[0] < 60


@pytest.mark.parametrize("unit", [0.5, 1, 2, 10, 75.5])
@pytest.mark.parametrize("packed", [False, True])
def test_the_unit_of_a_page_is_heeded(unit, packed):
    def change(pdf):
        pdf.pages[1].obj.UserUnit = unit

    mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
    data = changed(make_pdf(["a", "b"], size=(20, 10)), change, object_stream_mode=mode)
    assert sizes(data) == [(20, 10), (-int(-20 * unit // 1), -int(-10 * unit // 1))]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270, -90, 450])
@pytest.mark.parametrize("crop", [None, (10, 20, 60, 50), (-5, -5, 60, 50)])
def test_boxes_and_turns(rotate, crop):
    def change(pdf):
        pdf.pages[0].obj.MediaBox = [-50, -50, 100, 100]
        if crop is not None:
            pdf.pages[0].obj.CropBox = list(crop)
        pdf.pages[0].obj.Rotate = rotate

    x1, y1, x2, y2 = crop or (-50, -50, 100, 100)
    seen = (x2 - x1, y2 - y1)
    assert sizes(changed(make_pdf(["a"]), change)) == [seen if rotate % 180 == 0 else seen[::-1]]


def test_linearised_files_and_damaged_cross_references_are_drawn():
    plain = make_pdf(["Hello"], size=(72, 36))
    expected = next(iter(open_source(plain))).image.tobytes()
    linear = changed(plain, lambda pdf: None, linearize=True)
    damaged = plain.replace(b"startxref\n", b"startxref\n9")
    lost = plain[: plain.rindex(b"xref\n0")]
    for data in (linear, damaged, lost + b"trailer << /Root 1 0 R >>\n"):
        assert next(iter(open_source(data))).image.tobytes() == expected


def test_jpx_streams_are_drawn():
    def change(pdf):
        picture = pdf.make_stream(saved(Image.new("RGB", (16, 16), "red"), "JPEG2000"))
        picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        picture.Width = picture.Height = 16
        picture.ColorSpace, picture.Filter = pikepdf.Name.DeviceRGB, pikepdf.Name.JPXDecode
        pdf.pages[0].obj.Resources.XObject = pikepdf.Dictionary(I=picture)
        pdf.pages[0].obj.Contents = pdf.make_stream(b"q 200 0 0 100 0 0 cm /I Do Q")

    (page,) = open_source(changed(make_pdf(["a"]), change))
    assert page.image.getpixel((50, 50)) == (254, 0, 0) or page.image.getpixel((50, 50))[0] > 240


def test_jbig2_streams_are_drawn():
    image = Image.new("1", (64, 32), 1)
    image.paste(0, (32, 0, 64, 32))
    fax = saved(image, "TIFF", compression="group4", tiffinfo={278: 32})
    with Image.open(io.BytesIO(fax)) as file:
        (start,), (length,) = file.tag_v2[273], file.tag_v2[279]
        white_is_zero = file.tag_v2[262] == 0  # else what the fax calls black is what is seen as white
    # ITU-T T.88: the page (7.4.8), and one generic region coded as a fax is (7.4.6).
    page = struct.pack(">IIIIBH", 64, 32, 0, 0, 0, 0)
    region = struct.pack(">IIIIBB", 64, 32, 0, 0, 0, 1) + fax[start : start + length]
    stream = struct.pack(">IBBBI", 0, 48, 0, 1, len(page)) + page
    stream += struct.pack(">IBBBI", 1, 38, 0, 1, len(region)) + region

    def change(pdf):
        picture = pdf.make_stream(stream)
        picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        picture.Width, picture.Height, picture.BitsPerComponent = 64, 32, 1
        picture.ColorSpace, picture.Filter = pikepdf.Name.DeviceGray, pikepdf.Name.JBIG2Decode
        pdf.pages[0].obj.Resources.XObject = pikepdf.Dictionary(I=picture)
        pdf.pages[0].obj.Contents = pdf.make_stream(b"q 200 0 0 100 0 0 cm /I Do Q")

    (page_seen,) = open_source(changed(make_pdf(["a"]), change), dpi=72)
    left, right = (page_seen.image.getpixel((x, 50))[0] for x in (50, 150))
    light, dark = (left, right) if white_is_zero else (right, left)
    assert light > 240
    assert dark < 15


def test_pages_of_mixed_orientation_and_size():
    def change(pdf):
        pdf.pages[1].obj.Rotate = 90
        pdf.pages[2].obj.MediaBox = [0, 0, 40, 30]
        pdf.pages[3].obj.Rotate, pdf.pages[3].obj.UserUnit = 270, 2

    assert sizes(changed(make_pdf(["a", "b", "c", "d"]), change)) == [
        (200, 100),
        (100, 200),
        (40, 30),
        (200, 400),
    ]


def test_long_greys_take_little_more_memory_than_their_picture():
    data = saved(Image.fromarray(np.zeros((2000, 2000), np.uint16)), "PNG")
    with open_document(data) as document:
        tracemalloc.start()
        document.load(1)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 4_000_000 * 2 + 30_000_000  # 8 bits, 16 bits, and bands of a million pixels


def test_portfolios_and_dynamic_forms_are_refused():
    def portfolio(pdf):
        pdf.Root.Collection = pikepdf.Dictionary(View=pikepdf.Name.D)

    def form(pdf):
        pdf.Root.NeedsRendering = True
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[], XFA=pdf.make_stream(b"<xdp/>"))

    with pytest.raises(InputError, match="a portfolio of attached files; take them out"):
        open_document(changed(make_pdf(["a"]), portfolio))
    with pytest.raises(InputError, match="a dynamic XFA form"):
        open_document(changed(make_pdf(["a"]), form))


@pytest.mark.parametrize("unit", [b"1" + b"0" * 30, b"1" + b"0" * 300, b"9.5e", b"-3", b"0", b"(x)"])
def test_units_that_nobody_means_are_refused_or_left_out(unit):
    data = make_pdf(["a"], size=(20, 10)).replace(b"/Type /Page ", b"/Type /Page /UserUnit " + unit + b" ")
    assert unit in data
    try:
        assert sizes(data) == [(20, 10)]
    except InputError as e:
        assert "pixels, more than the limit" in str(e)  # noqa: PT017


def test_an_empty_text_names_nothing():
    with pytest.raises(FileAccessError, match="An empty text names no document"):
        list(open_source(""))


@pytest.mark.parametrize(
    "name", ["a\u202fb.png", "line\nbreak.png", "./x//y.png", os.fsdecode(b"bad\xff.png")]
)
def test_a_source_is_the_path_that_was_given(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "wb") as file:
        file.write(saved(Image.new("L", (4, 3)), "PNG"))
    (page,) = open_source(name)
    assert (page.source, source_name(name)) == (name, name)


@pytest.mark.skipif(os.name == "nt", reason="Pillow hides its libtiff there")
@pytest.mark.parametrize("shown", [False, True])
def test_libtiff_prints_nothing(shown):
    """In a process of its own: handlers belong to the whole process."""
    data = bytearray(saved(Image.effect_noise((64, 64), 50), "TIFF", compression="tiff_lzw"))
    data[40:400] = bytes(360)
    code = (
        "import sys\nfrom got_ocr2.documents import open_source\nfrom got_ocr2.errors import InputError\n"
        "try:\n    list(open_source(sys.stdin.buffer.read()))\nexcept InputError as e:\n    print(e)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "GOT_OCR2_TRACEBACK"}
    ran = subprocess.run(
        [sys.executable, "-c", code], input=bytes(data), capture_output=True, check=True,
        env=environment | ({"GOT_OCR2_TRACEBACK": "1"} if shown else {}),
    )  # fmt: skip
    assert ran.stdout.count(b"damaged and cannot be decoded") == 1
    assert bool(ran.stderr) is shown
