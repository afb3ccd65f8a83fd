from __future__ import annotations

import gc
import io
import math
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import got_ocr2.ocr
from fake_ocr import PROMPT, fake_ocr
from got_ocr2 import OCR, DocumentResult, PageResult
from got_ocr2 import kernels as native_kernels
from got_ocr2.errors import CheckpointError, FileAccessError, GotOcr2Error, InputError, InvalidOptionError
from got_ocr2.reading import DocumentOpened, DocumentRead, PageRead, ReadOptions, TextPiece
from got_ocr2.results import Request
from make_pdf import make_pdf


def picture(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), "white")


def tiff(*sizes: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    first, *rest = (picture(*size) for size in sizes)
    first.save(out, "TIFF", save_all=True, append_images=rest)
    return out.getvalue()


# --- read -----------------------------------------------------------------------------------------------


def test_one_page_gives_a_page_result():
    result = fake_ocr().read(picture(30, 20))
    assert isinstance(result, PageResult)
    assert (result.text, result.status, result.finish_reason) == ("30x20", "complete", "stop")
    assert (result.source, result.page_numbers, result.width, result.height) == ("<image>", (1,), 30, 20)
    assert (result.prompt_tokens, result.tokens) == (PROMPT, len("30x20") + 1)
    assert result.mean_logprob == pytest.approx(-0.5)
    assert result.confidence == pytest.approx(math.exp(-0.5))
    assert result.seconds > 0
    assert result.error is None


def test_several_pages_give_a_document_result():
    result = fake_ocr().read(tiff((5, 4), (6, 3)))
    assert isinstance(result, DocumentResult)
    assert [(page.text, page.page) for page in result.pages] == [("5x4", 1), ("6x3", 2)]
    assert result.text == "5x4\n\n6x3"
    assert (result.source, result.status, result.tokens) == ("<bytes>", "complete", 8)


def test_a_chosen_page_keeps_its_number():
    result = fake_ocr().read(tiff((5, 4), (6, 3)), pages="2")
    assert isinstance(result, PageResult)
    assert (result.text, result.page) == ("6x3", 2)


def test_pages_can_be_read_as_one_text():
    ocr = fake_ocr()
    result = ocr.read(tiff((5, 4), (6, 3), (7, 2)), multi_page=True, pages="3,1", format=True)
    assert isinstance(result, PageResult)
    assert (result.text, result.page_numbers, result.width) == ("7x2 5x4", (3, 1), 7)
    assert ocr.processor.calls[0]["multi_page"] is True
    assert result.request == Request(format=True, multi_page=True)


def test_a_list_or_a_folder_can_be_one_document(tmp_path):
    for width in (9, 10):
        picture(width, 5).save(tmp_path / f"page{width}.png")
    ocr = fake_ocr()
    listed = ocr.read([picture(3, 2), tiff((5, 4), (6, 3))], multi_page=True)
    assert (listed.text, listed.page_numbers) == ("3x2 5x4 6x3", (1, 2, 3))
    assert listed.source == "<image> + <bytes>"
    folder = ocr.read(tmp_path, multi_page=True)
    assert (folder.text, folder.source) == ("9x5 10x5", str(tmp_path))
    assert ocr.read(tmp_path, multi_page=True, pages="2").text == "10x5"


def test_a_folder_read_page_by_page_names_each_file(tmp_path):
    for width in (9, 10):
        picture(width, 5).save(tmp_path / f"page{width}.png")
    result = fake_ocr().read(str(tmp_path))
    assert result.source == str(tmp_path)
    assert [Path(page.source).name for page in result.pages] == ["page9.png", "page10.png"]


def test_a_pdf_is_read_at_the_resolution_asked_for():
    data = make_pdf(["a", "b"], size=(72, 36))
    assert fake_ocr().read(data, dpi=100, skip_blank=False).text == "100x50\n\n100x50"
    assert (
        fake_ocr()
        .read(make_pdf(["a"], size=(72, 36), password="x"), dpi=72, password="x", skip_blank=False)
        .text
        == "72x36"
    )


def test_every_source_kind_is_read(tmp_path):
    path = tmp_path / "a.png"
    picture(4, 3).save(path)
    array = np.full((3, 4, 3), 255, np.uint8)
    for source in (path, str(path), path.read_bytes(), array, torch.ones(3, 3, 4), f"{tmp_path}/*.png"):
        assert fake_ocr().read(source).text == "4x3"


def test_what_is_asked_goes_to_the_processor():
    ocr = fake_ocr()
    result = ocr.read(picture(9, 9), box=[1, 2.5, 3, 4], color="red", format=True, max_patches=5)
    expected = {
        "format": True, "box": (1, 2.5, 3, 4), "color": "red", "multi_page": False,
        "crop_to_patches": True, "max_patches": 5,
    }  # fmt: skip
    assert ocr.processor.calls == [expected]
    assert result.request == Request(True, (1, 2.5, 3, 4), "red", False, True, 5)
    ocr.read(picture(9, 9), crop=True)
    assert ocr.processor.calls[1]["crop_to_patches"] is True
    assert ocr.processor.calls[1]["max_patches"] is None


def test_a_text_cut_by_the_limit_is_truncated():
    result = fake_ocr().read(picture(30, 20), max_new_tokens=3)
    assert (result.text, result.status, result.finish_reason, result.tokens) == (
        "30x",
        "truncated",
        "length",
        3,
    )


def test_half_a_character_at_the_limit_is_not_lost():
    result = fake_ocr(lambda _: "né").read(picture(1, 1), max_new_tokens=2)
    assert (result.text, result.status) == ("n\ufffd", "truncated")


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_page_without_text_is_empty(text):
    result = fake_ocr(lambda _: text).read(picture(1, 1))
    assert (result.text, result.status, result.finish_reason) == (text, "empty", "stop")


def test_read_raises_what_went_wrong(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"broken\.png"):
        fake_ocr().read(tmp_path / "broken.png")
    with pytest.raises(FileAccessError, match="does not exist"):
        fake_ocr().read(tmp_path / "none.png")
    with pytest.raises(RuntimeError, match="out of memory"):
        fake_ocr(lambda _: RuntimeError("out of memory")).read(picture(1, 1))


NONSENSE = {
    "box and multi_page": ({"box": [0, 0, 1, 1], "multi_page": True}, "cannot go with multi_page"),
    "short box": ({"box": [1, 2, 3]}, r"x1, y1, x2, y2 in pixels, got \[1, 2, 3\]"),
    "reversed box": ({"box": [5, 0, 1, 1]}, r"\[5, 0, 1, 1\] is empty or reversed"),
    "negative box": ({"box": [-1, 0, 1, 1]}, "finite numbers from 0"),
    "nan box": ({"box": [0, 0, float("nan"), 1]}, "finite numbers from 0"),
    "text box": ({"box": "0,0,1,1"}, "x1, y1, x2, y2"),
    "no tokens": ({"max_new_tokens": 0}, "max_new_tokens must be a whole number >= 1, got 0"),
    "no patches": ({"max_patches": 0}, "max_patches must be a whole number >= 1, got 0"),
    "half a flag": ({"format": "yes"}, "format must be True or False, got 'yes'"),
    "pages": ({"pages": "x"}, "Pages are named like"),
    "dpi": ({"dpi": 0}, "dpi must be above 0, got 0"),
    "color": ({"color": "[red]"}, "color must be a word"),
}


@pytest.mark.parametrize(("options", "message"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_before_anything_is_opened(options, message):
    ocr = fake_ocr()
    for call in (ocr.read, ocr.stream, lambda source, **o: ocr.read_many([source], **o)):
        with pytest.raises(InvalidOptionError, match=message):
            call("missing.png", **options)


def test_an_unknown_option_is_named_with_the_nearest_known_one():
    ocr = fake_ocr()
    for call in (ocr.stream, ocr.read_many, ocr.events):
        with pytest.raises(InvalidOptionError, match="no option 'multipage'; did you mean 'multi_page'"):
            call("x", multipage=True)
    with pytest.raises(InvalidOptionError, match="no option 'zzz'; there are: format"):
        ocr.stream("x", zzz=1)


def test_the_dialect_is_asked_before_anything_is_opened():
    ocr = fake_ocr()
    ocr.processor.dialect = "original"
    with pytest.raises(InvalidOptionError, match='"original" dialect has no prompt for a box and a color'):
        ocr.read("missing.png", box=[0, 0, 1, 1], color="red")


def test_several_sources_are_not_read_as_one_by_accident():
    with pytest.raises(InvalidOptionError, match=r"2 sources .* needs multi_page=True"):
        fake_ocr().read([picture(1, 1), picture(2, 2)])
    with pytest.raises(InvalidOptionError, match="empty list"):
        fake_ocr().read([], multi_page=True)


# --- stream ---------------------------------------------------------------------------------------------


def test_text_is_streamed_as_it_is_written():
    ocr = fake_ocr(lambda _: "aé")
    pieces = ocr.stream(picture(1, 1))
    assert ocr.runner.steps == 0
    assert next(pieces) == "a"
    assert ocr.runner.steps == 1
    assert next(pieces) == "é"
    assert ocr.runner.steps == 3
    assert list(pieces) == []


@pytest.mark.parametrize(
    "texts", [["a", "b", "c"], ["", "b", ""], ["a", "", "c"], ["", "", ""], ["ab", "é", " "]]
)
def test_the_pieces_of_several_pages_are_the_text_of_the_document(texts):
    source = tiff(*((n + 1, 1) for n in range(len(texts))))

    def answer(pages: list[Image.Image]) -> str:
        return texts[pages[0].width - 1]

    assert "".join(fake_ocr(answer).stream(source)) == fake_ocr(answer).read(source).text


def test_leaving_a_stream_stops_the_work():
    ocr = fake_ocr(lambda _: "a long text")
    pieces = ocr.stream(picture(1, 1))
    next(pieces)
    pieces.close()
    assert ocr.runner.steps == 1


def test_a_stream_raises_where_the_page_fails():
    pieces = fake_ocr().stream(
        tiff((5, 4), (6, 3)), box=[0, 0, 1, 1], limits=got_ocr2.ocr.Limits(max_pixels=19)
    )
    with pytest.raises(InputError, match="<bytes> is 5 x 4"):
        list(pieces)


# --- read_many ------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(tmp_path: Path) -> list:
    """Two good documents, a broken one, a missing one, an encrypted one, one with a broken page."""
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "locked.pdf").write_bytes(make_pdf(["x"], password="p"))
    return [
        picture(5, 4),
        tmp_path / "broken.png",
        tiff((6, 3), (2000, 1000), (7, 2)),
        tmp_path / "missing.png",
        tmp_path / "locked.pdf",
        picture(8, 1),
    ]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_results_come_in_order_and_none_is_lost(mixed, batch_size):
    ocr = fake_ocr()
    limits = got_ocr2.ocr.Limits(max_pixels=1000)
    results = list(ocr.read_many(mixed, batch_size=batch_size, limits=limits))
    assert [result.status for result in results] == [
        "complete", "failed", "failed", "failed", "failed", "complete",
    ]  # fmt: skip
    assert [result.text for result in results] == ["5x4", "", "6x3\n\n7x2", "", "", "8x1"]
    assert [page.status for page in results[2].pages] == ["complete", "failed", "complete"]
    codes = [page.error and page.error.exit_code for r in results for page in getattr(r, "pages", (r,))]
    assert codes == [None, 2, None, 2, None, 5, 8, None]
    assert results[2].pages[1].page_numbers == (2,)
    assert results[3].source == str(mixed[3])
    assert results[3].error.type == "FileAccessError"
    assert max(ocr.runner.batches) == min(batch_size, 4)


def test_a_page_that_spoils_its_batch_fails_alone():
    def answer(pages: list[Image.Image]) -> str | Exception:
        return RuntimeError("boom") if pages[0].width == 6 else "fine"

    ocr = fake_ocr(answer)
    results = list(ocr.read_many([picture(n, 1) for n in (5, 6, 7)], batch_size=3))
    assert [result.text for result in results] == ["fine", "", "fine"]
    assert results[1].error.message == "RuntimeError: boom"
    assert results[1].error.exit_code == 15
    assert (results[1].width, results[1].height) == (6, 1)
    # The step with all three failed; each was then tried alone, and the two good ones went on together.
    assert ocr.runner.batches == [3, 1, 1, 1, 2, 2, 2, 2]


def test_rows_of_a_batch_end_each_in_its_own_way():
    texts = {1: "abcdef", 2: "", 3: "ab"}
    ocr = fake_ocr(lambda pages: texts[pages[0].width])
    results = list(ocr.read_many([picture(n, 1) for n in texts], batch_size=3, max_new_tokens=4))
    assert [(r.text, r.status, r.tokens) for r in results] == [
        ("abcd", "truncated", 4), ("", "empty", 1), ("ab", "complete", 3),
    ]  # fmt: skip
    assert [r.mean_logprob for r in results] == [-0.5] * 3


def test_documents_are_opened_one_after_another():
    opened = []

    def sources():
        for n in range(1, 4):
            opened.append(n)
            yield picture(n, 1)

    results = fake_ocr().read_many(sources())
    assert opened == []
    assert next(results).width == 1
    assert opened == [1]
    assert [result.width for result in results] == [2, 3]


def test_a_folder_gives_a_result_for_each_document_and_an_empty_one_fails(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "empty").mkdir()
    for width in (2, 3):
        picture(width, 1).save(tmp_path / "full" / f"{width}.png")
    results = list(fake_ocr().read_many([tmp_path / "full", tmp_path / "empty"]))
    assert [result.text for result in results] == ["2x1", "3x1", ""]
    assert "holds no picture" in results[2].error.message


def test_events_tell_the_whole_story():
    limits = got_ocr2.ocr.Limits(max_pixels=10)
    events = list(fake_ocr().events([tiff((2, 1), (20, 10)), b""], limits=limits))
    kinds = [type(event) for event in events]
    assert kinds == [
        DocumentOpened, TextPiece, TextPiece, TextPiece, PageRead, PageRead, DocumentRead,
        DocumentOpened, PageRead, DocumentRead,
    ]  # fmt: skip
    assert (events[0].source, events[0].results) == ("<bytes>", 2)
    assert "".join(event.text for event in events[1:4]) == "2x1"
    assert events[6].result.pages == (events[4].result, events[5].result)


def test_in_a_batch_the_first_page_is_written_out_and_the_next_one_is_not_kept_waiting():
    texts = {1: "abcd", 2: "efgh", 3: "i"}
    ocr = fake_ocr(lambda pages: texts[pages[0].width])
    events = ocr.events([tiff((1, 1), (2, 1), (3, 1))], batch_size=2)
    pieces = [event.text for event in events if isinstance(event, TextPiece)]
    assert pieces == [*"abcd", "efgh", "i"]


def test_a_page_enters_as_soon_as_another_leaves():
    texts = {1: "abcdefgh", 2: "", 3: "i", 4: "jk"}
    ocr = fake_ocr(lambda pages: texts[pages[0].width])
    results = list(ocr.read_many([picture(n, 1) for n in texts], batch_size=2))
    assert [result.text for result in results] == list(texts.values())
    assert ocr.runner.batches == [2] * 6 + [1] * 3
    assert ocr.engine.free_positions == 100_000


def test_leaving_gives_up_the_pages_in_the_engine():
    ocr = fake_ocr(lambda _: "a long text")
    events = ocr.events([picture(n, 1) for n in range(1, 9)], batch_size=4)
    for event in events:
        if isinstance(event, TextPiece):
            break
    assert ocr.engine.running == 4
    events.close()
    assert (ocr.engine.running, ocr.engine.free_positions) == (0, 100_000)
    assert fake_ocr().read(picture(1, 1)).text == "1x1"


def test_pages_that_are_done_do_not_pile_up():
    opened = []

    def sources():
        for n in range(1, 200):
            opened.append(n)
            yield picture(n, 1)

    texts = {1: "a very long text that keeps all the others waiting " * 9}
    results = fake_ocr(lambda pages: texts.get(pages[0].width, "")).read_many(sources(), batch_size=2)
    next(results)
    assert len(opened) < 20
    assert sum(1 for _ in results) == 198


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, True])
def test_impossible_batches(batch_size):
    with pytest.raises(InvalidOptionError, match="batch_size must be a whole number >= 1"):
        fake_ocr().read_many([], batch_size=batch_size)


# --- the engine ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 3])
def test_an_engine_with_a_thread_of_its_own_gives_the_same(mixed, batch_size):
    limits = got_ocr2.ocr.Limits(max_pixels=1000)
    with_thread, without = fake_ocr(threaded=True), fake_ocr()
    events = [
        [(type(event), getattr(event, "result", None)) for event in ocr.events(
            mixed, batch_size=batch_size, limits=limits)]
        for ocr in (with_thread, without)
    ]  # fmt: skip

    def told(events):
        """Pieces of text may be cut elsewhere, and seconds differ."""
        pages = [result for kind, result in events if kind is PageRead]
        return [(p.source, p.text, p.status, p.tokens, p.mean_logprob) for p in pages]

    assert told(events[0]) == told(events[1])
    with_thread.close()


def test_leaving_while_pages_are_prepared_leaves_nobody_behind():
    ocr = fake_ocr(lambda _: "a long text", threaded=True)
    for batch_size in (2, 8):
        events = ocr.events([picture(n, 1) for n in range(1, 20)], batch_size=batch_size)
        for event in events:
            if isinstance(event, TextPiece):
                break
        events.close()
        ocr.engine.wait(lambda: ocr.engine.running == 0, timeout=30)
    assert ocr.engine.free_positions == 100_000
    ocr.close()


def test_with_a_thread_too_a_page_fails_alone_and_read_raises():
    def answer(pages: list[Image.Image]) -> str | Exception:
        return RuntimeError("boom") if pages[0].width == 6 else "fine"

    ocr = fake_ocr(answer, threaded=True)
    sizes = (5, 6, 7)
    results = list(ocr.read_many([picture(n, 1) for n in sizes], batch_size=2, box=[0, 0, 1, 1]))
    assert [result.text for result in results] == ["fine", "", "fine"]
    reader = ocr.reader(ReadOptions(), batch_size=3, strict=True)
    with pytest.raises(RuntimeError, match="boom"):
        list(reader.events([picture(n, 1) for n in sizes]))
    ocr.close()


def test_an_ocr_that_nobody_uses_ends_its_thread():
    ocr = fake_ocr(threaded=True)
    assert ocr.read(picture(3, 2)).text == "3x2"
    engine = ocr.engine
    assert not engine.closed
    got_ocr2.ocr.finalize(ocr, engine.close)  # as the property does for engines that it has made
    del ocr
    gc.collect()
    assert engine.closed


def test_closing_gives_the_cache_back_and_reading_goes_on():
    ocr = fake_ocr()
    first = ocr.engine
    ocr.close()
    assert first.closed
    assert ocr.runner.capacity == 0
    ocr._engine_options = got_ocr2.ocr.EngineOptions(kv_memory="3 KB", max_batch=2)
    ocr.model.config = SimpleNamespace(text_config=SimpleNamespace(max_position_embeddings=2000))
    assert ocr.read(picture(3, 2), max_new_tokens=50).text == "3x2"
    assert (ocr.engine is not first, ocr.runner.capacity) == (True, 3000)
    assert ocr.engine is ocr.engine
    with pytest.raises(InvalidOptionError, match=r"7 tokens and 2994 new ones need 3001 .* holds 3000"):
        ocr.read(picture(3, 2), max_new_tokens=2994)


def test_several_threads_read_with_one_model():
    ocr = fake_ocr(threaded=True)
    found: dict[int, list[str]] = {}

    def read(first: int) -> None:
        pages = [picture(first + n, 1) for n in range(5)]
        found[first] = [result.text for result in ocr.read_many(pages, batch_size=2)]

    workers = [threading.Thread(target=read, args=(first,)) for first in (1, 11, 21)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert found == {first: [f"{first + n}x1" for n in range(5)] for first in (1, 11, 21)}
    ocr.close()


BAD_ENGINES = {
    "quantization": ({"quantization": "int3"}, 'quantization is "int8", "int4" or None, got \'int3\''),
    "kernels": ({"kernels": "cuda"}, 'kernels is "auto", "native" or "torch", got \'cuda\''),
    "both": ({"kernels": "torch", "quantization": "int8"}, "needs the native kernels"),
    "size": ({"kv_memory": "much"}, "kv_memory is a size such as \"2GB\" or a number of bytes, got 'much'"),
    "no size": ({"kv_memory": 0}, "kv_memory is a size"),
    "batch": ({"max_batch": 0}, "max_batch must be a whole number >= 1, got 0"),
}


@pytest.mark.parametrize(("options", "message"), BAD_ENGINES.values(), ids=BAD_ENGINES)
def test_bad_engines_are_refused_before_anything_is_loaded(options, message):
    with pytest.raises(InvalidOptionError, match=message):
        OCR.from_pretrained("nowhere/nothing", **options)


# --- a real checkpoint ----------------------------------------------------------------------------------


def test_without_an_embedded_model_one_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(got_ocr2.ocr, "EMBEDDED_MODEL", tmp_path / "none")
    with pytest.raises(CheckpointError, match=r"no embedded model .* name a checkpoint folder"):
        OCR.from_pretrained()


@pytest.fixture(scope="module")
def tiny_ocr(checkpoint_folder: Path) -> OCR:
    return OCR.from_pretrained(checkpoint_folder, device="cpu")


def test_device_and_dtype_are_chosen_for_the_machine(checkpoint_folder, tiny_ocr):
    assert (tiny_ocr.model.device.type, tiny_ocr.model.dtype) == ("cpu", torch.float32)
    chosen = OCR.from_pretrained(checkpoint_folder, dtype="bfloat16").model
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert (chosen.device.type, chosen.dtype) == (best, torch.bfloat16)


def test_bad_devices_and_checkpoints_are_one_of_our_errors(checkpoint_folder, tmp_path):
    with pytest.raises(InvalidOptionError, match="warp"):
        OCR.from_pretrained(checkpoint_folder, device="warp")
    with pytest.raises(InvalidOptionError, match="float12"):
        OCR.from_pretrained(checkpoint_folder, dtype="float12")
    with pytest.raises(GotOcr2Error):
        OCR.from_pretrained(tmp_path)


@pytest.mark.parametrize("kernels", ["torch", "auto"])
def test_kernels_do_not_change_the_text(checkpoint_folder, tiny_ocr, page_image, kernels):
    ocr = OCR.from_pretrained(checkpoint_folder, device="cpu", kernels=kernels, kv_memory="20MB", max_batch=2)
    pages = [page_image, page_image.rotate(90), page_image.resize((50, 90))]
    ours = ocr.read_many(pages, batch_size=3, max_new_tokens=7)
    assert [result.text for result in ours] == [tiny_ocr.read(page, max_new_tokens=7).text for page in pages]


@pytest.mark.skipif(not native_kernels.available(), reason="needs the native kernels")
@pytest.mark.parametrize("quantization", ["int8", "int4"])
def test_quantized_weights_replace_the_models_own(checkpoint_folder, page_image, quantization):
    ocr = OCR.from_pretrained(checkpoint_folder, device="cpu", quantization=quantization)
    assert ocr.read(page_image, max_new_tokens=5).tokens == 5
    assert ocr.model.lm_head.weight.device.type == "meta"
    ocr.close()
    assert ocr.read(page_image, max_new_tokens=5).tokens == 5  # the packed ones are still there


@pytest.mark.parametrize(
    "options",
    [{}, {"format": True}, {"box": (10, 10, 60, 40)}, {"color": "red"}, {"crop": True}, {"max_patches": 3}],
)
def test_reading_equals_generate(tiny_ocr, page_image, options):
    ours = tiny_ocr.read(page_image, max_new_tokens=6, **options)
    asked = {k: v for k, v in options.items() if k not in ("crop", "max_patches")}
    if "crop" in options or "max_patches" in options:
        asked |= {"crop_to_patches": True, "max_patches": options.get("max_patches")}
    inputs = tiny_ocr.processor(page_image, **asked)
    ids = tiny_ocr.model.generate(**inputs, max_new_tokens=6)
    length = inputs["input_ids"].shape[1]
    assert ours.text == tiny_ocr.processor.decode(ids[0, length:])
    assert (ours.prompt_tokens, ours.tokens) == (length, ids.shape[1] - length)
    assert "".join(tiny_ocr.stream(page_image, max_new_tokens=6, **options)) == ours.text
    assert ours.mean_logprob < 0


def test_batches_read_as_pages_alone_do(tiny_ocr, page_image):
    pages = [page_image, page_image.rotate(180), page_image.resize((40, 90))]
    together = tiny_ocr.read_many(pages, batch_size=3, max_new_tokens=5)
    assert [result.text for result in together] == [
        tiny_ocr.read(page, max_new_tokens=5).text for page in pages
    ]


def test_several_pages_go_through_the_model_as_one_prompt(tiny_ocr, page_image):
    result = tiny_ocr.read([page_image, page_image], multi_page=True, max_new_tokens=3)
    single = tiny_ocr.read(page_image, max_new_tokens=3)
    assert result.prompt_tokens > single.prompt_tokens + 9
    assert result.page_numbers == (1, 2)


def test_a_box_outside_one_page_fails_that_page_alone(tiny_ocr, page_image):
    results = list(
        tiny_ocr.read_many([page_image, page_image.resize((20, 20))], box=[0, 0, 100, 50], max_new_tokens=2)
    )
    assert [result.status for result in results] == ["truncated", "failed"]
    assert results[1].error.exit_code == 1
    assert "reaches outside the image of 20x20" in results[1].error.message
