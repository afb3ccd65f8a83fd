"""What is read and what it is compared with: a page with its truth, from any of the layouts understood here.

`load_dataset` recognises a folder by what lies in it:

- `data.jsonl`: a set made by the data engines, one JSON object a line (`id, kind, images, text, task, ...`);
- `NAME.png` (jpg, tif, webp, bmp) beside `NAME.txt`: a folder of pairs, as in `examples/`;
- Fox, OmniDocBench and olmOCR-bench, as their authors lay them out: see `benchmarks`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

from ..errors import FileAccessError, InputError, InvalidOptionError
from ..synth.sample import Task
from .facts import Fact

Layout = Literal["auto", "jsonl", "pairs", "fox", "omnidocbench", "olmocr"]

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")


@dataclass(frozen=True)
class Elements:
    """The parts of a page that OmniDocBench scores apart, each in reading order.

    Attributes:
        blocks: running text, one string a paragraph, heading or caption.
        formulas: display formulas, LaTeX.
        tables: tables, HTML.
    """

    blocks: tuple[str, ...] = ()
    formulas: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """One thing to read.

    Attributes:
        id: its name, unique in the set; names the file its prediction is saved in.
        kind: what stands on it, which decides the metrics: "text", "page", "table", "formula", "molecule",
            "music", "geometry", "chart", or anything else for those of text alone.
        group: what its score is averaged with in the report.
        files: pictures or PDFs; several for one multi-page document.
        text: the right answer; None where only `facts` or `elements` are known.
        task: how it is asked for.
        number: which page of a PDF, from 1; None for all of a picture.
        facts: statements about the answer that are right or wrong (olmOCR-bench).
        elements: parts scored apart (OmniDocBench).
        meta: whatever the set says of it besides.
    """

    id: str
    kind: str
    group: str
    files: tuple[Path, ...]
    text: str | None
    task: Task = field(default_factory=Task)
    number: int | None = None
    facts: tuple[Fact, ...] = ()
    elements: Elements | None = None
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """Pages of one set.

    Attributes:
        name: for the report.
        layout: how it was laid out.
        path: where it lies.
        pages: in the order of the set.
        notes: what a reader of the scores must know.
    """

    name: str
    layout: str
    path: Path
    pages: tuple[Page, ...]
    notes: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups in order of appearance."""
        return tuple(dict.fromkeys(page.group for page in self.pages))


def load_dataset(path: str | PathLike[str], layout: Layout = "auto") -> Dataset:
    """Reads what is to be read; pictures are not opened yet.

    Args:
        path: the folder of the set.
        layout: how it is laid out; "auto" looks.

    Raises:
        FileAccessError: there is no such folder, or a file that the set names is missing.
        InputError: the set is empty, or a line of it is not what its layout asks for.
        InvalidOptionError: no layout fits.
    """
    from .benchmarks import load_fox, load_olmocr, load_omnidocbench

    loaders: dict[str, Callable[[Path], Dataset]] = {
        "jsonl": load_jsonl,
        "pairs": load_pairs,
        "fox": load_fox,
        "omnidocbench": load_omnidocbench,
        "olmocr": load_olmocr,
    }
    if layout not in get_args(Layout):
        known = ", ".join(get_args(Layout))
        raise InvalidOptionError(f"The layout is {layout!r}; it must be one of {known}.")
    folder = Path(path)
    if not folder.is_dir():
        raise FileAccessError(f"There is no folder {folder} to read a data set from.")
    dataset = loaders[recognise(folder) if layout == "auto" else layout](folder)
    if not dataset.pages:
        raise InputError(f"The data set {folder} (layout {dataset.layout}) has no pages.")
    seen: set[str] = set()
    for page in dataset.pages:
        if page.id in seen:
            raise InputError(f"The data set {folder} has two pages with the id {page.id!r}.")
        seen.add(page.id)
        for file in page.files:
            if not file.is_file():
                raise FileAccessError(f"Page {page.id!r} of {folder} needs {file}, which is missing.")
    return dataset


def recognise(folder: Path) -> Layout:
    """The layout of a folder.

    Raises:
        InvalidOptionError: none fits; the sentence says what is looked for.
    """
    if (folder / "data.jsonl").is_file():
        return "jsonl"
    if (folder / "OmniDocBench.json").is_file():
        return "omnidocbench"
    if any((folder / name / "pdfs").is_dir() for name in ("", "bench_data")):
        return "olmocr"
    if any(any((folder / name).glob("*_ocr.json")) for name in ("", "focus_benchmark_test")):
        return "fox"
    if any(picture.with_suffix(".txt").is_file() for picture in _pictures(folder)):
        return "pairs"
    raise InvalidOptionError(
        f"{folder} is no data set in a layout known here: it holds no data.jsonl, no pictures with a .txt "
        "beside them, no OmniDocBench.json, no pdfs/ (olmOCR-bench) and no *_ocr.json (Fox)."
    )


def load_pairs(folder: Path) -> Dataset:
    """Pictures with their text beside them, in order of their names; plain text, one line break at its end
    less.

    Raises:
        FileAccessError: a picture has no text.
    """
    pages: list[Page] = []
    for picture in _pictures(folder):
        truth = picture.with_suffix(".txt")
        if not truth.is_file():
            raise FileAccessError(f"{picture} has no right text beside it; {truth.name} is missing.")
        text = read_text(truth).removesuffix("\n")
        pages.append(Page(picture.stem, "text", "text", (picture,), text))
    return Dataset(folder.resolve().name, "pairs", folder, tuple(pages))


def load_jsonl(folder: Path) -> Dataset:
    """A set of the data engines' own layout; its groups are its kinds.

    Raises:
        InputError: a line is no JSON object, lacks a field, or asks for a task that does not exist.
    """
    pages: list[Page] = []
    for where, line in json_lines(folder / "data.jsonl"):
        try:
            images = line["images"]
            pages.append(
                Page(
                    str(line["id"]),
                    line["kind"],
                    line["kind"],
                    tuple(folder / name for name in ([images] if isinstance(images, str) else images)),
                    line["text"],
                    task_from(line.get("task") or {}),
                    meta=line.get("meta") or {},
                )
            )
        except (KeyError, TypeError) as e:
            raise InputError(f"{where} is no sample: {type(e).__name__} {e}.") from e
    return Dataset(folder.resolve().name, "jsonl", folder, tuple(pages))


def task_from(fields: dict[str, Any]) -> Task:
    """A task from JSON; a box becomes a tuple.

    Raises:
        TypeError: a field that tasks do not have.
    """
    box = fields.get("box")
    return Task(**{**fields, "box": None if box is None else tuple(float(v) for v in box)})


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a JSON-lines file, each with its place ("FILE line N") for messages; blank lines
    skipped.

    Raises:
        InputError: a line is no JSON object.
    """
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path} line {number}"
        try:
            value = json.loads(line)
        except ValueError as e:
            raise InputError(f"{where} is not JSON: {e}.") from e
        if not isinstance(value, dict):
            raise InputError(f"{where} is not a JSON object but {type(value).__name__}.")
        yield where, value


def read_text(path: Path) -> str:
    """A UTF-8 file, line breaks unified.

    Raises:
        FileAccessError: it cannot be opened.
        InputError: it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as e:
        raise FileAccessError(f"{path} cannot be read: {e.strerror or e}.") from e
    except UnicodeDecodeError as e:
        raise InputError(f"{path} is not UTF-8 text: {e.reason} at byte {e.start}.") from e


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
