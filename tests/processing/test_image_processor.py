import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

from got_ocr2.errors import ConfigError, FileAccessError, InvalidOptionError
from got_ocr2.processing import GotOcr2ImageProcessor

# (height, width) of pictures: odd, tiny, thin, tall, larger and smaller than a tile.
SIZES = [(1, 1), (1, 97), (63, 5), (77, 131), (96, 96), (211, 95), (300, 421), (640, 119)]


def picture(height, width, seed=0):
    rng = np.random.default_rng(seed + height * 7919 + width)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def oracle_class():
    pytest.importorskip("transformers")
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

    return GotOcr2ImageProcessorPil


def assert_equal_pixels(ours, theirs):
    assert ours.pixel_values.dtype == torch.float32
    expected = torch.as_tensor(np.stack(theirs["pixel_values"]))
    assert ours.pixel_values.shape == expected.shape
    torch.testing.assert_close(ours.pixel_values, expected, rtol=0, atol=1e-6)
    assert ours.num_patches == list(theirs["num_patches"])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("tile", [(96, 96), (56, 104)])
def test_pixels_equal_transformers(oracle_class, size, tile):
    image = picture(*size)
    oracle = oracle_class(size={"height": tile[0], "width": tile[1]})
    assert_equal_pixels(GotOcr2ImageProcessor(tile)(image), oracle(image))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("limits", [(1, 12), (1, 1), (3, 6), (12, 12)])
def test_tiles_equal_transformers(oracle_class, size, limits):
    image = picture(*size)
    kwargs = {"crop_to_patches": True, "min_patches": limits[0], "max_patches": limits[1]}
    oracle = oracle_class(size={"height": 56, "width": 104})
    assert_equal_pixels(GotOcr2ImageProcessor((56, 104))(image, **kwargs), oracle(image, **kwargs))


@pytest.mark.parametrize("resample", range(6))
def test_filters_and_statistics_equal_transformers(oracle_class, resample):
    kwargs = {"resample": resample, "image_mean": [0.1, 0.5, 0.9], "image_std": [0.3, 1.5, 0.02]}
    image = picture(131, 77)
    oracle = oracle_class(size={"height": 96, "width": 64}, **kwargs)
    assert_equal_pixels(GotOcr2ImageProcessor((96, 64), **kwargs)(image), oracle(image))


@pytest.mark.parametrize("switch", ["do_rescale", "do_normalize"])
def test_switches_equal_transformers(oracle_class, switch):
    image = picture(40, 30)
    oracle = oracle_class(size={"height": 24, "width": 32}, **{switch: False})
    assert_equal_pixels(GotOcr2ImageProcessor((24, 32), **{switch: False})(image), oracle(image))


def test_batches_keep_the_order_and_count_tiles(oracle_class):
    images = [picture(*size) for size in SIZES]
    oracle = oracle_class(size={"height": 96, "width": 96}, crop_to_patches=True, max_patches=5)
    ours = GotOcr2ImageProcessor((96, 96), crop_to_patches=True, max_patches=5)
    assert_equal_pixels(ours(images), oracle(images))
    nested = ours([images[:3], images[3:]])
    torch.testing.assert_close(nested.pixel_values, ours(images).pixel_values, rtol=0, atol=0)


def test_full_published_size(oracle_class):
    image = picture(377, 911)
    assert_equal_pixels(
        GotOcr2ImageProcessor()(image), oracle_class(size={"height": 1024, "width": 1024})(image)
    )


# --- "pad" ----------------------------------------------------------------------------------------------


def white(processor):
    mean, std = np.array(processor.image_mean), np.array(processor.image_std)
    return torch.tensor((1 - mean) / std, dtype=torch.float32)[:, None, None]


def test_pad_lays_the_picture_at_the_top_left_of_white():
    processor = GotOcr2ImageProcessor((64, 128), resize_mode="pad", max_upscale=2.0)
    pixels = processor(Image.new("RGB", (20, 30))).pixel_values[0]
    black = torch.tensor(-np.array(processor.image_mean) / processor.image_std).float()[:, None, None]
    assert torch.allclose(pixels[:, :60, :40], black.expand(3, 60, 40), atol=1e-6)
    assert torch.allclose(pixels[:, 60:], white(processor).expand(3, 4, 128), atol=1e-6)
    assert torch.allclose(pixels[:, :, 40:], white(processor).expand(3, 64, 88), atol=1e-6)


def test_pad_of_a_picture_that_fits_exactly_is_the_picture():
    image = picture(32, 64)
    padded = GotOcr2ImageProcessor((64, 128), resize_mode="pad")(image)
    squashed = GotOcr2ImageProcessor((64, 128))(image)
    torch.testing.assert_close(padded.pixel_values, squashed.pixel_values, rtol=0, atol=0)


def test_pad_tiles_keep_the_shape_and_add_a_padded_thumbnail():
    processor = GotOcr2ImageProcessor((32, 64), resize_mode="pad", crop_to_patches=True)
    image = picture(100, 100)
    batch = processor(image, max_patches=4)
    # 2 x 1 oblong tiles are square, so they hold the square picture without a margin.
    assert batch.num_patches == [3]
    whole = GotOcr2ImageProcessor((64, 64))(image).pixel_values[0]
    torch.testing.assert_close(torch.cat([*batch.pixel_values[:2]], dim=1), whole, rtol=0, atol=0)
    thumbnail = processor(image, crop_to_patches=False).pixel_values[0]
    torch.testing.assert_close(batch.pixel_values[2], thumbnail, rtol=0, atol=0)
    assert torch.allclose(thumbnail[:, :, 32:], white(processor).expand(3, 32, 32), atol=1e-6)


# --- what comes out, what is refused --------------------------------------------------------------------


def test_return_types():
    processor, image = GotOcr2ImageProcessor((16, 24)), picture(9, 8)
    tensor = processor(image).pixel_values
    for kind in ("np", None):
        array = processor(image, return_tensors=kind).pixel_values
        assert isinstance(array, np.ndarray)
        np.testing.assert_array_equal(array, tensor.numpy())
    assert tensor.shape == (1, 3, 16, 24)


def test_images_are_not_changed():
    image = Image.new("RGBA", (9, 8), (10, 20, 30, 40))
    before = image.copy()
    GotOcr2ImageProcessor((16, 24))(image)
    assert image == before


def test_without_conversion_only_rgb_is_taken():
    processor = GotOcr2ImageProcessor((16, 24), do_convert_rgb=False)
    processor(picture(9, 8))
    with pytest.raises(InvalidOptionError, match="do_convert_rgb"):
        processor(picture(9, 8).convert("L"))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"max_patches": 0}, "max_patches .* >= 1, got 0"),
        ({"min_patches": 13}, "min_patches 13 is above max_patches 12"),
        ({"min_patches": 2.0}, "min_patches .* got 2.0"),
        ({"max_patches": True}, "max_patches .* got True"),
        ({"crop_to_patches": "yes"}, "crop_to_patches must be True or False, got 'yes'"),
        ({"return_tensors": "tf"}, "'tf'"),
    ],
)
def test_wrong_options_of_a_call_are_refused(kwargs, message):
    with pytest.raises(InvalidOptionError, match=message):
        GotOcr2ImageProcessor((16, 24))(picture(9, 8), **kwargs)


def test_no_image_is_refused():
    for images in ([], [[]]):
        with pytest.raises(InvalidOptionError, match="At least one image"):
            GotOcr2ImageProcessor()(images)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"size": (0, 5)}, r"size .* got \(0, 5\)"),
        ({"size": {"shortest_edge": 5}}, "size .*shortest_edge"),
        ({"resample": 6}, "resample .* got 6"),
        ({"image_mean": (0.5, 0.5)}, "image_mean"),
        ({"image_std": (0.5, 0.5, 0.0)}, "image_std"),
        ({"image_std": (0.5, 0.5, float("nan"))}, "image_std"),
        ({"resize_mode": "crop"}, "'crop'"),
        ({"max_upscale": 0}, "max_upscale .* got 0"),
        ({"max_upscale": "2"}, "max_upscale .* got '2'"),
        ({"do_rescale": 1}, "do_rescale must be True or False, got 1"),
        ({"rescale_factor": None}, "rescale_factor .* got None"),
        ({"min_patches": 9, "max_patches": 4}, "min_patches 9 is above max_patches 4"),
    ],
)
def test_wrong_settings_are_refused(kwargs, message):
    with pytest.raises(InvalidOptionError, match=message):
        GotOcr2ImageProcessor(**kwargs)


def test_settings_are_immutable():
    processor = GotOcr2ImageProcessor(96)
    with pytest.raises(dataclasses.FrozenInstanceError):
        processor.max_patches = 6
    assert dataclasses.replace(processor, max_patches=6).max_patches == 6
    assert processor.size == (96, 96)


# --- files ----------------------------------------------------------------------------------------------


def test_files_round_trip(tmp_path):
    processor = GotOcr2ImageProcessor(
        (64, 128), resample=1, resize_mode="pad", max_upscale=2.0, max_patches=7, extra={"data_format": "x"}
    )
    processor.save_pretrained(tmp_path)
    assert GotOcr2ImageProcessor.from_pretrained(tmp_path) == processor


def test_transformers_reads_our_file(oracle_class, tmp_path):
    GotOcr2ImageProcessor((56, 104), image_mean=(0.1, 0.2, 0.3), max_patches=5).save_pretrained(tmp_path)
    oracle = oracle_class.from_pretrained(tmp_path)
    image = picture(211, 95)
    ours = GotOcr2ImageProcessor.from_pretrained(tmp_path)
    assert_equal_pixels(ours(image, crop_to_patches=True), oracle(image, crop_to_patches=True))


def test_we_read_the_file_of_transformers(oracle_class, tmp_path):
    oracle = oracle_class(size={"height": 56, "width": 104}, image_std=[0.5, 0.6, 0.7], min_patches=2)
    oracle.save_pretrained(tmp_path)
    image = picture(211, 95)
    ours = GotOcr2ImageProcessor.from_pretrained(tmp_path)
    assert_equal_pixels(ours(image, crop_to_patches=True), oracle(image, crop_to_patches=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "JSON object, got list"),
        ('{"do_resize": false}', "do_resize"),
        ('{"size": 0}', "size"),
        ('{"image_mean": "abc"}', "image_mean"),
    ],
)
def test_damaged_files_say_so(tmp_path, text, message):
    (tmp_path / "preprocessor_config.json").write_text(text)
    with pytest.raises(ConfigError, match=message):
        GotOcr2ImageProcessor.from_pretrained(tmp_path)


def test_missing_files_say_so(tmp_path):
    with pytest.raises(FileAccessError, match=r"preprocessor_config\.json"):
        GotOcr2ImageProcessor.from_pretrained(tmp_path)


def test_file_is_in_the_dialect_of_transformers(tmp_path):
    GotOcr2ImageProcessor((56, 104)).save_pretrained(tmp_path)
    data = json.loads((tmp_path / "preprocessor_config.json").read_text())
    assert data["size"] == {"height": 56, "width": 104}
    assert data["image_processor_type"] == "GotOcr2ImageProcessor"
    assert data["do_resize"] is True
