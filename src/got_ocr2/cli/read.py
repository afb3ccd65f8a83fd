"""`got-ocr2 read`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InvalidOptionError
from ..wording import printable
from .options import reading as own
from .options.groups import grouped
from .options.model import ModelOptions
from .options.values import box_of, draft_of, ngram_of
from .output.progress import PageProgress
from .output.read_events import write_events
from .output.read_files import Wanted
from .output.terminal import note

if TYPE_CHECKING:
    from ..reading import ReadOptions


@grouped
def read(
    inputs: own.Inputs,
    part: own.PartOptions,
    *,
    pages: own.Pages = None,
    opening: own.InputOptions,
    output: own.OutputOptions,
    model: ModelOptions,
    decoding: own.DraftOptions,
    batch_size: own.BatchSize = 1,
) -> int:
    """Read the text of pictures, PDFs, folders and addresses.

    Text goes to standard output, as it is written on a terminal, page by page into a pipe. A page that cannot
    be read is named on standard error, the others are read all the same, and the exit code is not 0.
    """
    wanted = Wanted(output, opening.password)
    options = _read_options(part, opening, output, decoding, pages)
    jobs = wanted.jobs(inputs, options)
    _check_draft(decoding.draft, len(jobs))
    jobs = wanted.left_to_do(jobs)
    if not jobs:
        return 0

    sink = wanted.sink(jobs)
    quiet, verbose = output.quiet, output.verbose
    with PageProgress(len(jobs), shown=not quiet and not wanted.on_terminal(jobs)) as progress:
        progress.waiting("opening the model")
        from ..ocr import OCR
        from ..reading.engine_options import EngineOptions

        ocr = OCR.from_pretrained(**model.arguments(), max_batch=max(batch_size, EngineOptions.max_batch))
        if verbose:
            note(f"{model.model or 'The embedded model'} runs on {ocr.device} in {ocr.dtype}.")
        if not quiet and ocr.why_not_native is not None:
            note(f"Reading with torch, slower than the compiled kernels would be: {ocr.why_not_native}.")
        return write_events(ocr, jobs, options, batch_size, sink, progress, verbose=verbose, quiet=quiet)


def _read_options(
    part: own.PartOptions,
    opening: own.InputOptions,
    output: own.OutputOptions,
    decoding: own.DraftOptions,
    pages: str | None,
) -> ReadOptions:
    from ..documents import DEFAULT_DPI, Limits
    from ..reading import ReadOptions

    return ReadOptions.of(
        format=part.format,
        box=None if part.box is None else box_of(part.box),
        color=part.color,
        multi_page=part.multi_page,
        crop=part.crop,
        max_patches=part.max_patches,
        lines=part.lines,
        paragraphs=part.paragraphs,
        dehyphenate=part.dehyphenate,
        max_new_tokens=decoding.max_new_tokens,
        deadline=decoding.deadline,
        on_loop=decoding.on_loop,
        no_repeat_ngram_size=None if decoding.no_repeat_ngram is None else ngram_of(decoding.no_repeat_ngram),
        draft=None if decoding.draft is None else draft_of(decoding.draft),
        boxes=output.boxes,
        speculate=decoding.speculate,
        confidence=output.confidence,
        pages=pages,
        dpi=DEFAULT_DPI if opening.dpi is None else opening.dpi,
        password=opening.password,
        recursive=opening.recursive,
        skip_blank=opening.skip_blank,
        limits=Limits() if opening.max_pixels is None else Limits(max_pixels=opening.max_pixels),
    )


def _check_draft(draft: str | None, documents: int) -> None:
    """A file of text is a draft of one document.

    Raises:
        InvalidOptionError: there are several.
    """
    from ..reading import LINES, PDF_TEXT

    if draft not in (None, PDF_TEXT, LINES) and documents > 1:
        raise InvalidOptionError(
            f"--draft {printable(draft)} is about one document, got {documents}; --draft {PDF_TEXT} and "
            f"--draft {LINES} are for any."
        )
