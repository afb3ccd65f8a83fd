"""`got-ocr2 layout`."""

from __future__ import annotations

import dataclasses
import io
import json as json_text
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import GotOcr2Error, InvalidOptionError
from ..wording import printable
from .options import layout as own
from .options import reading, shared
from .output.files import Found, Job, check_apart, folded, plan
from .output.terminal import StdoutError, note
from .output.writing import check_new, write_whole

if TYPE_CHECKING:
    from PIL import Image

    from ..documents import Document, Page
    from ..layout import LayoutOptions, PageLayout


def layout(
    inputs: reading.Inputs,
    output: own.Output = None,
    json: own.Json = False,
    turn: own.Turn = None,
    pages: reading.Pages = None,
    recursive: reading.Recursive = False,
    dpi: reading.Dpi = None,
    password: reading.Password = None,
    force: shared.Force = False,
) -> int:
    """Find the lines of pages, in reading order, without reading them.

    A summary of each page, or JSON, goes to standard output. With --output every page is drawn with its lines, their
    numbers, and a colour for each block; of several pages each gets its number: lines-1.png.
    A page that cannot be opened is named on standard error, and the exit code is not 0.
    """
    from ..documents import DEFAULT_DPI, open_document
    from ..layout import LayoutOptions

    if output is None and force:
        raise InvalidOptionError("--force is about output files; it needs --output.")
    options = LayoutOptions(turn=turn)
    codes: set[int] = set()
    jobs = _jobs(inputs, output, recursive, codes)
    taken = {folded(job.target) for job in jobs if job.target is not None}
    for job in jobs:
        assert not isinstance(job.source, tuple)
        try:
            with open_document(
                job.source, pages=pages, dpi=dpi or DEFAULT_DPI, password=password
            ) as document:
                for number, page in _pages(document, codes):
                    shown = number if document.page_count > 1 else None
                    target = _numbered(job.target, shown, taken)
                    _show(page.image, options, target, shown, page.source, json, force)
        except StdoutError:
            raise
        except GotOcr2Error as e:
            note(str(e))
            codes.add(e.exit_code)
    return codes.pop() if len(codes) == 1 else GotOcr2Error.exit_code if codes else 0


def _jobs(inputs: Sequence[str], output: str | None, recursive: bool, codes: set[int]) -> list[Job]:
    """Every document, and the picture of it; an input that cannot be expanded is named, and its exit code added.

    Raises:
        InvalidOptionError: several documents and one output file.
        FileAccessError: an output would replace an input or another output.
    """
    from ..documents import expand

    found: list[Found] = []
    folder_given = False
    for name in inputs:
        try:
            documents = expand(name, recursive=recursive)
        except GotOcr2Error as e:
            note(str(e))
            codes.add(e.exit_code)
            continue
        folder_given |= documents != [name]
        inside = Path(name) if documents != [name] and os.path.isdir(name) else None
        found += [Found.of(one, inside) for one in documents if isinstance(one, str | Path)]
    jobs = plan(found, output, ".png", folder_given=folder_given or len(inputs) > 1) if found else []
    check_apart(jobs)
    return jobs


def _pages(document: Document, codes: set[int]) -> Iterator[tuple[int, Page]]:
    """The pages with their numbers; one that cannot be loaded is named, and its exit code added."""
    for number in document.numbers:
        try:
            page = document.load(number)
        except GotOcr2Error as e:
            note(str(e))
            codes.add(e.exit_code)
            continue
        yield number, page


def _numbered(target: Path | None, number: int | None, taken: set[str]) -> Path | None:
    """The picture of one page of several; never that of another page or document."""
    if target is None or number is None:
        return target
    path = target.with_stem(f"{target.stem}-{number}")
    while folded(path) in taken:
        path = path.with_stem(f"{path.stem}-page")
    taken.add(folded(path))
    return path


def _show(
    image: Image.Image, options: LayoutOptions, target: Path | None, number: int | None, source: str, json: bool,
    force: bool,
) -> None:  # fmt: skip
    """Finds the lines of one page, and writes what is asked for."""
    from ..layout import find_lines
    from ..layout.drawing import drawn

    found = find_lines(image, options)
    if target is not None:
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
    from PIL import Image

    format = Image.registered_extensions().get(path.suffix.lower(), "")
    if format not in Image.SAVE:
        raise InvalidOptionError(
            f"{printable(path)} has no ending that says which kind of picture it is, such as .png."
        )
    if not force:
        check_new([path])
    data = io.BytesIO()
    image.save(data, format)
    write_whole(path, data.getvalue(), "replace" if force else "refuse")
