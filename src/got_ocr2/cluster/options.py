"""What a run does and how: frozen, checked once. What can change a row is the identity of the output."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

from .._version import __version__
from ..errors import InvalidOptionError

ShardFormat = Literal["parquet", "jsonl"]
OCR_READER = "got_ocr2.cluster.workers.ocr_reader:OcrReader"


@dataclass(frozen=True)
class BatchOptions:
    """A run.

    Attributes:
        reading: keyword arguments of `OCR.read_many` that mean something for single pages, in values of JSON; and
            `max_pixels`, of the largest page.
        model: arguments of `OCR.from_pretrained`, in values of JSON.
        shards: format of the shards.
        files: formats in which each document is written as well; see `rendering`.
        recursive: search folders within folders.
        rows_per_shard: pages of a shard, >= 1.
        pages_per_task: pages that a worker is given at a time, >= 1.
        workers: processes that read, >= 1; None for one on a CPU here, and for what the cluster has on Ray.
        threads: processor cores a worker; None for an equal part of this machine's.
        batch_size: pages that a worker reads together, >= 1.
        retries: how often a page that ended its worker is tried again, alone, >= 0.
        page_timeout: seconds without a page after which a worker is ended, > 0.
        worker_memory: bytes of memory at which a worker is ended; None for no limit.
        gpus: of a worker on Ray; a fraction shares one.
        draw_apart: on Ray, open and draw pages in tasks of their own, of one core each, so that workers only read; None
            for where workers have GPUs.
        drawn_memory: on Ray, bytes of drawn pages that wait for workers, in its object store; None leaves it to Ray.
        reader: "module:class" of what reads pages; see `workers.reader`.
    """

    reading: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    shards: ShardFormat = "parquet"
    files: tuple[str, ...] = ()
    recursive: bool = False
    rows_per_shard: int = 1000
    pages_per_task: int = 16
    workers: int | None = None
    threads: int | None = None
    batch_size: int = 1
    retries: int = 2
    page_timeout: float = 600.0
    worker_memory: int | None = None
    gpus: float = 0.0
    draw_apart: bool | None = None
    drawn_memory: int | None = None
    reader: str = OCR_READER

    def __post_init__(self) -> None:
        if self.shards not in ("parquet", "jsonl"):
            raise InvalidOptionError(f"Shards are parquet or jsonl, got {self.shards!r}.")
        for name in ("rows_per_shard", "pages_per_task", "batch_size"):
            _check_count(name, getattr(self, name), 1)
        for name in ("workers", "threads", "worker_memory", "drawn_memory"):
            if getattr(self, name) is not None:
                _check_count(name, getattr(self, name), 1)
        _check_count("retries", self.retries, 0)
        if not (self.page_timeout > 0 and math.isfinite(self.page_timeout)):
            raise InvalidOptionError(
                f"page_timeout must be a number of seconds above 0, got {self.page_timeout!r}."
            )
        if not (self.gpus >= 0 and math.isfinite(self.gpus)):
            raise InvalidOptionError(f"gpus must be 0 or more, got {self.gpus!r}.")

    @property
    def draws_apart(self) -> bool:
        """`draw_apart`, decided."""
        return self.gpus > 0 if self.draw_apart is None else self.draw_apart

    def identity(self, model: str) -> dict[str, Any]:
        """Everything that decides what stands in the output, apart from the documents.

        How many workers there are, how long a page may take and where it is read are no part of it, nor is a password.

        Args:
            model: name and sum of the checkpoint.
        """
        precision = {name: str(self.model.get(name)) for name in ("dtype", "quantization")}
        return {
            "version": __version__,
            "model": model,
            **precision,
            "reading": {name: value for name, value in sorted(self.reading.items()) if name != "password"},
            "shards": self.shards,
            "files": list(self.files),
            "rows_per_shard": self.rows_per_shard,
        }

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BatchOptions:
        """The inverse of `to_dict`."""
        return cls(**{**data, "files": tuple(data["files"])})


def check_reading(reading: Mapping[str, Any]) -> dict[str, Any]:
    """`BatchOptions.reading`, once it has been seen to be right.

    Raises:
        InvalidOptionError: an unknown name or a bad value.
    """
    from ..documents import Limits
    from ..reading import ReadOptions

    others = {name: value for name, value in reading.items() if name != "max_pixels"}
    pixels = reading.get("max_pixels", Limits.max_pixels)
    ReadOptions.of(**others, limits=Limits(max_pixels=pixels))
    return dict(reading)


def sum_of(value: Any) -> str:
    """32 hexadecimal digits that stand for a value of JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _check_count(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidOptionError(f"{name} must be a whole number >= {least}, got {value!r}.")
