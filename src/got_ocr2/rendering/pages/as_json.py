"""Pages as JSON: the tree, node by node, and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, cast

from ...errors import InputError
from ..rendered import Rendered
from . import tree
from .tree import Node, Page
from .walk import written

_NODES: dict[str, type[Node]] = {
    name.lower(): found
    for name, found in vars(tree).items()
    if isinstance(found, type) and issubclass(found, Node) and found is not Node
}


def write_json(text: str, *, strict: bool = False, plain: bool = False) -> Rendered:
    """A page as JSON: `{"blocks": [...], "problems": [...]}`.

    A node is an object with its `type`, in lower case, the fields of its class in `tree`, and its `span`.

    The arguments are those of `walk.written`.

    Raises:
        RenderError: `strict` and a problem.
    """
    return written(text, "json", document, strict=strict, plain=plain)


def document(page: Page) -> str:
    """The whole file."""
    data = {
        "blocks": [_node(block) for block in page.blocks],
        "problems": [dataclasses.asdict(problem) for problem in page.problems],
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _node(node: Node) -> dict[str, Any]:
    data: dict[str, Any] = {"type": type(node).__name__.lower()}
    for field in dataclasses.fields(node):
        if field.name != "span":
            data[field.name] = _value(getattr(node, field.name))
    data["span"] = list(node.span)
    return data


def _value(value: object) -> Any:
    if isinstance(value, Node):
        return _node(value)
    if isinstance(value, tuple):
        return [_value(part) for part in cast("tuple[object, ...]", value)]
    return value


def page_from_json(text: str) -> Page:
    """The inverse of `document`, without the problems.

    Raises:
        InputError: the text is no page in JSON.
    """
    try:
        data = json.loads(text)
        return Page(tuple(cast("tree.Block", _from(block)) for block in data["blocks"]))
    except (KeyError, TypeError, ValueError, RecursionError) as e:
        raise InputError(f"This is not a page in JSON: {type(e).__name__}: {e}.") from e


def _from(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_from(part) for part in cast("list[Any]", value))
    if isinstance(value, Mapping):
        data = dict(cast("Mapping[str, Any]", value))
        kind = _NODES[data.pop("type")]
        return kind(**{name: _from(part) for name, part in data.items()})
    return value
