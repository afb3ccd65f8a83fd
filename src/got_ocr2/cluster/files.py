"""A file a document and format, made of the rows of its pages when all of them are in shards."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from ..errors import FileAccessError, GotOcr2Error, InvalidOptionError
from ..extras import need
from ..rendering.of_results import render_result
from ..rendering.registry import FORMATS, formats_of
from ..results import DocumentResult, PageError, PageResult
from ..wording import printable
from .options import ShardFormat
from .plan import ShardPlan
from .store import FILES, Store

_LONGEST = 150  # bytes of a name; file systems take 255, endings included


def chosen_formats(to: str | None) -> tuple[ShardFormat, tuple[str, ...]]:
    """The format of the shards and those of documents in a list such as "jsonl,md,html".

    Raises:
        InvalidOptionError: an unknown format, two for shards, or one that needs the pictures of the pages.
    """
    names = [name.strip().lower() for name in (to or "parquet").split(",") if name.strip()]
    shards = [name for name in names if name in ("parquet", "jsonl")]
    files = [name for name in names if name not in ("parquet", "jsonl")]
    if len(set(shards)) > 1:
        raise InvalidOptionError("Shards are parquet or jsonl, not both.")
    if "searchable-pdf" in files:
        raise InvalidOptionError(
            "searchable-pdf needs the pictures of the pages, which rows do not hold; use read --to."
        )
    for name in files:
        if name not in FORMATS:
            raise InvalidOptionError(
                f"--to takes parquet or jsonl for the shards, and {', '.join(FORMATS)} for documents, got {name!r}."
            )
    kind: ShardFormat = "jsonl" if "jsonl" in shards else "parquet"
    return kind, tuple(formats_of(",".join(files))) if files else ()


def target(document: str, suffix: str) -> str:
    """The key of the file of a document: its name below `files/`, with an ending more; no two documents share one."""
    parts = [part for part in printable(document).replace("\\", "/").split("/") if part not in ("", ".")]
    safe = ["up" if part == ".." else _short(part) for part in parts] or ["document"]
    return "/".join((FILES, *safe)) + suffix


def _short(part: str) -> str:
    data = part.encode()
    if len(data) <= _LONGEST:
        return part
    return data[:_LONGEST].decode("utf-8", "ignore") + "-" + blake2b(data, digest_size=6).hexdigest()


def documents_of(plans: Iterator[ShardPlan]) -> Iterator[tuple[str, int, int, int]]:
    """Name, shard, row and number of pages of every document: where its rows begin, and how many there are."""
    for plan in plans:
        row = 0
        for s in plan.slices:
            if s.first == 1:
                yield s.document.source.name, plan.shard, row, s.document.pages
            row += s.count


def render_document(root: str, options: Mapping[str, Any], data: Sequence[Any]) -> dict[str, Any]:
    """Writes the files of one document; runs in a worker, because drawing can take long or fail badly.

    Args:
        root: the output folder.
        options: `BatchOptions.to_dict()`.
        data: as `documents_of` yields them.

    Returns:
        `files`, how many were written; `problems`, a line each; `exit_codes` of what could not be written.
    """
    name, shard, row, pages = data
    store = Store(root)
    problems: list[str] = []
    codes: list[int] = []
    written = 0
    try:
        results = tuple(_results(store, options, shard, row, pages))
        whole = results[0] if len(results) == 1 else DocumentResult(printable(name), results)
    except (GotOcr2Error, OSError, ValueError, KeyError) as e:
        error = PageError.from_exception(e)
        return {
            "files": 0,
            "problems": [f"{printable(name)}: {error.message}"],
            "exit_codes": [error.exit_code],
        }
    for to in options["files"]:
        suffix = FORMATS[to].suffix
        failed = whole.status == "failed"
        path, other = target(name, suffix), target(name, f".partial{suffix}")
        if failed:
            path, other = other, path
        store.place.remove(other)  # of an earlier run
        if failed and not whole.text:
            continue  # its rows say why
        try:
            done = render_result(whole, to)
            store.place.write(path, done.data)
            written += 1
            problems += [f"{printable(name)}, as {to}, {problem}." for problem in done.problems]
        except Exception as e:
            error = PageError.from_exception(e)
            problems.append(f"{printable(name)}, as {to}: {error.message}")
            codes.append(error.exit_code)
    return {"files": written, "problems": problems, "exit_codes": codes}


def _results(
    store: Store, options: Mapping[str, Any], shard: int, row: int, pages: int
) -> Iterator[PageResult]:
    while pages:
        texts = _result_column(store.root, shard, options["shards"])[row : row + pages]
        for text in texts:
            yield PageResult.from_dict(json.loads(text))
        pages -= len(texts)
        shard, row = shard + 1, 0


@lru_cache(maxsize=2)
def _result_column(root: str, shard: int, kind: str) -> list[str]:
    store = Store(root)
    key = store.shard(shard, kind)
    data = store.place.read(key)
    if data is None:
        raise FileAccessError(f"{store.place.where(key)} does not exist.")
    if kind == "jsonl":
        return [json.loads(line)["result"] for line in data.split(b"\n") if line]
    pq = need("pyarrow.parquet", "Reading Parquet", extra="batch")
    return pq.read_table(io.BytesIO(data), columns=["result"]).column(0).to_pylist()
