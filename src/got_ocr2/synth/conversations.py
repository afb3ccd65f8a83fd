"""A data set in the form that the published GOT training code reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from ..errors import FileAccessError
from .dataset import LINES
from .sample import Task

CONVERSATIONS = "conversations.json"


def export_conversations(folder: Path, question: Callable[[Task, tuple[int, int]], str]) -> Path:
    """Writes `conversations.json` beside a data set: a list of `{"image", "conversations": [human, gpt]}`.

    Args:
        folder: of the data set. A sample of several pages is named by the folder of its pages.
        question: words a task for a picture of some width and height.

    Raises:
        FileAccessError: there is no data set.
    """
    path = Path(folder) / LINES
    if not path.is_file():
        raise FileAccessError(f"There is no data set in {folder}: {LINES} is missing.")
    with path.open(encoding="utf-8") as file:
        entries = [_entry(json.loads(line), Path(folder), question) for line in file]
    target = Path(folder) / CONVERSATIONS
    target.write_text(json.dumps(entries, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return target


def _entry(
    row: dict[str, Any], folder: Path, question: Callable[[Task, tuple[int, int]], str]
) -> dict[str, Any]:
    first = row["images"][0]
    with Image.open(folder / first) as image:
        size = image.size
    asked = question(Task(**row["task"]), size)
    return {
        "image": first if len(row["images"]) == 1 else first.rpartition("/")[0],
        "conversations": [
            {"from": "human", "value": f"<image>\n{asked}"},
            {"from": "gpt", "value": row["text"]},
        ],
    }
