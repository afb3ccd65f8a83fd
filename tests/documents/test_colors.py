"""Profiles and gamma: colours come out as a person sees them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from got_ocr2.documents import open_source

D50 = (0.9642, 1.0, 0.8249)
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141))
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
BUILT_IN = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def profile(gamma: float, primaries=None) -> bytes:
    """A profile by hand (ICC.1): grey, or three primaries under D50."""

    def fixed(*values):
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = [
        (b"desc", b"desc" + bytes(4) + struct.pack(">I", 2) + b"x" + bytes(80)),
        (b"wtpt", b"XYZ " + bytes(4) + fixed(*D50)),
    ]
    if primaries is None:
        tags.append((b"kTRC", curve))
    else:
        tags += [
            (name + b"XYZ", b"XYZ " + bytes(4) + fixed(*xyz))
            for name, xyz in zip((b"r", b"g", b"b"), primaries, strict=True)
        ]
        tags += [(name + b"TRC", curve) for name in (b"r", b"g", b"b")]
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags:
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    kind = b"RGB " if primaries else b"GRAY"
    head = struct.pack(
        ">I4sI4s4s4s", 128 + len(table) + len(body), b"test", 0x02100000, b"mntr", kind, b"XYZ "
    )
    head += bytes(12) + b"acsp" + bytes(28) + fixed(*D50)
    return head + bytes(128 - len(head)) + table + body


def coded(light: np.ndarray) -> np.ndarray:
    """Light 0..1 -> levels of sRGB (IEC 61966-2-1)."""
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


RAMP = np.arange(0, 256, 5, dtype=np.uint8)[None]


def saved(image: Image.Image, format: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def seen(source) -> np.ndarray:
    (page,) = open_source(source)
    return np.asarray(page.image).astype(int)


MODES = {"PNG": ["L", "RGB", "RGBA", "LA", "P"], "JPEG": ["L", "RGB"], "WEBP": ["RGB"]}
MODES["TIFF"] = MODES["PNG"]


@pytest.mark.parametrize(("format", "mode"), [(format, mode) for format in MODES for mode in MODES[format]])
def test_linear_pictures_are_brightened(format, mode):
    image = Image.fromarray(RAMP).resize((52, 16), Image.Resampling.NEAREST).convert(mode)
    grey = mode in ("L", "LA")
    options = {"quality": 100} if format == "JPEG" else {"lossless": True} if format == "WEBP" else {}
    data = saved(image, format, icc_profile=profile(1.0, None if grey else SRGB), **options)
    expected = np.repeat(coded(RAMP[0] / 255)[:, None], 3, 1)
    np.testing.assert_allclose(seen(data)[8], expected, atol=8 if grey else 4)  # lcms rounds dark greys


def test_wide_gamut_colours_and_opacity():
    image = Image.new("RGBA", (9, 9), (140, 90, 60, 255))
    image.putpixel((0, 0), (140, 90, 60, 0))
    got = seen(saved(image, "PNG", icc_profile=profile(2.2, ADOBE)))
    light = (np.array([140, 90, 60]) / 255) ** 2.2 @ np.array(ADOBE) @ np.linalg.inv(np.array(SRGB))
    np.testing.assert_allclose(got[4, 4], coded(light), atol=2)
    assert got[0, 0].tolist() == [255, 255, 255]
    assert got[4, 4, 0] > 150  # more than what is stored


@pytest.mark.parametrize("icc", [BUILT_IN, b"no", profile(1.0), profile(2.2)[:90]])
def test_what_looks_like_srgb_or_is_no_profile_of_the_picture_changes_nothing(icc):
    image = Image.fromarray(RAMP).convert("RGB")
    assert seen(saved(image, "PNG", icc_profile=icc)).tolist() == np.asarray(image).tolist()


@pytest.mark.parametrize(("bits", "kind"), [(16, 1), (32, 3), (12, 1)])
def test_linear_tiff_of_long_samples(bits, kind, tmp_path):
    light = np.linspace(0.05, 1, 40)
    array = (
        light[None].astype(np.float32)
        if kind == 3
        else np.rint(light[None] * (2**bits - 1)).astype(np.uint16)
    )
    if bits == 12:
        array = array * 16
    data = saved(Image.fromarray(array), "TIFF", icc_profile=profile(1.0))
    np.testing.assert_allclose(seen(data)[0, :, 0], coded(light), atol=6)


def with_chunk(data: bytes, name: bytes, body: bytes) -> bytes:
    chunk = struct.pack(">I", len(body)) + name + body
    return data[:33] + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + data[33:]


@pytest.mark.parametrize("mode", ["L", "RGB", "LA", "P", "I;16"])
@pytest.mark.parametrize("gamma", [1.0, 0.7, 1 / 1.8, 1 / 2.2])
def test_gamma_of_png(mode, gamma):
    array = RAMP.astype(np.uint16) * 257 if mode == "I;16" else RAMP
    image = Image.fromarray(array) if mode == "I;16" else Image.fromarray(array).convert(mode)
    data = with_chunk(saved(image, "PNG"), b"gAMA", struct.pack(">I", round(gamma * 100_000)))
    expected = RAMP[0] if gamma < 0.5 else coded((RAMP[0] / 255) ** (1 / gamma))
    np.testing.assert_allclose(seen(data)[0, :, 0], expected, atol=1)
    with_intent = with_chunk(data, b"sRGB", b"\0")
    assert seen(with_intent)[0, :, 0].tolist() == RAMP[0].tolist()


@pytest.mark.parametrize("gamma", [0, 1, 2**31 - 1])
def test_gamma_that_nobody_means_is_left_out(gamma):
    data = with_chunk(saved(Image.fromarray(RAMP), "PNG"), b"gAMA", struct.pack(">I", gamma))
    assert seen(data)[0, :, 0].tolist() == RAMP[0].tolist()


def test_a_picture_in_memory_looks_like_its_file():
    data = saved(Image.fromarray(RAMP).convert("RGB"), "PNG", icc_profile=profile(1.0, SRGB))
    with Image.open(io.BytesIO(data)) as image:
        assert seen(image).tolist() == seen(data).tolist()


def test_orientation_is_kept():
    image, exif = Image.fromarray(RAMP).convert("RGB"), Image.Exif()
    exif[274] = 6
    data = saved(image, "TIFF", icc_profile=profile(1.0, SRGB), exif=exif)
    assert seen(data).shape == (RAMP.shape[1], 1, 3)
