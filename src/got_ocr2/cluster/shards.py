"""Shards: rows of finished tasks put together, committed by a rename and then by a manifest."""

from __future__ import annotations

import io
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ..errors import FileAccessError, InputError
from ..extras import need
from ..wording import printable, reason
from .options import BatchOptions
from .plan import ShardPlan
from .rows import schema
from .store import Store, read_json, write_json, write_whole
from .tasks import Counts, Task, read_task, task_file


def tasks_of(plan: ShardPlan, size: int) -> list[Task]:
    """The tasks of a shard, `size` pages each."""
    return [Task(plan.shard, plan.id, number, size) for number in range((plan.rows + size - 1) // size)]


def commit(store: Store, options: BatchOptions, plan: ShardPlan) -> Counts | None:
    """Writes a shard whose tasks are done, and its manifest, and removes the tasks.

    Returns:
        What is in it; None if a task's file is not whole, so that it has to be done again.

    Raises:
        FileAccessError: it cannot be written.
    """
    counts = Counts()
    parts: list[bytes] = []
    for task in tasks_of(plan, options.pages_per_task):
        path = task_file(store, task, plan.task(task.number, task.size))
        done = read_task(path)
        if done is None:
            path.unlink(missing_ok=True)
            return None
        counts += done[0]
        parts.append(done[1])
    data = b"".join(parts)
    if options.shards == "parquet":
        data = _parquet(data, keep_result=bool(options.files))
    write_whole(store.shard(plan.shard, options.shards), data)
    total = blake2b(data, digest_size=16).hexdigest()
    write_json(
        store.manifest(plan.shard),
        {"shard": plan.shard, "id": plan.id, "bytes": len(data), "content": total, **counts.to_dict()},
    )
    store.drop_tasks(plan.shard)
    return counts


def committed(store: Store, options: BatchOptions, plan: ShardPlan) -> tuple[Counts | None, str | None]:
    """What is known of a shard that an earlier run wrote.

    Returns:
        Its counts, or None if it has to be read; and what a person should be told: that it is damaged, or was made of
        other documents.
    """
    try:
        manifest = read_json(store.manifest(plan.shard))
        if manifest is None:
            return None, None
        counts = Counts.from_dict(manifest)
    except InputError as e:
        return None, f"{e} Shard {plan.shard} is read again."
    if manifest["id"] != plan.id:
        return None, f"Documents of shard {plan.shard} have changed; it is read again."
    path = store.shard(plan.shard, options.shards)
    try:
        total = _file_sum(path)
    except FileNotFoundError:
        return None, f"The shard {printable(path)} is missing; it is read again."
    except OSError as e:
        raise FileAccessError(f"{printable(path)} cannot be read: {reason(e)}.") from e
    if total != manifest["content"]:
        return (
            None,
            f"The shard {printable(path)} is damaged: its sum is not that of its manifest; it is read again.",
        )
    return counts, None


def _parquet(lines: bytes, *, keep_result: bool) -> bytes:
    """Rows as one Parquet file; equal rows give equal bytes."""
    pa_json = need("pyarrow.json", "Writing Parquet", extra="batch")
    pq = need("pyarrow.parquet", "Writing Parquet", extra="batch")
    table: Any = pa_json.read_json(
        io.BytesIO(lines),
        read_options=pa_json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=pa_json.ParseOptions(
            explicit_schema=schema(keep_result=keep_result), unexpected_field_behavior="error"
        ),
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _file_sum(path: Path) -> str:
    total = blake2b(digest_size=16)
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            total.update(chunk)
    return total.hexdigest()
