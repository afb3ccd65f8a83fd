"""`got-ocr2 layout`."""

from __future__ import annotations

import dataclasses
import json as json_text
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import FileAccessError, GotOcr2Error, InvalidOptionError
from ..wording import printable
from . import options as shared
from . import read_options as own
from .files import Found, Job, plan
from .terminal import note

if TYPE_CHECKING:
    from PIL import Image

    from ..layout import LayoutOptions, PageLayout


def layout(
    inputs: own.Inputs,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Draw the lines on the page: a .png for one document, a folder for several.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Every page as a line of JSON instead of a summary.")
    ] = False,
    turn: Annotated[
        int | None,
        typer.Option(
            metavar="0|90|180|270", help="How far to turn pages counter-clockwise; found by default."
        ),
    ] = None,
    pages: own.Pages = None,
    recursive: own.Recursive = False,
    dpi: own.Dpi = None,
    password: own.Password = None,
    force: shared.Force = False,
) -> int:
    """Find the lines of pages, in reading order, without reading them.

    A summary of each page, or JSON, goes to standard output. With --output every page is drawn with its lines, their
    numbers, and a colour for each block; of several pages each gets its number: lines-1.png.
    A page that cannot be opened is named on standard error, and the exit code is not 0.
    """
    from ..documents import DEFAULT_DPI, expand, open_document
    from ..layout import LayoutOptions

    if output is None and force:
        raise InvalidOptionError("--force is about output files; it needs --output.")
    options = LayoutOptions(turn=turn)
    found: list[Found] = []
    folder_given, failed = False, False
    for name in inputs:
        try:
            documents = expand(name, recursive=recursive)
        except GotOcr2Error as e:
            note(str(e))
            failed = True
            continue
        folder_given |= documents != [name]
        inside = Path(name) if documents != [name] and os.path.isdir(name) else None
        found += [Found.of(one, inside) for one in documents if isinstance(one, str | Path)]
    jobs = plan(found, output, ".png", folder_given=folder_given or len(inputs) > 1) if found else []
    for job in jobs:
        assert not isinstance(job.source, tuple)
        try:
            with open_document(
                job.source, pages=pages, dpi=dpi or DEFAULT_DPI, password=password
            ) as document:
                for number in document.numbers:
                    try:
                        page = document.load(number)
                    except GotOcr2Error as e:
                        note(str(e))
                        failed = True
                        continue
                    several = document.page_count > 1
                    _show(page.image, options, job, number if several else None, page.source, json, force)
        except GotOcr2Error as e:
            note(str(e))
            failed = True
    return 1 if failed else 0


def _show(
    image: Image.Image, options: LayoutOptions, job: Job, number: int | None, source: str, json: bool, force: bool
) -> None:  # fmt: skip
    """Finds the lines of one page, and writes what is asked for."""
    from ..layout import find_lines
    from ..layout.drawing import drawn

    found = find_lines(image, options)
    if job.target is not None:
        target = job.target if number is None else job.target.with_stem(f"{job.target.stem}-{number}")
        _save(drawn(image, found), target, force)
    if json:
        typer.echo(json_text.dumps({"source": source, "page": number or 1, **_plain(found)}))
        return
    blocks = len({line.block for line in found.lines})
    page = "" if number is None else f", page {number}"
    typer.echo(
        f"{printable(source)}{page}: {_count(len(found.lines), 'line')} in {_count(blocks, 'block')}, "
        f"turn {found.turn}, angle {found.angle:.2f}"
    )


def _plain(found: PageLayout) -> dict[str, object]:
    """As JSON has it, places rounded to a tenth of a pixel."""
    plain = dataclasses.asdict(found)
    for line in plain["lines"]:
        line["box"] = _rounded(line["box"])
        line["quad"] = [_rounded(point) for point in line["quad"]]
        line["angle"], line["letter_height"] = round(line["angle"], 2), round(line["letter_height"], 1)
    return {**plain, "angle": round(found.angle, 2)}


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 1) for value in values]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _save(image: Image.Image, path: Path, force: bool) -> None:
    """Writes a picture.

    Raises:
        FileAccessError: it is there already, or cannot be written.
        InvalidOptionError: its name has no ending of a picture.
    """
    if path.exists() and not force:
        raise FileAccessError(f"{printable(path)} would be overwritten; choose --force.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
    except ValueError as e:
        raise InvalidOptionError(
            f"{printable(path)} has no ending that says which kind of picture it is, such as .png."
        ) from e
    except OSError as e:
        raise FileAccessError(f"{printable(path)} cannot be written: {e.strerror or e}.") from e
