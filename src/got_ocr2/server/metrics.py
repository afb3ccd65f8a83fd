"""What Prometheus is told."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ..results import PageResult

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """The numbers of one server.

    Attributes:
        requests: answered, by method, address and status.
        seconds: from a request to the end of its answer, by address.
        first_token: seconds from a request to the first characters of its text.
        refused: by why: "queue", "rate", "key", "bytes".
        pages: read, by status; tokens written for them.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = {"registry": self.registry, "namespace": "got_ocr2"}
        self.requests = Counter("requests", "Requests answered.", ["method", "path", "status"], **own)
        self.seconds = Histogram(
            "request_seconds",
            "Seconds from a request to the end of its answer.",
            ["path"],
            buckets=_SECONDS,
            **own,
        )
        self.first_token = Histogram(
            "first_token_seconds", "Seconds from a request to its first text.", buckets=_SECONDS, **own
        )
        self.refused = Counter("refused", "Requests refused, by why.", ["why"], **own)
        self.pages = Counter("pages", "Pages read, by status.", ["status"], **own)
        self.tokens = Counter("tokens", "Tokens written.", **own)
        self.page_seconds = Histogram("page_seconds", "Seconds of work on a page.", buckets=_SECONDS, **own)

    def watch(self, name: str, help: str, value: Callable[[], float]) -> None:
        """A number that is asked for when Prometheus asks."""
        Gauge(name, help, registry=self.registry, namespace="got_ocr2").set_function(value)

    def page(self, result: PageResult) -> None:
        """A page has been read."""
        self.pages.labels(result.status).inc()
        self.tokens.inc(result.tokens)
        self.page_seconds.observe(result.seconds)

    def text(self) -> bytes:
        """All of them, in Prometheus's text format."""
        return generate_latest(self.registry)
