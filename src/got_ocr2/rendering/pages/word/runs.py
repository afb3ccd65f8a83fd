"""Runs of a page as runs of a Word paragraph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..formulas import checked
from ..mathml import mathml
from ..tree import Break, Image, Link, Math, Note, Run, Runs, Styled, Text
from .calls import raised_mark
from .elements import clean, element
from .omml import NAMESPACE, omml

Call = Callable[[Run, Any], bool]


class RunWriter:
    """Adds runs to paragraphs.

    Args:
        call: is given each run that may call a footnote (a note, or a raised mark) and the paragraph; False if it
            calls none here.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def write(self, runs: Runs, paragraph: Any, **look: Any) -> None:
        """Adds runs; `look` is what they have in common: bold, italic, size in points, code, ..."""
        for run in runs:
            self._run(run, paragraph, look)

    def _run(self, run: Run, paragraph: Any, look: dict[str, Any]) -> None:
        if isinstance(run, Text):
            self.said(paragraph, run.text, **look)
        elif (mark := raised_mark(run)) is not None:
            if not self._call(run, paragraph):
                self.said(paragraph, mark, **{**look, "super": True})
        elif isinstance(run, Math):
            self.formula(run.tex, False, paragraph)
        elif isinstance(run, Break):
            paragraph.add_run().add_break()
        elif isinstance(run, Styled):
            self.write(run.runs, paragraph, **{**look, run.style: True})
        elif isinstance(run, Link):
            self._link(run, paragraph, look)
        elif not self._call(run, paragraph):
            self._aside(run, paragraph, look)

    def _aside(self, run: Note | Image, paragraph: Any, look: dict[str, Any]) -> None:
        if isinstance(run, Note):
            self.write((Text(" ("), *run.runs, Text(")")), paragraph, **{**look, "size": 9})
        else:
            self.said(paragraph, f"[{run.alt or run.source or 'picture'}]", **{**look, "italic": True})

    def said(self, paragraph: Any, text: str, **look: Any) -> None:
        """Adds plain text."""
        from docx.shared import Pt

        font = paragraph.add_run(clean(text)).font
        for name, attribute in _FONT.items():
            if look.get(name):
                setattr(font, attribute, True)
        if look.get("code"):
            font.name = "Courier New"
        if look.get("size"):
            font.size = Pt(look["size"])

    def formula(self, tex: str, display: bool, paragraph: Any) -> None:
        """Adds a formula that can be edited, or its LaTeX where it cannot be one."""
        from docx.oxml import parse_xml

        formula = checked(tex)
        found = mathml(formula.tex, display) if formula.refused is None else None
        if found is None:
            self.said(paragraph, tex, code=True)
            return
        made = omml(found)
        if display and not paragraph.runs:
            made = f'<m:oMathPara xmlns:m="{NAMESPACE}">{made}</m:oMathPara>'
        paragraph._p.append(parse_xml(made))

    def _link(self, link: Link, paragraph: Any, look: dict[str, Any]) -> None:
        from docx.opc.constants import RELATIONSHIP_TYPE
        from docx.oxml.ns import qn

        before = len(paragraph._p)
        self.write(link.runs, paragraph, **{**look, "underline": True})
        if link.target.startswith("#"):
            made = element("w:hyperlink", anchor=link.target[1:])
        else:
            made = element("w:hyperlink")
            address = paragraph.part.relate_to(link.target, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
            made.set(qn("r:id"), address)
        for part in list(paragraph._p)[before:]:
            made.append(part)
        paragraph._p.append(made)


_FONT = {
    "bold": "bold", "italic": "italic", "underline": "underline", "strike": "strike", "sub": "subscript",
    "super": "superscript",
}  # fmt: skip
