"""Whether a checkpoint gives the right numbers on this machine.

Three questions, each answered by checks with a limit:

- does the plain torch model, in fp32, give what transformers gives, layer by layer, and the same greedy ids;
- does each fast back end give what plain torch gives: features of pictures, scores of every position, greedy ids;
- how far do quantised weights lead away: share of positions at which the best token stays the same, and the character
  error rate of the text written with them, taking the exact text for the truth.

Checks of the last kind have no limit unless one is asked for: how much may be lost is the user's to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..auto import AutoProcessor
from ..benchmarking import oracle
from ..benchmarking.backends import BACKENDS, make_runner, why_not
from ..benchmarking.benchmark import Report, prepared
from ..benchmarking.workload import same_prefix
from ..errors import InvalidOptionError
from ..evaluation.metrics.edit_distance import levenshtein
from ..generation import GenerationOptions
from ..generation.engine.engine import Engine
from ..generation.engine.requests import Request
from ..generation.engine.runner import RowInput, Runner, Span
from ..machine import describe, settings
from ..modeling import GotOcr2ForConditionalGeneration, load_model
from ..processing import GotOcr2Processor
from .layers import capturing, difference, layer_names
from .sample_pages import sample_pages


@dataclass(frozen=True)
class Check:
    """One number and what it may be.

    Attributes:
        group: what is compared, such as "torch against transformers".
        name: of what, such as "vision layer 3".
        value: a difference (0 is best) or a share (1 is best).
        limit: the most a difference may be, or the least a share may be; None only reports.
        kind: "difference" or "share".
    """

    group: str
    name: str
    value: float
    limit: float | None
    kind: str = "difference"

    @property
    def passed(self) -> bool:
        if self.limit is None:
            return True
        return self.value <= self.limit if self.kind == "difference" else self.value >= self.limit


@dataclass(frozen=True)
class VerifyOptions:
    """What is checked.

    Attributes:
        backends: of `backends.BACKENDS`, each held against plain torch; none twice.
        transformers: compare with it too; None if it is installed and can hold the model.
        tokens: the most to write for every page, >= 1.
        tolerance: the largest difference of full-precision numbers, as a share of the largest magnitude, > 0.
        agreement: the least share of positions at which quantised weights keep the best token, 0..1, or None.
        max_cer: the highest character error rate of quantised weights, >= 0, or None.
        threads: for torch and the kernels, >= 1.

    Raises:
        InvalidOptionError: a value out of its range.
    """

    backends: tuple[str, ...] = BACKENDS
    transformers: bool | None = None
    tokens: int = 48
    tolerance: float = 1e-4
    agreement: float | None = None
    max_cer: float | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        for name in self.backends:
            if name not in BACKENDS:
                raise InvalidOptionError(f"A back end is one of {', '.join(BACKENDS)}, got {name!r}.")
        for name in ("tokens", "threads"):
            if getattr(self, name) < 1:
                raise InvalidOptionError(f"{name} must be at least 1, got {getattr(self, name)}.")
        if self.tolerance <= 0:
            raise InvalidOptionError(f"tolerance must be above 0, got {self.tolerance}.")
        if self.agreement is not None and not 0 <= self.agreement <= 1:
            raise InvalidOptionError(f"agreement must be from 0 to 1, got {self.agreement}.")
        if self.max_cer is not None and self.max_cer < 0:
            raise InvalidOptionError(f"max_cer must be at least 0, got {self.max_cer}.")


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes:
        model: as it was named.
        options: what was asked.
        pages: how many were read.
        checks: in the order in which they were made.
        left_out: what could not be compared, each with its reason, as sentences.
        machine: hardware, versions, thread settings.
    """

    model: str
    options: VerifyOptions
    pages: int
    checks: tuple[Check, ...]
    left_out: tuple[str, ...]
    machine: dict[str, Any]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        checks = [{**asdict(check), "passed": check.passed} for check in self.checks]
        return {"verify": self.model, "passed": self.passed, **asdict(self), "checks": checks}


@dataclass(frozen=True)
class PageInput:
    """One page as the model gets it: `ids` `(1, T)` int64, `pixels` `(pictures, C, H, W)` fp32."""

    ids: Tensor
    pixels: Tensor


@dataclass(frozen=True)
class Reading:
    """What a back end makes of one page.

    Attributes:
        features: `(pictures, tokens, hidden)`.
        logits: `(new, vocabulary)` fp32: scores from which each token of the reference text is chosen, the tokens
            before it given.
        ids: the text that it writes itself, the most probable tokens.
    """

    features: Tensor
    logits: Tensor
    ids: list[int]


def verify(
    model: str | PathLike[str],
    options: VerifyOptions,
    *,
    pictures: Sequence[str | PathLike[str]] = (),
    report: Report = lambda _: None,
) -> Verification:
    """Checks a checkpoint, in fp32 on the CPU.

    Args:
        model: a folder or a repository on the hub.
        options: what to check.
        pictures: pages to check it with, one picture each; some rendered ones by default.
        report: gets a line about what is being done.

    Raises:
        GotOcr2Error: the checkpoint, a picture or a back end cannot be used.
    """
    torch.set_num_threads(options.threads)
    if options.transformers:
        oracle.require()
    checks: list[Check] = []
    left_out: list[str] = []
    processor = AutoProcessor.from_pretrained(model)
    with prepared(model) as (folder, config):
        report("reading with plain torch in fp32")
        ours = load_model(folder, dtype="float32")
        pages = [_input(processor, picture) for picture in (pictures or sample_pages(config))]
        runner = make_runner(ours, "torch", threads=options.threads)
        ends = GenerationOptions(eos_token_id=ours.generation_defaults.eos_token_id)
        reference = [read(runner, page, options.tokens, ends) for page in pages]
        if options.transformers is not False:
            checks += _against_oracle(ours, folder, pages[0], reference[0], options, left_out, report)
        if options.backends and why_not("exact") is None:
            report("checking the kernels")
            checks += _kernels(ours, options)
        for name in options.backends:
            reason = why_not(name)
            if reason is not None:
                left_out.append(f"{name} was not checked: {reason}.")
                continue
            report(f"reading with {name}")
            runner = make_runner(ours, name, threads=options.threads)
            readings = [
                read(runner, page, options.tokens, ends, given=one.ids)
                for page, one in zip(pages, reference, strict=True)
            ]
            texts = [
                [processor.decode(one.ids, skip_special_tokens=True) for one in side]
                for side in (readings, reference)
            ]
            checks += _against_torch(name, readings, reference, texts, options)
    machine = {**describe("cpu"), "threads": options.threads, **settings()}
    return Verification(str(model), options, len(pages), tuple(checks), tuple(left_out), machine)


@torch.inference_mode()
def read(
    runner: Runner, page: PageInput, tokens: int, ends: GenerationOptions, given: Sequence[int] | None = None
) -> Reading:
    """What a back end makes of a page.

    Args:
        runner: not in use elsewhere.
        page: to read.
        tokens: the most to write.
        ends: what ends a text.
        given: the reference text; by default what the back end writes itself.
    """
    prompt: list[int] = page.ids[0].tolist()
    with Engine(runner, positions=len(prompt) + tokens) as engine:
        request = Request(prompt, tokens, ends, page.pixels)
        ids = list(engine.submit(request).result().tokens)
    text = ids if given is None else list(given)
    row = [*prompt, *text[:-1]]
    features = runner.encode(page.pixels)
    runner.allocate(len(row))
    scores = runner.forward(
        torch.tensor(row, device=runner.device),
        [RowInput(Span(0, len(row)), 0, len(row), len(text), features.flatten(0, 1))],
    )
    reading = Reading(
        features.float().cpu(), scores.logits.float().cpu().clone(), ids
    )  # a runner may reuse its scores
    runner.release()
    return reading


def _input(processor: GotOcr2Processor, picture: Any) -> PageInput:
    batch = processor(picture)
    return PageInput(batch["input_ids"], batch["pixel_values"])


@torch.inference_mode()
def _kernels(model: GotOcr2ForConditionalGeneration, options: VerifyOptions) -> Iterator[Check]:
    from .kernel_checks import linear_differences

    for name, value in linear_differences(model):
        yield Check("linear kernels against their torch twins", f"{name} weights", value, options.tolerance)


def _against_torch(
    name: str,
    readings: Sequence[Reading],
    reference: Sequence[Reading],
    texts: Sequence[Sequence[str]],
    options: VerifyOptions,
) -> Iterator[Check]:
    """A back end beside plain torch, the worst page for differences, all pages for shares.

    Args:
        texts: of the back end and of torch.
    """
    exact = name == "exact"
    limit = options.tolerance if exact else None
    pairs = list(zip(readings, reference, strict=True))
    group = f"{name} against plain torch"
    yield Check(
        group, "features of pictures", max(difference(a.features, b.features) for a, b in pairs), limit
    )
    yield Check(group, "scores of every token", max(difference(a.logits, b.logits) for a, b in pairs), limit)
    kept = torch.cat([a.logits.argmax(-1) == b.logits.argmax(-1) for a, b in pairs]).float().mean()
    least = 1.0 if exact else options.agreement
    yield Check(group, "best token kept, the tokens before it given", float(kept), least, "share")
    same = same_prefix([a.ids for a in readings], [b.ids for b in reference])
    yield Check(group, "tokens written before the first difference", same, 1.0 if exact else None, "share")
    if not exact:
        wrong = sum(map(levenshtein, *texts))
        letters = sum(map(len, texts[1]))
        yield Check(
            group, "character error rate, exact text as truth", wrong / max(letters, 1), options.max_cer
        )


@torch.inference_mode()
def _against_oracle(
    ours: GotOcr2ForConditionalGeneration,
    folder: Path,
    page: PageInput,
    reference: Reading,
    options: VerifyOptions,
    left_out: list[str],
    report: Report,
) -> Iterator[Check]:
    """Plain torch beside transformers, layer by layer, on one page; says in `left_out` what cannot be compared."""
    if options.transformers is None and oracle.installed() is None:
        left_out.append(f"{oracle.NAME} is not installed: nothing was compared with it.")
        return
    report(f"comparing with {oracle.NAME}")
    names = layer_names(ours.config)
    reason = oracle.why_not(ours.config)
    with capturing(ours, names) as mine:
        ours(page.ids, page.pixels)
    if reason is None:
        theirs, inputs = (
            oracle.load(folder, "cpu", torch.float32),
            {"input_ids": page.ids, "pixel_values": page.pixels},
        )
    else:
        left_out.append(
            f"{oracle.NAME} cannot hold the vision part ({reason}): its decoder alone was compared."
        )
        theirs, inputs = oracle.load_decoder(ours), {"inputs_embeds": _embedded(ours, page)}
        names = {
            name: path.replace("language_model.", "")
            for name, path in names.items()
            if "vision" not in path and "projector" not in path
        }
    inputs["attention_mask"] = torch.ones_like(page.ids)
    with capturing(theirs, names) as found:
        theirs(**inputs)
    group = f"plain torch against {oracle.NAME} {oracle.installed()}"
    for name in names:
        yield Check(group, name, difference(mine[name], found[name]), options.tolerance)
    count = len(reference.ids)  # theirs goes on after the end of a text
    new = theirs.generate(**inputs, max_new_tokens=count, do_sample=False)[:, -count:]
    same = same_prefix([reference.ids], new.tolist())
    yield Check(group, "tokens written before the first difference", same, 1.0, "share")


def _embedded(model: GotOcr2ForConditionalGeneration, page: PageInput) -> Tensor:
    """Embeddings `(1, T, hidden)` of a prompt, with the features of its pictures in their places."""
    embeds = model.model.language_model.embed_tokens(page.ids)
    places = page.ids == model.config.image_token_index
    return embeds.masked_scatter(places[..., None], model.encode_pictures(page.pixels))
