"""The engine on a runner that writes down what it is asked: what fails, and what many threads do."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError
from typing import Any

import pytest
import torch
from generation_helpers import END, ENDS, SCRIPTS, ScriptedRunner, request

from got_ocr2.config import GotOcr2Config
from got_ocr2.errors import GotOcr2Error, InvalidOptionError
from got_ocr2.generation import GenerationOptions
from got_ocr2.generation.engine.engine import Engine
from got_ocr2.generation.engine.requests import Request
from got_ocr2.generation.engine.runner import RowInput, Scores

# --- failures -------------------------------------------------------------------------------------------


class Faulty(ScriptedRunner):
    """Fails while the page with the number `bad` takes part in a step, `times` times."""

    bad, times = 1, 10**9

    def forward(self, ids: torch.Tensor, rows: Sequence[RowInput]) -> Scores:
        before = len(self.calls), dict(self._pages), self._begun
        scores = super().forward(ids, rows)
        if self.bad in self.calls[-1].pages and self.times:
            self.times -= 1
            del self.calls[before[0] :]
            self._pages, self._begun = before[1], before[2]
            raise RuntimeError("the device says no")
        return scores


def test_only_the_page_that_spoils_a_step_fails(tiny_config: GotOcr2Config, threaded: bool):
    runner = Faulty(tiny_config, SCRIPTS)
    with Engine(runner, positions=100, threaded=threaded) as engine:
        good, bad = engine.submit(request()), engine.submit(request(prompt=4))
        with pytest.raises(RuntimeError, match="the device says no"):
            bad.result(30)
        assert list(good.result(30).tokens) == SCRIPTS[0]
        assert engine.free_positions == 100
        runner.bad = -1
        assert list(engine.submit(request()).result(30).tokens) == SCRIPTS[1]


def test_a_step_that_goes_wrong_once_costs_nobody_anything(tiny_config: GotOcr2Config):
    runner = Faulty(tiny_config, SCRIPTS)
    runner.times = 1
    with Engine(runner, positions=100) as engine:
        handles = [engine.submit(request()) for _ in SCRIPTS]
        assert [list(handle.result().tokens) for handle in handles] == SCRIPTS


def test_a_device_that_is_gone_fails_everybody_and_leaves_nobody_waiting(
    tiny_config: GotOcr2Config, threaded: bool
):
    class Gone(ScriptedRunner):
        def forward(self, ids: torch.Tensor, rows: Sequence[RowInput]) -> Scores:
            raise RuntimeError("unspecified launch failure")

    with Engine(Gone(tiny_config, SCRIPTS), positions=30, rows=1, threaded=threaded) as engine:
        for handle in [engine.submit(request()) for _ in range(4)]:
            with pytest.raises(RuntimeError, match="launch failure"):
                handle.result(30)
        assert engine.free_positions == 30


def test_what_no_page_can_have_caused_closes_the_engine(
    scripted: Any, threaded: bool, monkeypatch: pytest.MonkeyPatch
):
    runner = scripted()
    engine = Engine(runner, positions=11, threaded=threaded)

    def admit() -> Any:
        raise MemoryError("of the house")

    monkeypatch.setattr(engine._scheduler, "admit", admit)
    handle = engine.submit(request())
    with pytest.raises(MemoryError, match="of the house"):
        handle.result(30)
    assert engine.closed
    assert runner.capacity == 0
    with pytest.raises(GotOcr2Error, match="engine is closed"):
        engine.submit(request())
    engine.close()


def test_pictures_that_cannot_be_encoded_fail_their_page_alone(tiny_config: GotOcr2Config):
    class Picky(ScriptedRunner):
        def encode(self, pixel_values: torch.Tensor) -> torch.Tensor:
            if (pixel_values < 0).any():
                raise ValueError("too dark")
            return super().encode(pixel_values)

    prompt = [60, *[tiny_config.image_token_index] * 9, 61]
    runner = Picky(tiny_config, [[20, END], [21, END]])
    with Engine(runner, positions=100) as engine:
        pixels = [torch.full((1, 3, 96, 96), value) for value in (1.0, -1.0, 2.0)]
        handles = [engine.submit(Request(prompt, 5, ENDS, pixel_values=one)) for one in pixels]
        with pytest.raises(ValueError, match="too dark"):
            handles[1].result()
        assert [handles[i].result().tokens for i in (0, 2)] == [(20, END), (21, END)]
    assert runner.encoded == [1, 1]  # together they failed, then each had its turn


def test_many_pictures_are_encoded_a_few_at_a_time(tiny_config: GotOcr2Config):
    runner = ScriptedRunner(tiny_config, [[END]] * 4)
    with Engine(runner, positions=400, pictures=3) as engine:
        for count in (2, 1, 2, 7):
            prompt = [60, *[tiny_config.image_token_index] * 9 * count, 61]
            engine.submit(Request(prompt, 2, ENDS, pixel_values=torch.zeros(count, 3, 96, 96)))
        engine.step()
    assert runner.encoded == [3, 2, 3, 3, 1]


def test_refusals(scripted: Any):
    with pytest.raises(InvalidOptionError, match="rows must be at least 1, got 0"):
        Engine(scripted(), positions=10, rows=0)
    with Engine(scripted(), positions=10) as engine:
        with pytest.raises(InvalidOptionError, match="need 11 positions of the cache, but it holds 10"):
            engine.submit(request())
        with pytest.raises(InvalidOptionError, match="need the tokenizer"):
            engine.submit(request(limit=7, options=GenerationOptions(stop_strings=("a",))))
        assert not engine.step()
        with pytest.raises(GotOcr2Error, match="nothing left to do"):
            engine.wait(lambda: False)


# --- threads --------------------------------------------------------------------------------------------


def test_closing_fails_what_has_not_ended(scripted: Any, threaded: bool):
    runner = scripted([[20] * 10**6] * 3)
    engine = Engine(runner, positions=3 * 10**6, threaded=threaded)
    handles = [engine.submit(request(limit=10**6 - 3)) for _ in range(3)]
    next(iter(handles[0]))
    engine.close()
    for handle in handles:
        with pytest.raises(GotOcr2Error, match="closed before the page was read"):
            handle.result(30)
    assert runner.capacity == 0
    engine.close()
    assert not [t for t in threading.enumerate() if t.name == "got-ocr2 engine"]


def test_waiting_has_its_limit(scripted: Any, threaded: bool):
    with Engine(scripted([[20] * 10**6]), positions=10**6, threaded=threaded) as engine:
        handle = engine.submit(request(limit=10**6 - 3))
        with pytest.raises(TimeoutError, match=r"not ready after 0\.05 seconds"):
            handle.result(0.05)
        assert not handle.done
        handle.cancel()
        with pytest.raises(CancelledError):
            handle.result(30)


def test_many_threads_share_an_engine(scripted: Any, threaded: bool):
    scripts = [[20 + page % 50] * (1 + page % 7) + [END] for page in range(60)]

    class ByPrompt(ScriptedRunner):
        """The script is named by the prompt: threads run in any order."""

        def forward(self, ids: torch.Tensor, rows: Sequence[RowInput]) -> Scores:
            begun = [scripts[int(ids[at])] for at, row in _starts(rows) if row.past == 0]
            self.scripts = [*self.scripts[: self._begun], *begun]
            return super().forward(ids, rows)

    runner = ByPrompt(scripted().config, [])
    failures: list[BaseException] = []

    def read(pages: Sequence[int], engine: Engine) -> None:
        try:
            for page in pages:
                tokens = engine.submit(Request([page, 70], 9, ENDS)).result(60).tokens
                assert list(tokens) == scripts[page]
        except BaseException as error:
            failures.append(error)

    with Engine(runner, positions=40, threaded=threaded) as engine:
        workers = [threading.Thread(target=read, args=(range(i, 60, 6), engine)) for i in range(6)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert failures == []
        assert engine.free_positions == 40


def _starts(rows: Sequence[RowInput]) -> list[tuple[int, RowInput]]:
    """Where each row's ids begin."""
    at, found = 0, []
    for row in rows:
        found.append((at, row))
        at += row.tokens
    return found
