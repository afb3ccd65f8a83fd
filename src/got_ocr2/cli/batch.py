"""`got-ocr2 batch`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidOptionError
from .options import batch as own
from .options import reading, shared
from .output.batch_progress import ProgressLine
from .output.terminal import note

if TYPE_CHECKING:
    from ..cluster.driver import OpenExecutor
    from ..cluster.metrics import Metrics
    from ..cluster.options import BatchOptions
    from ..cluster.progress import Progress


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
    metrics = _metrics(metrics_file, metrics_port)
    with ProgressLine(shown=not quiet) as line:

        def changed(progress: Progress) -> None:
            line.show(progress)
            if metrics is not None:
                metrics.update(progress)

        progress = run(
            inputs,
            output,
            options,
            resume=resume,
            retry_failed=retry_failed,
            open_executor=open_executor,
            told=Told(line.note, changed),
        )
    if not quiet:
        note(progress.summary(output))
    return exit_code_of(progress)


def _metrics(file: str | None, port: int | None) -> Metrics | None:
    if file is None and port is None:
        return None
    from ..cluster.metrics import Metrics

    return Metrics(None if file is None else Path(file), port)


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
