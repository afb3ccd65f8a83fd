"""The output folder: where everything lies in it, files that appear whole, and who may write.

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
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ..errors import FileAccessError, InputError, InvalidOptionError
from ..wording import printable, reason

_BESIDE = ".part-"
FOLDERS = ("plan", "shards", "manifest", "tasks")


class Store:
    """An output folder.

    Attributes:
        root: its path.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self.job = self.root / "job.json"
        self.files = self.root / "files"

    def plan(self, shard: int) -> Path:
        return self.root / "plan" / f"{part(shard)}.json"

    def shard(self, shard: int, suffix: str) -> Path:
        return self.root / "shards" / f"{part(shard)}.{suffix}"

    def manifest(self, shard: int) -> Path:
        return self.root / "manifest" / f"{part(shard)}.json"

    def tasks(self, shard: int) -> Path:
        return self.root / "tasks" / part(shard)

    def create(self) -> None:
        """Makes the folders; what is there stays.

        Raises:
            FileAccessError: they cannot be made.
        """
        for folder in FOLDERS:
            try:
                (self.root / folder).mkdir(parents=True, exist_ok=True)
            except OSError as e:
                raise FileAccessError(f"{printable(self.root)} cannot be written: {reason(e)}.") from e

    def clear_halves(self) -> None:
        """Removes what a driver that was killed had begun to write; nobody else may be writing."""
        for folder in ("", *FOLDERS):
            for path in (self.root / folder).glob(f"{_BESIDE}*"):
                with suppress(OSError):
                    path.unlink()

    def drop_tasks(self, shard: int) -> None:
        """Removes the tasks of a shard."""
        shutil.rmtree(self.tasks(shard), ignore_errors=True)

    @contextmanager
    def locked(self) -> Generator[None]:
        """While this lasts, no other run can write here; the system ends it with the process, however that ends.

        Raises:
            InvalidOptionError: another run does.
            FileAccessError: the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.root / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as e:
            raise InvalidOptionError(f"Another run is writing to {printable(self.root)}.") from e
        except (OSError, NotImplementedError) as e:
            raise FileAccessError(f"{printable(self.root)} cannot be locked: {reason(e)}.") from e
        try:
            yield
        finally:
            lock.release()


def part(shard: int) -> str:
    """The name of a shard, without an ending."""
    return f"part-{shard:08d}"


def shard_of(path: Path) -> int:
    """The number in such a name.

    Raises:
        ValueError: it is none.
    """
    return int(path.name.partition(".")[0].removeprefix("part-"))


def write_whole(path: Path, data: bytes, *, sync: bool = True) -> None:
    """A file that appears whole, in place of one of that name; its folder must be there.

    Args:
        sync: wait until it is on the disk; without, it may be lost with the power, but never with the process.

    Raises:
        FileAccessError: it cannot be written: the disk is full, the folder gone or read-only.
    """
    beside = path.with_name(f"{_BESIDE}{secrets.token_hex(6)}")
    try:
        try:
            with open(beside, "xb") as file:
                file.write(data)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(beside, path)
        finally:
            with suppress(FileNotFoundError):
                beside.unlink()
    except OSError as e:
        raise FileAccessError(
            f"{printable(path)} cannot be written: {reason(e)}; what is done is kept, go on with --resume."
        ) from e


def write_json(path: Path, value: dict[str, Any], *, indent: int | None = None) -> None:
    """A JSON file that holds its own sum.

    Args:
        indent: for people; without, it takes less room.

    Raises:
        FileAccessError: it cannot be written.
    """
    write_whole(path, json.dumps({**value, "sum": _sum(value)}, indent=indent).encode() + b"\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """What `write_json` wrote; None where there is no file.

    Raises:
        InputError: it is not whole or was changed.
        FileAccessError: it cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as e:
        raise FileAccessError(f"{printable(path)} cannot be read: {reason(e)}.") from e
    try:
        value: Any = json.loads(data)
        total = value.pop("sum")
    except (ValueError, KeyError, AttributeError, TypeError) as e:
        raise InputError(f"{printable(path)} is damaged: {reason(e)}.") from e
    if total != _sum(value):
        raise InputError(f"{printable(path)} is damaged: its sum is not that of its content.")
    return value


def _sum(value: dict[str, Any]) -> str:
    return blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=16).hexdigest()
