"""Sources -> documents: what an earlier run knows of them is believed, the others are looked at by workers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from ..errors import InputError
from .assignments import Executor, Look
from .inputs import Source
from .plan import Document, ShardPlan
from .store import Store

_TOGETHER = 16  # documents of a request
_WINDOW = 65_536  # documents that are in memory
_AHEAD = 20_000  # documents of the earlier plan that are searched for one


class Known:
    """The documents of an earlier plan, as a stream beside the new list, which is mostly the same."""

    def __init__(self, store: Store, *, believe_failures: bool = True) -> None:
        """Args:
        store: the output.
        believe_failures: documents that could not be opened are not looked at again.
        """
        self._believe_failures = believe_failures
        self._store = store
        self._plans = iter(store.place.names("plan"))
        self._documents: OrderedDict[tuple[str, str, tuple[int, ...]], Document] = OrderedDict()

    def find(self, source: Source) -> Document | None:
        """What is known of a source that has not changed since."""
        key = (source.name, source.path, source.at)
        while key not in self._documents and len(self._documents) < _AHEAD and self._read_more():
            pass
        found = self._documents.pop(key, None)
        if found is None and len(self._documents) >= _AHEAD:
            self._documents.popitem(last=False)
        if found is None or (found.error is not None and not self._believe_failures):
            return None
        return found if source.same_place(found.source) else None

    def _read_more(self) -> bool:
        name = next(self._plans, None)
        if name is None:
            return False
        try:
            data = self._store.read_json(f"plan/{name}")
            plan = None if data is None else ShardPlan.from_dict(data)
        except InputError:  # its documents are looked at again, and the plan is written anew
            plan = None
        for s in () if plan is None else plan.slices:
            if s.first == 1:
                source = s.document.source
                self._documents[source.name, source.path, source.at] = s.document
        return True


def look_at(
    sources: Iterable[Source], known: Known, executor: Executor, progress: Callable[[int], object]
) -> Iterator[Document]:
    """The documents of the sources, in order.

    Args:
        sources: as listed.
        known: from an earlier run.
        executor: looks at the others.
        progress: told how many documents were looked at since the last time.
    """
    sources = iter(sources)
    while window := list(islice(sources, _WINDOW)):
        found: list[Document | None] = [known.find(source) for source in window]
        missing = [i for i, document in enumerate(found) if document is None]
        if len(missing) < len(window):
            progress(len(window) - len(missing))
        groups = [missing[i : i + _TOGETHER] for i in range(0, len(missing), _TOGETHER)]
        looks = [Look(n, tuple(window[i] for i in group)) for n, group in enumerate(groups)]
        for work, outcome in executor.run(looks) if looks else ():
            assert isinstance(work, Look)
            assert isinstance(outcome, tuple)
            for i, document in zip(groups[work.number], outcome, strict=True):
                found[i] = document
            progress(len(outcome))
        for document in found:
            assert document is not None
            yield document
