"""The back end for CUDA devices, on the CPU: its numbers, its buckets, and that it never waits for the device."""

from __future__ import annotations

import itertools
import random
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from cuda_steps import both, compare, random_steps, row
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from got_ocr2.generation.engine.engine import Engine
from got_ocr2.generation.engine.requests import Request
from got_ocr2.generation.rules.options import GenerationOptions
from got_ocr2.generation.rules.sampling import NO_TOKEN
from got_ocr2.modeling.backends.cuda.buckets import Bucket, Buckets, pieces
from got_ocr2.modeling.backends.cuda.graphs import CudaGraphs
from got_ocr2.modeling.backends.cuda.operations import TorchOperations
from got_ocr2.modeling.backends.cuda.operations_choice import operations_for
from got_ocr2.modeling.backends.cuda.runner import CudaRunner
from got_ocr2.modeling.backends.torch_runner import TorchRunner

CPU = torch.device("cpu")


class Counting:
    """Plain calls that count how often each bucket is run."""

    def __init__(self) -> None:
        self.runs: list[Bucket] = []

    def run(self, key, step) -> None:
        self.runs.append(key)
        step()


# --- buckets --------------------------------------------------------------------------------------------


@given(st.integers(1, 256), st.integers(1, 40_000), st.booleans())
def test_a_bucket_holds_the_step_and_is_no_larger_than_it_must_be(tokens, context, by_context):
    bucket = Buckets(256, by_context).fitting(tokens, context)
    assert tokens <= bucket.tokens < 2 * tokens + 1
    if by_context:
        assert context <= bucket.context <= max(256, 2 * context)
    else:
        assert bucket.context == 0


def test_there_are_few_buckets():
    found = {Buckets(256, True).fitting(t, c) for t in range(1, 257) for c in range(1, 32_769, 111)}
    assert len({b.tokens for b in found}) == 14
    assert len({b.context for b in found}) == 8


def test_a_largest_step_that_is_no_rung_is_refused():
    with pytest.raises(ValueError, match=r"most_tokens must be one of .* got 3"):
        Buckets(3, False)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 12)), min_size=1, max_size=12), st.integers(1, 9))
def test_pieces_keep_every_row_in_order_and_are_as_long_as_allowed(rows, most):
    made = [row(100 * i, 50, 7 * goes_on, tokens) for i, (goes_on, tokens) in enumerate(rows)]
    found = list(pieces(made, most))
    assert [r for piece in found for r in piece.rows] == made
    for piece in found:
        assert all((r.past > 0 and r.tokens <= most) == piece.recorded for r in piece.rows)
        assert not piece.recorded or piece.tokens <= most
    for one, two in itertools.pairwise(found):
        assert one.recorded != two.recorded or one.tokens + two.rows[0].tokens > most


# --- numbers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@torch.inference_mode()
def test_random_steps_give_the_scores_of_the_torch_runner(make_model, tiny_config, seed):
    model = make_model(tiny_config, seed)
    slow, fast = both(model, 400)
    for ids, rows in random_steps(seed, tiny_config, 400, steps=15):
        compare(slow, fast, ids, rows)


@torch.inference_mode()
def test_steps_beyond_the_largest_bucket_are_cut(make_model, tiny_config):
    class Narrow(TorchOperations):
        most_tokens = 4

    model, graphs = make_model(tiny_config), Counting()
    slow, fast = both(model, 200, operations=Narrow(), graphs=lambda device: graphs)
    prompts = [row(20 * i, 20, 0, 5, 1) for i in range(6)]
    compare(slow, fast, torch.arange(30), prompts)
    assert graphs.runs == []
    compare(slow, fast, torch.arange(6), [replace(r, past=5, tokens=1, wanted=1) for r in prompts])
    assert [b.tokens for b in graphs.runs] == [4, 2]
    # A row that brings more than the largest bucket goes through the model; drafts of others are recorded.
    long = [replace(prompts[0], past=6, tokens=7, wanted=2), replace(prompts[1], past=6, tokens=3, wanted=3)]
    compare(slow, fast, torch.arange(10), long)
    assert [b.tokens for b in graphs.runs] == [4, 2, 4]


@torch.inference_mode()
def test_a_half_precision_model_agrees_as_far_as_it_can(make_model, tiny_config):
    model = make_model(tiny_config).to(torch.bfloat16)
    slow, fast = both(model, 400)
    for ids, rows in random_steps(0, tiny_config, 400, steps=10):
        expected, got = slow.forward(ids, rows).logits, fast.forward(ids, rows).logits
        torch.testing.assert_close(got, expected, atol=0.1, rtol=0.05)


@torch.inference_mode()
def test_a_row_that_has_no_token_harms_nobody(make_model, tiny_config):
    _, fast = both(make_model(tiny_config), 60)
    rows = [row(0, 20, 0, 4, 1), row(20, 20, 0, 4, 1)]
    fast.forward(torch.arange(8), rows)
    on = [replace(r, past=4, tokens=1) for r in rows]
    expected = fast.forward(torch.tensor([5, 0]), on).logits.clone()
    assert torch.equal(fast.forward(torch.tensor([5, NO_TOKEN]), on).logits[0], expected[0])


@torch.inference_mode()
def test_pictures_are_encoded_in_lots(make_model, tiny_config, monkeypatch):
    monkeypatch.setattr("got_ocr2.modeling.backends.cuda.runner._PICTURES_AT_ONCE", 2)
    model = make_model(tiny_config)
    pictures = torch.randn(5, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    got = CudaRunner(model).encode(pictures)
    torch.testing.assert_close(got, model.encode_pictures(pictures), atol=1e-5, rtol=1e-5)


def test_an_engine_that_reads_tokens_late_writes_the_same_ids(make_model, tiny_config):
    """Scores lie in memory that the next step overwrites, and that step is launched before they are read."""
    model = make_model(tiny_config)
    prompts = [list(range(5 + 3 * n)) for n in range(9)]

    def written(runner, lag: int) -> list[tuple[int, ...]]:
        with Engine(runner, positions=150, rows=4, lag=lag) as engine:
            options = GenerationOptions(eos_token_id=(3,))
            handles = [
                engine.submit(Request(ids=ids, max_new_tokens=6 + n, options=options))
                for n, ids in enumerate(prompts)
            ]
            return [handle.result().tokens for handle in handles]

    expected = written(TorchRunner(model), lag=0)
    assert written(CudaRunner(model), lag=1) == expected
    assert written(CudaRunner(model), lag=2) == expected


def test_the_arena_is_made_and_given_back(make_model, tiny_config):
    runner = CudaRunner(make_model(tiny_config))
    assert runner.capacity == 0
    runner.allocate(50)
    assert runner.capacity == 50
    runner.allocate(70)
    assert runner.capacity == 70
    assert runner.bytes_per_position == 3 * 2 * 2 * 8 * 4
    runner.release()
    assert runner.capacity == 0


def test_without_a_gpu_the_operations_are_torchs():
    assert isinstance(operations_for(CPU), TorchOperations)


# --- recordings -----------------------------------------------------------------------------------------


def test_a_step_is_warmed_up_recorded_once_and_replayed(monkeypatch):
    """The order of calls that torch's documentation asks for, with its CUDA functions replaced by notes."""
    notes: list[str] = []

    class Stream:
        def __init__(self, *_: object) -> None: ...

        def wait_stream(self, other: object) -> None:
            notes.append("wait")

    class Graph:
        def replay(self) -> None:
            notes.append("replay")

    @contextmanager
    def on_stream(stream):
        notes.append("side stream")
        yield

    @contextmanager
    def recording(graph, *, pool, stream, capture_error_mode):
        assert (pool, capture_error_mode) == ("pool", "thread_local")
        assert isinstance(stream, Stream)
        notes.append("record")
        yield

    for name, fake in {
        "Stream": Stream, "CUDAGraph": Graph, "graph": recording, "stream": on_stream,
        "graph_pool_handle": lambda: "pool", "current_stream": Stream,
    }.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, fake)
    graphs = CudaGraphs(torch.device("cuda"))
    for key in ("a", "b", "a"):
        graphs.run(key, lambda key=key: notes.append(key))
    first = ["wait", "side stream", "a", "record", "a", "wait", "replay"]
    assert notes == [*first, *("b" if note == "a" else note for note in first), "replay"]


# --- nothing waits --------------------------------------------------------------------------------------


class Waiting(TorchDispatchMode):
    """Refuses every operation whose result the host would have to wait for, and counts the others."""

    WAITS = frozenset(
        {
            "_local_scalar_dense",
            "is_nonzero",
            "equal",
            "nonzero",
            "masked_select",
            "unique",
            "_unique2",
            "item",
        }
    )

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        assert name not in self.WAITS, f"{name} waits for the device"
        if name in {"index", "index_put_", "index_put"}:
            assert not any(t is not None and t.dtype == torch.bool for t in args[1]), "a boolean index waits"
        self.count += 1
        return func(*args, **(kwargs or {}))


@torch.inference_mode()
def test_steps_do_not_wait_for_the_device(make_model, tiny_config):
    _, fast = both(make_model(tiny_config), 400)
    for ids, rows in random_steps(1, tiny_config, 400, steps=6):
        with Waiting() as seen:
            fast.forward(ids, rows)
        assert seen.count > 50


def test_the_check_for_waiting_sees_a_wait():
    values = torch.ones(3)
    for waits in (values.sum().item, values.nonzero, lambda: values[values > 0], lambda: bool(values.any())):
        with pytest.raises(AssertionError, match="waits"), Waiting():
            waits()


@torch.inference_mode()
def test_a_step_needs_no_numbers_at_all(make_model, tiny_config):
    """On the meta device tensors have no content: work that depended on any could not be launched."""
    runner = CudaRunner(make_model(tiny_config).to("meta"))
    runner.allocate(100)
    rows = [row(0, 20, 9, 1), row(20, 20, 3, 4, 2), row(60, 30, 21, 1)]
    scores = runner.forward(torch.empty(6, dtype=torch.int64, device="meta"), rows)
    assert scores.logits.shape == (4, 97)
    assert scores.best is not None
    assert scores.best.device.type == "meta"


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 5)), min_size=1, max_size=8), st.integers(0, 9))
def test_the_work_of_a_bucket_is_always_the_same(make_model, tiny_config, rows, seed):
    """What is recorded may depend on the bucket only: same operations, shapes and memory for any rows in it."""

    class Seen(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            shapes = tuple(tuple(t.shape) for t in args if isinstance(t, Tensor))
            lasting = tuple(t.data_ptr() for t in args if isinstance(t, Tensor) and t.data_ptr() in fixed)
            log.append((str(func), shapes, lasting))
            return func(*args, **(kwargs or {}))

    class Watched:
        def run(self, key, step) -> None:
            with Seen():
                step()
            known = work.setdefault(key, tuple(log))
            assert known == tuple(log)
            log.clear()

    log: list[tuple[object, ...]] = []
    work: dict[Bucket, tuple[object, ...]] = {}
    model = make_model(tiny_config)
    runner = CudaRunner(model, graphs=lambda device: Watched())
    runner.allocate(800)
    fixed = {p.data_ptr() for p in model.parameters()} | {runner._arena.keys.data_ptr()}
    rng = random.Random(seed)
    with torch.inference_mode():
        for _ in range(3):
            made = [row(100 * i, 100, past + 1, tokens) for i, (past, tokens) in enumerate(rows)]
            ids = torch.tensor([rng.randrange(97) for r in made for _ in range(r.tokens)])
            runner.forward(ids, made)
            rows = [((past + 7) % 90, tokens) for past, tokens in rows]
    assert len(work) == 1
