"""A shard that is read again, because documents have changed or failed pages are tried anew, keeps its other rows.

Its file stays where it is until the new one is whole; beside its tasks lies the plan by which it was made, which tells
which row is which page. A row is taken over if document, content and page are the same and the page did not fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

from ..errors import FileAccessError, InputError
from .options import ShardFormat
from .plan import ShardPlan, Slice
from .rows import Row
from .shards import rows_of
from .store import Store

Page: TypeAlias = "tuple[str, str, int]"
"""Name of the document, sum of its content, page."""


def pages_of(s: Slice) -> list[Page]:
    """The pages of a slice."""
    source, digest = s.document.source.name, s.document.digest
    return [(source, digest, page) for page in range(s.first, s.first + s.count)]


def _key(shard: int) -> str:
    return f"{Store.tasks(shard)}/earlier.json"


def is_begun(store: Store, shard: int, plan: str) -> bool:
    """Whether a shard whose file was made by `plan` is being read again, and a run was ended while it was."""
    try:
        found = store.read_json(_key(shard))
    except InputError:
        return False
    return found is not None and found.get("id") == plan


def remember(store: Store, shard: int, plan: str) -> bool:
    """Puts the earlier plan beside the tasks, before another one takes its place.

    Args:
        plan: id of the plan by which the file of the shard was made.

    Returns:
        Whether it is there; if not, all pages have to be read.
    """
    if is_begun(store, shard, plan):
        return True
    try:
        found = store.read_json(store.plan(shard))
    except InputError:
        return False
    if found is None or found.get("id") != plan:
        return False
    store.write_json(_key(shard), found)
    return True


@lru_cache(maxsize=4)
def kept_rows(root: str, shards: ShardFormat, shard: int, content: str) -> Mapping[Page, Row]:
    """The rows that can be taken over from a file of that sum; none where it has gone, or its plan."""
    store = Store(root)
    try:
        found, manifest = store.read_json(_key(shard)), store.read_json(store.manifest(shard))
        if (
            found is None
            or manifest is None
            or manifest["content"] != content
            or manifest["id"] != found["id"]
        ):
            return {}
        rows = rows_of(store, shards, shard, manifest)
        pages = [page for s in ShardPlan.from_dict(found).slices for page in pages_of(s)]
    except (InputError, FileAccessError, KeyError):
        return {}
    if rows is None or len(rows) != len(pages):
        return {}
    return {page: row for page, row in zip(pages, rows, strict=True) if row.status != "failed"}
