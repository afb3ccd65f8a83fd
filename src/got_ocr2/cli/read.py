"""`got-ocr2 read`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ..errors import InvalidOptionError
from ..wording import printable
from .options import reading as own
from .options import shared
from .options.values import box_of, draft_of, ngram_of
from .output.progress import PageProgress
from .output.read_events import write_events
from .output.read_files import Wanted
from .output.terminal import note

if TYPE_CHECKING:
    from ..modeling.backends.choice import Kernels, Quantization


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
    force: shared.Force = False,
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
    wanted = Wanted(output, to, json, skip_existing, force, verbose, quiet, password, confidence, boxes)
    from ..documents import DEFAULT_DPI, Limits
    from ..reading import ReadOptions

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
        limits=Limits() if max_pixels is None else Limits(max_pixels=max_pixels),
    )
    jobs = wanted.jobs(inputs, options)
    _check_draft(draft, len(jobs))
    jobs = wanted.left_to_do(jobs)
    if not jobs:
        return 0

    sink = wanted.sink(jobs)
    with PageProgress(len(jobs), shown=not quiet and not wanted.on_terminal(jobs)) as progress:
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
            note(f"{model or 'The embedded model'} runs on {ocr.device} in {ocr.dtype}.")
        if not quiet and ocr.why_not_native is not None:
            note(f"Reading with torch, slower than the compiled kernels would be: {ocr.why_not_native}.")
        return write_events(ocr, jobs, options, batch_size, sink, progress, verbose=verbose, quiet=quiet)


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
