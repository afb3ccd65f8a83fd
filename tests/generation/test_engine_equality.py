"""The engine on real, tiny models: the same ids as the slow twin, whatever else goes on, and nothing left behind."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from generation_helpers import ByteTokenizer, TinyTokenizer, make_prompts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from got_ocr2 import kernels
from got_ocr2.config import GotOcr2Config
from got_ocr2.generation import GenerationOptions
from got_ocr2.generation.engine.engine import Engine
from got_ocr2.generation.engine.requests import Handle, Request
from got_ocr2.generation.engine.runner import Runner
from got_ocr2.generation.inputs import PromptBatch
from got_ocr2.generation.reference import generate_slowly
from got_ocr2.generation.rules.random_draws import OwnDraws
from got_ocr2.modeling.backends.choice import choose_runner

PAD, IMAGE = 4, 91
# Ends that come early in some rows, rules that look back, strings, drawn tokens: every page asks for its own.
PAGES: list[tuple[int, int, int, dict[str, Any]]] = [  # pictures, words, most new tokens, options
    (1, 7, 14, {}),
    (0, 5, 9, {"eos_token_id": [*range(30), IMAGE]}),
    (2, 6, 12, {"no_repeat_ngram_size": 2}),
    (1, 7, 20, {"repetition_penalty": 1.3, "eos_token_id": [*range(40, 60)]}),
    (0, 12, 1, {}),
    (1, 3, 11, {"min_new_tokens": 5, "eos_token_id": [*range(50)]}),
    (0, 5, 16, {"stop_strings": "what it writes"}),
    (1, 7, 10, {"do_sample": True, "temperature": 1.3, "top_k": 20}),
]


@dataclass
class Page:
    """A prompt, its options, and what the slow twin makes of it."""

    request: Callable[..., Request]
    expected: tuple[int, ...]
    reason: str


@pytest.fixture(scope="module")
def pages(tiny_wide_model: Any) -> list[Page]:
    config, found = tiny_wide_model.config, list[Page]()
    for number, (pictures, words, limit, given_options) in enumerate(PAGES):
        options = GenerationOptions().override(eos_token_id=IMAGE).override(**given_options)
        inputs = make_prompts(config, [pictures], [words], padding=PAD, seed=number).inputs
        batch = PromptBatch.check(config, **inputs)
        tokenizer, prompt = TinyTokenizer(), batch.lengths[0]
        if options.stop_strings:
            free = generate_slowly(tiny_wide_model, batch, replace(options, stop_strings=()), 6)
            written = tokenizer.decode(free.sequences[0, prompt + 3 : prompt + 5].tolist())
            options = replace(options, stop_strings=(written,))

        def generator(number: int = number) -> torch.Generator:
            return torch.Generator().manual_seed(number)

        slow = generate_slowly(
            tiny_wide_model, batch, options, limit, tokenizer=tokenizer, generators=[generator()]
        )

        def request(inputs=inputs, limit=limit, options=options, generator=generator, **more: Any) -> Request:
            return Request(
                inputs["input_ids"][0].tolist(), limit, options, inputs.get("pixel_values"),
                TinyTokenizer(), OwnDraws(generator()), **more,
            )  # fmt: skip

        found.append(Page(request, tuple(slow.sequences[0, prompt:].tolist()), slow.finish_reasons[0]))
    assert {page.reason for page in found} == {"length", "stop", "stop_string"}
    return found


class Guesses:
    """Drafts the right text, but for some tokens: drafts of any quality must not change the ids."""

    def __init__(self, text: Sequence[int], wrong: float, seed: int) -> None:
        self.text, self.wrong, self.random = text, wrong, random.Random(seed)

    def propose(self, history: Sequence[int], limit: int) -> list[int]:
        count = self.random.randint(0, limit)
        right = self.text[len(history) : len(history) + count]
        return [t if self.random.random() > self.wrong else self.random.randrange(97) for t in right]

    def accepted(self, proposed: int, kept: int) -> None:
        assert 0 <= kept <= proposed
        assert proposed >= 1


arrivals = st.lists(
    # which page, steps to wait before it comes, wrong drafted tokens (or None), given up after how many steps
    st.tuples(
        st.integers(0, len(PAGES) - 1),
        st.integers(0, 4),
        st.sampled_from([None, None, 0.0, 0.3, 1.0]),
        st.sampled_from([None, None, None, 0, 1, 5]),
    ),
    min_size=1,
    max_size=9,
)


@pytest.fixture(scope="module", params=["torch", "native"])
def runner(request: pytest.FixtureRequest, tiny_wide_model: Any) -> Runner:
    if request.param == "native" and not kernels.available():
        pytest.skip(f"no native kernels: {kernels.why_not()}")
    return choose_runner(tiny_wide_model, request.param)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(work=arrivals, room=st.integers(0, 150), rows=st.integers(1, 5), lag=st.integers(0, 1))
def test_every_page_reads_as_if_it_were_alone(
    runner: Runner, pages: list[Page], work: list[Any], room: int, rows: int, lag: int
) -> None:
    """In any order of arrival, in any company, in an arena of any size, with drafts or without."""
    with Engine(runner, positions=60 + room, rows=rows, lag=lag, prefill_tokens=40, pictures=2) as engine:
        submitted: list[tuple[Page, Handle, int | None]] = []
        for number, (which, wait, wrong, leaves) in enumerate(work):
            for _ in range(wait):
                engine.step()
            page = pages[which]
            drafter = None if wrong is None else Guesses(page.expected, wrong, number)
            handle = engine.submit(page.request(drafter=drafter))
            submitted.append((page, handle, None if leaves is None else engine.steps + leaves))
        while engine.step():
            for _, handle, leaves in submitted:
                if leaves is not None and engine.steps >= leaves:
                    handle.cancel()
        for page, handle, leaves in submitted:
            try:
                result = handle.result()
            except CancelledError:
                assert leaves is not None
            else:
                assert (result.tokens, result.reason) == (page.expected, page.reason)
        assert (engine.running, engine.free_positions) == (0, 60 + room)


def test_without_a_cache_the_engine_writes_the_same(tiny_wide_model: Any, pages: list[Page]) -> None:
    with Engine(tiny_wide_model.new_runner(use_cache=False), positions=400) as engine:
        handles = [
            engine.submit(page.request(drafter=Guesses(page.expected, 0.2, number)))
            for number, page in enumerate(pages)
        ]
        assert [handle.result().tokens for handle in handles] == [page.expected for page in pages]


def test_ids_are_those_of_transformers(tiny_model: Any, tiny_oracle: Any) -> None:
    """Pages of unequal length and ends, few at a time, with perfect and useless drafts."""
    shapes = [(1, 6, 18), (0, 11, 7), (2, 5, 13), (1, 9, 18), (0, 4, 15)]
    asked: list[Request] = []
    expected: list[tuple[int, ...]] = []
    for number, (pictures, words, limit) in enumerate(shapes):
        inputs = make_prompts(tiny_model.config, [pictures], [words], padding=PAD, seed=40 + number).inputs
        theirs = tiny_oracle.generate(
            **inputs, max_new_tokens=limit, eos_token_id=[*range(20)], pad_token_id=PAD
        )
        ids = inputs["input_ids"][0].tolist()
        expected.append(tuple(theirs[0, len(ids) :].tolist()))
        options = GenerationOptions(eos_token_id=tuple(range(20)))
        drafter = (None, Guesses(expected[-1], 0, 1), Guesses(expected[-1], 0.6, 2))[number % 3]
        asked.append(Request(ids, limit, options, inputs.get("pixel_values"), drafter=drafter))
    with Engine(tiny_model.new_runner(), positions=90, rows=3) as engine:
        results = [handle.result() for handle in [engine.submit(one) for one in asked]]
    assert [result.tokens for result in results] == expected
    assert results[1].kept == results[1].drafted > 0
    assert results[2].kept < results[2].drafted


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_number_formats(make_model: Any, tiny_wide_config: GotOcr2Config, dtype: torch.dtype) -> None:
    model = make_model(tiny_wide_config).to(dtype)
    inputs = make_prompts(tiny_wide_config, [1], [6], padding=PAD).inputs
    page = Request(inputs["input_ids"][0].tolist(), 6, pixel_values=inputs["pixel_values"])
    with Engine(model.new_runner(), positions=200) as engine:
        results = [handle.result() for handle in [engine.submit(page) for _ in range(2)]]
    assert results[0].tokens == results[1].tokens
    alone = model.generate(**inputs, max_new_tokens=6)[0, -6:].tolist()
    assert list(results[0].tokens) == alone


def test_two_hundred_pages_leave_nothing_behind(make_model: Any, tiny_config: GotOcr2Config) -> None:
    text = replace(tiny_config.text_config, num_hidden_layers=1)
    vision = replace(tiny_config.vision_config, num_hidden_layers=2, global_attn_indexes=(1,))
    config = replace(tiny_config, text_config=text, vision_config=vision)
    model = make_model(config)
    chance = random.Random(5)
    prompts = [make_prompts(config, [n % 3], [3 + 2 * n], padding=PAD, seed=n).inputs for n in range(6)]
    options = [
        GenerationOptions(eos_token_id=tuple(range(10))),
        GenerationOptions(do_sample=True, top_k=9),
        GenerationOptions(no_repeat_ngram_size=3, stop_strings=("z",)),
    ]

    def one_hundred(engine: Engine) -> None:
        live: list[Handle] = []
        for number in range(100):
            inputs = prompts[number % len(prompts)]
            live.append(engine.submit(Request(
                inputs["input_ids"][0].tolist(), chance.randint(1, 25), options[number % len(options)],
                inputs.get("pixel_values"), ByteTokenizer(),
                drafter=Guesses([], 0, 0) if number % 7 == 0 else None,
            )))  # fmt: skip
            for _ in range(chance.randint(0, 3)):
                engine.step()
            if chance.random() < 0.3:
                chance.choice(live).cancel()
        while engine.step():
            pass
        assert all(handle.done for handle in live)

    with Engine(model.new_runner(), positions=300, rows=6) as engine:
        one_hundred(engine)
        before = _live_tensors()
        one_hundred(engine)
        assert _live_tensors() == before
        assert (engine.running, engine.free_positions) == (0, 300)
        assert not engine._live
        assert not engine._launched


def _live_tensors() -> int:
    gc.collect()
    return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())
