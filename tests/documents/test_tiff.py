"""TIFF files of every depth, meaning and layout look as a person sees them, and only pages are pages."""

from __future__ import annotations

import io
import random
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from got_ocr2.documents import Limits, open_document, open_source
from got_ocr2.documents.tiff import pictures_of
from got_ocr2.errors import InputError

FEW = settings(max_examples=60, deadline=None)
DARK_TO_LIGHT = np.linspace(0, 1, 35).reshape(5, 7)  # as it is to be seen


def raw_tiff(
    levels: np.ndarray, bits: int, kind: int, meaning: int, *, order: str = "<", deflate: bool = False,
    tile: int = 0, rows: int = 0, reverse: bool = False, predictor: int = 1, packed_as: bytes | None = None,
    samples: int = 1, planar: int = 1, extra: tuple[int, ...] = (),
) -> bytes:  # fmt: skip
    """A TIFF written by hand; `levels` (H, W x samples) are whole numbers or floats of `bits` bits."""
    height, width = levels.shape[0], levels.shape[1] // samples
    planes = [levels[:, n::samples] for n in range(samples)] if planar == 2 else [levels]
    pieces = []
    for plane in planes:
        across, down = (tile, tile) if tile else (plane.shape[1], rows or height)
        corners = [(y, x) for y in range(0, height, down) for x in range(0, plane.shape[1], across)]
        for top, left in corners:
            piece = plane[top : top + down, left : left + across]
            if tile:
                piece = np.pad(piece, ((0, tile - piece.shape[0]), (0, tile - piece.shape[1])))
            data = packed_as or b"".join(packed(row, bits, kind, order) for row in piece)
            data = zlib.compress(data) if deflate else data
            pieces.append(bytes(int(f"{b:08b}"[::-1], 2) for b in data) if reverse else data)
    tags = {
        256: [width], 257: [height], 258: [bits] * samples, 259: [8 if deflate else 1], 262: [meaning],
        266: [2 if reverse else 1], 277: [samples], 284: [planar], 317: [predictor], 339: [kind] * samples,
    }  # fmt: skip
    if extra:
        tags[338] = [*extra]
    tags |= {322: [tile], 323: [tile], 324: [], 325: []} if tile else {273: [], 278: [down], 279: []}
    where, sizes = (324, 325) if tile else (273, 279)
    body = b"".join(pieces)
    tags[sizes] = [len(piece) for piece in pieces]
    tags[where] = [8 + sum(tags[sizes][:n]) for n in range(len(pieces))]
    lists, entries, at = b"", b"", 8 + len(body)
    for tag, values in sorted(tags.items()):
        array = struct.pack(f"{order}{len(values)}I", *values)
        place = array if len(values) == 1 else struct.pack(f"{order}I", at + len(lists))
        lists += b"" if len(values) == 1 else array
        entries += struct.pack(f"{order}HHI", tag, 4, len(values)) + place
    first = at + len(lists)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", first)
    return head + body + lists + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)


def seen(data: bytes) -> np.ndarray:
    (page,) = open_source(data)
    return np.asarray(page.image)[..., 0]


def packed(row: np.ndarray, bits: int, kind: int, order: str) -> bytes:
    if kind == 3:
        return row.astype(f"{order}f{bits // 8}").tobytes()
    values = [int(value) & (2**bits - 1) for value in row]
    if bits % 8 == 0:
        return b"".join(value.to_bytes(bits // 8, "little" if order == "<" else "big") for value in values)
    text = "".join(f"{value:0{bits}b}" for value in values)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


@FEW
@given(
    bits=st.sampled_from([*range(1, 33), 64]), meaning=st.sampled_from([0, 1]), order=st.sampled_from("<>"),
    deflate=st.booleans(), layout=st.sampled_from([{}, {"rows": 2}, {"tile": 16}]), kind=st.sampled_from([1, 2, 4]),
    reverse=st.booleans(),
)  # fmt: skip
def test_whole_numbers_of_every_depth_look_as_they_are_meant(
    bits, meaning, order, deflate, layout, kind, reverse
):
    if reverse and bits >= 8:
        reverse = False  # nobody defines it there
    top = 2 ** (min(bits, 53) - (kind == 2)) - 1
    low = -top - 1 if kind == 2 and 1 < bits < 53 else 0
    if kind == 2 and bits == 1:
        low, top = -1, 0
    shown = np.rint(DARK_TO_LIGHT * (top - low)) / (top - low)
    levels = np.rint((1 - shown if meaning == 0 else shown) * (top - low)).astype(object) + low
    data = raw_tiff(levels, bits, kind, meaning, order=order, deflate=deflate, reverse=reverse, **layout)
    (page,) = open_source(data)
    assert page.image.size == (7, 5)
    np.testing.assert_allclose(np.asarray(page.image)[..., 0] / 255, shown, atol=1 / 200)


@FEW
@given(
    bits=st.sampled_from([16, 32, 64]), meaning=st.sampled_from([0, 1]), order=st.sampled_from("<>"),
    low=st.sampled_from([0.0, -3.0, 10.0]), span=st.sampled_from([1.0, 255.0, 1e4]),
)  # fmt: skip
def test_floats_of_every_depth_look_as_they_are_meant(bits, meaning, order, low, span):
    levels = (1 - DARK_TO_LIGHT if meaning == 0 else DARK_TO_LIGHT) * span + low
    (page,) = open_source(raw_tiff(levels, bits, 3, meaning, order=order))
    np.testing.assert_allclose(np.asarray(page.image)[..., 0] / 255, DARK_TO_LIGHT, atol=0.01)


def test_pixels_that_are_no_number_are_paper_and_nothing_but_such_is_refused():
    levels = DARK_TO_LIGHT.copy()
    levels[2, 3] = np.nan
    (page,) = open_source(raw_tiff(levels, 32, 3, 1))
    assert page.image.getpixel((3, 2)) == (255, 255, 255)
    with pytest.raises(InputError, match="finite number"):
        list(open_source(raw_tiff(np.full((2, 2), np.nan), 32, 3, 1)))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_sixteen_bits_in_every_compression_of_libtiff(compression):
    array = np.rint(DARK_TO_LIGHT * 65535).astype(np.uint16)
    out = io.BytesIO()
    Image.fromarray(array).save(out, "TIFF", compression=compression)
    (page,) = open_source(out.getvalue())
    np.testing.assert_allclose(np.asarray(page.image)[..., 0] / 255, DARK_TO_LIGHT, atol=0.01)


@FEW
@given(
    bits=st.sampled_from([16, 32]), kind=st.sampled_from([1, 2]), order=st.sampled_from("<>"),
    level=st.integers(0, 2**15 - 1), slope=st.integers(0, 2000),
)  # fmt: skip
def test_differences_of_samples_are_added_up(bits, kind, order, level, slope):
    levels = (level + slope * np.arange(7)[None, :] + np.arange(5)[:, None]) % 2**15
    steps = np.diff(levels, axis=1, prepend=0)
    plain = raw_tiff(levels, bits, kind, 1, order=order, deflate=True)
    with_steps = raw_tiff(steps, bits, kind, 1, order=order, deflate=True, predictor=2)
    assert seen(plain).tolist() == seen(with_steps).tolist()


@pytest.mark.parametrize("bits", [16, 32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_differences_of_the_bytes_of_floats_are_added_up(bits, order):
    rows = []
    for row in DARK_TO_LIGHT:  # most significant bytes of all samples first, then differences
        planes = np.frombuffer(row.astype(f">f{bits // 8}").tobytes(), np.uint8).reshape(7, -1).T.ravel()
        rows.append(np.diff(planes.astype(int), prepend=0).astype(np.uint8))
    data = np.stack(rows).tobytes()
    file = raw_tiff(DARK_TO_LIGHT, bits, 3, 1, order=order, deflate=True, predictor=3, packed_as=data)
    np.testing.assert_allclose(seen(file) / 255, DARK_TO_LIGHT, atol=0.01)


@pytest.mark.parametrize(("bits", "kind"), [(32, 3), (64, 3), (12, 1), (10, 1), (32, 1)])
def test_rgb_of_any_depth(bits, kind):
    colors = np.stack([DARK_TO_LIGHT, DARK_TO_LIGHT[::-1], DARK_TO_LIGHT[:, ::-1]], axis=-1)
    top = 65535 if bits == 32 else 2**bits - 1
    levels = colors if kind == 3 else np.rint(colors * top).astype(int)
    data = raw_tiff(levels.reshape(5, 21), bits, kind, 2, samples=3)
    (page,) = open_source(data)
    np.testing.assert_allclose(np.asarray(page.image) / 255, colors, atol=0.01)


@settings(max_examples=150, deadline=None)
@given(
    bits=st.sampled_from([1, 2, 4, 8, 10, 16, 32]), meaning=st.sampled_from([0, 1, 2]), kind=st.sampled_from([1, 2]),
    extra=st.sampled_from([(), (0,), (1,), (2,), (0, 0), (2, 0)]), planar=st.sampled_from([1, 2]),
    order=st.sampled_from("<>"),
)  # fmt: skip
def test_samples_beside_grey_and_colour_and_planes_apart(bits, meaning, kind, extra, planar, order):
    if kind == 2 and bits == 1:
        kind = 1
    colors = 3 if meaning == 2 else 1
    top = 2 ** (min(bits, 31) - (kind == 2)) - 1
    shown = np.rint(DARK_TO_LIGHT * top) / top
    levels = np.full((5, 7, colors + len(extra)), top, object)  # opaque, where it is opacity
    levels[..., :colors] = np.rint((1 - shown if meaning == 0 else shown) * top).astype(object)[..., None]
    samples = levels.shape[-1]
    data = raw_tiff(
        levels.reshape(5, -1), bits, kind, meaning, order=order, samples=samples, planar=planar, extra=extra
    )
    np.testing.assert_allclose(seen(data) / 255, shown, atol=1 / 200)


@pytest.mark.parametrize("meaning", [1, 2])
@pytest.mark.parametrize(("extra", "expected"), [(0, 100), (1, 155), (2, 205)])
def test_what_shines_through_is_white(meaning, extra, expected):
    """Half opaque: opacity that the samples were multiplied with (1), or not (2)."""
    levels = np.array([[100] * (3 if meaning == 2 else 1) + [200 if extra == 1 else 82]])
    samples = levels.size
    data = raw_tiff(levels, 8, 1, meaning, samples=samples, planar=2, extra=(extra,))
    assert abs(int(seen(data)[0, 0]) - expected) <= 1


@pytest.mark.parametrize(
    ("mode", "compression"), [("1", "raw"), ("P", "raw"), ("L", "raw"), ("1", "group4"), ("L", "jpeg")]
)
def test_one_plane_that_is_said_to_stand_apart(mode, compression):
    image = Image.fromarray(np.rint(DARK_TO_LIGHT * 255).astype(np.uint8)).resize((35, 40)).convert(mode)
    expected, out = np.asarray(image.convert("L")), io.BytesIO()
    image.save(out, "TIFF", compression=compression, tiffinfo={284: 2})
    assert Image.open(io.BytesIO(out.getvalue())).tag_v2[284] == 2
    np.testing.assert_allclose(seen(out.getvalue()), expected, atol=8 if compression == "jpeg" else 1)


def test_big_tiff(page_image):
    out = io.BytesIO()
    page_image.save(out, "TIFF", big_tiff=True)
    assert out.getvalue()[2] == 43
    (page,) = open_source(out.getvalue())
    assert page.image.tobytes() == page_image.tobytes()


def test_the_picture_below_a_thumbnail_is_the_page():
    full = raw_tiff(np.rint(DARK_TO_LIGHT * 4095).astype(int), 12, 1, 1)
    (directory,) = struct.unpack("<I", full[4:8])
    thumbnail = {
        254: 1,
        256: 2,
        257: 1,
        258: 8,
        259: 1,
        262: 1,
        273: 8,
        277: 1,
        278: 1,
        279: 2,
        330: directory,
    }
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in thumbnail.items())
    data = (
        full[:4]
        + struct.pack("<I", len(full))
        + full[8:]
        + struct.pack("<H", len(thumbnail))
        + entries
        + bytes(4)
    )
    (page,) = open_source(data)
    np.testing.assert_allclose(np.asarray(page.image)[..., 0] / 255, DARK_TO_LIGHT, atol=0.01)


# --- which are pages ------------------------------------------------------------------------------------


@FEW
@given(st.lists(st.tuples(st.integers(0, 7), st.booleans()), min_size=1, max_size=5))
def test_reduced_copies_and_masks_are_never_pages(kinds):
    out = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(out) as file:
        for place, (kind, old) in enumerate(kinds):
            tags = {255: 2 if kind & 1 else 1} if old else {254: kind}
            Image.new("L", (10 + place, 9), place).save(file, format="TIFF", tiffinfo=tags)
            file.newFrame()
    pages = [n for n, (kind, old) in enumerate(kinds) if not kind & (1 if old else 5)]
    pages = pages or [n for n, (kind, old) in enumerate(kinds) if old or not kind & 4] or [*range(len(kinds))]
    found = [page.image for page in open_source(out.getvalue())]
    assert [image.width - 10 for image in found] == pages
    assert [image.getpixel((0, 0))[0] for image in found] == pages


def test_a_page_that_pillow_cannot_open_does_not_hide_the_next():
    first = raw_tiff(np.rint(DARK_TO_LIGHT * 4095).astype(int), 12, 1, 1)
    out = io.BytesIO()
    Image.new("L", (30, 20), 7).save(out, "TIFF")
    second = out.getvalue()
    # Both files in one: the second one's directory moves, with the places it names.
    base = len(first)
    with Image.open(io.BytesIO(second)) as image:
        tags = {**dict(image.tag_v2), 273: tuple(x + base for x in image.tag_v2[273])}
    numbers = {
        tag: tags[tag][0] if isinstance(tags[tag], tuple) else tags[tag]
        for tag in (256, 257, 258, 259, 262, 273, 278, 279)
    }
    numbers[277] = 1
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(numbers.items()))
    data = first[:-4] + struct.pack("<I", base + len(second)) + second
    data += struct.pack("<H", len(numbers)) + entries + bytes(4)
    assert [page.image.size for page in open_source(data)] == [(7, 5), (30, 20)]


@given(big=st.booleans(), seed=st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_damaged_directories_end_the_pictures(big, seed):
    """Whatever Pillow raises on them: those that can be parsed come back, counted from 0."""
    out = io.BytesIO()
    first, second = Image.new("L", (9, 7)), Image.new("RGB", (8, 6))
    first.save(out, "TIFF", save_all=True, append_images=[second], big_tiff=big, dpi=(200, 100), software="x")
    data, draw = bytearray(out.getvalue()), random.Random(seed)
    for _ in range(draw.choice((1, 1, 2, 4, 12))):
        data[draw.randrange(len(data))] = draw.choice((0, 1, 2, 5, 12, 16, 255, draw.randrange(256)))
    cut = draw.randrange(8, len(data)) if draw.random() < 0.2 else len(data)
    found = pictures_of(io.BytesIO(data[:cut]))
    assert [picture.index for picture in found] == list(range(len(found)))


@pytest.mark.parametrize("dpi", [(204, 98), (98, 204), (204, 196), (200, 200), (1, 300), (0, 100)])
def test_fax_pages_get_square_pixels(dpi):
    image = Image.new("1", (204, 98), 1)
    out = io.BytesIO()
    image.save(out, "TIFF", dpi=dpi, compression="group4")
    (page,) = open_source(out.getvalue())
    expected = {(204, 98): (204, 204), (98, 204): (425, 98)}.get(dpi, (204, 98))
    assert page.image.size == expected
    if dpi == (204, 98):
        with (
            open_document(out.getvalue(), limits=Limits(max_pixels=204 * 98)) as document,
            pytest.raises(InputError, match="made square, is 204 x 204"),
        ):
            document.load(1)


# --- limits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_the_pixel_limit_holds_before_anything_is_decoded(bits):
    data = bytearray(raw_tiff(np.zeros((2, 2), int), bits, 1, 1))
    width = data.index(struct.pack("<HHI", 256, 4, 1)) + 8
    data[width : width + 4] = struct.pack("<I", 10**9)
    with (
        pytest.raises(InputError, match=r"1000000000 x 2 = 2,000,000,000 pixels"),
        open_document(bytes(data)) as document,
    ):
        document.load(1)


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_memory_stays_near_that_of_the_picture(bits):
    size = 2000
    data = raw_tiff(np.zeros((1, size), int), bits, 1, 1)
    pixels = bytes(size * size * bits // 8)
    tags = [
        (256, size),
        (257, size),
        (258, bits),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, size),
        (279, len(pixels)),
    ]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    data = (
        b"II*\0"
        + struct.pack("<I", 8 + len(pixels))
        + pixels
        + struct.pack("<H", len(tags))
        + entries
        + bytes(4)
    )
    with open_document(data) as document:
        tracemalloc.start()
        document.load(1)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    # The packed piece, the picture, and bands of a million samples (a band of bits is the largest).
    assert peak < size * size * (bits // 8 + 4) + 70_000_000
