import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from got_ocr2.processing.geometry import choose_grid, fitted_size, grids, to_thousandths

sides = st.integers(1, 5000)


def test_grids_equal_transformers():
    """4,000 pictures and tiles of every size, as many small ones as large ones."""
    oracle = pytest.importorskip("transformers.models.got_ocr2.image_processing_pil_got_ocr2")
    rng = np.random.default_rng(0)
    for shape in np.exp(rng.uniform(0, math.log(5000), (4000, 4))).astype(int).tolist():
        image, tile = tuple(shape[:2]), tuple(shape[2:])
        lowest = int(rng.integers(1, 13))
        limits = lowest, int(rng.integers(lowest, 21))
        columns, rows = oracle.get_optimal_tiled_canvas(image, tile, *limits)
        assert choose_grid(image, tile, *limits) == (rows, columns), (image, tile, limits)


@pytest.mark.parametrize("scale", [1, 2, 300, 511, 512, 513, 724, 725, 1024, 2048])
@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (1, 2), (2, 1), (2, 3), (3, 4), (6, 2)])
def test_grids_equal_transformers_on_exact_ties(scale, rows, cols):
    """Pictures whose shape is exactly a grid's: several grids are equally near and the area decides."""
    oracle = pytest.importorskip("transformers.models.got_ocr2.image_processing_pil_got_ocr2")
    for tile in ((1024, 1024), (300, 700)):
        image = (rows * scale, cols * scale)
        expected_cols, expected_rows = oracle.get_optimal_tiled_canvas(image, tile, 1, 12)
        assert choose_grid(image, tile, 1, 12) == (expected_rows, expected_cols)


def test_grids_are_sorted_by_tiles_then_columns():
    assert grids(2, 4) == ((2, 1), (1, 2), (3, 1), (1, 3), (4, 1), (2, 2), (1, 4))


def test_oblong_tiles_count_with_their_shape():
    # Two tiles twice as wide as high, one above the other, make a square; as squares they would not.
    assert choose_grid((1000, 1000), (256, 512), 1, 4, tile_aspect=2.0) == (2, 1)
    assert choose_grid((1000, 1000), (256, 512), 1, 4) in {(1, 1), (2, 2)}


@given(image=st.tuples(sides, sides), canvas=st.tuples(sides, sides))
def test_squash_fills_the_canvas(image, canvas):
    assert fitted_size(image, canvas, "squash") == canvas


@given(
    image=st.tuples(sides, sides),
    canvas=st.tuples(sides, sides),
    limit=st.none() | st.floats(0.5, 4),
)
def test_pad_keeps_the_shape_and_fits(image, canvas, limit):
    height, width = fitted_size(image, canvas, "pad", limit)
    assert 1 <= height <= canvas[0]
    assert 1 <= width <= canvas[1]
    scale = min(canvas[0] / image[0], canvas[1] / image[1], limit or math.inf)
    assert abs(height - image[0] * scale) <= 1
    assert abs(width - image[1] * scale) <= 1


def test_pad_never_grows_beyond_the_limit():
    assert fitted_size((30, 50), (256, 512), "pad", 2.0) == (60, 100)
    assert fitted_size((30, 50), (256, 512), "pad") == (256, 427)
    assert fitted_size((512, 256), (256, 512), "pad", 2.0) == (256, 128)


@given(size=st.tuples(sides, sides), share=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_filling_boxes_equal_the_published_formula(size, share):
    (height, width), canvas = size, (77, 1024)
    x, y = share[0] * width, share[1] * height
    assert to_thousandths((x, y), size, canvas, canvas) == [int(x / width * 1000), int(y / height * 1000)]


def test_padded_boxes_are_thousandths_of_the_canvas():
    # 100x100 grows to 200x200 at the top left of 256x512.
    fitted = fitted_size((100, 100), (256, 512), "pad", 2.0)
    assert fitted == (200, 200)
    corners = to_thousandths((0, 50, 100, 100), (100, 100), fitted, (256, 512))
    assert corners == [0, int(100 / 256 * 1000), int(200 / 512 * 1000), int(200 / 256 * 1000)]
