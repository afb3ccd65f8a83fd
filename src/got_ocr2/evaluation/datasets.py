"""Data sets from any of the layouts understood here.

`load_dataset` recognises a folder by what lies in it:

- `data.jsonl`: a set made by the data engines, one JSON object a line (`id, kind, images, text, task, ...`);
- `NAME.png` (jpg, tif, webp, bmp) beside `NAME.txt`: a folder of pairs, as in `examples/`;
- Fox, OmniDocBench and olmOCR-bench, as their authors lay them out: see `benchmark_layouts`.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Literal, get_args

from ..errors import FileAccessError, InputError, InvalidOptionError
from .benchmark_layouts import load_fox, load_olmocr, load_omnidocbench
from .dataset_files import pictures_in
from .own_layouts import load_jsonl, load_pairs
from .pages import Dataset

Layout = Literal["auto", "jsonl", "pairs", "fox", "omnidocbench", "olmocr"]

_LOADERS: dict[str, Callable[[Path], Dataset]] = {
    "jsonl": load_jsonl,
    "pairs": load_pairs,
    "fox": load_fox,
    "omnidocbench": load_omnidocbench,
    "olmocr": load_olmocr,
}


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
    if layout not in get_args(Layout):
        known = ", ".join(get_args(Layout))
        raise InvalidOptionError(f"The layout is {layout!r}; it must be one of {known}.")
    folder = Path(path)
    if not folder.is_dir():
        raise FileAccessError(f"There is no folder {folder} to read a data set from.")
    dataset = _LOADERS[recognise(folder) if layout == "auto" else layout](folder)
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
    if any(picture.with_suffix(".txt").is_file() for picture in pictures_in(folder)):
        return "pairs"
    raise InvalidOptionError(
        f"{folder} is no data set in a layout known here: it holds no data.jsonl, no pictures with a .txt "
        "beside them, no OmniDocBench.json, no pdfs/ (olmOCR-bench) and no *_ocr.json (Fox)."
    )
