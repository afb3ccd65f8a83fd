"""`got-ocr2 read`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ..errors import GotOcr2Error, InvalidOptionError
from ..wording import printable
from .files import Found, Job, check_free, plan
from .outputs import Files, JsonLines, Output, PipedText, TerminalText
from .progress import PageProgress
from .terminal import note
from .values import box_of, count, draft_of, ngram_of, positive, size

if TYPE_CHECKING:
    from ..modeling.backends.choice import Kernels, Quantization
    from ..ocr import OCR
    from ..reading import ReadOptions
    from ..results import PageResult

LOOPED = 4  # exit code: a text was cut because the model repeated itself
_WHAT, _HOW, _INPUT, _OUTPUT = "What to read", "Model", "Input", "Output"


def read(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Pictures, PDFs, folders, patterns, http(s) addresses, or - for standard input.",
            show_default=False,
        ),
    ],
    format: Annotated[
        bool,
        typer.Option(
            "--format",
            help="Formatted text: Mathpix markdown, music, TikZ, SMILES, a chart's data.",
            rich_help_panel=_WHAT,
        ),
    ] = False,
    box: Annotated[
        str | None,
        typer.Option(
            metavar="X1,Y1,X2,Y2", help="Read this region, in pixels of the page.", rich_help_panel=_WHAT
        ),
    ] = None,
    color: Annotated[
        str | None,
        typer.Option(
            metavar="COLOR",
            help="Read what stands in the frame of this colour: red, green or blue.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    multi_page: Annotated[
        bool,
        typer.Option("--multi-page", help="Read all pages of all inputs as one text.", rich_help_panel=_WHAT),
    ] = False,
    crop: Annotated[
        bool,
        typer.Option(
            "--crop", help="Read pages in full-size tiles as well, for small print.", rich_help_panel=_WHAT
        ),
    ] = False,
    max_patches: Annotated[
        int | None,
        typer.Option(
            parser=count, metavar="N", help="The most tiles; switches --crop on.", rich_help_panel=_WHAT
        ),
    ] = None,
    pages: Annotated[
        str | None,
        typer.Option(metavar="1-4,7,9-", help="Which pages; all by default.", rich_help_panel=_INPUT),
    ] = None,
    recursive: Annotated[
        bool,
        typer.Option("--recursive", "-r", help="Search folders within folders.", rich_help_panel=_INPUT),
    ] = False,
    dpi: Annotated[
        float | None,
        typer.Option(
            parser=positive,
            metavar="DPI",
            envvar="GOT_OCR2_DPI",
            help="Pixels per inch for the pages of a PDF; 200 by default.",
            rich_help_panel=_INPUT,
        ),
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(envvar="GOT_OCR2_PASSWORD", help="For encrypted PDFs.", rich_help_panel=_INPUT),
    ] = None,
    max_pixels: Annotated[
        int | None,
        typer.Option(
            parser=count,
            metavar="N",
            envvar="GOT_OCR2_MAX_PIXELS",
            help="The largest page that is opened; 89000000 by default.",
            rich_help_panel=_INPUT,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="A file for one document, a folder for several; standard output by default.",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Text, status, tokens and times of every page as JSON, one line a document.",
            rich_help_panel=_OUTPUT,
        ),
    ] = False,
    confidence: Annotated[
        str,
        typer.Option(
            metavar="page|line|word|character",
            help="How finely --json tells how sure the model was.",
            rich_help_panel=_OUTPUT,
        ),
    ] = "page",
    skip_existing: Annotated[
        bool,
        typer.Option(
            "--skip-existing", help="Leave out documents whose output is there.", rich_help_panel=_OUTPUT
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace output that is there.", rich_help_panel=_OUTPUT)
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say what is done.", rich_help_panel=_OUTPUT)
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="No progress, no warnings; errors only.", rich_help_panel=_OUTPUT),
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            envvar="GOT_OCR2_MODEL",
            metavar="FOLDER|OWNER/NAME",
            help="A checkpoint; by default the small model that comes with got-ocr2.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            envvar="GOT_OCR2_DEVICE", metavar="auto|cpu|cuda|mps", help="Where to run.", rich_help_panel=_HOW
        ),
    ] = "auto",
    dtype: Annotated[
        str,
        typer.Option(
            envvar="GOT_OCR2_DTYPE",
            metavar="auto|float32|bfloat16|float16",
            help="Precision of the model.",
            rich_help_panel=_HOW,
        ),
    ] = "auto",
    quantize: Annotated[
        str | None,
        typer.Option(
            envvar="GOT_OCR2_QUANTIZE",
            metavar="int8|int4",
            help="Smaller, faster weights on a CPU; the text is then no longer exactly the model's.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    kernels: Annotated[
        str,
        typer.Option(
            envvar="GOT_OCR2_KERNELS",
            metavar="auto|native|torch",
            help="The compiled code of got-ocr2, or plain torch; the text is the same.",
            rich_help_panel=_HOW,
        ),
    ] = "auto",
    kv_memory: Annotated[
        int | None,
        typer.Option(
            parser=size,
            metavar="SIZE",
            envvar="GOT_OCR2_KV_MEMORY",
            help="The most that the key/value cache may take, such as 2GB; it limits how many pages are read "
            "together. A share of the free memory by default.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    max_new_tokens: Annotated[
        int | None,
        typer.Option(
            parser=count,
            metavar="N",
            envvar="GOT_OCR2_MAX_NEW_TOKENS",
            help="The longest text of a page, in tokens.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    deadline: Annotated[
        float | None,
        typer.Option(
            parser=positive,
            metavar="SECONDS",
            envvar="GOT_OCR2_DEADLINE",
            help="The longest work on a page; its text ends there.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    on_loop: Annotated[
        str,
        typer.Option(
            envvar="GOT_OCR2_ON_LOOP",
            metavar="stop|penalise|retry_cropped|ignore",
            help="When the model repeats itself: cut the text there, go on without repeats, read the page again "
            "in tiles, or do nothing.",
            rich_help_panel=_HOW,
        ),
    ] = "stop",
    no_repeat_ngram: Annotated[
        str | None,
        typer.Option(
            metavar="N|original",
            help="No run of N tokens twice; original is what the demo of the model's authors does.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    draft: Annotated[
        str | None,
        typer.Option(
            metavar="pdf-text|FILE",
            help="What the document is thought to say: read faster, with the same result.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    speculate: Annotated[
        bool | None,
        typer.Option(
            "--speculate/--no-speculate",
            help="Guess tokens and verify several at once; with --draft by default.",
            show_default=False,
            rich_help_panel=_HOW,
        ),
    ] = None,
    batch_size: Annotated[
        int,
        typer.Option(
            parser=count,
            metavar="N",
            envvar="GOT_OCR2_BATCH_SIZE",
            help="Pages that are read together: as soon as one is done, another enters.",
            rich_help_panel=_HOW,
        ),
    ] = 1,
) -> int:
    """Read the text of pictures, PDFs, folders and addresses.

    Text goes to standard output, as it is written on a terminal, page by page into a pipe. A page that cannot
    be read is named on standard error, the others are read all the same, and the exit code is not 0.
    """
    _check(verbose=verbose, quiet=quiet, skip_existing=skip_existing, force=force, output=output)
    if confidence != "page" and not json:
        raise InvalidOptionError(f"--confidence {confidence} is about JSON; it needs --json.")
    from ..documents import DEFAULT_DPI, Limits
    from ..reading import PDF_TEXT, ReadOptions

    limits = Limits() if max_pixels is None else Limits(max_pixels=max_pixels)
    options = ReadOptions.of(
        format=format,
        box=None if box is None else box_of(box),
        color=color,
        multi_page=multi_page,
        crop=crop,
        max_patches=max_patches,
        max_new_tokens=max_new_tokens,
        deadline=deadline,
        on_loop=on_loop,
        no_repeat_ngram_size=None if no_repeat_ngram is None else ngram_of(no_repeat_ngram),
        draft=None if draft is None else draft_of(draft),
        speculate=speculate,
        confidence=confidence,
        pages=pages,
        dpi=DEFAULT_DPI if dpi is None else dpi,
        password=password,
        recursive=recursive,
        limits=limits,
    )
    jobs = _jobs(inputs, options, output, ".json" if json else ".txt")
    if draft not in (None, PDF_TEXT) and len(jobs) > 1:
        raise InvalidOptionError(
            f"--draft {printable(draft)} is about one document, got {len(jobs)}; --draft {PDF_TEXT} is for any."
        )
    if skip_existing:
        kept = [job for job in jobs if job.target is None or not job.target.exists()]
        if verbose and len(kept) < len(jobs):
            note(f"{len(jobs) - len(kept)} of {len(jobs)} documents have their output already.")
        jobs = kept
    elif not force:
        check_free(jobs)
    if not jobs:
        return 0

    to_stdout = jobs[0].target is None
    on_terminal = to_stdout and not json and sys.stdout.isatty()
    if not to_stdout:
        sink: Output = Files(json=json, verbose=verbose)
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
        return _run(ocr, jobs, options, batch_size, sink, progress, verbose=verbose, quiet=quiet)


def _run(
    ocr: OCR,
    jobs: Sequence[Job],
    options: ReadOptions,
    batch_size: int,
    output: Output,
    progress: PageProgress,
    *,
    verbose: bool,
    quiet: bool,
) -> int:
    """Reads the jobs; returns the exit code."""
    from ..reading import DocumentOpened, DocumentRead, PageRead, TextPiece

    codes: set[int] = set()
    waiting = iter(jobs)
    sources: list[Any] = [job.source for job in jobs]
    for event in ocr.reader(options, batch_size=batch_size).events(sources):
        if isinstance(event, TextPiece):
            output.piece(event.text)
        elif isinstance(event, DocumentOpened):
            progress.opened(event.source, event.results)
        elif isinstance(event, PageRead):
            output.page(event.result)
            progress.page_done()
            if event.result.error is not None:
                codes.add(event.result.error.exit_code)
            elif event.result.status == "looped":
                codes.add(LOOPED)
            _report(event.result, verbose=verbose, quiet=quiet)
        elif isinstance(event, DocumentRead):
            try:
                output.document(next(waiting), event.result)
            except GotOcr2Error as e:  # this file cannot be written; the next may
                note(str(e))
                codes.add(e.exit_code)
    return codes.pop() if len(codes) == 1 else GotOcr2Error.exit_code if codes else 0


def _report(result: PageResult, *, verbose: bool, quiet: bool) -> None:
    """One line on standard error about what a person should know of a page."""
    where = f"{result.source}, page {', '.join(map(str, result.page_numbers))}"
    if result.error is not None:
        known = result.source in result.error.message
        note(result.error.message if known else f"{where}: {result.error.message}")
    elif result.status == "looped" and result.repetition is not None:
        note(
            f"{where}: the text ends where the model began to repeat itself; {result.repetition.dropped} repeated "
            "tokens were left out (see --on-loop)."
        )
        if result.repetition.failure is not None:
            note(f"{where}: a second try ({result.repetition.on_loop}) failed: {result.repetition.failure}")
    elif result.status == "truncated" and not quiet:
        see = "--deadline" if result.finish_reason == "deadline" else "--max-new-tokens"
        note(f"{where}: the text ends at {result.tokens} tokens, not at its end (see {see}).")
    elif result.status == "empty" and not quiet:
        note(f"{where}: no text was found.")
    if result.repetition is not None and result.repetition.solved and not quiet:
        note(
            f"{where}: the model repeated itself; the text is that of a second try ({result.repetition.on_loop})."
        )
    if verbose and result.error is None:
        confidence = "" if result.confidence is None else f", confidence {result.confidence:.2f}"
        drafts = ""
        if result.speculation is not None:
            drafts = f", {result.speculation.kept} of {result.speculation.drafted} drafted tokens kept"
        note(f"{where}: {result.tokens} tokens in {result.seconds:.2f} s{confidence}{drafts}.")


def _check(*, verbose: bool, quiet: bool, skip_existing: bool, force: bool, output: str | None) -> None:
    if verbose and quiet:
        raise InvalidOptionError("--verbose and --quiet exclude each other.")
    if skip_existing and force:
        raise InvalidOptionError("--skip-existing and --force exclude each other.")
    if output in (None, "-") and (skip_existing or force):
        name = "--force" if force else "--skip-existing"
        raise InvalidOptionError(f"{name} is about output files; it needs --output.")


def _jobs(inputs: Sequence[str], options: ReadOptions, output: str | None, suffix: str) -> list[Job]:
    """Every document behind the inputs, and the file that its result goes to.

    An input that cannot be expanded, such as a folder without pictures, stays a job and fails when it is
    read, so that the others are read all the same.
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
    return plan(found, output, suffix, folder_given=folder_given)
