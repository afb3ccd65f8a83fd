"""`got-ocr2 batch`."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidOptionError
from . import batch_options as own
from . import options as shared
from . import read_options as reading
from .terminal import note

if TYPE_CHECKING:
    from ..cluster.driver import OpenExecutor
    from ..cluster.options import BatchOptions
    from ..cluster.progress import Progress

_EVERY_TERMINAL, _EVERY_LOG = 0.2, 60.0  # seconds between two lines of progress


def batch(
    inputs: own.Inputs,
    output: own.Output,
    to: own.To = None,
    rows_per_shard: own.RowsPerShard = 1000,
    resume: own.Resume = False,
    retry_failed: own.RetryFailed = False,
    local: own.Local = False,
    ray: own.Ray = None,
    gpus: own.Gpus = 0.0,
    draw_apart: own.DrawApart = None,
    drawn_memory: own.DrawnMemory = None,
    workers: own.Workers = None,
    threads: own.Threads = None,
    pages_per_task: own.PagesPerTask = 16,
    retries: own.Retries = 2,
    page_timeout: own.PageTimeout = 600.0,
    worker_memory: own.WorkerMemory = None,
    metrics_file: own.MetricsFile = None,
    metrics_port: own.MetricsPort = None,
    format: reading.Format = False,
    crop: reading.Crop = False,
    max_patches: reading.MaxPatches = None,
    lines: reading.Lines = None,
    paragraphs: reading.Paragraphs = False,
    dehyphenate: reading.Dehyphenate = False,
    recursive: reading.Recursive = False,
    skip_blank: reading.SkipBlank = True,
    dpi: reading.Dpi = None,
    password: reading.Password = None,
    max_pixels: reading.MaxPixels = None,
    quiet: shared.Quiet = False,
    model: reading.Model = None,
    device: shared.Device = "auto",
    dtype: shared.Dtype = "auto",
    quantize: reading.Quantize = None,
    kernels: reading.Kernels = "auto",
    kv_memory: reading.KvMemory = None,
    max_new_tokens: reading.MaxNewTokens = None,
    deadline: reading.Deadline = None,
    on_loop: reading.OnLoop = "stop",
    batch_size: reading.BatchSize = 1,
) -> int:
    """Read many documents into shards, with workers, and go on where it ended.

    Every page becomes one row, in the order of the inputs: document, page, status, text, lines, seconds, model,
    version, error. A page that cannot be read is a row too, and the exit code is not 0. However the run ends, what is
    done is kept; --resume does the rest, and with --retry-failed pages that failed as well.
    """
    from ..cluster.driver import Told, exit_code_of, run
    from ..cluster.files import chosen_formats
    from ..cluster.metrics import Metrics
    from ..cluster.options import BatchOptions, check_reading

    asked: dict[str, Any] = {
        "format": format,
        "crop": crop,
        "max_patches": max_patches,
        "lines": lines,
        "paragraphs": paragraphs,
        "dehyphenate": dehyphenate,
        "skip_blank": skip_blank,
        "dpi": dpi,
        "password": password,
        "max_pixels": max_pixels,
        "max_new_tokens": max_new_tokens,
        "deadline": deadline,
        "on_loop": on_loop,
    }
    shards, files = chosen_formats(to)
    options = BatchOptions(
        reading=check_reading({name: value for name, value in asked.items() if value is not None}),
        model={
            "model": model,
            "device": device,
            "dtype": dtype,
            "quantization": quantize,
            "kernels": kernels,
            "kv_memory": kv_memory,
            "max_batch": max(batch_size, 64),
        },
        shards=shards,
        files=files,
        recursive=recursive,
        rows_per_shard=rows_per_shard,
        pages_per_task=pages_per_task,
        workers=workers,
        threads=threads,
        batch_size=batch_size,
        retries=retries,
        page_timeout=page_timeout,
        worker_memory=worker_memory,
        gpus=gpus,
        draw_apart=draw_apart,
        drawn_memory=drawn_memory,
    )
    open_executor = _executor(options, local=local, ray=ray)
    wanted = metrics_file is not None or metrics_port is not None
    metrics = Metrics(None if metrics_file is None else Path(metrics_file), metrics_port) if wanted else None
    with _Line(shown=not quiet) as line:

        def changed(progress: Progress) -> None:
            line.show(progress)
            if metrics is not None:
                metrics.update(progress)

        told = Told(line.note, changed)
        progress = run(
            inputs,
            output,
            options,
            resume=resume,
            retry_failed=retry_failed,
            open_executor=open_executor,
            told=told,
        )
    if not quiet:
        note(progress.summary(output))
    return exit_code_of(progress)


def _executor(options: BatchOptions, *, local: bool, ray: str | None) -> OpenExecutor:
    if ray is None:
        if options.gpus:
            raise InvalidOptionError(
                "--gpus is about workers on Ray; it needs --ray. Here, --device says where to run."
            )
        if options.draw_apart or options.drawn_memory:
            raise InvalidOptionError("--draw-apart and --drawn-memory are about Ray; they need --ray.")
        from ..cluster.executors.local import LocalExecutor

        return LocalExecutor
    if local:
        raise InvalidOptionError("--local and --ray exclude each other.")
    from ..cluster.executors.ray_data import RayExecutor

    return partial(RayExecutor, address=ray)


class _Line:
    """One line of progress: rewritten on a terminal, a new one every minute elsewhere."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._terminal = sys.stderr.isatty()
        self._last = time.monotonic() - (_EVERY_TERMINAL if self._terminal else 0.0)

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def show(self, progress: Progress) -> None:
        """The numbers, if it is time."""
        now = time.monotonic()
        if not self._shown or now - self._last < (_EVERY_TERMINAL if self._terminal else _EVERY_LOG):
            return
        self._last = now
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{progress.line()}")
            sys.stderr.flush()
        else:
            note(progress.line())

    def note(self, text: str) -> None:
        """A line that stays, above the line of progress."""
        self._clear()
        note(text)

    def _clear(self) -> None:
        if self._shown and self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
