"""Pages as GitHub-flavoured Markdown: formulas in dollars, tables as pipes, or as HTML where cells merge.

Signs that mean something to Markdown or HTML are escaped, so text shows as text.
"""

from __future__ import annotations

import re
from html import escape as escape_html

from ..rendered import Rendered
from .formulas import checked
from .tree import (
    Abstract,
    Authors,
    Block,
    Blocks,
    Break,
    Code,
    Display,
    Drawing,
    Figure,
    Footnote,
    Heading,
    Image,
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
from .walk import written

_ESCAPE = re.compile(r"[\\`*_\[\]<>$|~#]|&(?=#?\w+;)")
_INSIDE_WORD = re.compile(r"(?<=[^\W_])_(?=[^\W_])")
_LINE_SIGN = re.compile(r"(?:[-+=]|\d{1,9}[.)])(?=\s|$)|-{2,}$|={2,}$")
_MARKS = {"bold": ("**", "**"), "italic": ("*", "*"), "strike": ("~~", "~~"), "underline": ("<u>", "</u>"),
          "sub": ("<sub>", "</sub>"), "super": ("<sup>", "</sup>")}  # fmt: skip
_LINE = "\\\n"


def write_md(text: str, *, strict: bool = False, plain: bool = False) -> Rendered:
    """A page as Markdown.

    The arguments are those of `walk.written`.

    Raises:
        RenderError: `strict` and a problem.
    """
    return written(text, "md", document, strict=strict, plain=plain)


def document(page: Page) -> str:
    """The whole file."""
    return f"{_blocks(page.blocks)}\n" if page.blocks else ""


def escape(text: str) -> str:
    """Text that means itself in Markdown."""
    text = "".join(c if c.isprintable() or c in "\u00a0\u2009" else " " for c in text)
    return _ESCAPE.sub(lambda m: _escaped(text, m), text)


def _escaped(text: str, match: re.Match[str]) -> str:
    sign, at = match.group(), match.start()
    if sign == "_" and _INSIDE_WORD.match(text, at):
        return sign  # snake_case is not emphasis
    if sign == "#" and at:
        return sign  # only at the start of a line
    if sign in "<>&":
        return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}[sign]
    return "\\" + sign


def _runs(runs: Runs, line: str = _LINE) -> str:
    parts: list[str] = []
    fresh = True
    for run in runs:
        said = line if isinstance(run, Break) else _run(run, line)
        if fresh and isinstance(run, Text) and (sign := _LINE_SIGN.match(said)) is not None:
            said = f"{said[: sign.end() - 1]}\\{said[sign.end() - 1 :]}"
        parts.append(said)
        fresh = isinstance(run, Break)
    return "".join(parts)


def _run(run: Run, line: str) -> str:
    if isinstance(run, Text):
        return escape(run.text)
    if isinstance(run, Math):
        formula = checked(run.tex)
        return _code_span(run.tex) if formula.refused is not None else f"${formula.tex.strip()}$"
    if isinstance(run, Styled):
        if run.style == "code":
            return _code_span("".join(part.text for part in run.runs if isinstance(part, Text)))
        before, after = _MARKS[run.style]
        inner = _runs(run.runs, line)
        body = inner.strip()
        lead, trail = inner[: len(inner) - len(inner.lstrip())], inner[len(inner.rstrip()) :]
        return f"{lead}{before}{body}{after}{trail}" if body else inner
    if isinstance(run, Link):
        return f"[{_runs(run.runs, ' ')}]({run.target.replace('(', '%28').replace(')', '%29')})"
    if isinstance(run, Note):
        return f" ({_runs(run.runs, ' ')})"
    if isinstance(run, Image):
        return f"*{escape(run.alt or run.source or 'picture')}*"
    return line


def _code_span(text: str) -> str:
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if text[:1] in "` " or text[-1:] in "` " else ""
    return f"{fence}{space}{text}{space}{fence}"


def _blocks(blocks: Blocks) -> str:
    return "\n\n".join(map(_block, blocks))


def _block(block: Block) -> str:
    if isinstance(block, Title):
        return f"# {_runs(block.runs, ' ')}"
    if isinstance(block, Heading):
        return f"{'#' * min(block.level + 1, 6)} {_runs(block.runs, ' ')}"
    if isinstance(block, Authors | Paragraph):
        return _runs(block.runs)
    if isinstance(block, Abstract | Quote):
        return _prefixed(_blocks(block.blocks), "> ")
    if isinstance(block, Display):
        formula = checked(block.tex)
        if formula.refused is not None:
            return _fenced(block.tex)
        tag = "" if block.tag is None else f" \\tag{{{re.sub(r'[^0-9A-Za-z.,* -]', '', block.tag)}}}"
        return f"$$\n{formula.tex}{tag}\n$$"
    if isinstance(block, Items):
        return _items(block)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Footnote):
        return _blocks(block.blocks)
    if isinstance(block, Figure):
        return "\n\n".join(filter(None, (_blocks(block.blocks), _runs(block.caption or ()))))
    if isinstance(block, Statement):
        title = "" if block.title is None else f" ({_runs(block.title, ' ')})"
        return f"**{block.name.capitalize()}{title}.**\n\n{_blocks(block.blocks)}"
    if isinstance(block, References):
        return "\n\n".join(f"\\[{escape(entry.label)}\\] {_runs(entry.runs, ' ')}" for entry in block.entries)
    if isinstance(block, Code | Drawing):
        return _fenced(block.text)
    return "---"


def _fenced(text: str) -> str:
    longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{text}\n{fence}"


def _prefixed(text: str, prefix: str) -> str:
    return "\n".join(f"{prefix}{line}".rstrip() for line in text.split("\n"))


def _items(block: Items) -> str:
    lines: list[str] = []
    for number, item in enumerate(block.items, block.start):
        mark = f"{number}. " if block.numbered else "- "
        label = "" if item.label is None else f"{_runs(item.label, ' ')} "
        tight = all(isinstance(part, Paragraph | Items) for part in item.blocks) and len(item.blocks) <= 2
        said = ("\n" if tight else "\n\n").join(map(_block, item.blocks))
        body = _prefixed(label + said, " " * len(mark))
        lines.append(mark + body[len(mark) :])
    return "\n".join(lines)


def _table(table: Table) -> str:
    """Pipes where each cell is one cell and there is a row to head them; else HTML, which Markdown may hold."""
    simple = table.heads <= 1 and all(
        cell.columns == cell.rows == 1 for row in table.rows for cell in row.cells
    )
    width = len(table.aligns)
    if not simple or not width:
        return _html_table(table)
    grid: list[list[str]] = []
    for row in table.rows:
        said = {cell.column: _runs(cell.runs, "<br>").strip() for cell in row.cells}
        grid.append([said.get(column, "") for column in range(width)])
    marks = {"left": ":--", "center": ":-:", "right": "--:"}
    grid.insert(1, [marks[align] for align in table.aligns])
    lines = [f"| {' | '.join(row)} |" for row in grid]
    caption = "" if table.caption is None else f"{_runs(table.caption, ' ')}\n\n"
    return caption + "\n".join(lines)


def _html_table(table: Table) -> str:
    lines = ["<table>"]
    if table.caption is not None:
        lines.append(f"<caption>{_html_runs(table.caption)}</caption>")
    for number, row in enumerate(table.rows):
        cells: list[str] = []
        for cell in row.cells:
            name = "th" if number < table.heads else "td"
            span = f' colspan="{cell.columns}"' if cell.columns > 1 else ""
            span += f' rowspan="{cell.rows}"' if cell.rows > 1 else ""
            cells.append(f"<{name}{span}>{_html_runs(cell.runs)}</{name}>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "\n".join([*lines, "</table>"])


def _html_runs(runs: Runs) -> str:
    """Runs in a cell of HTML, where Markdown is not read; renderers of formulas still find the dollars."""
    parts: list[str] = []
    for run in runs:
        if isinstance(run, Text):
            parts.append(escape_html(run.text, quote=False).replace("$", "&#36;"))
        elif isinstance(run, Math):
            said = escape_html(checked(run.tex).tex.strip(), quote=False)
            parts.append(f"${said}$" if checked(run.tex).refused is None else f"<code>{said}</code>")
        elif isinstance(run, Break):
            parts.append("<br>")
        elif isinstance(run, Styled):
            name = {"bold": "b", "italic": "i", "strike": "s", "underline": "u", "super": "sup"}.get(
                run.style, run.style
            )
            parts.append(f"<{name}>{_html_runs(run.runs)}</{name}>")
        elif isinstance(run, Link):
            parts.append(f'<a href="{escape_html(run.target)}">{_html_runs(run.runs)}</a>')
        elif isinstance(run, Note):
            parts.append(f" ({_html_runs(run.runs)})")
        else:
            parts.append(escape_html(run.alt or run.source))
    return "".join(parts)
