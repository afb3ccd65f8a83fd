"""Two layouts of our own: the data engines' `data.jsonl`, and pictures with their text beside them."""

from __future__ import annotations

from pathlib import Path

from ..errors import FileAccessError, InputError
from .dataset_files import json_lines, pictures_in, read_text, task_from
from .pages import Dataset, Page


def load_pairs(folder: Path) -> Dataset:
    """Pictures with their text beside them, in order of their names; plain text, one line break at its end
    less.

    Raises:
        FileAccessError: a picture has no text.
    """
    pages: list[Page] = []
    for picture in pictures_in(folder):
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
