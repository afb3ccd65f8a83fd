from __future__ import annotations

import io
import threading
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from generation_helpers import ByteTokenizer, ScriptedModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from got_ocr2.config import GotOcr2Config
from got_ocr2.errors import InvalidOptionError
from got_ocr2.generation import GenerationOptions, TextIteratorStreamer, TextStreamer

TEXT = "Größe 你好 🙂 end"


def feed(streamer: Any, prompt: str, ids: list[int]) -> None:
    streamer.put(torch.tensor([list(prompt.encode())]))
    for token in ids:
        streamer.put(torch.tensor([token]))
    streamer.end()


@pytest.mark.parametrize("skip_prompt", [False, True])
@pytest.mark.parametrize("skip_special_tokens", [False, True])
def test_writes_to_standard_output(
    capsys: pytest.CaptureFixture[str], skip_prompt: bool, skip_special_tokens: bool
) -> None:
    streamer = TextStreamer(ByteTokenizer(), skip_prompt=skip_prompt, skip_special_tokens=skip_special_tokens)
    feed(streamer, "Q: ", [*TEXT.encode(), 256])
    expected = ("" if skip_prompt else "Q: ") + TEXT + ("" if skip_special_tokens else "<|im_end|>") + "\n"
    assert capsys.readouterr().out == expected


def test_no_piece_holds_half_a_character_and_none_waits_longer_than_needed() -> None:
    pieces: list[str] = []
    streamer = TextStreamer(ByteTokenizer(), skip_prompt=True, on_text=pieces.append)
    feed(streamer, "Q", list(TEXT.encode()))
    assert pieces == list(TEXT)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 257), max_size=30), st.booleans())
def test_pieces_joined_are_the_decoded_text(ids: list[int], skip_special_tokens: bool) -> None:
    pieces: list[str] = []
    tokenizer = ByteTokenizer()
    streamer = TextStreamer(
        tokenizer, skip_prompt=True, skip_special_tokens=skip_special_tokens, on_text=pieces.append
    )
    feed(streamer, "Q", ids)
    assert "".join(pieces) == tokenizer.decode(ids, skip_special_tokens)
    assert "" not in pieces


def test_a_streamer_can_be_used_again_and_starts_with_a_prompt() -> None:
    out = io.StringIO()
    streamer = TextStreamer(ByteTokenizer(), skip_prompt=True, stream=out)
    feed(streamer, "Q", [*b"one", 0xE4])
    feed(streamer, "Q", [*b"two"])
    assert out.getvalue() == "one\ufffd\ntwo\n"


def test_takes_a_processor_too() -> None:
    out = io.StringIO()
    feed(TextStreamer(SimpleNamespace(tokenizer=ByteTokenizer()), stream=out), "Q", [*b"x"])
    assert out.getvalue() == "Qx\n"


def test_a_subclass_may_say_what_happens_to_the_text() -> None:
    seen: list[tuple[str, bool]] = []

    class Collects(TextStreamer):
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            seen.append((text, stream_end))

    feed(Collects(ByteTokenizer(), skip_prompt=True), "Q", [*b"a"])
    assert seen == [("a", False), ("", True)]


def test_refusals() -> None:
    with pytest.raises(InvalidOptionError, match="shows one row, but the batch has 2"):
        TextStreamer(ByteTokenizer()).put(torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(InvalidOptionError, match="on_text or stream, not both"):
        TextStreamer(ByteTokenizer(), on_text=print, stream=io.StringIO())
    with pytest.raises(InvalidOptionError, match="str has no decode_stream"):
        TextStreamer("tokenizer")  # pyright: ignore


def test_iterates_in_another_thread(real_vocab_config: GotOcr2Config) -> None:
    model = ScriptedModel(real_vocab_config, [[*TEXT.encode(), 256]])
    streamer = TextIteratorStreamer(ByteTokenizer(), skip_prompt=True, timeout=30, skip_special_tokens=True)
    options = {"streamer": streamer, "eos_token_id": 256, "max_new_tokens": 99}
    worker = threading.Thread(target=model.generate, args=(torch.tensor([[5, 6]]),), kwargs=options)
    worker.start()
    assert list(streamer) == list(TEXT)
    worker.join()


def test_iteration_ends_when_generation_fails(real_vocab_config: GotOcr2Config) -> None:
    model = ScriptedModel(real_vocab_config, [[]])
    streamer = TextIteratorStreamer(ByteTokenizer(), timeout=30)
    with pytest.raises(InvalidOptionError, match="no option 'nonsense'"):
        model.generate(torch.tensor([[5, 6]]), streamer=streamer, nonsense=1)
    assert list(streamer) == []


def test_iteration_times_out() -> None:
    streamer = TextIteratorStreamer(ByteTokenizer(), timeout=0.01)
    with pytest.raises(TimeoutError, match=r"0\.01 seconds"):
        next(streamer)


def test_the_models_documentation_example_runs(
    real_vocab_model: Any, real_vocab_processor: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = real_vocab_processor.tokenizer
    streamer = TextStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
    prompt = torch.tensor([tokenizer.encode("OCR: ")])
    ids = real_vocab_model.generate(
        input_ids=prompt, do_sample=False, tokenizer=tokenizer, stop_strings="<|im_end|>", streamer=streamer,
        max_new_tokens=12,
    )  # fmt: skip
    text = tokenizer.decode(ids[0, prompt.shape[1] :], skip_special_tokens=True)
    assert capsys.readouterr().out == text + "\n"
    assert real_vocab_model.generation_defaults == GenerationOptions()
