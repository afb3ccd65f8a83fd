"""Picture files are seen as a person sees them."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from got_ocr2.documents import Limits, open_document, open_source
from got_ocr2.errors import FileAccessError, InputError, InvalidOptionError

# Four corners that no flip or turn maps onto themselves; 3 x 2 so that width and height cannot be mixed up.
CORNERS = np.zeros((2, 3, 3), np.uint8)
CORNERS[0, 0], CORNERS[0, 2], CORNERS[1, 0] = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def picture(**save) -> bytes:
    """`CORNERS`, magnified so that lossy formats keep the colours apart."""
    return saved(Image.fromarray(CORNERS).resize((48, 32), Image.Resampling.NEAREST), **save)


def saved(image: Image.Image, **save) -> bytes:
    out = io.BytesIO()
    image.save(out, **save)
    return out.getvalue()


def only_page(data: bytes) -> Image.Image:
    (page,) = open_source(data)
    return page.image


def reduced(image: Image.Image) -> np.ndarray:
    """Back to one pixel a block."""
    return np.asarray(image.resize((image.width // 16, image.height // 16), Image.Resampling.BOX))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_undone_once(format, orientation):
    stored_to_seen = {
        1: CORNERS,
        2: CORNERS[:, ::-1],
        3: CORNERS[::-1, ::-1],
        4: CORNERS[::-1],
        5: CORNERS.transpose(1, 0, 2),
        6: np.rot90(CORNERS, -1),
        7: CORNERS[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(CORNERS),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(format, {})
    seen = only_page(picture(format=format, exif=exif, **options))
    assert seen.mode == "RGB"
    np.testing.assert_allclose(reduced(seen).astype(int), stored_to_seen[orientation], atol=12)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_transparency_is_flattened_on_white(mode):
    if mode in ("RGBA", "LA"):
        image = Image.new(mode, (4, 2), 0)
        image.putpixel((0, 0), (0, 0, 0, 255) if mode == "RGBA" else (0, 255))
        data = saved(image, format="PNG")
    else:
        image = Image.new("P", (4, 2), 1)
        image.putpalette([0, 0, 0, 90, 90, 90])
        image.putpixel((0, 0), 0)
        data = saved(image, format="GIF" if mode == "PA" else "PNG", transparency=1)
    pixels = np.asarray(only_page(data))
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert pixels[1, 3].tolist() == [255, 255, 255]


def test_16_bit_grey_keeps_its_tones():
    array = np.array([[0, 257 * 10, 257 * 100, 65535]], np.uint16)
    for format in ("PNG", "TIFF"):
        assert np.asarray(only_page(saved(Image.fromarray(array), format=format)))[0, :, 0].tolist() == [
            0,
            10,
            100,
            255,
        ]


def test_cmyk_is_converted():
    white_and_black = Image.fromarray(
        np.array([[[0] * 4] * 16 + [[0, 0, 0, 255]] * 16] * 16, np.uint8), "CMYK"
    )
    pixels = np.asarray(only_page(saved(white_and_black, format="JPEG", quality=95)))
    assert pixels[8, 4].min() > 245
    assert pixels[8, 28].max() < 10


@pytest.mark.parametrize("format", ["TIFF", "GIF", "WEBP", "PNG"])
def test_every_frame_is_a_page(format):
    frames = [Image.new("RGB", (8, 6), (level, level, level)) for level in (0, 120, 240)]
    options = {"WEBP": {"lossless": True}, "GIF": {"duration": 10}, "PNG": {"duration": 10}}.get(format, {})
    data = saved(frames[0], format=format, save_all=True, append_images=frames[1:], **options)
    pages = list(open_source(data))
    assert [page.number for page in pages] == [1, 2, 3]
    assert [page.image.getpixel((4, 3))[0] for page in pages] == pytest.approx([0, 120, 240], abs=2)
    with open_document(data, pages="3,1") as document:
        assert (document.page_count, document.numbers, len(document)) == (3, (3, 1), 2)
        assert [page.image.getpixel((0, 0))[0] for page in document] == pytest.approx([240, 0], abs=2)


def test_frames_of_a_phone_picture_are_not_pages():
    frames = [Image.new("RGB", (8, 6), level) for level in ("black", "white")]
    data = saved(frames[0], format="MPO", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(data)) as image:
        assert image.n_frames == 2
    assert only_page(data).getpixel((0, 0)) == (0, 0, 0)


def test_reduced_copies_in_a_tiff_are_not_pages():
    out = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(out) as tiff:
        for size, reduced_copy in (((40, 30), 0), ((8, 6), 1), ((20, 50), 0)):
            Image.new("L", size, 9).save(tiff, format="TIFF", tiffinfo={254: reduced_copy})
            tiff.newFrame()
    pages = list(open_source(out.getvalue()))
    assert [(page.number, page.image.size) for page in pages] == [(1, (40, 30)), (2, (20, 50))]


def test_pages_outlive_their_document_and_each_other():
    frames = [Image.new("RGB", (5, 4), color) for color in ("red", "blue")]
    data = saved(frames[0], format="TIFF", save_all=True, append_images=frames[1:])
    pages = list(open_source(data))
    assert [page.image.getpixel((0, 0)) for page in pages] == [(255, 0, 0), (0, 0, 255)]


def test_pictures_in_memory_are_left_alone():
    image = Image.new("LA", (3, 2), (0, 0))
    array = np.full((2, 3), 7, np.uint8)
    (seen,), (from_array,) = open_source(image), open_source(array)
    assert seen.image.getpixel((0, 0)) == (255, 255, 255)
    assert (image.mode, image.getpixel((0, 0))) == ("LA", (0, 0))
    assert (seen.source, from_array.source) == ("<image>", "<array>")
    assert from_array.image.getpixel((0, 0)) == (7, 7, 7)
    with pytest.raises(InvalidOptionError, match="ends at page 1"):
        open_document(image, pages="2")


def test_a_frame_of_an_open_file_is_one_page(tmp_path):
    path = tmp_path / "two.tiff"
    frames = [Image.new("RGB", (5, 4), color) for color in ("red", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with Image.open(path) as image:
        image.seek(1)
        (page,) = open_source(image)
    assert page.image.getpixel((0, 0)) == (0, 0, 255)
    assert page.source == str(path)


# --- damage and limits ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"is empty \(0 bytes\)\.$"),
        (b"hello, this is a text", r"is neither a picture in a known format nor a PDF\.$"),
        (b"\x89PNG\r\n\x1a\n", r"is neither a picture .* nor a PDF\.$|is damaged"),
        (b"\x00" * 4096, r"is neither a picture"),
    ],
    ids=["empty", "text", "signature-only", "zeros"],
)
def test_what_is_no_picture_is_refused_in_one_sentence(tmp_path, data, message):
    path = tmp_path / "scan.png"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        open_document(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP"])
def test_truncated_files_are_refused_wherever_they_end(format):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8))
    data = saved(noise, format=format)
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(InputError, match=r"<bytes> is (damaged|neither a picture|empty).*[^.]\.$"):
            list(open_source(data[: int(len(data) * share)]))


@pytest.mark.parametrize("seed", range(20))
def test_flipped_bytes_give_a_page_or_one_of_our_errors(seed):
    rng = np.random.default_rng(seed)
    for format in ("PNG", "JPEG", "TIFF", "GIF"):
        data = bytearray(picture(format=format))
        for place in rng.integers(0, len(data), 8):
            data[place] = rng.integers(0, 256)
        try:
            outcomes = {page.image.mode for page in open_source(bytes(data))}
        except InputError as e:
            outcomes = {"RGB" if "\n" not in str(e) else str(e)}
        assert outcomes == {"RGB"}


def test_one_broken_frame_does_not_hide_the_others():
    noise = np.random.default_rng(1).integers(0, 256, (3, 40, 40, 3), np.uint8)
    frames = [Image.fromarray(frame) for frame in noise]
    data = bytearray(
        saved(frames[0], format="TIFF", save_all=True, append_images=frames[1:], compression="jpeg")
    )
    with Image.open(io.BytesIO(data)) as image:
        image.seek(1)
        start, length = image.tag_v2[273][0], image.tag_v2[279][0]
    data[start : start + length] = bytes(length)
    with open_document(bytes(data)) as document:
        assert document.load(1).image.size == (40, 40)
        with pytest.raises(InputError, match=r"^page 2 of <bytes> is damaged"):
            document.load(2)
        assert document.load(3).image.size == (40, 40)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims any size."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def test_decompression_bombs_are_refused_before_they_are_decoded():
    with pytest.raises(
        InputError, match=r"10000 x 9000 = 90,000,000 pixels, more than the limit of 89,000,000"
    ):
        open_document(bomb(10_000, 9_000))
    with pytest.raises(InputError, match=r"too large for Pillow: .*10000000000 pixels"):
        open_document(bomb(100_000, 100_000), limits=Limits(max_pixels=10**12))


def test_the_pixel_limit_is_the_callers():
    data = saved(Image.new("L", (100, 50)), format="PNG")
    with pytest.raises(
        InputError, match=r"<bytes> is 100 x 50 = 5,000 pixels, more than the limit of 4,999 \(max_pixels\)"
    ):
        open_document(data, limits=Limits(max_pixels=4_999))
    assert only_page(data).size == (100, 50)
    with pytest.raises(InputError, match=r"<image> is 100 x 50"):
        open_document(Image.new("L", (100, 50)), limits=Limits(max_pixels=4_999))


def test_every_frame_is_held_to_the_pixel_limit():
    data = saved(
        Image.new("L", (9, 9)), format="TIFF", save_all=True, append_images=[Image.new("L", (90, 90))]
    )
    with open_document(data, limits=Limits(max_pixels=100)) as document:
        assert document.load(1).image.size == (9, 9)
        with pytest.raises(InputError, match="page 2 of <bytes> is 90 x 90"):
            document.load(2)


def test_the_page_limit_counts_the_pages_asked_for():
    frames = [Image.new("L", (2, 2), level) for level in range(5)]
    data = saved(frames[0], format="TIFF", save_all=True, append_images=frames[1:])
    limits = Limits(max_pages=4)
    with pytest.raises(
        InputError, match=r"<bytes> has 5 pages to read, more than the limit of 4 \(max_pages\)"
    ):
        open_document(data, limits=limits)
    with open_document(data, pages="2-5", limits=limits) as document:
        assert document.numbers == (2, 3, 4, 5)


def test_postscript_is_never_handed_to_an_interpreter():
    data = saved(Image.new("RGB", (20, 20)), format="EPS")
    with pytest.raises(InputError, match="is a PostScript program, which is not run"):
        open_document(data)


@pytest.mark.parametrize("name", ["max_bytes", "max_pixels", "max_pages", "timeout", "deadline"])
def test_limits_are_above_zero(name):
    with pytest.raises(InvalidOptionError, match=f"{name} must be above 0, got 0"):
        Limits(**{name: 0})


def test_a_missing_file_is_a_matter_of_access(tmp_path):
    with pytest.raises(FileAccessError, match="does not exist"):
        open_document(tmp_path / "nowhere.png")


@pytest.mark.parametrize("pages", [None, "1-", "5,1-"])
def test_a_picture_that_claims_many_frames_takes_no_memory_for_them(pages):
    out = io.BytesIO()
    frames = [Image.new("L", (4, 3), level) for level in (0, 99)]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    data = bytearray(out.getvalue())
    place = data.index(b"acTL")
    struct.pack_into(">I", data, place + 4, 2**27)
    struct.pack_into(">I", data, place + 12, zlib.crc32(data[place : place + 12]))
    tracemalloc.start()
    with pytest.raises(InputError, match=r"pages to read, more than the limit of 2,000 \(max_pages\)"):
        open_document(bytes(data), pages=pages)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
