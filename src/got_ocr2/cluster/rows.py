"""One row a page: from a result to JSON, and the schema that Parquet keeps.

A row is made once, where the page was read, and travels as a line of JSON from there to the shard.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .._version import __version__
from ..extras import need
from ..results import PageError, PageResult, TextPart
from ..wording import printable

_HALVES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Row:
    """A line of JSON, and what the run counts without parsing it.

    Attributes:
        json: UTF-8, one line without its end.
        status: of the page.
        seconds: that it took.
        exit_code: of its error; 0 without.
    """

    json: bytes
    status: str
    seconds: float
    exit_code: int


def row_of(document: str, page: int, result: PageResult, model: str, *, keep_result: bool) -> Row:
    """Makes the row of a page.

    Args:
        document: name of the document.
        page: number in it, from 1.
        result: what came of it.
        model: name and sum of the checkpoint.
        keep_result: put the whole result in, for files that are made of it later.
    """
    lines = None
    if result.lines is not None:
        lines = [{**vars(line), "box": None if line.box is None else list(line.box)} for line in result.lines]
    row: dict[str, Any] = {
        "document": printable(document),
        "page": page,
        "status": result.status,
        "text": result.text,
        "lines": lines,
        "seconds": float(result.seconds),
        "model": model,
        "version": __version__,
        "error": None if result.error is None else asdict(result.error),
    }
    if keep_result:
        row["result"] = replace(result, source=printable(document), page_numbers=(page,)).to_json()
    code = 0 if result.error is None else result.error.exit_code
    return Row(_line(row), result.status, float(result.seconds), code)


def row_of_dict(row: dict[str, Any]) -> Row:
    """A row as it comes out of a shard; the same bytes as those that went in."""
    code = 0 if row["error"] is None else row["error"]["exit_code"]
    return Row(_line(row), row["status"], row["seconds"], code)


def failed_row(document: str, page: int, error: PageError, model: str, *, keep_result: bool) -> Row:
    """The row of a page that nobody could read."""
    result = PageResult("", "failed", "error", printable(document), (page,), error=error)
    return row_of(document, page, result, model, keep_result=keep_result)


def _line(row: dict[str, Any]) -> bytes:
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which is no Unicode and which Parquet does not take
        return _HALVES.sub("\ufffd", text).encode()


def schema(*, keep_result: bool) -> Any:
    """The `pyarrow.Schema` of a shard.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    pa = need("pyarrow", "Writing Parquet", extra="batch")
    types = {"str": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
    types["tuple"] = pa.list_(pa.float64())
    # A line has the fields of a `TextPart`, whatever they come to be.
    line = pa.struct([(f.name, types[re.split(r"\W", str(f.type))[0]]) for f in fields(TextPart)])
    columns = [
        ("document", pa.string()),
        ("page", pa.int64()),
        ("status", pa.string()),
        ("text", pa.string()),
        ("lines", pa.list_(line)),
        ("seconds", pa.float64()),
        ("model", pa.string()),
        ("version", pa.string()),
        ("error", pa.struct([("type", pa.string()), ("message", pa.string()), ("exit_code", pa.int64())])),
    ]
    if keep_result:
        columns.append(("result", pa.string()))
    return pa.schema(columns)
