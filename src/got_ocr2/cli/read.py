"""`got-ocr2 read`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..errors import GotOcr2Error, InvalidOptionError
from ..wording import printable
from . import options as shared
from . import read_options as own
from .files import Found, Job, check_apart, check_free, plan
from .outputs import Files, JsonLines, Output, PipedText, TerminalText
from .progress import PageProgress
from .read_events import write_events
from .terminal import note
from .values import box_of, draft_of, ngram_of
from .writing import Existing

if TYPE_CHECKING:
    from ..modeling.backends.choice import Kernels, Quantization
    from ..reading import ReadOptions
    from .rendered_files import RenderedFiles


def read(
    inputs: own.Inputs,
    format: own.Format = False,
    box: own.Box = None,
    color: own.Color = None,
    multi_page: own.MultiPage = False,
    crop: own.Crop = False,
    max_patches: own.MaxPatches = None,
    lines: own.Lines = None,
    paragraphs: own.Paragraphs = False,
    dehyphenate: own.Dehyphenate = False,
    pages: own.Pages = None,
    recursive: own.Recursive = False,
    skip_blank: own.SkipBlank = True,
    dpi: own.Dpi = None,
    password: own.Password = None,
    max_pixels: own.MaxPixels = None,
    output: own.Output = None,
    to: own.To = None,
    json: own.Json = False,
    confidence: own.Confidence = "page",
    skip_existing: own.SkipExisting = False,
    force: own.Force = False,
    verbose: own.Verbose = False,
    quiet: own.Quiet = False,
    model: own.Model = None,
    device: shared.Device = "auto",
    dtype: shared.Dtype = "auto",
    quantize: own.Quantize = None,
    kernels: own.Kernels = "auto",
    kv_memory: own.KvMemory = None,
    max_new_tokens: own.MaxNewTokens = None,
    deadline: own.Deadline = None,
    on_loop: own.OnLoop = "stop",
    no_repeat_ngram: own.NoRepeatNgram = None,
    draft: own.Draft = None,
    boxes: own.Boxes = False,
    speculate: own.Speculate = None,
    batch_size: own.BatchSize = 1,
) -> int:
    """Read the text of pictures, PDFs, folders and addresses.

    Text goes to standard output, as it is written on a terminal, page by page into a pipe. A page that cannot
    be read is named on standard error, the others are read all the same, and the exit code is not 0.
    """
    _check(verbose=verbose, quiet=quiet, skip_existing=skip_existing, force=force, output=output)
    if confidence != "page" and not json:
        raise InvalidOptionError(f"--confidence {confidence} is about JSON; it needs --json.")
    if boxes and not json and to is None:
        raise InvalidOptionError(
            "--boxes is about places, which text has not; it needs --json, or --to with hocr, tsv, ..."
        )
    from ..documents import DEFAULT_DPI, Limits
    from ..reading import LINES, PDF_TEXT, ReadOptions

    limits = Limits() if max_pixels is None else Limits(max_pixels=max_pixels)
    options = ReadOptions.of(
        format=format,
        box=None if box is None else box_of(box),
        color=color,
        multi_page=multi_page,
        crop=crop,
        max_patches=max_patches,
        lines=lines,
        paragraphs=paragraphs,
        dehyphenate=dehyphenate,
        max_new_tokens=max_new_tokens,
        deadline=deadline,
        on_loop=on_loop,
        no_repeat_ngram_size=None if no_repeat_ngram is None else ngram_of(no_repeat_ngram),
        draft=None if draft is None else draft_of(draft),
        boxes=boxes,
        speculate=speculate,
        confidence=confidence,
        pages=pages,
        dpi=DEFAULT_DPI if dpi is None else dpi,
        password=password,
        recursive=recursive,
        skip_blank=skip_blank,
        limits=limits,
    )
    rendered: RenderedFiles | None = None
    if to is not None:
        if json:
            raise InvalidOptionError(
                "--to and --json exclude each other; --to json writes the tree of a page."
            )
        from .rendered_files import RenderedFiles

        existing: Existing = "replace" if force else "refuse"
        rendered = RenderedFiles(to, verbose=verbose, quiet=quiet, existing=existing, password=password)
    suffix = rendered.suffix if rendered is not None else ".json" if json else ".txt"
    jobs = _jobs(inputs, options, output, suffix, several=rendered is not None and rendered.several)
    if draft not in (None, PDF_TEXT, LINES) and len(jobs) > 1:
        raise InvalidOptionError(
            f"--draft {printable(draft)} is about one document, got {len(jobs)}; --draft {PDF_TEXT} and "
            f"--draft {LINES} are for any."
        )
    check_apart(jobs if rendered is None else [file for job in jobs for file in rendered.files(job)])
    if skip_existing:
        files = {job: [job] if rendered is None else rendered.files(job) for job in jobs}
        kept = [
            job
            for job in jobs
            if not all(f.target is not None and os.path.lexists(f.target) for f in files[job])
        ]
        if verbose and len(kept) < len(jobs):
            note(f"{len(jobs) - len(kept)} of {len(jobs)} documents have their output already.")
        jobs = kept
    elif not force:
        check_free(jobs if rendered is None else [file for job in jobs for file in rendered.files(job)])
    if not jobs:
        return 0

    to_stdout = jobs[0].target is None
    on_terminal = to_stdout and not json and rendered is None and sys.stdout.isatty()
    if rendered is not None:
        if to_stdout:
            rendered.check_stdout()
        sink: Output = rendered
    elif not to_stdout:
        sink = Files(json=json, verbose=verbose, existing="replace" if force else "refuse")
    elif json:
        sink = JsonLines()
    else:
        sink = TerminalText() if on_terminal else PipedText()
    with PageProgress(len(jobs), shown=not quiet and not on_terminal) as progress:
        progress.waiting("opening the model")
        from ..ocr import OCR
        from ..reading.engine_options import EngineOptions

        ocr = OCR.from_pretrained(
            model,
            device=device,
            dtype=dtype,
            quantization=cast("Quantization | None", quantize),
            kernels=cast("Kernels", kernels),
            kv_memory=kv_memory,
            max_batch=max(batch_size, EngineOptions.max_batch),
        )
        if verbose:
            note(f"{model or 'The embedded model'} runs on {ocr.model.device} in {ocr.model.dtype}.")
        if not quiet and ocr.why_not_native is not None:
            note(f"Reading with torch, slower than the compiled kernels would be: {ocr.why_not_native}.")
        return write_events(ocr, jobs, options, batch_size, sink, progress, verbose=verbose, quiet=quiet)


def _check(*, verbose: bool, quiet: bool, skip_existing: bool, force: bool, output: str | None) -> None:
    if verbose and quiet:
        raise InvalidOptionError("--verbose and --quiet exclude each other.")
    if skip_existing and force:
        raise InvalidOptionError("--skip-existing and --force exclude each other.")
    if output in (None, "-") and (skip_existing or force):
        name = "--force" if force else "--skip-existing"
        raise InvalidOptionError(f"{name} is about output files; it needs --output.")


def _jobs(
    inputs: Sequence[str], options: ReadOptions, output: str | None, suffix: str, *, several: bool
) -> list[Job]:
    """Every document behind the inputs, and the file that its result goes to.

    An input that cannot be expanded, such as a folder without pictures, stays a job and fails when it is
    read, so that the others are read all the same. `several` documents have several files each.
    """
    from ..documents import expand

    found: list[Found] = []
    folder_given = False
    for name in inputs:
        try:
            documents: list[Any] = expand(name, recursive=options.recursive)
        except GotOcr2Error:
            documents = [name]
        expanded = documents != [name]
        folder_given |= expanded
        inside = Path(name) if expanded and os.path.isdir(name) else None
        found += [Found.of(one, inside) for one in documents]
    if options.multi_page:
        first = Found.of(inputs[0])
        found = [Found(tuple(inputs), first.name, first.full_name)]
        folder_given = False
    return plan(found, output, suffix, folder_given=folder_given or several)
