"""Word's own footnotes: a part of the file beside its text, called by numbers or by the marks of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .elements import element

_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
CALL, TEXT = "footnote reference", "footnote text"  # Word's names of the styles


class Notes:
    """The footnotes of a document.

    Args:
        file: python-docx's document.
        start: the number of the first footnote that Word counts.
    """

    def __init__(self, file: Any, start: int = 1) -> None:
        self._file, self._start = file, start
        self._part: Any = None
        self._count = 0

    def add(self, paragraph: Any, write: Callable[[Any], None], mark: str | None = None) -> None:
        """Adds a footnote that is called at the end of a paragraph of the text.

        Args:
            paragraph: where it is called.
            write: puts the footnote's text into a container of python-docx.
            mark: the page's own, with which the text then begins too; None lets Word count.
        """
        from docx.blkcntnr import BlockItemContainer
        from docx.oxml import parse_xml
        from docx.oxml.ns import nsdecls

        if self._part is None:
            self._part = self._new_part()
        self._count += 1
        call = paragraph.add_run(style=CALL)
        custom = {} if mark is None else {"customMarkFollows": "1"}
        call._r.append(element("w:footnoteReference", **custom, id=str(self._count)))
        if mark is not None:
            call.add_text(mark)
        note = element("w:footnote", id=str(self._count))
        holder: Any = parse_xml(f"<w:ftr {nsdecls('w')}/>")  # a kind of element that python-docx can fill
        write(BlockItemContainer(holder, self._part))
        if len(holder) == 0 or not holder[0].tag.endswith("}p"):
            holder.insert(0, element("w:p"))
        if mark is None:
            _begin_with_number(holder[0])
        if not holder[-1].tag.endswith("}p"):  # Word wants one after a table
            holder.append(element("w:p"))
        for part in list(holder):
            note.append(part)
        self._part.element.append(note)

    def _new_part(self) -> Any:
        from docx.enum.style import WD_STYLE_TYPE
        from docx.opc.packuri import PackURI
        from docx.oxml import parse_xml
        from docx.oxml.ns import nsdecls
        from docx.parts.story import StoryPart
        from docx.shared import Pt

        styles = self._file.styles
        text = styles.add_style(TEXT, WD_STYLE_TYPE.PARAGRAPH, builtin=True)
        text.base_style = styles["Normal"]
        text.font.size, text.paragraph_format.space_after = Pt(9), Pt(2)
        styles.add_style(CALL, WD_STYLE_TYPE.CHARACTER, builtin=True).font.superscript = True
        root: Any = parse_xml(
            f"<w:footnotes {nsdecls('w', 'r', 'm', 'wp', 'a', 'pic')}>"
            '<w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r></w:p></w:footnote>'
            '<w:footnote w:type="continuationSeparator" w:id="0"><w:p><w:r><w:continuationSeparator/></w:r></w:p>'
            "</w:footnote></w:footnotes>"
        )
        part = StoryPart(PackURI("/word/footnotes.xml"), _TYPE, root, self._file.part.package)
        self._file.part.relate_to(part, _RELATION)
        count = element("w:footnotePr")
        count.append(element("w:numStart", val=str(self._start)))
        self._file.element.body.sectPr.insert(0, count)
        return part


def _begin_with_number(paragraph: Any) -> None:
    """Puts the footnote's number, which Word fills in, before its first word."""
    run, style = element("w:r"), element("w:rPr")
    style.append(element("w:vertAlign", val="superscript"))
    space, said = element("w:r"), element("w:t")
    said.text = "\u2002"
    space.append(said)
    run.append(style)
    run.append(element("w:footnoteRef"))
    at = 1 if len(paragraph) and paragraph[0].tag.endswith("}pPr") else 0
    paragraph.insert(at, run)
    paragraph.insert(at + 1, space)
