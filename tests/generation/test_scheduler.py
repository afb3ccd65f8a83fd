"""The arena and the queue, with pages that are mere numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr2.errors import InvalidOptionError
from got_ocr2.generation.engine.arena import SpanAllocator
from got_ocr2.generation.engine.runner import Span
from got_ocr2.generation.engine.scheduler import Limits, Scheduler

# --- the arena ------------------------------------------------------------------------------------------


def test_spans_are_first_fit_and_gaps_grow_together_again():
    arena = SpanAllocator(10)
    a, b, c = arena.take(3), arena.take(4), arena.take(3)
    assert (a, b, c) == (Span(0, 3), Span(3, 4), Span(7, 3))
    assert arena.take(1) is None
    arena.give(a)
    arena.give(c)
    assert arena.free == 6
    assert arena.take(4) is None  # free, but not in one piece
    assert arena.take(2) == Span(0, 2)
    arena.give(b)
    assert arena.take(8) == Span(2, 8)


@pytest.mark.parametrize("span", [Span(2, 2), Span(3, 1), Span(4, 2), Span(9, 2), Span(-1, 1)])
def test_nothing_is_given_back_twice(span: Span):
    arena = SpanAllocator(10)
    owned = arena.take(4)
    assert owned is not None
    arena.give(owned)
    arena.take(3)
    with pytest.raises(ValueError, match="not owned by anybody"):
        arena.give(span)


@given(st.integers(1, 40), st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=60))
def test_spans_never_overlap_and_all_come_back(capacity: int, actions: list[tuple[bool, int]]):
    arena, owned = SpanAllocator(capacity), list[Span]()
    for take, number in actions:
        if take:
            taken = {p for span in owned for p in range(span.start, span.end)}
            size = 1 + number % 12
            span = arena.take(size)
            fits = [s for s in range(capacity - size + 1) if not taken & set(range(s, s + size))]
            assert (None if span is None else span.start) == (fits[0] if fits else None)
            if span is not None:
                assert span.size == size
                owned.append(span)
        elif owned:
            arena.give(owned.pop(number % len(owned)))
        assert arena.free == capacity - sum(span.size for span in owned)
    for span in owned:
        arena.give(span)
    assert arena.take(capacity) == Span(0, capacity)


# --- the queue ------------------------------------------------------------------------------------------


def test_a_page_that_can_never_fit_is_refused_with_the_numbers():
    scheduler: Scheduler[str] = Scheduler(Limits(positions=100, rows=2, prefill_tokens=50))
    with pytest.raises(InvalidOptionError, match=r"60 tokens and 41 new ones need 101 .* holds 100"):
        scheduler.add("a", 60, 41)
    assert not scheduler.busy
    scheduler.add("a", 60, 40)
    assert scheduler.admit() == [("a", Span(0, 100))]


def test_nobody_overtakes():
    scheduler: Scheduler[str] = Scheduler(Limits(positions=10, rows=9, prefill_tokens=99))
    scheduler.add("first", 3, 3)
    scheduler.add("large", 4, 4)
    scheduler.add("small", 1, 1)
    assert [page for page, _ in scheduler.admit()] == ["first"]
    assert scheduler.waiting == ("large", "small")
    scheduler.remove("first")
    assert scheduler.admit() == [("large", Span(0, 8)), ("small", Span(8, 2))]
    assert scheduler.running == ("large", "small")


def test_flows_take_turns():
    """Whoever comes with one page waits for one turn of the others, not for all of their pages."""
    scheduler: Scheduler[str] = Scheduler(Limits(positions=2, rows=1, prefill_tokens=9))
    for name in ("a1", "a2", "a3", "b1", "b2"):
        scheduler.add(name, 1, 1, name[0])
    entered = list[str]()
    while scheduler.busy:
        expected = scheduler.waiting
        ((page, _),) = scheduler.admit()
        assert page == expected[0]
        assert scheduler.waiting == expected[1:]
        entered.append(page)
        if page == "b1":
            scheduler.add("alone", 1, 1)
            scheduler.add("c1", 1, 1, "c")
            scheduler.add("b3", 1, 1, "b")
        scheduler.remove(page)
    assert entered == ["a1", "b1", "a2", "b2", "alone", "c1", "a3", "b3"]


def test_rows_and_prompt_tokens_are_limited():
    scheduler: Scheduler[str] = Scheduler(Limits(positions=1000, rows=3, prefill_tokens=10))
    for name, prompt in (("a", 20), ("b", 4), ("c", 6), ("d", 1)):
        scheduler.add(name, prompt, 1)
    admitted = []
    while step := scheduler.admit():
        admitted.append([page for page, _ in step])
    assert admitted == [["a"], ["b", "c"]]
    scheduler.remove("b")
    assert [page for page, _ in scheduler.admit()] == ["d"]


def test_a_page_may_be_removed_at_any_time():
    scheduler: Scheduler[str] = Scheduler(Limits(positions=4, rows=9, prefill_tokens=9))
    for name in "abc":
        scheduler.add(name, 1, 2)
    scheduler.admit()
    scheduler.remove("b")  # waits
    scheduler.remove("a")  # runs
    scheduler.remove("a")  # is gone
    assert scheduler.admit() == [("c", Span(0, 3))]
    scheduler.remove("c")
    assert (scheduler.busy, scheduler.free_positions) == (False, 4)


arrivals = st.lists(
    # step of arrival, prompt, new tokens allowed, tokens written, step of cancellation, flow
    st.tuples(
        st.integers(0, 20),
        st.integers(1, 12),
        st.integers(1, 8),
        st.integers(1, 8),
        st.integers(0, 60),
        st.sampled_from([None, "a", "b", "c"]),
    ),
    max_size=25,
)


@settings(max_examples=150)
@given(arrivals, st.integers(20, 60), st.integers(1, 6), st.integers(1, 30))
def test_any_workload_is_served_in_order(
    work: list[tuple[int, int, int, int, int, str | None]], positions: int, rows: int, prefill: int
):
    """Everyone enters; a flow's pages, and those of nobody's, in order; spans never overlap; at last all is free."""
    scheduler: Scheduler[int] = Scheduler(Limits(positions, rows, prefill))
    order = sorted(range(len(work)), key=lambda page: work[page][0])
    left = {page: min(work[page][2], work[page][3]) for page in order}
    coming, entered, spans = list(order), list[int](), dict[int, Span]()
    cancelled = set[int]()
    step = 0
    while coming or scheduler.busy:
        while coming and work[coming[0]][0] <= step:
            page = coming.pop(0)
            scheduler.add(page, work[page][1], work[page][2], work[page][5])
        for page in (*scheduler.running, *scheduler.waiting):
            if work[page][4] == step:
                scheduler.remove(page)
                spans.pop(page, None)
                cancelled.add(page)
        admitted = scheduler.admit()
        assert len(admitted) <= 1 or sum(work[page][1] for page, _ in admitted) <= prefill
        entered += [page for page, _ in admitted]
        spans.update(admitted)
        used = [p for span in spans.values() for p in range(span.start, span.end)]
        assert len(used) == len(set(used)) == positions - scheduler.free_positions
        assert all(0 <= p < positions for p in used)
        assert len(spans) <= rows
        assert scheduler.running == tuple(spans)
        assert not scheduler.waiting or admitted or spans  # never idle while someone waits
        for page in scheduler.running:
            left[page] -= 1
            if not left[page]:
                scheduler.remove(page)
                del spans[page]
        step += 1
        assert step < 1000, "somebody starves"
    for flow in (None, "a", "b", "c"):
        mine = [page for page in order if work[page][5] == flow]
        assert [page for page in entered if page in mine] == [page for page in mine if page in entered]
    if len({work[page][5] for page in order}) == 1:
        assert entered == [page for page in order if page in entered]
    assert set(entered) | cancelled == set(order)
    assert scheduler.free_positions == positions
