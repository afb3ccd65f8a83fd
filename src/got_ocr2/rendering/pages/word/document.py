"""Pages as Word documents: headings, lists, tables with merged cells, footnotes, formulas that can be edited.

Made with python-docx; formulas go from LaTeX through MathML to Office MathML. Links are hyperlinks to the addresses
that the parser let through; there are no fields, macros or files from outside.
"""

from __future__ import annotations

import io
from typing import Any

from ....extras import need
from ...rendered import Rendered
from ..drawings import Drawn, drawing_problems
from ..mathml import mathml
from ..tree import (
    Abstract,
    Authors,
    Block,
    Blocks,
    Code,
    Display,
    Drawing,
    Figure,
    Footnote,
    Heading,
    Items,
    Note,
    Page,
    Paragraph,
    Quote,
    References,
    Run,
    Runs,
    Statement,
    Table,
    Text,
    Title,
)  # fmt: skip
from ..walk import written
from .calls import Calls
from .elements import clean
from .notes import TEXT, Notes
from .runs import RunWriter
from .tables import LINE, write_table

_INDENT = 18  # points a level of a list
_SMALL = 9  # points, of footnotes


def write_docx(text: str, *, strict: bool = False, plain: bool = False) -> Rendered:
    """A page as a Word document.

    The arguments are those of `walk.written`.

    Raises:
        MissingDependencyError: python-docx, latex2mathml or what draws the page's figures is missing.
        RenderError: `strict` and a problem.
    """
    return written(text, "docx", document, strict=strict, plain=plain, formula=mathml, drawn=drawing_problems)


def document(page: Page) -> bytes:
    """The whole file."""
    file: Any = need("docx", "Writing DOCX", extra="render").Document()
    _settings(file)
    _Writer(file, page).blocks(page.blocks, file._body)
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
        for name in [key for key in style.element.rPr.rFonts.attrib if key.endswith("Theme")]:
            del style.element.rPr.rFonts.attrib[name]  # the theme's font would win
    file.core_properties.comments = ""


class _Writer:
    def __init__(self, file: Any, page: Page) -> None:
        self._calls, self._drawn = Calls(page), Drawn(page)
        self._notes = Notes(file, self._calls.start or 1)
        self._runs = RunWriter(self._call)
        self._noting = False  # within a footnote, which cannot have footnotes of its own

    def blocks(self, blocks: Blocks, into: Any, indent: int = 0, style: str | None = None) -> None:
        """Adds blocks to a container of python-docx, `indent` points from the left."""
        for block in blocks:
            self._block(block, into, indent, style)

    def _call(self, run: Run, paragraph: Any) -> bool:
        called = self._calls.called.get(id(run))
        mark: str | None = None
        if self._noting:
            return False
        if isinstance(run, Note):
            blocks: Blocks = (Paragraph(run.runs),)
        elif called is None:
            return False
        elif self._calls.start is not None:
            blocks = called.unmarked()
        else:
            mark, blocks = called

        def write(into: Any) -> None:
            self._noting = True
            self.blocks(blocks, into, 0, TEXT)
            self._noting = False

        self._notes.add(paragraph, write, mark)
        return True

    def _paragraph(
        self, into: Any, style: str | None = None, indent: int = 0, *, centred: bool = False
    ) -> Any:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt

        paragraph = into.add_paragraph(style=style)
        if indent:
            paragraph.paragraph_format.left_indent = Pt(indent)
        if centred:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        return paragraph

    def _block(self, block: Block, into: Any, indent: int, style: str | None) -> None:
        from docx.shared import Pt

        if isinstance(block, Title):
            paragraph = self._paragraph(into, centred=True)
            paragraph.paragraph_format.space_after = Pt(10)
            self._runs.write(block.runs, paragraph, bold=True, size=18)
        elif isinstance(block, Authors):
            self._runs.write(block.runs, self._paragraph(into, centred=True))
        elif isinstance(block, Heading):
            self._runs.write(block.runs, self._paragraph(into, f"Heading {min(block.level, 6)}"))
        elif isinstance(block, Paragraph):
            self._runs.write(block.runs, self._paragraph(into, style, indent))
        elif isinstance(block, Display):
            self._display(block, into)
        elif isinstance(block, Items):
            self._items(block, into, indent)
        elif isinstance(block, Table):
            write_table(block, into, self._runs)
        elif isinstance(block, Abstract | Quote):
            self.blocks(block.blocks, into, indent + 2 * _INDENT)
        elif isinstance(block, Footnote):
            for part in self._calls.rest[id(block)]:
                if isinstance(part, Paragraph):
                    self._runs.write(part.runs, self._paragraph(into), size=_SMALL)
                else:
                    self._block(part, into, indent, style)
        elif isinstance(block, Figure):
            self.blocks(block.blocks, into, indent)
            if block.caption is not None:
                self._runs.write(block.caption, self._paragraph(into, centred=True))
        elif isinstance(block, Statement):
            self._statement(block, into, indent)
        elif isinstance(block, References):
            for entry in block.entries:
                paragraph = self._paragraph(into, None, 2 * _INDENT)
                paragraph.paragraph_format.first_line_indent = Pt(-2 * _INDENT)
                self._runs.write((Text(f"[{entry.label}]\u2003"), *entry.runs), paragraph)
        elif isinstance(block, Code | Drawing):
            if isinstance(block, Code) or not self._picture(block, into):
                self._runs.said(self._paragraph(into, None, indent), block.text, code=True)
        else:
            self._paragraph(into).paragraph_format.space_after = Pt(12)

    def _statement(self, block: Statement, into: Any, indent: int) -> None:
        head = self._paragraph(into, None, indent)
        head.paragraph_format.keep_with_next = True
        title: Runs = () if block.title is None else (Text(" ("), *block.title, Text(")"))
        self._runs.write((Text(block.name.capitalize()), *title, Text(".")), head, bold=True)
        self.blocks(block.blocks, into, indent)

    def _display(self, block: Display, into: Any) -> None:
        from docx.enum.text import WD_TAB_ALIGNMENT
        from docx.shared import Pt

        paragraph = self._paragraph(into, centred=block.tag is None)
        if block.tag is None:
            self._runs.formula(block.tex, True, paragraph)
            return
        stops = paragraph.paragraph_format.tab_stops
        stops.add_tab_stop(Pt(LINE / 2), WD_TAB_ALIGNMENT.CENTER)
        stops.add_tab_stop(Pt(LINE), WD_TAB_ALIGNMENT.RIGHT)
        paragraph.add_run("\t")
        self._runs.formula(block.tex, True, paragraph)
        paragraph.add_run(f"\t({clean(block.tag)})")

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
            self._runs.write(label, paragraph)
            paragraph.add_run("\t")
            rest = item.blocks
            if isinstance(first, Paragraph):
                self._runs.write(first.runs, paragraph)
                rest = item.blocks[1:]
            self.blocks(rest, into, inner)

    def _picture(self, block: Drawing, into: Any) -> bool:
        """Adds a drawing at its size, or as wide as a line; False where it cannot be drawn."""
        from docx.shared import Pt

        drawn = self._drawn.png(block)
        if drawn is None:
            return False
        data, points = drawn
        run = self._paragraph(into, centred=True).add_run()
        shape = run.add_picture(io.BytesIO(data), width=Pt(min(points, LINE)))
        shape._inline.docPr.set("descr", clean(block.text))
        return True
