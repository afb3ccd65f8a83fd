"""Pages as Word documents: headings, lists, tables with merged cells, formulas that can be edited.

Made with python-docx; formulas go from LaTeX through MathML to Office MathML. Links are hyperlinks to the addresses
that the parser let through; there are no fields, macros or files from outside.
"""

from __future__ import annotations

import importlib
import io
import re
from typing import Any

from ...errors import MissingDependencyError
from ..rendered import Rendered
from .formulas import checked
from .mathml import mathml
from .omml import NAMESPACE, omml
from .tree import (
    Abstract,
    Authors,
    Block,
    Blocks,
    Break,
    Cell,
    Code,
    Display,
    Drawing,
    Figure,
    Footnote,
    Heading,
    Items,
    Link,
    Math,
    Note,
    Page,
    Paragraph,
    Quote,
    References,
    Runs,
    Statement,
    Styled,
    Table,
    Text,
    Title,
)  # fmt: skip
from .walk import plain_text, written

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
# A raised mark as GOT writes footnotes, ordinals and affiliations; Word has its own way for it.
_MARK = re.compile(r"\{ ?\} ?\^ ?\{ ?(?:\\(?:text|mathrm) ?\{([A-Za-z0-9]+)\}|([0-9,*]+)) ?\}")
_LINE = 432.0  # points of a line of text
_INDENT = 18  # points a level of a list


def write_docx(text: str, *, strict: bool = False, plain: bool = False) -> Rendered:
    """A page as a Word document.

    Args:
        text: what the model wrote.
        strict: raise on a problem.
        plain: the text is no markup.

    Raises:
        MissingDependencyError: python-docx or latex2mathml is missing.
        RenderError: `strict` and a problem.
    """
    return written(text, "docx", document, strict=strict, plain=plain, formula=mathml)


def document(page: Page) -> bytes:
    """The whole file."""
    try:
        from docx import Document
    except ImportError as e:
        raise MissingDependencyError(
            "Writing DOCX needs python-docx; install the extra: pip install 'got-ocr2[render]'."
        ) from e
    file: Any = Document()
    _settings(file)
    _Writer(file).blocks(page.blocks, file)
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def _settings(file: Any) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    normal = file.styles["Normal"]
    normal.font.name, normal.font.size = "Cambria", Pt(11)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), "Noto Serif CJK SC")
    for level in range(1, 7):
        style = file.styles[f"Heading {level}"]
        style.font.color.rgb = RGBColor(0, 0, 0)
        style.font.name = "Cambria"
    file.core_properties.comments = ""


class _Writer:
    def __init__(self, file: Any) -> None:
        self._file = file

    def blocks(self, blocks: Blocks, into: Any, indent: int = 0, style: str | None = None) -> None:
        for block in blocks:
            self._block(block, into, indent, style)

    def _paragraph(self, into: Any, style: str | None = None, indent: int = 0) -> Any:
        from docx.shared import Pt

        paragraph = into.add_paragraph(style=style)
        if indent:
            paragraph.paragraph_format.left_indent = Pt(indent)
        return paragraph

    def _block(self, block: Block, into: Any, indent: int, style: str | None) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt

        if isinstance(block, Title):
            paragraph = self._paragraph(into)
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            paragraph.paragraph_format.space_after = Pt(10)
            self.runs(block.runs, paragraph, bold=True, size=18)
        elif isinstance(block, Authors):
            paragraph = self._paragraph(into)
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            self.runs(block.runs, paragraph)
        elif isinstance(block, Heading):
            paragraph = self._paragraph(into, f"Heading {min(block.level, 6)}")
            self.runs(block.runs, paragraph)
        elif isinstance(block, Paragraph):
            self.runs(block.runs, self._paragraph(into, style, indent))
        elif isinstance(block, Display):
            self._display(block, into)
        elif isinstance(block, Items):
            self._items(block, into, indent)
        elif isinstance(block, Table):
            self._table(block, into)
        elif isinstance(block, Abstract | Quote):
            self.blocks(block.blocks, into, indent + 2 * _INDENT)
        elif isinstance(block, Footnote):
            for part in block.blocks:
                if isinstance(part, Paragraph):
                    paragraph = self._paragraph(into)
                    self.runs(part.runs, paragraph, size=9)
                else:
                    self._block(part, into, indent, style)
        elif isinstance(block, Figure):
            self.blocks(block.blocks, into, indent)
            if block.caption is not None:
                paragraph = self._paragraph(into)
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
                self.runs(block.caption, paragraph)
        elif isinstance(block, Statement):
            head = self._paragraph(into, None, indent)
            head.paragraph_format.keep_with_next = True
            self.runs((Text(block.name.capitalize()),), head, bold=True)
            if block.title is not None:
                self.runs((Text(" ("), *block.title, Text(")")), head, bold=True)
            self.blocks(block.blocks, into, indent)
        elif isinstance(block, References):
            for entry in block.entries:
                paragraph = self._paragraph(into, None, 2 * _INDENT)
                paragraph.paragraph_format.first_line_indent = Pt(-2 * _INDENT)
                self.runs((Text(f"[{entry.label}]\u2003"), *entry.runs), paragraph)
        elif isinstance(block, Code | Drawing):
            paragraph = self._paragraph(into, None, indent)
            self._said(paragraph, block.text, code=True)
        else:
            self._paragraph(into).paragraph_format.space_after = Pt(12)

    def _display(self, block: Display, into: Any) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
        from docx.shared import Pt

        paragraph = self._paragraph(into)
        if block.tag is None:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            self._formula(block.tex, True, paragraph)
            return
        stops = paragraph.paragraph_format.tab_stops
        stops.add_tab_stop(Pt(216), WD_TAB_ALIGNMENT.CENTER)
        stops.add_tab_stop(Pt(432), WD_TAB_ALIGNMENT.RIGHT)
        paragraph.add_run("\t")
        self._formula(block.tex, True, paragraph)
        paragraph.add_run(f"\t({_clean(block.tag)})")

    def _formula(self, tex: str, display: bool, paragraph: Any) -> None:
        from docx.oxml import parse_xml

        formula = checked(tex)
        found = mathml(formula.tex, display) if formula.refused is None else None
        if found is None:
            self._said(paragraph, tex, code=True)
            return
        element = omml(found)
        if display and not paragraph.runs:
            element = f'<m:oMathPara xmlns:m="{NAMESPACE}">{element}</m:oMathPara>'
        paragraph._p.append(parse_xml(element))

    def _items(self, block: Items, into: Any, indent: int) -> None:
        """Numbers are written out: each list then counts as on the page, from its own start."""
        from docx.shared import Pt

        inner = indent + _INDENT
        for number, item in enumerate(block.items, block.start):
            mark = f"{number}." if block.numbered else "•"
            label: Runs = (Text(mark),) if item.label is None else item.label
            first = item.blocks[0] if item.blocks else None
            paragraph = self._paragraph(into, None, inner)
            paragraph.paragraph_format.first_line_indent = Pt(-_INDENT)
            paragraph.paragraph_format.space_after = Pt(3)
            paragraph.paragraph_format.tab_stops.add_tab_stop(Pt(inner))
            self.runs(label, paragraph)
            paragraph.add_run("\t")
            rest = item.blocks
            if isinstance(first, Paragraph):
                self.runs(first.runs, paragraph)
                rest = item.blocks[1:]
            self.blocks(rest, into, inner)

    def _table(self, table: Table, into: Any) -> None:
        from docx.enum.table import WD_TABLE_ALIGNMENT
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt

        if table.caption is not None:
            self.runs(table.caption, self._paragraph(into))
        width = len(table.aligns)
        if not width or not table.rows:
            return
        grid = into.add_table(len(table.rows), width)
        grid.alignment = WD_TABLE_ALIGNMENT.CENTER
        grid.autofit = False
        for column, size in zip(grid.columns, _widths(table), strict=True):
            column.width = Pt(size)
            for place in column.cells:
                place.width = Pt(size)
        places = [list(row.cells) for row in grid.rows]
        for number, row in enumerate(table.rows):
            for cell in row.cells:
                last = places[min(number + cell.rows, len(places)) - 1][
                    min(cell.column + cell.columns, width) - 1
                ]
                place = places[number][cell.column]
                if cell.rows > 1 or cell.columns > 1:
                    place = place.merge(last)
                paragraph = place.paragraphs[0]
                paragraph.paragraph_format.space_after = Pt(0)
                paragraph.alignment = {
                    "left": WD_ALIGN_PARAGRAPH.LEFT,
                    "center": WD_ALIGN_PARAGRAPH.CENTER,
                    "right": WD_ALIGN_PARAGRAPH.RIGHT,
                }[_align(table, cell)]
                self.runs(cell.runs, paragraph, bold=number < table.heads)
        _rule(table, [_places(row) for row in grid.rows])
        self._paragraph(into).paragraph_format.space_after = Pt(0)

    def runs(self, runs: Runs, paragraph: Any, **look: Any) -> None:
        """Adds runs to a paragraph; `look` is what they have in common: bold, italic, size, code, ..."""
        for run in runs:
            if isinstance(run, Text):
                self._said(paragraph, run.text, **look)
            elif isinstance(run, Math) and (mark := _MARK.fullmatch(run.tex)) is not None:
                self._said(paragraph, mark.group(1) or mark.group(2), **{**look, "super": True})
            elif isinstance(run, Math):
                self._formula(run.tex, False, paragraph)
            elif isinstance(run, Break):
                paragraph.add_run().add_break()
            elif isinstance(run, Styled):
                self.runs(run.runs, paragraph, **{**look, run.style: True})
            elif isinstance(run, Link):
                self._link(run, paragraph, look)
            elif isinstance(run, Note):
                self.runs((Text(" ("), *run.runs, Text(")")), paragraph, **{**look, "size": 9})
            else:
                self._said(paragraph, f"[{run.alt or run.source or 'picture'}]", **{**look, "italic": True})

    def _said(self, paragraph: Any, text: str, **look: Any) -> Any:
        from docx.shared import Pt

        run = paragraph.add_run(_clean(text))
        font = run.font
        if look.get("bold"):
            font.bold = True
        if look.get("italic"):
            font.italic = True
        if look.get("underline"):
            font.underline = True
        if look.get("strike"):
            font.strike = True
        if look.get("sub"):
            font.subscript = True
        if look.get("super"):
            font.superscript = True
        if look.get("code"):
            font.name = "Courier New"
        if look.get("size"):
            font.size = Pt(look["size"])
        return run

    def _link(self, link: Link, paragraph: Any, look: dict[str, Any]) -> None:
        from docx.opc.constants import RELATIONSHIP_TYPE
        from docx.oxml.ns import qn

        before = len(paragraph._p)
        self.runs(link.runs, paragraph, **{**look, "underline": True})
        element = _element("w:hyperlink")
        if link.target.startswith("#"):
            element.set(qn("w:anchor"), link.target[1:])
        else:
            element.set(
                qn("r:id"),
                paragraph.part.relate_to(link.target, RELATIONSHIP_TYPE.HYPERLINK, is_external=True),
            )
        for part in list(paragraph._p)[before:]:
            element.append(part)
        paragraph._p.append(element)


def _element(name: str) -> Any:
    parser: Any = importlib.import_module("docx.oxml.parser")
    return parser.OxmlElement(name)


def _clean(text: str) -> str:
    """Text that XML may hold."""
    return _CONTROL.sub("\ufffd", text)


def _align(table: Table, cell: Cell) -> str:
    for sign, name in (("c", "center"), ("r", "right"), ("l", "left")):
        if cell.spec is not None and sign in cell.spec:
            return name
    return table.aligns[cell.column] if cell.column < len(table.aligns) else "left"


def _rule(table: Table, places: list[list[Any]]) -> None:
    """The rules of the table as borders of its cells."""
    from docx.oxml.ns import qn

    def border(place: Any, sides: list[str]) -> None:
        properties = place.get_or_add_tcPr()
        found = properties.find(qn("w:tcBorders"))
        if found is None:
            found = _element("w:tcBorders")
            properties.append(found)
        for side in sides:
            if found.find(qn(f"w:{side}")) is None:
                line = _element(f"w:{side}")
                for key, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "auto")):
                    line.set(qn(f"w:{key}"), value)
                found.append(line)

    edges: set[int] = set()
    column = 0
    for sign in table.spec:
        if sign == "|":
            edges.add(column)
        else:
            column += 1
    full = [*(row.rules for row in table.rows), table.closing]
    spans = _spans(table)
    for number in range(len(table.rows)):
        for column in range(len(table.aligns)):
            first, last, cell = spans.get((number, column), (column, column, None))
            left, right = first in edges, last + 1 in edges
            if cell is not None and cell.spec is not None:
                left, right = cell.spec.startswith("|") or left, cell.spec.endswith("|")
            sides = [
                side
                for side, ruled in (
                    ("top", any(start <= column <= stop for start, stop in full[number])),
                    ("left", left),
                    ("bottom", any(start <= column <= stop for start, stop in full[number + 1])),
                    ("right", right),
                )
                if ruled
            ]
            if sides:
                border(places[number][column], sides)


def _places(row: Any) -> list[Any]:
    """The cell element at each column of a row; those that a cell from above covers have one of their own."""
    return [place for place in row._tr.tc_lst for _ in range(place.grid_span)]


def _spans(table: Table) -> dict[tuple[int, int], tuple[int, int, Cell]]:
    """Row and column of every covered place -> first and last column of the cell that covers it, and the cell."""
    return {
        (number + down, cell.column + over): (cell.column, cell.column + cell.columns - 1, cell)
        for number, row in enumerate(table.rows)
        for cell in row.cells
        for down in range(cell.rows)
        for over in range(cell.columns)
    }


def _widths(table: Table) -> list[float]:
    """Points for each column: what its longest line needs, or a fair share of the page."""
    sizes = [2.0] * len(table.aligns)
    for row in table.rows:
        for cell in row.cells:
            longest = max(map(len, plain_text(cell.runs).split("\n")))
            if any(isinstance(run, Math) for run in cell.runs):
                longest = longest * 2 // 3  # commands are longer than what they show
            share = longest / cell.columns
            for column in range(cell.column, cell.column + cell.columns):
                sizes[column] = max(sizes[column], share)
    points = [6.2 * size + 16 for size in sizes]
    scale = min(1.0, _LINE / sum(points))
    return [max(point * scale, 12.0) for point in points]
