"""An extension of griffe: attributes explained together, `width, height: ...`, get an entry each in the reference."""

from __future__ import annotations

import re
from typing import Any

import griffe

SECTION = re.compile(r"^Attributes:\n(?:[ \t]+.*\n?|\n)*", re.MULTILINE)
TOGETHER = re.compile(r"^([ \t]+)(\w+(?:, \w+)+): (.*(?:\n\1[ \t]+.*)*)", re.MULTILINE)


def _apart(found: re.Match[str]) -> str:
    indent, names, text = found.groups()
    return "\n".join(f"{indent}{name}: {text}" for name in names.split(", "))


class AttributeNames(griffe.Extension):
    """Rewrites the docstrings before they are parsed."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = SECTION.sub(
                lambda section: TOGETHER.sub(_apart, section[0]), obj.docstring.value
            )
