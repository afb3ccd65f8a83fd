"""What `got-ocr2 read` does with each thing that happens while documents are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...errors import GotOcr2Error
from ...wording import printable
from .files import Job
from .outputs import Output
from .progress import PageProgress
from .terminal import StdoutError, note

if TYPE_CHECKING:
    from ...ocr import OCR
    from ...reading import ReadOptions
    from ...results import PageResult

LOOPED = 4  # exit code: a text was cut because the model repeated itself


def write_events(
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
    from ...reading import DocumentOpened, DocumentRead, PageRead, TextPiece

    codes: set[int] = set()
    waiting = iter(jobs)
    sources: list[Any] = [job.source for job in jobs]
    for event in ocr.reader(options, batch_size=batch_size).events(sources):
        if isinstance(event, TextPiece):
            output.piece(event.text)
        elif isinstance(event, DocumentOpened):
            progress.opened(printable(event.source), event.results)
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
            except StdoutError:
                raise
            except GotOcr2Error as e:  # this file cannot be written; the next may
                note(str(e))
                codes.add(e.exit_code)
    return codes.pop() if len(codes) == 1 else GotOcr2Error.exit_code if codes else 0


def _report(result: PageResult, *, verbose: bool, quiet: bool) -> None:
    """One line on standard error about what a person should know of a page."""
    source = printable(result.source)
    where = f"{source}, page {', '.join(map(str, result.page_numbers))}"
    if result.error is not None:
        known = source in result.error.message
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
    if result.agreement is not None and not quiet:
        _report_places(where, result)
    if verbose and result.error is None:
        confidence = "" if result.confidence is None else f", confidence {result.confidence:.2f}"
        drafts = ""
        if result.speculation is not None:
            drafts = f", {result.speculation.kept} of {result.speculation.drafted} drafted tokens kept"
        note(f"{where}: {result.tokens} tokens in {result.seconds:.2f} s{confidence}{drafts}.")


def _report_places(where: str, result: PageResult) -> None:
    """Where the text and the lines of its page do not agree."""
    left_out = len(result.skipped or ())
    lines = result.lines or ()
    unsupported = sum(line.unsupported for line in lines)
    if left_out or unsupported:
        note(
            f"{where}: {unsupported} of the text's {len(lines)} lines stand nowhere on the page, and {left_out} lines "
            f"of the page are not in the text (agreement {result.agreement:.2f})."
        )
