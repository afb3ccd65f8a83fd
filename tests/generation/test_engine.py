"""The engine on a runner that writes down what it is asked: order, drafts, ends."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import CancelledError
from typing import Any

import pytest
import torch
from generation_helpers import END, ENDS, SCRIPTS, ByteTokenizer, request

from got_ocr2.generation import GenerationOptions
from got_ocr2.generation.engine.engine import Engine
from got_ocr2.generation.engine.requests import Handle

# --- results --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [0, 1])
def test_pages_are_read_together_and_each_ends_for_itself(scripted: Any, threaded: bool, lag: int):
    with Engine(scripted(), positions=100, lag=lag, threaded=threaded) as engine:
        handles = [engine.submit(request()) for _ in SCRIPTS]
        results = [handle.result(30) for handle in handles]
        assert [list(result.tokens) for result in results] == SCRIPTS
        assert [result.reason for result in results] == ["stop"] * 4
        likely = torch.zeros(97).index_fill(0, torch.tensor([0]), 9.0).log_softmax(0)[0]
        assert results[1].logprobs == pytest.approx([float(likely)] * 6, abs=1e-5)
        assert engine.free_positions == 100
    assert engine.closed


def test_tokens_come_as_they_are_written(scripted: Any):
    with Engine(scripted(), positions=100) as engine:
        handle = engine.submit(request())
        assert (engine.steps, handle.tokens, handle.done) == (0, 0, False)
        seen = []
        for new in handle:
            seen.append((new.index, new.token, new.reason))
            assert engine.steps == len(seen)
        assert seen == [(0, 20, None), (1, 21, None), (2, END, "stop")]
        assert [new.token for new in handle] == [20, 21, END]  # again, from the first one


def test_lag_launches_a_step_before_the_last_one_is_read(scripted: Any):
    runner = scripted()
    with Engine(runner, positions=100, lag=1) as engine:
        handle = engine.submit(request())
        engine.step()
        assert (len(runner.calls), handle.tokens) == (1, 0)
        engine.step()
        assert (len(runner.calls), handle.tokens) == (2, 1)
        assert handle.result().tokens == (20, 21, END)
        # One step more than tokens: the end was known only after the next one had been launched.
        assert [call.fed for call in runner.calls[1:]] == [[[20]], [[21]], [[END]]]
        assert engine.free_positions == 100


def test_a_page_that_has_all_its_tokens_is_not_launched_again(scripted: Any):
    runner = scripted()
    with Engine(runner, positions=100, lag=1) as engine:
        result = engine.submit(request(limit=2)).result()
    assert (result.tokens, result.reason) == ((20, 21), "length")
    assert len(runner.calls) == 2


def test_a_page_enters_as_soon_as_another_leaves(scripted: Any):
    runner = scripted()
    with Engine(runner, positions=100, rows=2) as engine:
        handles = [engine.submit(request()) for _ in SCRIPTS]
        for handle in handles:
            handle.result()
    assert [call.pages for call in runner.calls] == [[0, 1]] * 3 + [[1, 2], [1, 3], [1, 3], [3], [3]]


def test_prompts_of_one_length_stand_together_after_the_pages_that_go_on(scripted: Any):
    runner = scripted([[20] * 9] * 6)
    with Engine(runner, positions=200) as engine:
        first = engine.submit(request(4))
        engine.step()
        others = [engine.submit(request(prompt)) for prompt in (5, 3, 5, 3)]
        engine.step()
        assert [len(fed) for fed in runner.calls[1].fed] == [1, 3, 3, 5, 5]
        assert all(handle.result().tokens == (20,) * 8 for handle in (first, *others))


def test_each_page_has_its_own_options(scripted: Any):
    scripts = [[20, 20, 20, END], [20, END], [*b"ABC"], [20, 21, END, END, 22]]
    asked = [
        request(options=GenerationOptions(eos_token_id=(END,), no_repeat_ngram_size=1)),
        request(options=GenerationOptions(), limit=3),
        request(options=GenerationOptions(stop_strings=("AB",)), tokenizer=ByteTokenizer(), limit=5),
        request(options=GenerationOptions(eos_token_id=(END,), min_new_tokens=4)),
    ]
    # What an ended script writes is token 0; what a rule forbids gives way to the first token that is allowed.
    expected = [(20, 0, 1, END), (20, END, 0), tuple(b"AB"), (20, 21, 0, 0, 22)]
    with Engine(scripted(scripts), positions=100) as engine:
        handles = [engine.submit(one) for one in asked]
        tokens = [handle.result().tokens for handle in handles]
    assert tokens[:3] == expected[:3]
    assert tokens[3][:5] == expected[3]


def test_scores_are_kept_where_they_are_asked_for(scripted: Any):
    options = GenerationOptions(eos_token_id=(END,), return_dict_in_generate=True, output_scores=True)
    with Engine(scripted(), positions=100) as engine:
        handles = [engine.submit(request(options=o)) for o in (options, ENDS)]
        with_scores, without = (list(handle) for handle in handles)
    assert [int(new.scores.argmax()) for new in with_scores] == SCRIPTS[0]
    assert all(new.scores is None for new in without)


# --- drafts ---------------------------------------------------------------------------------------------


class Draft:
    """Proposes what comes next in a given text, and notes what became of it."""

    def __init__(self, text: Sequence[int]) -> None:
        self.text = list(text)
        self.verdicts: list[tuple[int, int]] = []

    def propose(self, history: Sequence[int], limit: int) -> list[int]:
        return self.text[len(history) : len(history) + limit]

    def accepted(self, proposed: int, kept: int) -> None:
        self.verdicts.append((proposed, kept))


@pytest.mark.parametrize("lag", [0, 1])
def test_drafts_are_verified(scripted: Any, lag: int):
    runner = scripted()
    draft = Draft([30, 31, 32, 0, 0, 0, 0, 0, 0, 0])
    with Engine(runner, positions=100, lag=lag) as engine:
        handle = engine.submit(request(drafter=Draft([20, 21, END])))
        other = engine.submit(request(limit=10, drafter=draft, most_drafted=4))
        plain = engine.submit(request())
        results = [one.result() for one in (handle, other, plain)]
    assert [list(result.tokens) for result in results] == SCRIPTS[:3]
    assert [(r.drafted, r.kept) for r in results] == [(2, 2), (12, 2), (0, 0)]
    # 30 comes with the prompt; then 31, 32 are right, 0, 0 wrong, and so is all that follows.
    assert draft.verdicts == [(4, 2), (4, 0), (4, 0)]
    assert runner.calls[1].fed[:2] == [[20, 21, END], [30, 31, 32, 0, 0]]


def test_drafts_never_reach_beyond_the_last_token(scripted: Any):
    runner = scripted([[20, 21, 22, 23, 24, 25]])
    with Engine(runner, positions=7) as engine:
        result = engine.submit(request(limit=4, drafter=Draft([20, 21, 22, 23, 24, 25]))).result()
    assert (result.tokens, result.reason) == ((20, 21, 22, 23), "length")
    assert [call.fed for call in runner.calls[1:]] == [[[20, 21, 22]]]


def test_a_row_that_ends_within_a_draft_drops_the_rest(scripted: Any):
    runner = scripted([[20, 21, END, 23, 24]])
    with Engine(runner, positions=100) as engine:
        result = engine.submit(request(drafter=Draft([20, 21, END, 23, 24]))).result()
    assert (result.tokens, result.reason) == ((20, 21, END), "stop")


def test_a_drafter_that_fails_fails_its_page_alone(scripted: Any):
    class Broken(Draft):
        def propose(self, history: Sequence[int], limit: int) -> list[int]:
            raise RuntimeError("no idea")

    with Engine(scripted(), positions=100) as engine:
        bad, good = engine.submit(request(drafter=Broken([]))), engine.submit(request())
        with pytest.raises(RuntimeError, match="no idea"):
            bad.result()
        assert list(good.result().tokens) == SCRIPTS[1]


# --- ends -----------------------------------------------------------------------------------------------


def test_a_watch_may_end_its_row_or_change_its_rules(scripted: Any):
    seen: list[list[int]] = []

    def loops(tokens: Sequence[int]) -> Any:
        seen.append(list(tokens))
        return "looped" if len(seen) == 3 else None

    def forbids(tokens: Sequence[int]) -> Any:
        return GenerationOptions(no_repeat_ngram_size=1) if tokens == [40] else None

    with Engine(scripted([[30] * 9, [40] * 9]), positions=100) as engine:
        handles = [engine.submit(request(limit=4, watch=watch)) for watch in (loops, forbids)]
        first, second = (handle.result() for handle in handles)
    assert (first.tokens, first.reason, seen) == ((30, 30, 30), "looped", [[30]] * 3)
    assert (second.tokens[0], second.reason) == (40, "length")
    assert 40 not in second.tokens[1:]


def test_a_deadline_ends_a_page_where_it_is(scripted: Any, threaded: bool):
    with Engine(scripted([[20] * 60]), positions=100, threaded=threaded) as engine:
        result = engine.submit(request(limit=60, deadline=1e-9)).result(30)
        assert (result.tokens, result.reason) == ((20,), "deadline")
        assert result.first_token <= result.seconds


def test_shares_of_the_work_add_up(scripted: Any, monkeypatch: pytest.MonkeyPatch):
    """By a clock that goes on by one whenever it is looked at."""
    looks: list[float] = []

    def clock() -> float:
        looks.append(float(len(looks)))
        return looks[-1]

    monkeypatch.setattr("got_ocr2.generation.engine.engine.monotonic", clock)
    with Engine(scripted(), positions=100) as engine:
        results = [handle.result() for handle in [engine.submit(request()) for _ in SCRIPTS]]
    elapsed = looks[-1] - looks[0]
    assert all(result.share > 0 for result in results)
    assert 0.2 * elapsed < sum(result.share for result in results) <= elapsed
    # Each step looks when it begins and when its answers are there: what lies between is charged, and nothing else.
    assert sum(result.share for result in results) == pytest.approx(len(looks) / 2)
    assert engine.steps == len(looks) / 2 > 1


def test_a_page_may_be_ended_where_it_is(scripted: Any):
    with Engine(scripted(), positions=40) as engine:
        first, second, waiting = (engine.submit(request(limit=17)) for _ in range(3))
        engine.step()
        engine.step()
        second.finish("length")
        assert second.done
        result = second.result()
        assert (result.tokens, result.reason) == ((30, 31), "length")
        assert second[1].reason == "length"
        assert engine.free_positions == 20
        waiting.finish("stop_string")  # it has written nothing
        with pytest.raises(CancelledError):
            waiting.result()
        assert first.result().tokens == (20, 21, END)
        first.finish("length")  # it is over
        assert first.result().reason == "stop"
        assert engine.free_positions == 40


@pytest.mark.parametrize("lag", [0, 1])
def test_the_most_probable_tokens_are_told_to_those_who_ask(scripted: Any, lag: int):
    with Engine(scripted(), positions=100, lag=lag) as engine:
        plain, asking = engine.submit(request()), engine.submit(request(top=3))
        assert asking.result().tokens == tuple(SCRIPTS[1])
        for new in asking:
            (best, p), *others = new.top
            assert (best, p) == (new.token, pytest.approx(new.logprob, abs=1e-5))
            assert len(others) == 2
            assert all(other < p for _, other in others)
        plain.result()
        assert all(new.top == () for new in plain)


def test_cancelled_pages_leave_at_once(scripted: Any):
    runner = scripted([[20] * 9] * 3)
    with Engine(runner, positions=22, rows=2) as engine:
        running, kept, waiting = (engine.submit(request()) for _ in range(3))
        engine.step()
        running.cancel()
        waiting.cancel()
        assert (engine.running, engine.free_positions) == (1, 11)
        for handle in (running, waiting):
            assert handle.done
            with pytest.raises(CancelledError):
                handle.result()
        with pytest.raises(CancelledError):
            list(running)
        assert len(kept.result().tokens) == 8
        kept.cancel()  # too late
        assert len(kept.result().tokens) == 8
        assert engine.free_positions == 22


def test_a_page_that_is_given_up_before_the_engine_has_seen_it_never_enters(scripted: Any):
    """A callback submits and cancels it where another thread may: between arrivals and those that were given up."""
    with Engine(scripted(), positions=100) as engine:
        late: list[Handle] = []

        def submit_and_cancel(_: Handle) -> None:
            late.append(engine.submit(request()))
            late[0].cancel()

        first = engine.submit(request())
        first.add_done_callback(submit_and_cancel)
        first.cancel()
        assert late[0].done
        engine.step()
        assert (engine.running, engine.waiting, engine.free_positions) == (0, 0, 100)
        assert not engine.step()


def test_callbacks_hear_of_every_end(scripted: Any, threaded: bool, caplog: pytest.LogCaptureFixture):
    heard: list[Handle] = []
    with Engine(scripted(), positions=100, threaded=threaded) as engine:
        handles = [engine.submit(request()) for _ in range(2)]
        for handle in handles:
            handle.add_done_callback(lambda _: 1 / 0)
            handle.add_done_callback(heard.append)
        for handle in handles:
            handle.result(30)
        handles[0].add_done_callback(heard.append)
    assert heard == [handles[0], handles[1], handles[0]]
    assert caplog.text.count("A callback of a finished page failed") == 2
