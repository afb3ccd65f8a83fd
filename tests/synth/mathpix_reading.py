r"""Reads the engines' answers again with libraries that know nothing of them: pylatexenc and latex2mathml.

What comes back are the characters that a reader should see, to be compared with the characters that the PDF of
the page holds.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from types import ModuleType

import pytest
from latex2mathml.converter import convert
from PIL import Image
from pylatexenc.latexwalker import (
    LatexCharsNode,
    LatexEnvironmentNode,
    LatexGroupNode,
    LatexMacroNode,
    LatexMathNode,
    LatexNode,
    LatexSpecialsNode,
    LatexWalker,
    get_default_latex_context_db,
)
from pylatexenc.macrospec import EnvironmentSpec, MacroSpec

_SPOKEN = {"textbackslash": "\\", **{char: char for char in "&%$#_{}"}}
_SAME = {"·": "⋅", "*": "∗", "—": "-", "–": "-", "−": "-", "|": "∣", "∥": "‖", "⋿": "E", "⧵": "∖", "⊧": "⊨"}
_UNCOUNTED = set("√^~∼→⃗―‾_ˇ˘¯¨˙˜ˆ&-⏞⏟\u2061\u2062\u2063\ufffe\u0002\u00ad'\"`“”‘’•–◦▪")


def normal(text: str) -> Counter[str]:
    """Characters without font, accent and spacing; signs that stretch or that a line end may add do not count."""
    folded = unicodedata.normalize("NFKD", text)
    return Counter(
        _SAME.get(char, char)
        for char in folded
        if not char.isspace()
        and unicodedata.category(char) not in ("Mn", "Cc", "Cf", "Co")
        and char not in _UNCOUNTED
    )


def math_text(tex: str) -> str:
    """What a formula shows, by way of MathML.

    Raises:
        ValueError: latex2mathml passes a command through as it stands, so it does not know it. (It knows neither
            `\\arg` nor the sizes of braces, which are spelt differently here.)
    """
    tex = re.sub(r"\\(?:big|Big|bigg|Bigg)(?=\\[{}|])", "", tex).replace("\\arg", "\\operatorname{arg}")
    mathml = convert(tex, display="block")
    text = html.unescape(re.sub(r"<[^>]+>", "", mathml))
    if "\\" in text.replace("\\", "", tex.count("\\setminus")):
        raise ValueError(f"unknown command in {tex}: {text}")
    return text


def _context():
    context = get_default_latex_context_db()
    context.add_context_category(
        "page",
        prepend=True,
        macros=[
            MacroSpec("multicolumn", "{{{"),
            MacroSpec("multirow", "{{{"),
            MacroSpec("cline", "{"),
            MacroSpec("hline", ""),
            MacroSpec("item", ""),
            *(MacroSpec(name, "{") for name in ("title", "author", "footnotetext")),
            *(MacroSpec(name, "*{") for name in ("section", "subsection", "subsubsection")),
        ],
        environments=[EnvironmentSpec("tabular", "{"), EnvironmentSpec("abstract", "")],
    )
    return context


@dataclass
class Cell:
    text: str = ""
    columns: int = 1
    rows: int = 1


@dataclass
class Reading:
    """A page read back.

    Attributes:
        text: everything it shows, in order.
        tables: each as rows of cells.
        headings, items, notes, displays: how many of each.
    """

    text: str = ""
    tables: list[list[list[Cell]]] = field(default_factory=list)
    headings: int = 0
    items: int = 0
    notes: int = 0
    displays: int = 0


def read(truth: str) -> Reading:
    """Parses an answer strictly; anything that is not well-formed raises."""
    nodes, _, length = LatexWalker(truth, _context(), tolerant_parsing=False).get_latex_nodes()
    assert length == len(truth)
    reading = Reading()
    reading.text = _show(nodes, reading)
    return reading


def _show(nodes: list[LatexNode], reading: Reading) -> str:
    return "".join(_show_one(node, reading) for node in nodes)


def _show_one(node: LatexNode, reading: Reading) -> str:
    if isinstance(node, LatexCharsNode):
        return node.chars
    if isinstance(node, LatexMathNode):
        reading.displays += node.displaytype == "display"
        inner = node.latex_verbatim()[2:-2].strip()
        tag = re.search(r" \\tag\{(.*)\}$", inner)
        if tag is not None:
            return math_text(inner[: tag.start()]) + f"({tag.group(1)})"
        raised = re.fullmatch(r"\{ \}\^\{(.*)\}", inner)
        return math_text(inner) if raised is None else raised.group(1)
    if isinstance(node, LatexGroupNode):
        return _show(node.nodelist, reading)
    if isinstance(node, LatexSpecialsNode):
        return " " if node.specials_chars == "&" else node.specials_chars
    if isinstance(node, LatexEnvironmentNode):
        return _show_environment(node, reading)
    assert isinstance(node, LatexMacroNode)
    return _show_macro(node, reading)


def _show_environment(node: LatexEnvironmentNode, reading: Reading) -> str:
    name = node.environmentname
    if name == "tabular":
        reading.tables.append(_rows(node, reading))
        return " ".join(cell.text for row in reading.tables[-1] for cell in row)
    before = reading.items
    shown = _show(node.nodelist, reading)
    assert name in ("itemize", "enumerate", "abstract")
    numbers = "".join(f" {n}." for n in range(1, reading.items - before + 1)) if name == "enumerate" else ""
    return shown + numbers


def _show_macro(node: LatexMacroNode, reading: Reading) -> str:
    name = node.macroname
    arguments = (
        [argument for argument in node.nodeargd.argnlist or [] if argument is not None]
        if node.nodeargd
        else []
    )
    if name in _SPOKEN:
        return _SPOKEN[name]
    if name in ("^", "~"):
        return name
    if name == "item":
        reading.items += 1
        return " "
    assert name in ("title", "author", "footnotetext", "section", "subsection", "subsubsection"), name
    reading.headings += name.endswith("section")
    reading.notes += name == "footnotetext"
    return _show([arguments[-1]], reading)


def _rows(node: LatexEnvironmentNode, reading: Reading) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    row = [Cell()]
    for child in node.nodelist:
        if isinstance(child, LatexMacroNode) and child.macroname == "\\":
            rows.append(row)
            row = [Cell()]
        elif isinstance(child, LatexMacroNode) and child.macroname in ("hline", "cline"):
            continue
        elif isinstance(child, LatexSpecialsNode) and child.specials_chars == "&":
            row.append(Cell())
        else:
            _fill(row[-1], child, reading)
    assert [cell.text.strip() for cell in row] == [""], "the last row of a table ends in a line break"
    for row in rows:
        for cell in row:
            cell.text = cell.text.strip()
    return rows


def _fill(cell: Cell, node: LatexNode, reading: Reading) -> None:
    if isinstance(node, LatexMacroNode) and node.macroname in ("multicolumn", "multirow"):
        count, _, body = node.nodeargd.argnlist
        number = int("".join(child.chars for child in count.nodelist))
        if node.macroname == "multicolumn":
            cell.columns = number
        else:
            cell.rows = number
        for child in body.nodelist:
            _fill(cell, child, reading)
    else:
        cell.text += _show_one(node, reading)


def record_drawn_text(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> list[str]:
    """Lets an engine's module note the characters of every page that it draws, as they stand in the PDF."""
    drawn: list[str] = []

    class Recording(module.Typeset):
        def image(self, dpi: float, page: int = 0) -> Image.Image:
            drawn.append(self._page(page).get_textpage().get_text_range())
            return super().image(dpi, page)

    monkeypatch.setattr(module, "Typeset", Recording)
    return drawn
