"""Shards: rows of finished tasks put together, committed whole and then by a manifest."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from ..errors import InputError
from ..extras import need
from .options import BatchOptions, ShardFormat
from .plan import ShardPlan
from .rows import Row, row_of_dict, schema
from .store import Store
from .tasks import Counts, Task, read_task, task_file


@dataclass(frozen=True)
class Found:
    """What an earlier run has left of a shard.

    Attributes:
        counts: what is in it, if it is whole and of the same documents; None if it has to be read.
        plan, content: id of the plan by which its file was made and sum of the file, if that is whole.
        failed: rows of that file whose pages failed.
        said: what a person should be told.
    """

    counts: Counts | None = None
    plan: str | None = None
    content: str | None = None
    failed: int = 0
    said: str | None = None


def tasks_of(plan: ShardPlan, size: int, earlier: str | None) -> list[Task]:
    """The tasks of a shard, `size` pages each; `earlier` as in `Task`."""
    return [
        Task(plan.shard, plan.id, number, size, earlier) for number in range((plan.rows + size - 1) // size)
    ]


def commit(store: Store, options: BatchOptions, plan: ShardPlan) -> Counts | None:
    """Writes a shard whose tasks are done, and its manifest, and removes the tasks.

    Returns:
        What is in it; None if a task's file is not whole, so that it has to be done again.

    Raises:
        FileAccessError: it cannot be written.
    """
    counts = Counts()
    parts: list[bytes] = []
    for task in tasks_of(plan, options.pages_per_task, None):
        key = task_file(store, task, plan.task(task.number, task.size))
        done = read_task(store, key)
        if done is None:
            store.place.remove(key)
            return None
        counts += done[0]
        parts.append(done[1])
    data = b"".join(parts)
    if options.shards == "parquet":
        data = _parquet(data, keep_result=bool(options.files))
    store.place.write(store.shard(plan.shard, options.shards), data)
    store.write_json(
        store.manifest(plan.shard),
        {"shard": plan.shard, "id": plan.id, "bytes": len(data), "content": _sum(data), **counts.to_dict()},
    )
    store.drop_tasks(plan.shard)
    return counts


def committed(store: Store, options: BatchOptions, plan: ShardPlan) -> Found:
    """What an earlier run has left of a shard.

    Raises:
        FileAccessError: it cannot be read.
    """
    try:
        manifest = store.read_json(store.manifest(plan.shard))
        if manifest is None:
            return Found()
        counts = Counts.from_dict(manifest)
    except InputError as e:
        return Found(said=f"{e} Shard {plan.shard} is read again.")
    key = store.shard(plan.shard, options.shards)
    data = store.place.read(key)
    where = store.place.where(key)
    if data is None:
        return Found(said=f"The shard {where} is missing; it is read again.")
    if _sum(data) != manifest["content"]:
        return Found(
            said=f"The shard {where} is damaged: its sum is not that of its manifest; it is read again."
        )
    failed = counts.statuses.get("failed", 0)
    if manifest["id"] != plan.id:
        said = f"Documents of shard {plan.shard} have changed; their pages are read again."
        return Found(None, manifest["id"], manifest["content"], failed, said)
    return Found(counts, plan.id, manifest["content"], failed)


def rows_of(store: Store, shards: ShardFormat, shard: int, manifest: dict[str, Any]) -> list[Row] | None:
    """The rows of a shard, as they were when they went into it; None if it is not that of its manifest."""
    data = store.place.read(store.shard(shard, shards))
    if data is None or _sum(data) != manifest["content"]:
        return None
    if shards == "jsonl":
        return [row_of_dict(json.loads(line)) for line in data.split(b"\n") if line]
    pq = need("pyarrow.parquet", "Reading Parquet", extra="batch")
    return [row_of_dict(row) for row in pq.read_table(io.BytesIO(data)).to_pylist()]


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


def _sum(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()
