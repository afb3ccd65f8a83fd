"""Pages as plain text: what they say, tables in aligned columns, formulas as LaTeX."""

from __future__ import annotations

import unicodedata

from ..rendered import Rendered
from .tree import (
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
    Page,
    Paragraph,
    Quote,
    References,
    Statement,
    Table,
    Title,
)  # fmt: skip
from .walk import plain_text, written


def write_txt(text: str, *, strict: bool = False, plain: bool = False) -> Rendered:
    """A page as plain text.

    The arguments are those of `walk.written`.

    Raises:
        RenderError: `strict` and a problem.
    """
    return written(text, "txt", document, strict=strict, plain=plain)


def document(page: Page) -> str:
    """The whole file."""
    return f"{_blocks(page.blocks)}\n" if page.blocks else ""


def _blocks(blocks: Blocks) -> str:
    return "\n\n".join(filter(None, map(_block, blocks)))


def _block(block: Block) -> str:
    if isinstance(block, Title | Authors | Heading | Paragraph):
        return plain_text(block.runs)
    if isinstance(block, Abstract | Footnote):
        return _blocks(block.blocks)
    if isinstance(block, Display):
        return block.tex if block.tag is None else f"{block.tex}  ({block.tag})"
    if isinstance(block, Items):
        return _items(block)
    if isinstance(block, Table):
        return table_text(block)
    if isinstance(block, Figure):
        return "\n\n".join(filter(None, (_blocks(block.blocks), plain_text(block.caption or ()))))
    if isinstance(block, Statement):
        title = "" if block.title is None else f" ({plain_text(block.title)})"
        return f"{block.name.capitalize()}{title}. {_blocks(block.blocks)}"
    if isinstance(block, References):
        return "\n".join(f"[{entry.label}] {plain_text(entry.runs)}" for entry in block.entries)
    if isinstance(block, Quote):
        return "\n".join(f"  {line}".rstrip() for line in _blocks(block.blocks).split("\n"))
    if isinstance(block, Code | Drawing):
        return block.text
    return "-" * 40


def _items(block: Items) -> str:
    lines: list[str] = []
    for number, item in enumerate(block.items, block.start):
        mark = f"{number}." if block.numbered else "-"
        mark = (mark if item.label is None else plain_text(item.label, " ")) + " "
        body = _blocks(item.blocks).replace("\n", "\n" + " " * len(mark))
        lines.append(mark + body)
    return "\n".join(lines)


def table_text(table: Table) -> str:
    """A table with columns of equal width; a merged cell stands in its first place."""
    width = len(table.aligns)
    grid: list[list[str]] = []
    merged: list[tuple[int, int, int]] = []  # row, column, columns: too wide to widen one column
    for number, row in enumerate(table.rows):
        line = [""] * width
        for cell in row.cells:
            line[cell.column] = plain_text(cell.runs, " ").strip()
            if cell.columns > 1:
                merged.append((number, cell.column, cell.columns))
        grid.append(line)
    wide = {(row, column) for row, column, _ in merged}
    sizes = [
        max((_width(row[c]) for n, row in enumerate(grid) if (n, c) not in wide), default=0)
        for c in range(width)
    ]
    for row, column, count in merged:
        room = sum(sizes[column : column + count]) + 2 * (count - 1)
        sizes[column + count - 1] += max(0, _width(grid[row][column]) - room)
    lines: list[str] = []
    for number, row in enumerate(table.rows):
        parts: list[str] = []
        column = 0
        starts = {cell.column: cell.columns for cell in row.cells}
        while column < width:
            count = starts.get(column, 1)
            size = sum(sizes[column : column + count]) + 2 * (count - 1)
            parts.append(_aligned(grid[number][column], size, table.aligns[column]))
            column += count
        lines.append("  ".join(parts).rstrip())
        if number + 1 == table.heads:
            lines.append("  ".join("-" * size for size in sizes))
    caption = [] if table.caption is None else [plain_text(table.caption, " ")]
    return "\n".join([*caption, *lines])


def _width(text: str) -> int:
    """Columns on a terminal; ideographs take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _aligned(text: str, size: int, align: str) -> str:
    room = size - _width(text)
    if align == "right":
        return " " * room + text
    if align == "center":
        return " " * (room // 2) + text + " " * (room - room // 2)
    return text + " " * room
