"""`got-ocr2 synth`: data sets of any kind, and contact sheets to look at them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..synth.registry import KINDS
from .options.shared import Force
from .output.terminal import note
from .output.writing import check_new

if TYPE_CHECKING:
    from ..synth.dataset import DatasetRequest
    from ..synth.sample import Task

INTERRUPTED = 130

ABOUT: dict[str, str] = {
    "text": "Words, lines, paragraphs and pages of plain text.",
    "formula": "LaTeX formulas.",
    "table": "LaTeX tables.",
    "page": "Formatted pages in Mathpix markdown.",
    "molecule": "Skeletal formulas and their SMILES.",
    "music": "Sheet music and its **kern.",
    "geometry": "Figures and their TikZ.",
    "chart": "Charts and the dict of their values.",
    "region": "One block or line of a page, by its box or by a coloured frame.",
    "crop": "Pictures that need high-resolution patches.",
    "multipage": "Documents of 2 to 8 pages as one text.",
    "line": "Single lines cut out of spoilt print, typewriting and receipts.",
    "negative": "Pictures with nothing to read.",
}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Draw training data with its exact truth: a data set of one kind, or contact sheets of all.",
)

Seed = Annotated[int, typer.Option(help="The same seed draws the same samples.")]
Split = Annotated[str, typer.Option(help="train, or test for held-out fonts and texts.")]
Language = Annotated[str, typer.Option(help="Language of the texts, as an ISO 639-1 code.")]
Degrade = Annotated[float, typer.Option(help="Highest strength of degradation, 0 to 1.")]


def _dataset_command(kind: str) -> Callable[..., int]:
    def command(
        count: Annotated[int, typer.Option("--count", "-n", help="Samples in the finished data set.")],
        out: Annotated[Path, typer.Option("--out", "-o", help="Folder; a data set in it is continued.")],
        seed: Seed = 0,
        workers: Annotated[int, typer.Option(help="Processes that draw.")] = 1,
        split: Split = "train",
        language: Language = "en",
        degrade: Degrade = 0.0,
        conversations: Annotated[
            bool, typer.Option("--conversations", help="Also write conversations.json for GOT's own trainer.")
        ] = False,
    ) -> int:
        from ..synth.dataset import DatasetRequest

        code = _write(DatasetRequest(kind, seed, split, language, degrade), count, out, workers)
        if conversations and code == 0:
            from ..synth.conversations import export_conversations

            note(f"Wrote {export_conversations(out, _question)}.")
        return code

    return command


for _kind in KINDS:
    app.command(_kind, help=ABOUT[_kind])(_dataset_command(_kind))


@app.command(help="One picture per kind: samples with their truth under them.")
def preview(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the pictures.")],
    kind: Annotated[
        list[str] | None, typer.Option(help="Only this kind; may be given several times.")
    ] = None,
    count: Annotated[int, typer.Option(help="Samples on a picture.")] = 12,
    columns: Annotated[int, typer.Option(help="Samples in a row.")] = 4,
    seed: Seed = 0,
    split: Split = "train",
    language: Language = "en",
    degrade: Degrade = 0.0,
    force: Force = False,
) -> None:
    """Writes `KIND.png` for each kind."""
    from ..errors import FileAccessError
    from ..synth.dataset import DatasetRequest
    from ..synth.preview import contact_sheet

    if not force:
        check_new([out / f"{name}.png" for name in kind or KINDS])
    for name in kind or KINDS:
        sheet = contact_sheet(
            DatasetRequest(name, seed, split, language, degrade).engine(), seed, count, columns
        )
        try:
            out.mkdir(parents=True, exist_ok=True)
            sheet.save(out / f"{name}.png")
        except OSError as error:
            raise FileAccessError(f"The contact sheet cannot be written to {out}: {error}.") from error
        typer.echo(out / f"{name}.png")


@app.command(help="Fonts and texts at hand in one folder, to be carried to a machine that has none.")
def pack(
    out: Annotated[Path, typer.Option("--out", "-o", help="A new folder.")],
    language: Annotated[
        list[str] | None, typer.Option(help="Of the texts; may be given several times.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="MIB", min=1, help="Largest size of the folder.")] = 48,
) -> None:
    """There, GOT_OCR2_PACK=FOLDER makes the data engines take all fonts and texts from it."""
    from ..synth.pack import write_pack

    done = write_pack(out, languages=language or ("en",), limit=limit << 20)
    note(
        f"{out}: {done.faces} faces of {done.families} families, {done.texts} texts, {done.size / (1 << 20):.1f} MiB; "
        f"{len(done.left_out)} font files left out."
    )


def _write(request: DatasetRequest, count: int, out: Path, workers: int) -> int:
    """Writes the data set under a progress bar; gives the exit code. After Ctrl-C it says how to go on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ..synth.dataset import write_dataset

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    done = 0
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        shown = bar.add_task(request.kind, total=count)

        def progress(number: int) -> None:
            nonlocal done
            done = number
            bar.update(shown, completed=number)

        try:
            write_dataset(request, count, out, workers=workers, progress=progress)
        except KeyboardInterrupt:
            bar.stop()
            note(f"Stopped at {done} of {count} samples; the same command goes on from there.")
            return INTERRUPTED
    note(f"{out}: {done} samples.")
    return 0


def _question(task: Task, size: tuple[int, int]) -> str:
    """The task in the words that the published training data uses; boxes in thousandths of the picture."""
    from ..processing.prompts import Question

    box = None
    if task.box is not None:
        box = [int(side / limit * 1000) for side, limit in zip(task.box, (*size, *size), strict=True)]
    return Question(task.format, box, task.color, task.multi_page, task.crop_to_patches).wording("original")
