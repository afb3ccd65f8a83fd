"""Tables as they are written in page markup: `tabular`, pipes of Markdown, and HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from ..tree import Break, Cell, Row, Runs, Table, Text
from .inline import parse_runs
from .source import Source

_MOST_TABLES_IN_TABLES = 4
MOST_COLUMNS = 500  # and rows that a cell covers; larger numbers are not meant

_TOKEN = re.compile(
    r"\\(?:\\|tabularnewline\b)\*?(?:[ \t]*\[[^\[\]\n]{0,20}\])?|\\[&{}$%#_]"
    r"|\\begin[ \t]*\{[^{}\n]{1,40}\}|[&{]|(?P<math>\\\()"
)
_RULES = re.compile(
    r"\s*(?:(?P<full>\\(?:hline|toprule|midrule|bottomrule|Xhline\{[^{}]*\}))(?:[ \t]*\[[^\[\]]{0,20}\])?"
    r"|\\(?:cline|cmidrule)(?:\([lr]*\))?[ \t]*\{[ \t]*(?P<first>\d{1,3})[ \t]*-[ \t]*(?P<last>\d{1,3})[ \t]*\}"
    r"|\\(?:addlinespace|noalign|arrayrulewidth)(?:\[[^\[\]]*\])?)"
)
_COVER = re.compile(
    r"\s*\\(?P<name>multicolumn|multirow)[ \t]*(?:\[[^\[\]]{0,20}\])?[ \t]*\{[ \t]*(?P<count>-?\d{1,3})[ \t]*\}"
    r"[ \t]*(?:\[[^\[\]]{0,20}\])?[ \t]*(?=\{|\*)"
)
_PIPE_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_HTML = re.compile(
    r"<(?P<end>/?)(?P<name>table|caption|thead|tbody|tfoot|tr|td|th)\b(?P<attributes>[^<>]*)>", re.I
)
_SPAN = re.compile(r"\b(colspan|rowspan)\s*=\s*[\"']?\s*(\d{1,3})", re.I)
_ALIGN = re.compile(r"\b(?:text-align\s*:|align\s*=)\s*[\"']?\s*(left|center|right)", re.I)


def parse_tabular(source: Source, start: int, end: int, at: int) -> Table:
    r"""The table between `\begin{tabular}` and `\end{tabular}`.

    Args:
        source: the text.
        start, end: from behind `\begin{tabular}` to its end.
        at: where the table begins.
    """
    spec, start = _column_spec(source, start, end)
    rows: list[Row] = []
    closing: tuple[tuple[int, int], ...] = ()
    width = len(_columns(spec))
    for first, last, cells in _rows(source, start, end):
        rules, first_cell = _rules(source, first, cells[0][1], max(width, 1))
        cells[0] = (first_cell, cells[0][1])
        if last and len(cells) == 1 and not source.text[first_cell : cells[0][1]].strip():
            closing = rules
            continue
        row: list[Cell] = []
        column = 0
        for cell_start, cell_end in cells:
            cell = _cell(source, cell_start, cell_end, column)
            row.append(cell)
            column += cell.columns
        if 0 < width < column:
            said = source.text[first_cell : cells[0][1]]
            place = first_cell + len(said) - len(said.lstrip())
            source.problem(place, f"the row has {column} columns, the table {width}; it was made wider")
        width = max(width, column)
        rows.append(Row(tuple(row), rules, span=(first, cells[-1][1])))
    if len(columns := _columns(spec)) < width:
        spec += columns[-1:] * (width - len(columns)) if columns else "l" * width
    return Table(spec, _uncovered(rows, source), closing, _heads(rows, closing, width), span=(at, end))


def _column_spec(source: Source, start: int, end: int) -> tuple[str, int]:
    """The specification reduced to `l c r |`, and where it ends. Width columns are left-aligned."""
    option = re.compile(r"\*?[ \t]*(?:\[[^\[\]\n]*\])?[ \t]*").match(source.text, start, end)
    start = start if option is None else option.end()
    width = source.braces.get(start, end) if source.text[start : start + 1] == "{" else end
    if width < end and source.text[width + 1 : width + 2] == "{" and source.braces.get(width + 1, end) < end:
        start, width = width + 1, source.braces[width + 1]  # tabularx, tabular*: the width comes first
    if width >= end:
        source.problem(start, "the table has no column specification")
        return "", start
    return _plain_spec(source.text[start + 1 : width]), width + 1


def _plain_spec(spec: str) -> str:
    spec = re.sub(r"[@!><]\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", "", spec)
    for _ in range(3):
        spec = re.sub(
            r"\*\s*\{(\d{1,3})\}\s*\{([^{}]*)\}", lambda m: m.group(2) * min(int(m.group(1)), 100), spec
        )
    spec = re.sub(r"[pmbw]\s*(?:\{[^{}]*\}){1,2}", "l", spec)
    spec = re.sub(r"[XSLJ]", "l", spec).replace("C", "c").replace("R", "r")
    return re.sub(r"[^lcr|]", "", spec)[:MOST_COLUMNS]


def _columns(spec: str) -> str:
    return spec.replace("|", "")


def _rows(source: Source, start: int, end: int) -> Iterator[tuple[int, bool, list[tuple[int, int]]]]:
    """Start of each row, whether it is the last, and the ranges of its cells."""
    text, at = source.text, start
    row_start = cell_start = start
    cells: list[tuple[int, int]] = []
    while at < end:
        match = _TOKEN.search(text, at, end)
        if match is None:
            break
        token, at = match.group(), match.end()
        if match.group("math"):
            close = source.find("\\)", at, end)
            at = at if close < 0 else close + 2
        elif token == "{":
            partner = source.braces.get(match.start(), end)
            at = partner + 1 if partner < end else at
        elif token.startswith("\\begin"):
            inner = source.environments.get(match.start())
            at = at if inner is None or inner[1] > end else inner[1]
        elif token == "&" or token.startswith(("\\\\", "\\tabularnewline")):
            cells.append((cell_start, match.start()))
            cell_start = at
            if token != "&":
                yield row_start, False, cells
                cells, row_start = [], at
    cells.append((cell_start, end))
    yield row_start, True, cells


def _rules(source: Source, start: int, end: int, width: int) -> tuple[tuple[tuple[int, int], ...], int]:
    rules: list[tuple[int, int]] = []
    while (match := _RULES.match(source.text, start, end)) is not None:
        start = match.end()
        if match.group("full"):
            rules.append((0, width - 1))
        elif match.group("first"):
            first, last = int(match.group("first")) - 1, int(match.group("last")) - 1
            if 0 <= first <= last < MOST_COLUMNS:
                rules.append((first, last))
    return tuple(dict.fromkeys(rules)), start


def _cell(source: Source, start: int, end: int, column: int) -> Cell:
    columns = rows = 1
    spec: str | None = None
    span = (start, end)
    for _ in range(3):  # \multicolumn around \multirow, or the other way round
        cover = _COVER.match(source.text, start, end)
        if cover is None:
            break
        first = cover.end()
        first_end = first if source.text[first] == "*" else source.braces.get(first, end)
        body = re.compile(r"[ \t]*(?:\[[^\[\]]{0,20}\][ \t]*)?").match(source.text, first_end + 1, end)
        at = end if body is None else body.end()
        close = source.braces.get(at, end) if source.text[at : at + 1] == "{" else end
        if close >= end:
            source.problem(cover.start(), f"\\{cover.group('name')} lacks an argument")
            break
        count = min(max(abs(int(cover.group("count"))), 1), MOST_COLUMNS)
        if cover.group("name") == "multicolumn":
            columns, spec = count, _plain_spec(source.text[first + 1 : first_end]) or None
        else:
            rows = count
        start, end = at + 1, close
    return Cell(_cell_runs(source, start, end), column, columns, rows, spec, span=span)


def _cell_runs(source: Source, start: int, end: int, depth: int = 0) -> Runs:
    """What a cell says; a table inside it, which Mathpix uses for lines, becomes lines."""
    begin = source.find("\\begin{tabular}", start, end)
    if begin < 0 or depth == _MOST_TABLES_IN_TABLES:
        return parse_runs(source, start, end)
    inner = source.environments.get(begin, (end, end))
    _, body = _column_spec(source, begin + len("\\begin{tabular}"), inner[0])
    runs = list(parse_runs(source, start, begin))
    for first, _, cells in _rows(source, body, inner[0]):
        _, cells_start = _rules(source, first, cells[0][1], 1)
        cells[0] = (cells_start, cells[0][1])
        for place, (cell_start, cell_end) in enumerate(cells):
            said = _cell_runs(source, cell_start, cell_end, depth + 1)
            if said and runs:
                runs.append(Text(" ") if place else Break())
            runs += said
    after = parse_runs(source, min(inner[1], end), end)
    return tuple([*runs, Text(" "), *after] if after else runs)


def _uncovered(rows: list[Row], source: Source) -> tuple[Row, ...]:
    r"""Rows without the empty cells that stand where a `\multirow` from above is, and no taller than the table."""
    busy: dict[int, int] = {}  # column -> rows that are still covered
    out: list[Row] = []
    for number, row in enumerate(rows):
        cells: list[Cell] = []
        for cell in row.cells:
            covered = busy.get(cell.column, 0) > 0
            if covered and not cell.runs:
                continue
            if covered:
                source.problem(cell.span[0], "the cell stands where another one reaches from above")
            tall = min(cell.rows, len(rows) - number)
            cells.append(Cell(cell.runs, cell.column, cell.columns, tall, cell.spec, span=cell.span))
        for column in list(busy):
            busy[column] -= 1
        for cell in cells:
            for column in range(cell.column, cell.column + cell.columns):
                busy[column] = max(busy.get(column, 0), cell.rows - 1)
        out.append(Row(tuple(cells), row.rules, span=row.span))
    return tuple(out)


def _heads(rows: list[Row], closing: tuple[tuple[int, int], ...], width: int) -> int:
    """Rows above the first rule inside the table, if rules do not part all its rows."""
    full = (0, width - 1)
    inner = [number for number, row in enumerate(rows) if number and full in row.rules]
    return inner[0] if inner and (len(inner) < len(rows) - 1 or len(rows) == 2) else 0


def pipe_table_at(source: Source, start: int, end: int) -> Table | None:
    """The Markdown table whose first line begins at a position, or None."""
    lines: list[tuple[int, int]] = []
    at = start
    while at < end:
        stop = source.text.find("\n", at, end)
        stop = end if stop < 0 else stop
        if "|" not in source.text[at:stop] or (
            len(lines) == 1 and not _PIPE_RULE.fullmatch(source.text[at:stop])
        ):
            break
        lines.append((at, stop))
        at = stop + 1
    if len(lines) < 2:
        return None
    grid = [_pipe_cells(source.text, *line) for line in lines]
    marks = [source.text[slice(*place)].strip() for place in grid[1]]
    if len(marks) != len(grid[0]):
        return None
    spec = "".join("c" if m[0] + m[-1] == "::" else "r" if m[-1] == ":" else "l" for m in marks)
    rows: list[Row] = []
    for line, places in zip([lines[0], *lines[2:]], [grid[0], *grid[2:]], strict=True):
        if len(places) > len(spec):
            source.problem(
                line[0], f"the row has {len(places)} columns, the table {len(spec)}; it was made wider"
            )
            spec += "l" * (len(places) - len(spec))
        cells = (
            Cell(parse_runs(source, *place), column, span=place)
            for column, place in enumerate(places[:MOST_COLUMNS])
        )
        rows.append(Row(tuple(cells), ((0, len(spec) - 1),) if len(rows) == 1 else (), span=line))
    return Table(spec, tuple(rows), heads=int(len(rows) > 1), span=(start, lines[-1][1]))


def _pipe_cells(text: str, start: int, end: int) -> list[tuple[int, int]]:
    while start < end and text[start] in " \t":
        start += 1
    while end > start and text[end - 1] in " \t\r":
        end -= 1
    start += text[start : start + 1] == "|"
    bars = [m.start() for m in re.finditer(r"(?<!\\)\|", text[start:end])]
    edges = [start - 1, *(start + bar for bar in bars)]
    if not bars or edges[-1] != end - 1:
        edges.append(end)
    return [(left + 1, right) for left, right in pairwise(edges)]


def parse_html_table(source: Source, start: int, end: int, at: int) -> Table:
    """The table between `<table>` and `</table>`. What stands outside its cells is not kept.

    Args:
        source: the text.
        start, end: from behind `<table>` to its end.
        at: where the table begins.
    """
    rows: list[Row] = []
    cells: list[Cell] = []
    busy: dict[int, int] = {}
    caption: Runs | None = None
    aligns: dict[int, str] = {}
    heads, in_head = 0, False
    tags = [m for m in _HTML.finditer(source.text, start, end) if m.group("name").lower() != "table"]
    for tag, after in zip(tags, [*tags, None][1:], strict=True):
        name, stop = tag.group("name").lower(), end if after is None else after.start()
        if name == "caption" and not tag.group("end"):
            caption = parse_runs(source, tag.end(), stop, html=True) or None
        elif name == "thead":
            in_head = not tag.group("end")
        elif name == "tr":
            if cells:
                rows.append(Row(tuple(cells), span=(cells[0].span[0], tag.start())))
            if cells or (rows and tag.group("end") and any(busy.values())):
                busy = {column: left - 1 for column, left in busy.items() if left > 1}
            cells = []
        elif name in {"td", "th"} and not tag.group("end"):
            spans = {key.lower(): int(count) for key, count in _SPAN.findall(tag.group("attributes"))}
            columns = min(max(spans.get("colspan", 1), 1), MOST_COLUMNS)
            tall = min(max(spans.get("rowspan", 1), 1), MOST_COLUMNS)
            column = 0
            for cell in cells:
                column = max(column, cell.column + cell.columns)
            while busy.get(column):
                column += 1
            if column >= MOST_COLUMNS:
                continue
            runs = parse_runs(source, tag.end(), stop, html=True)
            cells.append(Cell(runs, column, columns, tall, span=(tag.end(), stop)))
            for place in range(column, column + columns):
                busy[place] = tall
            if (name == "th" or in_head) and len(rows) == heads:
                heads = len(rows) + 1
            if columns == 1 and (align := _ALIGN.search(tag.group("attributes"))) is not None:
                aligns[column] = align.group(1).lower()[0]
    if cells:
        rows.append(Row(tuple(cells), span=(cells[0].span[0], end)))
    width = max((cell.column + cell.columns for row in rows for cell in row.cells), default=0)
    spec = "".join(aligns.get(column, "l") for column in range(width))
    heads = heads if heads < len(rows) else 0
    rows = [
        Row(row.cells, ((0, width - 1),) if heads == n > 0 else (), span=row.span)
        for n, row in enumerate(rows)
    ]
    return Table(spec, _uncovered(rows, source), heads=heads, caption=caption, span=(at, end))
