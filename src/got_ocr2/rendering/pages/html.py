"""Pages as one self-contained HTML file: MathML, no script, nothing loaded from anywhere, and a style that prints.

Of the text, only formulas whose words are all known reach the MathML converter; everything else is escaped, and links
lead to http, https and mailto addresses alone. A content security policy in the file forbids the rest once more.
"""

from __future__ import annotations

import base64
from html import escape

from ..rendered import Rendered
from .drawings import Drawn, drawing_problems
from .formulas import checked
from .mathml import mathml
from .style import PAGE_STYLE
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
    Run,
    Runs,
    Statement,
    Styled,
    Table,
    Text,
    Title,
)  # fmt: skip
from .walk import plain_text, written

_STYLES = {
    "bold": "strong", "italic": "em", "code": "code", "underline": "u", "strike": "s", "sub": "sub", "super": "sup",
}  # fmt: skip
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def write_html(text: str, *, strict: bool = False, plain: bool = False) -> Rendered:
    """A page as one HTML file.

    The arguments are those of `walk.written`.

    Raises:
        MissingDependencyError: latex2mathml is missing.
        RenderError: `strict` and a problem.
    """
    return written(text, "html", document, strict=strict, plain=plain, formula=mathml, drawn=drawing_problems)


def document(page: Page) -> str:
    """The whole file."""
    title = next((plain_text(b.runs, " ") for b in page.blocks if isinstance(b, Title | Heading)), "Page")
    return (
        '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{PAGE_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"{HtmlWriter(Drawn(page)).blocks(page.blocks)}\n</main>\n</body>\n</html>\n"
    )


class HtmlWriter:
    """Writes blocks as HTML; another writer of formulas can be put in."""

    def __init__(self, drawn: Drawn) -> None:
        self._drawn = drawn

    def formula(self, tex: str, display: bool) -> str | None:
        """A formula that was checked, as MathML, or None if it cannot be read."""
        return mathml(tex, display)

    def drawing(self, block: Drawing, svg: str) -> str:
        """A drawing as an element; browsers run and load nothing in pictures."""
        return f'<img alt="{escape(block.text)}" src="{svg_address(svg)}">'

    def blocks(self, blocks: Blocks) -> str:
        return "\n".join(map(self.block, blocks))

    def runs(self, runs: Runs) -> str:
        return "".join(map(self._run, runs))

    def _run(self, run: Run) -> str:
        if isinstance(run, Text):
            return escape(run.text)
        if isinstance(run, Math):
            return self._checked(run.tex, False)
        if isinstance(run, Break):
            return "<br>\n"
        if isinstance(run, Styled):
            name = _STYLES[run.style]
            return f"<{name}>{self.runs(run.runs)}</{name}>"
        if isinstance(run, Link):
            return f'<a href="{escape(run.target)}" rel="noopener noreferrer">{self.runs(run.runs)}</a>'
        if isinstance(run, Note):
            return f'<span class="note">{self.runs(run.runs)}</span>'
        return f'<span class="picture">{escape(run.alt or run.source or "picture")}</span>'

    def _checked(self, tex: str, display: bool) -> str:
        formula = checked(tex)
        found = self.formula(formula.tex, display) if formula.refused is None else None
        return f'<code class="tex">{escape(tex)}</code>' if found is None else found

    def block(self, block: Block) -> str:
        if isinstance(block, Title):
            return f"<h1>{self.runs(block.runs)}</h1>"
        if isinstance(block, Authors):
            return f'<p class="authors">{self.runs(block.runs)}</p>'
        if isinstance(block, Abstract):
            return f'<section class="abstract">\n{self.blocks(block.blocks)}\n</section>'
        if isinstance(block, Heading):
            level = min(block.level + 1, 6)  # the title is h1
            return f"<h{level}>{self.runs(block.runs)}</h{level}>"
        if isinstance(block, Paragraph):
            return f"<p>{self.runs(block.runs)}</p>"
        if isinstance(block, Display):
            tag = "" if block.tag is None else f'<span class="tag">({escape(block.tag)})</span>'
            return f'<div class="display"><div>{self._checked(block.tex, True)}</div>{tag}</div>'
        if isinstance(block, Items):
            return self._items(block)
        if isinstance(block, Table):
            return self.table(block)
        if isinstance(block, Footnote):
            return f'<aside class="footnote">\n{self.blocks(block.blocks)}\n</aside>'
        if isinstance(block, Figure):
            caption = (
                "" if block.caption is None else f"\n<figcaption>{self.runs(block.caption)}</figcaption>"
            )
            return f"<figure>\n{self.blocks(block.blocks)}{caption}\n</figure>"
        if isinstance(block, Statement):
            name = escape(block.name.capitalize())
            title = "" if block.title is None else f" ({self.runs(block.title)})"
            return (
                f'<section class="statement">\n<p><strong>{name}{title}.</strong></p>\n'
                f"{self.blocks(block.blocks)}\n</section>"
            )
        if isinstance(block, References):
            entries = "\n".join(
                f"<dt>[{escape(entry.label)}]</dt><dd>{self.runs(entry.runs)}</dd>" for entry in block.entries
            )
            return f'<dl class="references">\n{entries}\n</dl>'
        if isinstance(block, Quote):
            return f"<blockquote>\n{self.blocks(block.blocks)}\n</blockquote>"
        if isinstance(block, Drawing) and (svg := self._drawn.svg(block)) is not None:
            return f'<figure class="drawing">{self.drawing(block, svg)}</figure>'
        if isinstance(block, Code | Drawing):
            return f"<pre><code>{escape(block.text)}</code></pre>"
        return "<hr>"

    def _items(self, block: Items) -> str:
        name = "ol" if block.numbered else "ul"
        start = f' start="{block.start}"' if block.numbered and block.start != 1 else ""
        items: list[str] = []
        for item in block.items:
            one = item.blocks[0] if len(item.blocks) == 1 else None
            body = self.runs(one.runs) if isinstance(one, Paragraph) else self.blocks(item.blocks)
            if item.label is None:
                items.append(f"<li>{body}</li>")
            else:
                items.append(
                    f'<li class="labelled"><span class="label">{self.runs(item.label)}</span> {body}</li>'
                )
        return f"<{name}{start}>\n" + "\n".join(items) + f"\n</{name}>"

    def table(self, table: Table) -> str:
        """A table with its merged cells, alignment and rules."""
        width = len(table.aligns)
        edges = table.spec.replace("||", "|")
        sides = {number for number in range(width + 1) if _rule_at(edges, number)}
        lines: list[str] = []
        for number, row in enumerate(table.rows):
            tag = "th" if number < table.heads else "td"
            if number == 0 and table.heads:
                lines.append("<thead>")
            if number == table.heads:
                lines.append("</thead>\n<tbody>" if table.heads else "<tbody>")
            cells = "".join(self._cell(table, cell, number, tag, sides) for cell in row.cells)
            lines.append(f"<tr>{cells}</tr>")
        lines.append("</thead>" if table.heads == len(table.rows) else "</tbody>")
        caption = "" if table.caption is None else f"<caption>{self.runs(table.caption)}</caption>\n"
        return f'<div class="table"><table>\n{caption}' + "\n".join(lines) + "\n</table></div>"

    def _cell(self, table: Table, cell: Cell, number: int, tag: str, sides: set[int]) -> str:
        last = number + cell.rows
        below = table.rows[last].rules if last < len(table.rows) else table.closing
        classes = "".join(
            letter
            for letter, ruled in (
                ("t", _ruled(table.rows[number].rules, cell)),
                ("b", _ruled(below, cell)),
                ("l", cell.column in sides if cell.spec is None else cell.spec.startswith("|")),
                ("r", cell.column + cell.columns in sides if cell.spec is None else cell.spec.endswith("|")),
            )
            if ruled
        )
        names = " ".join([*classes, table.align(cell)[0].upper()])
        span = f' colspan="{cell.columns}"' if cell.columns > 1 else ""
        span += f' rowspan="{cell.rows}"' if cell.rows > 1 else ""
        return f'<{tag} class="{names}"{span}>{self.runs(cell.runs)}</{tag}>'


def svg_address(svg: str) -> str:
    """A drawing as an address that holds it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _ruled(rules: tuple[tuple[int, int], ...], cell: Cell) -> bool:
    return any(first <= cell.column and cell.column + cell.columns - 1 <= last for first, last in rules)


def _rule_at(spec: str, column: int) -> bool:
    """Whether a column specification has a rule left of a column."""
    seen = 0
    for sign in spec:
        if sign == "|" and seen == column:
            return True
        seen += sign != "|"
    return False
