"""How fast a checkpoint reads on this machine, variant beside variant, in one run.

Every variant is a process of its own, so that peak memory is its own. All processes stay loaded and take turns,
round by round, so that a machine that slows down does so for all of them; what is reported are medians over the
rounds. Ratios between figures of different runs mean nothing.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from ..checkpoints import resolve
from ..config import CONFIG_NAME, GotOcr2Config, parse_config, read_json
from ..conversion import convert
from ..errors import InvalidOptionError
from ..machine import describe, settings
from . import oracle
from .processes import Worker
from .roofline import step_bytes
from .subjects import Variant, variant
from .worker import Spec
from .workload import AFTER_IMAGE, BEFORE_IMAGE, same_prefix, save_random_model

VARIANTS = ("exact", "int8", "int4", "torch")
Report = Callable[[str], object]


@dataclass(frozen=True)
class BenchOptions:
    """What is measured.

    Attributes:
        variants: of `VARIANTS`, measured in this order; none twice.
        against: "transformers" for ratios to it, or None.
        batch_sizes: pages that are read together, ascending.
        tokens: written for every page, >= 2.
        rounds: how often everything is measured, >= 1.
        device: "cpu", "cuda" or "cuda:1".
        threads: for torch and the kernels, >= 1.

    Raises:
        InvalidOptionError: a value out of its range.
    """

    variants: tuple[str, ...] = ("exact",)
    against: str | None = None
    batch_sizes: tuple[int, ...] = (1, 4)
    tokens: int = 64
    rounds: int = 3
    device: str = "cpu"
    threads: int = 1

    def __post_init__(self) -> None:
        for name in self.variants:
            if name not in VARIANTS:
                raise InvalidOptionError(f"A variant is one of {', '.join(VARIANTS)}, got {name!r}.")
        if not self.variants or len(set(self.variants)) < len(self.variants):
            raise InvalidOptionError(
                f"Variants are named once each, got {', '.join(self.variants) or 'none'}."
            )
        if self.against not in (None, oracle.NAME):
            raise InvalidOptionError(f"Only {oracle.NAME} can be measured against, got {self.against!r}.")
        if not self.batch_sizes or min(self.batch_sizes) < 1:
            raise InvalidOptionError(f"Batch sizes are whole numbers >= 1, got {list(self.batch_sizes)}.")
        object.__setattr__(self, "batch_sizes", tuple(sorted(set(self.batch_sizes))))
        for name, least in (("tokens", 2), ("rounds", 1), ("threads", 1)):
            if getattr(self, name) < least:
                raise InvalidOptionError(f"{name} must be at least {least}, got {getattr(self, name)}.")


@dataclass(frozen=True)
class Figures:
    """One variant at one batch size; medians over the rounds.

    Attributes:
        variant: its name; `label` for tables.
        batch: pages that were read together.
        seconds: from pixel values to the last id of all of them.
        first_token_seconds: to the first id of all of them: vision and prompt.
        token_seconds: a step, that is one id for every page.
        pages_per_second, tokens_per_second: of the whole, vision and prompt included.
        step_bytes: that a step must read from memory, see `roofline`.
        roofline: share of the read bandwidth at which a step reads them, 0..1.
        peak_bytes: the most memory of the process until then, loading included; batch sizes ascend.
        speedup: how many times as many pages a second as the baseline; `token_speedup` likewise for a step. None
            without a baseline.
        same_ids: share of ids before the first that differs from the baseline's, or without one from the first
            variant's; None for quantised weights, which may differ.
    """

    variant: str
    label: str
    batch: int
    seconds: float
    first_token_seconds: float
    token_seconds: float
    pages_per_second: float
    tokens_per_second: float
    step_bytes: float
    roofline: float
    peak_bytes: int | None
    speedup: float | None = None
    token_speedup: float | None = None
    same_ids: float | None = None


@dataclass(frozen=True)
class Bench:
    """What `run_bench` found.

    Attributes:
        model: as it was named.
        options: what was asked.
        prompt_tokens: of each page.
        bandwidth: bytes a second that the device reads.
        machine: hardware, versions, allocator, thread settings.
        figures: batch size by batch size, the baseline first.
    """

    model: str
    options: BenchOptions
    prompt_tokens: int
    bandwidth: float
    machine: Mapping[str, Any]
    figures: tuple[Figures, ...]

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {"benchmark": "bench", **asdict(self), "machine": dict(self.machine)}


def run_bench(
    model: str | PathLike[str] | None, options: BenchOptions, *, report: Report = lambda _: None
) -> Bench:
    """Measures a checkpoint.

    Args:
        model: a folder or a repository on the hub; None for random weights of the published size, which need 1.1 GB
            in the folder for temporary files while the run lasts.
        options: what to measure.
        report: gets a line about what is being done.

    Raises:
        GotOcr2Error: a variant cannot be loaded or run; the message names it.
    """
    with prepared(model, against=options.against, report=report) as (folder, config):
        names = (*((options.against,) if options.against else ()), *options.variants)
        chosen = [variant(name, options.device) for name in names]
        with contextlib.ExitStack() as stack:
            workers = [stack.enter_context(start(folder, one, options)) for one in chosen]
            for worker in workers:
                report(f"loading {worker.spec.variant.label}")
                worker.wait()
            answers = _measure(workers, options, report)
            report("measuring memory bandwidth")  # last, because its buffer would count as a variant's memory
            bandwidth = workers[-1].ask("bandwidth")["bytes_per_second"]
    prompt = BEFORE_IMAGE + config.vision_config.num_image_tokens + AFTER_IMAGE
    figures = [
        _figures(config, one, batch, options.tokens, prompt, bandwidth, answers[one.name, batch])
        for batch in options.batch_sizes
        for one in chosen
    ]
    name = "random weights, published size" if model is None else str(model)
    machine = {**describe(options.device), "threads": options.threads, **settings()}
    return Bench(name, options, prompt, bandwidth, machine, _compared(figures, answers, options))


@contextlib.contextmanager
def prepared(
    model: str | PathLike[str] | None, *, against: str | None = None, report: Report = lambda _: None
) -> Iterator[tuple[Path, GotOcr2Config]]:
    """A folder that both sides can load, and its configuration; what has to be made for it is removed at the end.

    Args:
        model, report: as for `run_bench`.
        against: "transformers" if it shall load the folder too.

    Raises:
        CheckpointError, ConfigError: there is no such model.
        InvalidOptionError: transformers cannot hold it.
    """
    with tempfile.TemporaryDirectory(prefix="got-ocr2-bench-") as temporary:
        made = Path(temporary) / "model"
        if model is None:
            report("making a model of random weights")
            folder = save_random_model(made)
        else:
            folder = resolve(model)
        config = parse_config(read_json(folder / CONFIG_NAME))
        if against is not None:
            why_not = oracle.why_not(config)
            if why_not is not None:
                raise InvalidOptionError(f"{oracle.NAME} cannot hold {model}: {why_not}.")
            if "vision_config" not in read_json(folder / CONFIG_NAME):
                report(f"writing the checkpoint in the layout that {oracle.NAME} reads")
                folder = convert(folder, made)
        yield folder, config


def start(
    folder: Path, chosen: Variant, options: BenchOptions, environment: Mapping[str, str] | None = None
) -> Worker:
    """A worker for one variant."""
    return Worker(Spec(str(folder), chosen, options.device, options.threads), environment)


def in_turn(workers: Sequence[Worker], round_: int) -> Sequence[Worker]:
    """The order of a round: there and back, so that a drift of the machine's speed cancels out."""
    return workers if round_ % 2 == 0 else workers[::-1]


def _measure(
    workers: Sequence[Worker], options: BenchOptions, report: Report
) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """The answers of every variant and batch size, one a round."""
    answers: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for batch in options.batch_sizes:
        for worker in workers:  # the first run of a shape pays for memory and for kernels chosen
            report(f"{worker.spec.variant.label}, {batch} at a time, warming up")
            worker.ask("page", rows=batch, tokens=2)
        for round_ in range(options.rounds):
            for worker in in_turn(workers, round_):
                one = worker.spec.variant
                report(f"{one.label}, {batch} at a time, round {round_ + 1} of {options.rounds}")
                answer = worker.ask("page", rows=batch, tokens=options.tokens)
                answers.setdefault((one.name, batch), []).append(answer)
    return answers


def _figures(
    config: GotOcr2Config,
    one: Variant,
    batch: int,
    tokens: int,
    prompt: int,
    bandwidth: float,
    answers: Sequence[Mapping[str, Any]],
) -> Figures:
    seconds = statistics.median(answer["seconds"] for answer in answers)
    step = statistics.median(statistics.median(answer["steps"]) for answer in answers)
    needed = step_bytes(config, one.weights, one.cache, batch, prompt + tokens / 2)
    return Figures(
        variant=one.name,
        label=one.label,
        batch=batch,
        seconds=seconds,
        first_token_seconds=statistics.median(answer["first"] for answer in answers),
        token_seconds=step,
        pages_per_second=batch / seconds,
        tokens_per_second=batch * tokens / seconds,
        step_bytes=needed,
        roofline=needed / step / bandwidth,
        peak_bytes=answers[0]["peak_bytes"],
    )


def _compared(
    figures: Sequence[Figures],
    answers: Mapping[tuple[str, int], Sequence[Mapping[str, Any]]],
    options: BenchOptions,
) -> tuple[Figures, ...]:
    """The figures with what they are beside the baseline of their batch size."""
    compared: list[Figures] = []
    for one in figures:
        first = next(other for other in figures if other.batch == one.batch)
        ids = [answers[name, one.batch][0]["ids"] for name in (first.variant, one.variant)]
        exact = not one.variant.startswith("int")
        compared.append(
            Figures(
                **{
                    **asdict(one),
                    "speedup": first.seconds / one.seconds if options.against else None,
                    "token_speedup": first.token_seconds / one.token_seconds if options.against else None,
                    "same_ids": same_prefix(*ids) if exact else None,
                }
            )
        )
    return tuple(compared)
