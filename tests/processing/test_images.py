import io
import struct

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, ImageFile

from got_ocr2.errors import InputError, InvalidOptionError
from got_ocr2.processing import as_rgb, to_rgb

rng = np.random.default_rng(5)
RGB = rng.integers(0, 256, (7, 11, 3), dtype=np.uint8)
GREY = rng.integers(0, 256, (7, 11), dtype=np.uint8)
GREY_AS_RGB = np.repeat(GREY[..., None], 3, axis=2)


def pixels(image):
    assert image.mode == "RGB"
    return np.asarray(image)


def test_rgb_is_returned_as_it_is():
    image = Image.fromarray(RGB)
    assert to_rgb(image) is image


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "YCbCr", "HSV", "RGBX"])
def test_modes_without_transparency_are_converted_as_pillow_does(mode):
    image = Image.fromarray(RGB).convert(mode)
    np.testing.assert_array_equal(pixels(to_rgb(image)), np.asarray(image.convert("RGB")))


def over_white(colour, alpha):
    a = alpha[..., None] / 255.0
    return colour * a + 255.0 * (1 - a)


@pytest.mark.parametrize("mode", ["RGBA", "RGBa", "LA", "La"])
def test_transparency_is_flattened_on_white(mode):
    alpha = rng.integers(0, 256, (7, 11), dtype=np.uint8)
    alpha[0] = 0
    colour = RGB if mode.startswith("RGB") else GREY_AS_RGB
    straight = Image.fromarray(np.dstack([RGB, alpha] if mode.startswith("RGB") else [GREY, alpha]))
    got = pixels(to_rgb(straight.convert(mode))).astype(float)
    # Premultiplied bytes have lost most of a colour that was nearly transparent, but not what it looks like.
    assert np.abs(got - over_white(colour, alpha)).max() <= (3 if mode.endswith("a") else 1)
    assert (got[0] == 255).all()


def test_transparent_palette_entries_become_white():
    image = Image.fromarray(GREY % 4).convert("P")
    image.putpalette([0, 0, 0, 250, 0, 0, 0, 250, 0, 0, 0, 250])
    image.info["transparency"] = 2
    got = pixels(to_rgb(image))
    assert (got[GREY % 4 == 2] == 255).all()
    assert (got[GREY % 4 == 0] == 0).all()


def test_a_transparent_colour_of_an_rgb_png_becomes_white():
    image = Image.fromarray(RGB)
    image.info["transparency"] = tuple(int(v) for v in RGB[2, 3])
    got = pixels(to_rgb(image))
    assert (got[2, 3] == 255).all()
    np.testing.assert_array_equal(got[6, 0], RGB[6, 0])


def test_16_bit_grey_keeps_its_tones():
    deep = GREY.astype(np.uint16) * 257
    np.testing.assert_array_equal(pixels(to_rgb(Image.fromarray(deep))), GREY_AS_RGB)
    for format in ("PNG", "TIFF"):
        buffer = io.BytesIO()
        Image.fromarray(deep).save(buffer, format)
        image = Image.open(buffer)
        assert image.mode.startswith("I")
        np.testing.assert_array_equal(pixels(to_rgb(image)), GREY_AS_RGB)


def test_16_bit_grey_of_the_other_byte_order():
    image = Image.frombytes("I;16B", (11, 7), (GREY.astype(">u2") * 257).astype(">u2").tobytes())
    np.testing.assert_array_equal(pixels(to_rgb(image)), GREY_AS_RGB)


def test_32_bit_grey_counts_as_8_or_16_bit_or_is_stretched():
    spread = GREY.astype(np.int32)
    spread[0, :2] = 0, 255
    expected = np.repeat(spread[..., None], 3, axis=2).astype(np.uint8)
    for values in (spread, spread * 257, spread * 70_000, spread * 1000 - 90_000):
        np.testing.assert_array_equal(pixels(to_rgb(Image.fromarray(values))), expected)


def test_float_grey_counts_as_unit_range_or_is_stretched():
    spread = GREY.astype(np.float32) / 255
    np.testing.assert_array_equal(pixels(to_rgb(Image.fromarray(spread))), GREY_AS_RGB)
    spread[0, :2] = 0, 1
    expected = np.rint(spread * 255).astype(np.uint8)
    np.testing.assert_array_equal(pixels(to_rgb(Image.fromarray(spread * 37 - 4)))[..., 0], expected)
    flat = np.full((3, 4), 9.5, dtype=np.float32)
    assert (pixels(to_rgb(Image.fromarray(flat))) == 0).all()


def test_float_grey_must_be_finite():
    with pytest.raises(InputError, match="not finite"):
        to_rgb(Image.fromarray(np.array([[0.5, np.nan]], dtype=np.float32)))


def test_lab_is_converted_through_its_profile():
    source = Image.new("RGB", (5, 4), (200, 60, 30))
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(source, srgb, lab, outputMode="LAB")
    assert np.abs(pixels(to_rgb(image)).astype(int) - (200, 60, 30)).max() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(orientation):
    """The eight orientations, spelt out as what a camera did to the upright picture."""
    stored_from_upright = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = Image.fromarray(np.ascontiguousarray(stored_from_upright[orientation](RGB)))
    exif = stored.getexif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    stored.save(buffer, "PNG", exif=exif)
    upright = to_rgb(Image.open(buffer))
    np.testing.assert_array_equal(pixels(upright), RGB)
    assert to_rgb(upright) is upright


def test_damaged_exif_is_shown_as_stored():
    for junk in (b"Exif\0\0", b"Exif\0\0II*\0" + b"\xff" * 40, b"nonsense", struct.pack(">4sI", b"MM\0*", 8)):
        image = Image.fromarray(RGB)
        image.info["exif"] = junk
        np.testing.assert_array_equal(pixels(to_rgb(image)), RGB)


@pytest.mark.parametrize("filled_up", [False, True])
def test_truncated_files_say_so(filled_up, monkeypatch):
    """Also where another library has told Pillow to fill up what is missing."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", filled_up)
    buffer = io.BytesIO()
    Image.fromarray(RGB).resize((200, 200)).save(buffer, "JPEG")
    with pytest.raises(InputError, match="cannot be decoded"):
        to_rgb(Image.open(io.BytesIO(buffer.getvalue()[:900])))


def test_empty_images_are_refused():
    with pytest.raises(InputError, match="0x5"):
        to_rgb(Image.new("RGB", (0, 5)))


def test_the_current_frame_is_read():
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (6, 5), c) for c in ("black", "white")]
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:])
    image = Image.open(buffer)
    image.seek(1)
    assert (pixels(to_rgb(image)) == 255).all()


ARRAYS = {
    "grey": (GREY, GREY_AS_RGB),
    "one channel": (GREY[..., None], GREY_AS_RGB),
    "rgb": (RGB, RGB),
    "opaque": (np.dstack([RGB, np.full_like(GREY, 255)]), RGB),
    "bool": (GREY > 128, np.repeat((GREY > 128)[..., None], 3, axis=2) * np.uint8(255)),
    "uint16": (RGB.astype(np.uint16) * 257, RGB),
    "float32": ((RGB / 255).astype(np.float32), RGB),
    "float64": (RGB / 255, RGB),
    "float16": ((RGB > 127).astype(np.float16), (RGB > 127) * np.uint8(255)),
    "reversed": (RGB[::-1, ::-1], RGB[::-1, ::-1]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_numpy_images(name):
    array, expected = ARRAYS[name]
    np.testing.assert_array_equal(pixels(as_rgb(array)), expected)


@pytest.mark.parametrize("name", [name for name in ARRAYS if name != "reversed"])
def test_torch_images(name):
    array, expected = ARRAYS[name]
    tensor = torch.from_numpy(array if array.ndim == 2 else np.moveaxis(array, -1, 0).copy())
    np.testing.assert_array_equal(pixels(as_rgb(tensor)), expected)


def test_torch_images_that_need_gradients_or_are_bfloat16():
    tensor = torch.tensor([[[0.0, 1.0, 0.5]]])
    assert pixels(as_rgb(tensor.requires_grad_()))[0, 1, 0] == 255
    assert pixels(as_rgb(tensor.bfloat16()))[0, 2, 0] == 128


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((5, 7, 11), np.uint8), r"shape \(5, 7, 11\)"),
        (np.zeros((2, 3, 4, 3), np.uint8), r"shape \(2, 3, 4, 3\)"),
        (np.zeros((0, 4), np.uint8), r"shape \(0, 4\)"),
        (torch.zeros((7, 11, 5)), r"shape \(7, 11, 5\)"),
        (torch.zeros(()), r"shape \(\)"),
        (np.full((4, 5), 255.0), "0..1, got 255..255"),
        (np.array([[0.5, np.nan]]), "0..1"),
        (np.zeros((4, 5), np.int64), "int64"),
        (np.zeros((4, 5), np.complex64), "complex64"),
        ("page.png", "got str"),
        (None, "got NoneType"),
    ],
)
def test_what_is_no_image_is_refused(image, message):
    with pytest.raises(InvalidOptionError, match=message):
        as_rgb(image)
