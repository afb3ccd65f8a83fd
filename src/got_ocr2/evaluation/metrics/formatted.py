"""Splits formatted text (Mathpix markdown) into running text, formulas and tables.

Two splits: `released_split` repeats the regular expressions of GOT's released script, for table 3 of the
paper; `split` is the one to use otherwise, with the dialects other models write (dollars, HTML and Markdown
tables).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .tables import find

_RELEASED_INLINE = re.compile(r"\\\((.*?)(?<!\\)\\\)")
_RELEASED_DISPLAY = re.compile(r"\\\[(.+?)(?<!\\)\\\]")
_RELEASED_TABLE = re.compile(r"\\begin\{tabular\}(.+?)(?:\\end\{tabular\}|$)", re.DOTALL)

_DISPLAY = re.compile(
    r"\\\[(?P<a>.+?)\\\]"
    r"|\$\$(?P<b>.+?)\$\$"
    r"|\\begin\{(?P<env>equation|align|gather|multline|eqnarray)(?P<star>\*?)\}(?P<c>.+?)\\end\{(?P=env)(?P=star)\}",
    re.DOTALL,
)
_INLINE = re.compile(r"\\\((?P<a>.+?)\\\)|(?<![\\$])\$(?P<b>[^$\n]+?)(?<!\\)\$(?!\$)", re.DOTALL)


class ReleasedParts(NamedTuple):
    """The three strings of one page that the released script scores apart."""

    text: str
    formula: str
    table: str


class Parts(NamedTuple):
    """A formatted page taken apart, each list in the order of the page.

    Attributes:
        text: what is left when tables and display formulas are cut out; inline formulas stay.
        formulas: display formulas without their delimiters.
        tables: tables as they stand.
    """

    text: str
    formulas: list[str]
    tables: list[str]


def released_split(text: str) -> ReleasedParts:
    r"""The parts as the released script makes them, quirks included.

    "Text" is the whole page, display formulas are found on one line only, inline ones are joined by line
    breaks and the display ones follow without one, a table lacking `\end{tabular}` runs to the end of the
    page.
    """
    formula = "\n".join(_RELEASED_INLINE.findall(text)) + "\n".join(_RELEASED_DISPLAY.findall(text))
    return ReleasedParts(text.strip(), formula, "\n".join(_RELEASED_TABLE.findall(text)))


def split(text: str) -> Parts:
    """Cuts tables out first, then display formulas from what is left."""
    tables: list[str] = []
    rest, position = "", 0
    for start, end in find(text):
        tables.append(text[start:end])
        rest += text[position:start] + "\n"
        position = end
    rest += text[position:]
    formulas = [(m["a"] or m["b"] or m["c"]).strip() for m in _DISPLAY.finditer(rest)]
    return Parts(_DISPLAY.sub("\n", rest).strip(), formulas, tables)


def formulas(text: str) -> list[str]:
    """Every formula of a page, inline ones included, without delimiters."""
    parts = split(text)
    return parts.formulas + [(m["a"] or m["b"]).strip() for m in _INLINE.finditer(parts.text)]
