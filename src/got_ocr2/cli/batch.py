"""`got-ocr2 batch`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidOptionError
from .options import batch as own
from .options import reading, shared
from .options.groups import grouped
from .options.model import ModelOptions
from .output.batch_progress import ProgressLine
from .output.terminal import note

if TYPE_CHECKING:
    from ..cluster.driver import OpenExecutor
    from ..cluster.metrics import Metrics
    from ..cluster.progress import Progress


@grouped
def batch(
    inputs: own.Inputs,
    output: own.Output,
    shards: own.ShardOptions,
    earlier: own.ResumeOptions,
    place: own.PlaceOptions,
    workers: own.WorkerOptions,
    numbers: own.MetricsOptions,
    text: reading.TextOptions,
    opening: reading.InputOptions,
    model: ModelOptions,
    decoding: reading.DecodingOptions,
    batch_size: reading.BatchSize = 1,
    quiet: shared.Quiet = False,
) -> int:
    """Read many documents into shards, with workers, and go on where it ended.

    Every page becomes one row, in the order of the inputs: document, page, status, text, lines, seconds, model,
    version, error. A page that cannot be read is a row too, and the exit code is not 0. However the run ends, what is
    done is kept; --resume does the rest, and with --retry-failed pages that failed as well.
    """
    from ..cluster.driver import Told, exit_code_of, run
    from ..cluster.files import chosen_formats
    from ..cluster.options import BatchOptions

    format, files = chosen_formats(shards.to)
    options = BatchOptions(
        reading=_reading(text, opening, decoding),
        model={**model.arguments(), "max_batch": max(batch_size, 64)},
        shards=format,
        files=files,
        recursive=opening.recursive,
        rows_per_shard=shards.rows_per_shard,
        batch_size=batch_size,
        gpus=place.gpus,
        draw_apart=place.draw_apart,
        drawn_memory=place.drawn_memory,
        **vars(workers),
    )
    open_executor = _executor(place)
    metrics = _metrics(numbers)
    with ProgressLine(shown=not quiet) as line:
        progress = run(
            inputs,
            output,
            options,
            resume=earlier.resume,
            retry_failed=earlier.retry_failed,
            open_executor=open_executor,
            told=Told(line.note, _changed(line, metrics)),
        )
    if not quiet:
        note(progress.summary(output))
    return exit_code_of(progress)


def _reading(
    text: reading.TextOptions, opening: reading.InputOptions, decoding: reading.DecodingOptions
) -> dict[str, Any]:
    """What is asked of every page, under the names of `ReadOptions`; what nobody asked for is left out."""
    from ..cluster.options import check_reading

    asked = {**vars(text), **vars(opening), **vars(decoding)}
    del asked["recursive"]
    return check_reading({name: value for name, value in asked.items() if value is not None})


def _changed(line: ProgressLine, metrics: Metrics | None) -> Callable[[Progress], None]:
    """What is told of progress."""

    def changed(progress: Progress) -> None:
        line.show(progress)
        if metrics is not None:
            metrics.update(progress)

    return changed


def _metrics(numbers: own.MetricsOptions) -> Metrics | None:
    file, port = numbers.metrics_file, numbers.metrics_port
    if file is None and port is None:
        return None
    from ..cluster.metrics import Metrics

    return Metrics(None if file is None else Path(file), port)


def _executor(place: own.PlaceOptions) -> OpenExecutor:
    if place.ray is None:
        if place.gpus:
            raise InvalidOptionError(
                "--gpus is about workers on Ray; it needs --ray. Here, --device says where to run."
            )
        if place.draw_apart or place.drawn_memory:
            raise InvalidOptionError("--draw-apart and --drawn-memory are about Ray; they need --ray.")
        from ..cluster.executors.local import LocalExecutor

        return LocalExecutor
    if place.local:
        raise InvalidOptionError("--local and --ray exclude each other.")
    from ..cluster.executors.ray_data import RayExecutor

    return partial(RayExecutor, address=place.ray)
