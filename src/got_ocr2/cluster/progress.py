"""How a run goes, in numbers: for the line on the terminal, for Prometheus and for the report."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ..wording import printable
from .tasks import Counts

_INTERVALS = 400  # most points of the curve of throughput; when there are more, neighbours are joined


@dataclass
class Progress:
    """Changes as the run goes; `time.monotonic()` is the clock, so that nobody minds when the system's is set.

    Attributes:
        phase: "looking at documents", "reading", "writing files" or "done".
        documents, pages: of the whole output; pages are known when all documents have been looked at.
        earlier: what earlier runs have read.
        counts: what this run has read.
        retried: failed pages of earlier runs that this one tries again.
        shards, shards_done: of the whole output.
        curve: pages read in each interval since reading began.
        interval: seconds of an interval.
    """

    phase: str = "looking at documents"
    documents: int = 0
    pages: int = 0
    earlier: Counts = field(default_factory=Counts)
    counts: Counts = field(default_factory=Counts)
    retried: int = 0
    shards: int = 0
    shards_done: int = 0
    files: int = 0
    curve: list[int] = field(default_factory=list)
    interval: float = 1.0
    started: float = field(default_factory=time.monotonic)
    reading_since: float | None = None

    def begin_reading(self) -> None:
        """From now on pages a second are counted, the opening of models included."""
        self.phase, self.reading_since = "reading", time.monotonic()

    def read(self, counts: Counts) -> None:
        """Some pages more."""
        now = time.monotonic()
        since = self.reading_since = now if self.reading_since is None else self.reading_since
        place = int((now - since) / self.interval)
        while place >= _INTERVALS:
            pairs = zip(self.curve[::2], [*self.curve[1::2], 0], strict=False)
            self.curve = [a + b for a, b in pairs]
            self.interval *= 2
            place = int((now - since) / self.interval)
        self.curve += [0] * (place + 1 - len(self.curve))
        self.curve[place] += counts.rows - counts.kept
        self.counts += counts

    @property
    def total(self) -> Counts:
        """What is in the output."""
        return self.earlier + self.counts

    @property
    def failed(self) -> int:
        """Pages that could not be read."""
        return self.total.statuses.get("failed", 0)

    @property
    def pages_read(self) -> int:
        """Pages that this run has read; those that it has taken over from an earlier one are none."""
        return self.counts.rows - self.counts.kept

    @property
    def speed(self) -> float:
        """Pages a second of this run."""
        if self.reading_since is None:
            return 0.0
        return self.pages_read / max(time.monotonic() - self.reading_since, 1e-9)

    @property
    def left(self) -> float | None:
        """Seconds to go; None while nothing is known."""
        return (self.pages - self.total.rows) / self.speed if self.speed > 0 else None

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    def line(self) -> str:
        """All of it on one line."""
        if self.phase == "looking at documents":
            return f"{self.phase}: {self.documents:,}"
        left = "" if self.left is None else f", {_clock(self.left)} to go"
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"{self.total.rows:,} of {self.pages:,} pages, {self.speed:.2f} pages/s{failed}{left}"

    def summary(self, output: str) -> str:
        """What came of the run, on one line."""
        statuses = ", ".join(f"{count:,} {status}" for status, count in sorted(self.total.statuses.items()))
        before = self.earlier.rows + self.counts.kept
        earlier = f" ({before:,} of them before)" if before else ""
        retried = f", {self.retried:,} of them tried again" if self.retried else ""
        failed = (
            " Failed pages stay so until --resume --retry-failed tries them again." if self.failed else ""
        )
        return (
            f"{self.total.rows:,} pages of {self.documents:,} documents{earlier}{retried} in {self.shards:,} shards "
            f"in {printable(output)}, {_clock(self.elapsed)}: {statuses}.{failed}"
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return (f"{days} d " if days else "") + f"{hours}:{minutes:02d}:{rest:02d}"
