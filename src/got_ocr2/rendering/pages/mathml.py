"""Formulas as MathML, by latex2mathml, checked before and after."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from functools import lru_cache

from ...extras import need

# The converter copies these into its XML as they are, so they travel as private characters.
_SIGNS = {"<": "\ue001", ">": "\ue002", "\\&": "\ue003"}
_ESCAPED = {"\ue001": "&lt;", "\ue002": "&gt;", "\ue003": "&amp;"}
# Environments by a name that the converter knows and that looks the same.
_NAMES = {"aligned": "split", "gathered": "matrix", "dcases": "cases", "alignedat": "split"}
_ENVIRONMENT = re.compile(
    r"\\(begin|end)\s*\{(aligned|gathered|dcases|alignedat)\}(?:\[[tbc]\])?(?:(?<=at\})\s*\{\d+\})?"
)
_ELEMENTS = frozenset(
    ("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "ms", "mfrac", "msqrt", "mroot", "mstyle", "mpadded",
     "mphantom", "menclose", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts",
     "mprescripts", "none", "mtable", "mtr", "mlabeledtr", "mtd")
)  # fmt: skip
_UNKNOWN = re.compile(r"\\(arg|nolimits|displaylimits|nonumber|notag)(?![A-Za-z])")  # to the converter
_ACTIVE = frozenset(("href", "src", "style", "id", "class"))
_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
_UNREAD = re.compile(r"\\[A-Za-z]")


@lru_cache(maxsize=1024)
def mathml(tex: str, display: bool) -> str | None:
    """A checked formula as a `<math>` element, or None if the converter cannot read it.

    Raises:
        MissingDependencyError: latex2mathml is missing.
    """
    convert = need("latex2mathml.converter", "Writing formulas", extra="render").convert
    tex = _ENVIRONMENT.sub(lambda m: f"\\{m.group(1)}{{{_NAMES[m.group(2)]}}}", tex)
    tex = _UNKNOWN.sub(lambda m: "\\operatorname{arg}" if m.group(1) == "arg" else "", tex)
    for sign, carried in _SIGNS.items():
        tex = tex.replace(sign, carried)
    try:
        found = convert(tex, display="block" if display else "inline")
        for carried, escaped in _ESCAPED.items():
            found = found.replace(f"<mi>{carried}</mi>", f"<mo>{escaped}</mo>").replace(carried, escaped)
        root = ET.fromstring(found)
    except Exception:  # the converter raises its own and Python's errors on formulas that it cannot read
        return None
    for element in root.iter():
        known = element.tag.startswith(_NAMESPACE) and element.tag.removeprefix(_NAMESPACE) in _ELEMENTS
        acts = any(name in _ACTIVE or name.startswith("on") for name in element.attrib)
        if not known or acts or (element.text is not None and _UNREAD.search(element.text)):
            return None
    return found
