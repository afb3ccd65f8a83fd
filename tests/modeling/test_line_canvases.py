"""Canvases of lines, encoded only as far as there is print: the same features from every back end, the same text."""

from __future__ import annotations

import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from got_ocr2 import kernels
from got_ocr2.kernels.library import INSTRUCTION_SETS
from got_ocr2.modeling.backends.line_canvases import BESIDE, LineCanvases
from got_ocr2.modeling.backends.native.runner import NativeRunner
from got_ocr2.modeling.backends.torch_runner import TorchRunner
from got_ocr2.ocr import OCR
from got_ocr2.reading.engine_options import EngineOptions

TOKENS, UNIT = 40, 16


@pytest.fixture(scope="module")
def embedded():
    return OCR.from_pretrained(device="cpu", kernels="torch")


def line(text):
    image = Image.new("RGB", (1200, 32), "white")
    ImageDraw.Draw(image).text((4, 3), text, fill="black", font=ImageFont.load_default(22))
    ink = image.convert("L").point(lambda v: 255 * (v < 128)).getbbox()
    return image.crop((0, 0, min(ink[2] + 6, 640), 32))


def canvases(embedded, *texts):
    return embedded.processor.image_processor([line(text) for text in texts])["pixel_values"]


def narrow(embedded, runner=None):
    return LineCanvases(
        runner or TorchRunner(embedded.model), embedded.processor.image_processor.empty_canvas()
    )


@torch.inference_mode()
def test_only_the_print_is_encoded(embedded):
    pixels = canvases(embedded, "short", "a somewhat longer line of print", "short", "W" * 60)
    seen = []
    runner = TorchRunner(embedded.model)
    encode = runner.encode
    runner.encode = lambda given: seen.append(tuple(given.shape)) or encode(given)
    found = narrow(embedded, runner).encode(pixels)
    assert found.shape == (4, TOKENS, embedded.model.config.text_config.hidden_size)
    empty, *widths = [(shape[0], shape[3]) for shape in seen]
    assert empty == (1, 640)
    assert [count for count, _ in widths] == [2, 1, 1]  # of one width together
    short, long, full = (width for _, width in widths)
    assert UNIT * (1 + BESIDE) <= short < long < full == 640
    for number, width in enumerate((short, long, short, full)):
        alone = encode(pixels[number : number + 1, ..., :width])[0]
        assert torch.allclose(found[number, : width // UNIT], alone, atol=1e-4)
    paper = encode(torch.from_numpy(embedded.processor.image_processor.empty_canvas())[None])[0]
    assert torch.allclose(found[0, short // UNIT :], paper[short // UNIT :], atol=1e-5)


@torch.inference_mode()
def test_an_empty_canvas_costs_nothing(embedded):
    runner = TorchRunner(embedded.model)
    canvas = narrow(embedded, runner)
    empty = torch.from_numpy(embedded.processor.image_processor.empty_canvas())[None]
    first = canvas.encode(empty)
    runner.encode = None
    assert torch.equal(canvas.encode(empty), first)


@pytest.mark.skipif(not kernels.available(), reason="the native kernels were not built")
@torch.inference_mode()
def test_the_kernels_encode_what_torch_does(embedded):
    pixels = canvases(embedded, "short", "a somewhat longer line of print", "W" * 60)
    native = NativeRunner(embedded.model)
    expected = narrow(embedded).encode(pixels)
    found = narrow(embedded, native).encode(pixels)
    assert torch.allclose(found, expected, atol=2e-3 * float(expected.abs().max()))
    with pytest.raises(ValueError, match=r"pixel_values must be \(N, 3, 32, 640\), got \(1, 3, 32, 100\)"):
        native.encode(pixels[:1, ..., :100])


@pytest.mark.skipif(not kernels.available(), reason="the native kernels were not built")
@torch.inference_mode()
def test_lines_are_read_in_16_bits_where_that_is_faster(embedded):
    empty = embedded.processor.image_processor.empty_canvas()
    best = kernels.instruction_set()
    pixels = canvases(embedded, "short", "a somewhat longer line of print", "W" * 60)
    expected = narrow(embedded).encode(pixels)
    try:
        for name in INSTRUCTION_SETS[: kernels.native().got_isa_best() + 1]:
            kernels.instruction_set(name)
            runner = EngineOptions(kernels="native").runner(embedded.model, empty=empty)
            plain = EngineOptions(kernels="native").runner(embedded.model)
            assert (plain.weights, plain.vision) == ("bf16", "bf16")
            wanted = "int16" if name in ("avx2", "avx512") else "bf16"
            assert (runner.runner.weights, runner.runner.vision) == (wanted, wanted)
            assert torch.allclose(runner.encode(pixels), expected, atol=2e-3 * float(expected.abs().max()))
            quantised = EngineOptions(kernels="native", quantization="int8").runner(
                embedded.model, empty=empty
            )
            assert (quantised.runner.weights, quantised.runner.vision) == ("int8", "int8")
    finally:
        kernels.instruction_set(best)


@pytest.mark.skipif(not kernels.available(), reason="the native kernels were not built")
@torch.inference_mode()
def test_lines_dealt_out_to_threads_are_those_of_all_threads_together(embedded, monkeypatch):
    from got_ocr2.kernels import vision

    before = kernels.threads()
    kernels.set_threads(3)
    try:
        native = NativeRunner(embedded.model)
        pixels = canvases(embedded, *("W" * n for n in (3, 9, 40, 1, 22, 9, 2)))
        cut = [picture[..., : 80 * (1 + i)] for i, picture in enumerate(pixels)]
        dealt = native.encode_each(cut)
        monkeypatch.setattr(vision, "_KEPT", 0)  # as for pages
        together = native.encode_each(cut)
        assert [len(one) for one in dealt] == [5, 10, 15, 20, 25, 30, 35]
        assert all(torch.equal(*pair) for pair in zip(dealt, together, strict=True))
        assert native.encode_each([]) == []
    finally:
        kernels.set_threads(before)


def test_relative_positions_need_whole_canvases(tiny_model):
    assert tiny_model.config.vision_config.use_rel_pos
    empty = torch.zeros(3, 96, 96).numpy()
    options = EngineOptions(kernels="torch")
    assert isinstance(options.runner(tiny_model, empty=empty), TorchRunner)
    assert isinstance(options.runner(tiny_model), TorchRunner)


def test_the_text_is_that_of_whole_canvases(embedded):
    page = Image.new("RGB", (700, 260), "white")
    texts = ("The harbour master writes", "down which ships", "have come since 1894.")
    for row, text in enumerate(texts):
        ImageDraw.Draw(page).text((40, 40 + 60 * row), text, fill="black", font=ImageFont.load_default(28))
    assert isinstance(embedded.engine.runner, LineCanvases)
    found = embedded.read(page)
    whole = OCR(embedded.model, embedded.processor, EngineOptions(kernels="torch"))
    whole._runner = TorchRunner(embedded.model)
    expected = whole.read(page)
    assert found.text == expected.text
    assert found.text.split()[:3] == ["The", "harbour", "master"]
    assert found.mean_logprob == pytest.approx(expected.mean_logprob, abs=0.02)
