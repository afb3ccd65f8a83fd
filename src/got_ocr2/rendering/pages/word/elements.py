"""What python-docx has no words for."""

from __future__ import annotations

import importlib
import re
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def element(name: str, **attributes: str) -> Any:
    """An empty element such as "w:hyperlink"; its attributes are of the namespace w."""
    from docx.oxml.ns import qn

    parser: Any = importlib.import_module("docx.oxml.parser")
    made = parser.OxmlElement(name)
    for key, value in attributes.items():
        made.set(qn(f"w:{key}"), value)
    return made


def clean(text: str) -> str:
    """Text that XML may hold."""
    return _CONTROL.sub("\ufffd", text)
