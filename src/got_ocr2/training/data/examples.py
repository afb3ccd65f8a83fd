"""Pages of one's own with their text, as training data.

Understood are

- a folder with `data.jsonl`, as the data engines write it, or such a file of any name: one JSON object a line
  with `text`, `image` or `images` (paths beside the file), and optionally `id`, `kind` and `task`;
- a folder of pictures with a text of the same name beside each: `0001.png`, `0001.txt`;
- GOT's own JSON, a file or `conversations.json` in a folder: a list of
  `{"image": ..., "conversations": [{"from": "human", "value": "<image>\\nOCR: "}, {"from": "gpt", "value": ...}]}`,
  where the picture may also be a folder of pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from ...documents import open_source
from ...errors import FileAccessError, GotOcr2Error, InputError
from ...evaluation.dataset_files import PICTURES, json_lines, read_text, task_from
from ...evaluation.own_layouts import load_pairs
from ...synth.sample import Sample, Task
from .sample_prompts import AskedSample, task_of

CONVERSATIONS = "conversations.json"
LINES = "data.jsonl"
_IMAGE = "<image>"


@dataclass(frozen=True)
class Example:
    """One page, or several pages of one document, with the right text; pictures are opened when needed.

    Attributes:
        name: for messages: file and line, or the picture.
        files: the pictures.
        text: what the model shall write.
        task: how it is asked for.
        question: words to ask in instead; "" asks by the task.
        kind: what stands on it.
    """

    name: str
    files: tuple[Path, ...]
    text: str
    task: Task = field(default_factory=Task)
    question: str = ""
    kind: str = "own"

    def sample(self) -> Sample:
        """Opens the pictures, safely and upright, as reading does.

        Raises:
            FileAccessError: a picture is missing.
            InputError: a picture cannot be decoded, or holds several pages.
        """
        try:
            pages = tuple(page.image for file in self.files for page in open_source(file))
        except GotOcr2Error as e:
            raise type(e)(f"The sample {self.name} cannot be used: {e}") from e
        if len(pages) != len(self.files):
            raise InputError(
                f"The sample {self.name} cannot be used: its {len(self.files)} files hold {len(pages)} pages."
            )
        task, question = self.task, ""
        if self.question:
            known = task_of(self.question, pages[0].size)
            task, question = (known, "") if known is not None else (task, self.question)
        return AskedSample(self.kind, pages, self.text, task, question=question)


class Examples:
    """Examples as a data engine: every example once in each round, each round in another order.

    Args:
        examples: at least one.
    """

    kind = "own"

    def __init__(self, examples: Iterable[Example]) -> None:
        self.examples = tuple(examples)
        self._order: tuple[tuple[int, int], np.ndarray] | None = None

    def sample(self, seed: int, index: int) -> Sample:
        """Example number `index` of the endless stream `seed`."""
        turn, place = divmod(index, len(self.examples))
        if self._order is None or self._order[0] != (seed, turn):
            order = np.random.default_rng([seed, turn]).permutation(len(self.examples))
            self._order = ((seed, turn), order)
        return self.examples[self._order[1][place]].sample()


def read_examples(path: Path) -> list[Example]:
    """The examples of a folder or file; pictures are not opened yet.

    Raises:
        FileAccessError: there is no such folder or file, or it holds no data known here.
        InputError: a line or entry is not an example; the message names it.
    """
    if path.is_dir():
        if (path / LINES).is_file():
            path = path / LINES
        elif (path / CONVERSATIONS).is_file():
            path = path / CONVERSATIONS
        elif any(file.with_suffix(".txt").is_file() for file in _pictures(path)):
            return _pairs(path)
        else:
            raise FileAccessError(
                f"{path} holds no training data: no {LINES}, no {CONVERSATIONS}, and no pictures with a .txt beside "
                "them."
            )
    if not path.is_file():
        raise FileAccessError(f"There is no training data at {path}.")
    found = _conversations(path) if path.suffix == ".json" else _lines(path)
    if not found:
        raise InputError(f"{path} holds no examples.")
    return found


def _pairs(folder: Path) -> list[Example]:
    return [
        Example(str(page.files[0]), page.files, page.text or "", page.task)
        for page in load_pairs(folder).pages
    ]


def _lines(path: Path) -> list[Example]:
    found: list[Example] = []
    for where, row in json_lines(path):
        try:
            images = row["images"] if "images" in row else row["image"]
            names = [images] if isinstance(images, str) else list(images)
            name = f"{row['id']} ({where})" if "id" in row else where
            task = task_from(row.get("task") or {})
            text, kind = row["text"], row.get("kind", "own")
        except KeyError as e:
            raise InputError(f"{where} has no {e}; an example needs image (or images) and text.") from e
        except (TypeError, ValueError) as e:
            raise InputError(f"{where} is no example: {e}.") from e
        _check_text(text, where)
        found.append(Example(name, tuple(path.parent / n for n in names), text, task, kind=str(kind)))
    return found


def _conversations(path: Path) -> list[Example]:
    try:
        entries = json.loads(read_text(path))
    except ValueError as e:
        raise InputError(f"{path} is not JSON: {e}.") from e
    if not isinstance(entries, list):
        raise InputError(f"{path} must hold a list of conversations, not {type(entries).__name__}.")
    return [
        _conversation(entry, f"{path} entry {number}", path.parent) for number, entry in enumerate(entries, 1)
    ]


def _conversation(entry: Any, where: str, folder: Path) -> Example:
    try:
        image, turns = str(entry["image"]), cast("list[dict[str, Any]]", entry["conversations"])
        speakers = [turn["from"] for turn in turns]
        asked, text = (turn["value"] for turn in turns[:2])
    except (KeyError, TypeError, ValueError) as e:
        raise InputError(
            f"{where} is no conversation: it needs image, and conversations with one question of human and one "
            f"answer of gpt."
        ) from e
    if speakers != ["human", "gpt"]:
        raise InputError(f"{where} must be one question of human and one answer of gpt, got {speakers}.")
    _check_text(asked, where)
    _check_text(text, where)
    if asked.count(_IMAGE) != 1:
        raise InputError(f"{where} must have {_IMAGE} once in its question, got {asked!r}.")
    question = asked.replace(_IMAGE, "").removeprefix("\n")
    file = folder / image
    files = tuple(sorted(_pictures(file), key=_natural)) if file.is_dir() else (file,)
    if not files:
        raise FileAccessError(f"{where} names the folder {file}, which holds no pictures.")
    name = f"{image} ({where})"
    return Example(name, files, text, Task(multi_page=len(files) > 1), question=question)


def _check_text(text: object, where: str) -> None:
    if not isinstance(text, str):
        raise InputError(f"The text of {where} must be a string, got {type(text).__name__}.")


def _pictures(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURES)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Page 10 comes after page 9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]
