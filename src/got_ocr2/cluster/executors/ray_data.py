"""Work on Ray: a pool of actors of Ray Data, each with a process that reads. Rows go from there to the output.

Pages may be opened and drawn before in tasks on cores of their own, on any machine; Ray Data holds those back when too
many bytes of drawn pages wait.

A page that kills its process does not kill the actor. Where Ray starts an actor anew, because its machine is gone,
tasks that were done are found in the output.
"""

from __future__ import annotations

import json
import logging
import pickle
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from ...errors import FileAccessError, GotOcr2Error, InvalidOptionError
from ...extras import need
from ...wording import printable, reason
from ..assignments import Outcome, Work, Worker
from ..options import BatchOptions
from ..store import JOB, Store
from ..tasks import Task

if TYPE_CHECKING:
    from typing_extensions import Self

HERE = "here"
_WINDOW = 16_384  # pieces of work in one data set: the driver holds so many and no more
_RESTARTS = -1  # a machine that goes is no fault of a task
_LANES = 2  # as in `local`: when a request ends, the next is in the process already


class RayExecutor:
    """See `work.Executor`."""

    def __init__(self, root: str, options: BatchOptions, model: str, address: str = "auto") -> None:
        """Connects.

        Args:
            root: the output folder; every machine has to see it under this name.
            options, model: of the run.
            address: of a cluster; "auto" for the one that `RAY_ADDRESS` or this machine knows, "here" to start one on
                this machine for the time of the run. A connection that this program has already is used as it is.

        Raises:
            MissingDependencyError: Ray is not installed.
            InvalidOptionError: there is no cluster at the address.
        """
        self._ray = need("ray", "Running on Ray", extra="ray")
        self._data = need("ray.data", "Running on Ray", extra="ray")
        self._arguments = (root, options, model)
        self._options = options
        self._own = not self._ray.is_initialized()
        if self._own:
            self._connect(address)
        # It tells of every data set, and that it shows no bars.
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = self._data.DataContext.get_current()
        context.enable_progress_bars = False
        # By itself it gives up after half an hour without a whole task; slow pages may take longer, each has a limit.
        context.execution_no_progress_timeout_s = -1
        if options.drawn_memory is not None:
            context.execution_options.resource_limits = self._data.ExecutionResources(
                object_store_memory=options.drawn_memory
            )
        count = (
            "as many actors as there is room for" if options.workers is None else f"{options.workers} actors"
        )
        self.what = f"{count} on Ray {self._ray.__version__}, {len(self._ray.nodes())} machines"

    def _connect(self, address: str) -> None:
        place: dict[str, Any] = {"address": address}
        if address == HERE:
            place = {"address": "local", "include_dashboard": False}
            if self._options.workers is not None:
                # One core more for the tasks that draw: workers keep theirs while they wait for pages.
                drawing = 1 if self._options.draws_apart else 0
                place["num_cpus"] = self._options.workers * (self._options.threads or 1) + drawing
        try:
            self._ray.init(**place, log_to_driver=False, configure_logging=False)
        except (ConnectionError, ValueError, RuntimeError) as e:
            raise InvalidOptionError(f"No Ray cluster answers at {printable(address)}: {reason(e)}.") from e
        if address == HERE:
            try:
                self._check_room()
            except InvalidOptionError:
                self._ray.shutdown()
                raise

    def _check_room(self) -> None:
        """A cluster may grow, this machine will not: Ray would wait for ever."""
        there = self._ray.cluster_resources()
        for name, wanted, words in (
            ("memory", self._options.worker_memory or 0, "{:,.0f} bytes of memory"),
            ("GPU", self._options.gpus, "{:g} GPUs"),
        ):
            if wanted > there.get(name, 0):
                has = words.format(there.get(name, 0))
                raise InvalidOptionError(
                    f"A worker wants {words.format(wanted)}; this machine has {has} for all."
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._ray.shutdown()

    def run(self, work: Iterable[Work]) -> Iterator[tuple[Work, Outcome]]:
        left = iter(work)
        while window := list(islice(left, _WINDOW)):
            yield from self._run(window)

    def _run(self, window: list[Work]) -> Iterator[tuple[Work, Outcome]]:
        items = [{"number": number, "work": pickle.dumps(work)} for number, work in enumerate(window)]
        reads = any(isinstance(work, Task) for work in window)  # between them stand shards to be committed
        given = self._data.from_items(items, override_num_blocks=len(items))
        if reads and self._options.draws_apart:
            given = given.map_batches(
                draw, fn_args=self._arguments, batch_size=1, num_cpus=1, max_retries=_RESTARTS
            )
        done = given.map_batches(
            Actor,
            fn_constructor_args=self._arguments,
            batch_size=1,
            compute=self._pool(len(window), beside_drawing=reads and self._options.draws_apart),
            num_cpus=self._options.threads or 1,
            num_gpus=self._options.gpus if reads else 0,
            memory=self._options.worker_memory,
        )
        try:
            for batch in done.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=0):
                for number, said in zip(batch["number"], batch["outcome"], strict=True):
                    outcome = pickle.loads(said)
                    if isinstance(outcome, GotOcr2Error):
                        raise outcome
                    yield window[int(number)], outcome
        except self._ray.exceptions.RayError as e:
            raise GotOcr2Error(
                f"Ray gave up: {reason(str(e).splitlines()[-1])}; what is done is kept, go on with --resume."
            ) from e

    def _pool(self, work: int, *, beside_drawing: bool) -> Any:
        """How many actors there are for so many pieces of work; drawing needs cores that they do not hold."""
        most = None if self._options.workers is None else min(self._options.workers, work)
        return self._data.ActorPoolStrategy(
            min_size=1 if beside_drawing or most is None else most,
            max_size=most,
            max_tasks_in_flight_per_actor=2 * _LANES,
            max_concurrent_calls_per_actor=_LANES,
            enable_true_multi_threading=True,
        )


def draw(batch: dict[str, Any], root: str, options: BatchOptions, model: str) -> dict[str, Any]:
    """A task of Ray Data on a core of its own: pages are opened and drawn, and go to the actors by the object store."""
    drawer = _drawer(root, json.dumps(options.to_dict()), model)
    drawn: list[bytes] = []
    for pickled in batch["work"]:
        work = pickle.loads(bytes(pickled))
        drawn.append(_pickled(lambda work=work: drawer.draw(work) if isinstance(work, Task) else None))
    return {**batch, "drawn": drawn}


@lru_cache(maxsize=1)
def _drawer(root: str, options: str, model: str) -> Worker:
    """The process that draws for this one of Ray; it ends with it."""
    return Worker(root, BatchOptions.from_dict(json.loads(options)), model, 1)


class Actor:
    """A worker inside an actor of Ray Data; a batch is one piece of work."""

    def __init__(self, root: str, options: BatchOptions, model: str) -> None:
        self._store = Store(root)
        self._worker = Worker(root, options, model, options.threads or 1)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        drawn = batch.get("drawn", [None] * len(batch["work"]))
        outcomes = [
            _pickled(lambda work=work, pages=pages: self._outcome(work, pages))
            for work, pages in zip(batch["work"], drawn, strict=True)
        ]
        return {"number": batch["number"], "outcome": outcomes}

    def _outcome(self, work: Any, drawn: Any) -> Outcome:
        if not self._store.place.exists(JOB):
            raise FileAccessError(
                f"{printable(self._store.root)} is not seen on {socket.gethostname()}; a run on several machines "
                "writes into a folder that all of them share."
            )
        pages = None if drawn is None else pickle.loads(bytes(drawn))
        if isinstance(pages, GotOcr2Error):
            raise pages
        return self._worker.do(pickle.loads(bytes(work)), pages)


def _pickled(call: Callable[[], object]) -> bytes:
    """What came of it for another process; an error of ours as one that any process knows."""
    try:
        return pickle.dumps(call())
    except GotOcr2Error as e:
        plain = GotOcr2Error(str(e))
        plain.exit_code = e.exit_code
        return pickle.dumps(plain)
