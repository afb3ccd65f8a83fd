"""The numbers of a run for Prometheus, on a port or in a file that its node exporter collects."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import FileAccessError
from ..extras import need
from ..wording import printable, reason
from .progress import Progress

_EVERY = 5.0  # seconds between two files


class Metrics:
    """Gives out the latest `Progress`."""

    def __init__(self, file: Path | None = None, port: int | None = None) -> None:
        """Args:
        file: written every few seconds, whole each time.
        port: served at /metrics until the process ends.

        Raises:
            MissingDependencyError: prometheus_client is not installed.
            FileAccessError: the port cannot be had.
        """
        self._client = need("prometheus_client", "Metrics for Prometheus", extra="batch")
        self._core = need("prometheus_client.core", "Metrics for Prometheus", extra="batch")
        self._registry = self._client.CollectorRegistry()
        self._registry.register(self)
        self._progress = Progress()
        self._file = file
        self._written = -_EVERY
        if port is not None:
            try:
                self._client.start_http_server(port, registry=self._registry)
            except (OSError, OverflowError) as e:
                raise FileAccessError(f"Metrics cannot be served on port {port}: {reason(e)}.") from e

    def update(self, progress: Progress) -> None:
        """The numbers have changed.

        Raises:
            FileAccessError: the file cannot be written.
        """
        self._progress = progress
        now = time.monotonic()
        if self._file is not None and (now - self._written >= _EVERY or progress.phase == "done"):
            self._written = now
            try:
                self._client.write_to_textfile(str(self._file), self._registry)
            except OSError as e:
                raise FileAccessError(f"{printable(self._file)} cannot be written: {reason(e)}.") from e

    def collect(self) -> Iterator[Any]:
        """What prometheus_client asks for."""
        progress, total = self._progress, self._progress.total
        pages = self._core.CounterMetricFamily("got_ocr2_pages", "Pages in the output.", labels=["status"])
        for status in ("complete", "empty", "truncated", "looped", "failed"):
            pages.add_metric([status], total.statuses.get(status, 0))
        yield pages
        yield self._core.CounterMetricFamily(
            "got_ocr2_page_seconds", "Seconds of all pages.", value=total.seconds
        )
        for name, text, value in (
            ("pages_expected", "Pages of all documents.", progress.pages),
            ("documents", "Documents that were looked at.", progress.documents),
            ("shards_expected", "Shards of the output.", progress.shards),
            ("shards_done", "Shards that are whole.", progress.shards_done),
            ("pages_per_second", "Pages a second of this run.", progress.speed),
            ("seconds_left", "Seconds to go.", progress.left or 0.0),
        ):
            yield self._core.GaugeMetricFamily(f"got_ocr2_{name}", text, value=value)
