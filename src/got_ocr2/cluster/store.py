"""The output: what lies where in it, and JSON that knows its own sum.

OUT/job.json                 what the run does
OUT/plan/part-00000012.json      which pages belong to shard 12
OUT/shards/part-00000012.parquet the rows
OUT/manifest/part-00000012.json  written last: the shard is whole, and this is its sum
OUT/tasks/part-00000012/         finished tasks of a shard that is not
OUT/files/                   a file a document, with --to
"""

from __future__ import annotations

import json
import os
from hashlib import blake2b
from typing import Any

from ..errors import InputError
from ..wording import reason
from .places import open_place

JOB = "job.json"
FILES = "files"
FOLDERS = ("plan", "shards", "manifest", "tasks")


class Store:
    """An output.

    Attributes:
        place: where it lies; files are named by keys of it, such as `store.plan(12)`.
        root: the place as any machine may open it.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Args:
        root: a path, or an address of an object store.

        Raises:
            InvalidOptionError: another kind of address.
        """
        self.place = open_place(root)
        self.root = self.place.root

    @staticmethod
    def plan(shard: int) -> str:
        return f"plan/{part(shard)}.json"

    @staticmethod
    def shard(shard: int, suffix: str) -> str:
        return f"shards/{part(shard)}.{suffix}"

    @staticmethod
    def manifest(shard: int) -> str:
        return f"manifest/{part(shard)}.json"

    @staticmethod
    def tasks(shard: int) -> str:
        return f"tasks/{part(shard)}"

    def create(self) -> None:
        """Makes the folders; what is there stays.

        Raises:
            FileAccessError: they cannot be made.
        """
        self.place.create(FOLDERS)

    def has_rows(self) -> bool:
        """Whether any task of this run or an earlier one is done."""
        return bool(self.place.names("tasks") or self.place.names("manifest"))

    def clear_halves(self) -> None:
        """Removes what a driver that was killed had begun to write; nobody else may be writing."""
        self.place.clear_halves((*FOLDERS, FILES))

    def drop_tasks(self, shard: int) -> None:
        """Removes the tasks of a shard."""
        self.place.remove_folder(self.tasks(shard))

    def write_json(self, key: str, value: dict[str, Any], *, indent: int | None = None) -> None:
        """A JSON file that holds its own sum.

        Args:
            indent: for people; without, it takes less room.

        Raises:
            FileAccessError: it cannot be written.
        """
        data = json.dumps({**value, "sum": _sum(value)}, indent=indent).encode() + b"\n"
        self.place.write(key, data)

    def read_json(self, key: str) -> dict[str, Any] | None:
        """What `write_json` wrote; None where there is no file.

        Raises:
            InputError: it is not whole or was changed.
            FileAccessError: it cannot be read.
        """
        data = self.place.read(key)
        if data is None:
            return None
        name = self.place.where(key)
        try:
            value: Any = json.loads(data)
            total = value.pop("sum")
        except (ValueError, KeyError, AttributeError, TypeError) as e:
            raise InputError(f"{name} is damaged: {reason(e)}.") from e
        if total != _sum(value):
            raise InputError(f"{name} is damaged: its sum is not that of its content.")
        return value


def part(shard: int) -> str:
    """The name of a shard, without an ending."""
    return f"part-{shard:08d}"


def shard_of(name: str) -> int | None:
    """The number in the name of a file of a shard; None if it is no such name."""
    number = name.partition(".")[0].removeprefix("part-")
    return int(number) if name.startswith("part-") and number.isdecimal() else None


def _sum(value: dict[str, Any]) -> str:
    return blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=16).hexdigest()
