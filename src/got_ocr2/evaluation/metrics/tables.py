r"""Tables as rows of cells, read from the three dialects models write: LaTeX `tabular`, HTML, Markdown pipes.

Cells that a span covers are not listed, as in HTML; the empty cells LaTeX wants below a `\multirow` are
dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

# What HTML allows a cell to span; a model caught in a loop writes more.
_MOST_SPANNED = 1000


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: its text, markup removed, whitespace runs as one space.
        rows, columns: how many it spans, at least 1.
        heading: marked as a heading (`<th>`, the head row of a Markdown table); LaTeX has no such mark.
    """

    text: str
    rows: int = 1
    columns: int = 1
    heading: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells from top to bottom, cells from left to right."""

    rows: tuple[tuple[Cell, ...], ...]

    def grid(self) -> dict[tuple[int, int], Cell]:
        """Which cell stands at (row, column), both from 0; a cell with spans stands at several places."""
        places: dict[tuple[int, int], Cell] = {}
        for r, row in enumerate(self.rows):
            c = 0
            for cell in row:
                while (r, c) in places:
                    c += 1
                for i in range(cell.rows):
                    for j in range(cell.columns):
                        places.setdefault((r + i, c + j), cell)
                c += cell.columns
        return places


def find(text: str) -> list[tuple[int, int]]:
    """Where the outermost tables of a page begin and end; a cut one runs to the end of the text."""
    found: list[tuple[int, int]] = []
    position = 0
    while match := _OPENING.search(text, position):
        start = match.start()
        if match["pipes"]:
            end = match.end()
        elif match["html"]:
            end = _closing(text, start, _HTML_EDGE)
        else:
            end = _closing(text, start, _LATEX_EDGE)
        found.append((start, end))
        position = end
    return found


def parse(source: str) -> Table:
    """Reads one table, in whichever dialect it is; what is no table gives a table without rows."""
    if re.search(r"<table\b", source, re.IGNORECASE):
        return _parse_html(source)
    if re.search(r"\\begin\{tabular\*?\}", source):
        return _parse_latex(source)
    if _PIPES.search(source):
        return _parse_pipes(source)
    return Table(())


def read_tables(text: str) -> list[Table]:
    """Every table of a page."""
    return [parse(text[start:end]) for start, end in find(text)]


_PIPES = re.compile(
    r"^[^\n|]*\|[^\n]*\n"  # the head row
    r"(?=[^\n]*\|)[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$"  # dashes, with a pipe
    r"(?:\n[^\n|]*\|[^\n]*)*",
    re.MULTILINE,
)
_OPENING = re.compile(
    rf"(?P<latex>\\begin\{{tabular\*?\}})|(?P<html><table\b)|(?P<pipes>{_PIPES.pattern})",
    re.MULTILINE | re.IGNORECASE,
)
_LATEX_EDGE = re.compile(r"\\(?P<kind>begin|end)\{tabular\*?\}")
_HTML_EDGE = re.compile(r"<(?P<kind>/?)table\b[^>]*>", re.IGNORECASE)


def _closing(text: str, start: int, edge: re.Pattern[str]) -> int:
    """Where the table that opens at `start` ends; tables may stand in the cells of tables."""
    depth = 0
    for match in edge.finditer(text, start):
        depth += 1 if match["kind"] in ("begin", "") else -1
        if depth == 0:
            return match.end()
    return len(text)


# --- LaTeX ----------------------------------------------------------------------------------------------

_RULES = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|hdashline)\b(?:\[[^\]]*\])?"
    r"|\\(?:cline|cmidrule)(?:\([^)]*\))?(?:\[[^\]]*\])?\{[^}]*\}"
)
_LATEX_TOKEN = re.compile(r"\\(?:begin|end)\{tabular\*?\}|\\\\(?:\s*\[[^\]]*\])?|\\.|[{}&]", re.DOTALL)
_WRAPPER = re.compile(r"\\(?:text(?:bf|it|rm|sf|tt|sc)?|mathrm|mathbf|emph|underline)\s*\{([^{}]*)\}")


def _parse_latex(source: str) -> Table:
    opening = re.search(r"\\begin\{tabular(\*?)\}", source)
    assert opening is not None
    position = opening.end()
    if opening[1]:
        position = _group(source, position)[1]  # the width of tabular*
    if bracket := re.compile(r"\s*\[[^\]]*\]").match(source, position):
        position = bracket.end()
    position = _group(source, position)[1]  # the column specification
    end = _closing(source, opening.start(), _LATEX_EDGE)
    body = re.sub(r"\\end\{tabular\*?\}\Z", "", source[position:end])

    rows: list[tuple[Cell, ...]] = []
    open_spans: dict[int, int] = {}  # column -> rows still covered from above
    for raw in _cut(_RULES.sub(" ", body)):
        cells: list[Cell] = []
        covered, column = dict(open_spans), 0
        for piece in raw:
            cell = _latex_cell(piece)
            hidden = covered.get(column, 0) > 0 and not cell.text
            if not hidden:
                cells.append(cell)
                if cell.rows > 1:
                    for j in range(cell.columns):
                        open_spans[column + j] = cell.rows
            column += cell.columns
        open_spans = {c: left - 1 for c, left in open_spans.items() if left > 1}
        rows.append(tuple(cells))
    return Table(tuple(rows))


def _cut(body: str) -> Iterator[list[str]]:
    r"""The raw cells of each row, cut at `\\` and `&` outside braces and inner tables."""
    depth, start = 0, 0
    row: list[str] = []
    for match in _LATEX_TOKEN.finditer(body):
        token = match.group()
        if token == "{" or token.startswith(r"\begin"):
            depth += 1
        elif token == "}" or token.startswith(r"\end"):
            depth -= 1
        elif depth <= 0 and token == "&":
            row.append(body[start : match.start()])
            start = match.end()
        elif depth <= 0 and token.startswith("\\\\"):
            yield [*row, body[start : match.start()]]
            row, start = [], match.end()
    if row or body[start:].strip():
        yield [*row, body[start:]]


def _group(text: str, position: int) -> tuple[str, int]:
    """What stands in the braces that open at `position`, blanks aside, and where they end; "" for none."""
    match = re.compile(r"\s*\{").match(text, position)
    if match is None:
        return "", position
    depth, start = 1, match.end()
    for brace in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start):
        depth += {"{": 1, "}": -1}.get(brace.group(), 0)
        if depth == 0:
            return text[start : brace.start()], brace.end()
    return text[start:], len(text)


def _latex_cell(piece: str) -> Cell:
    rows = columns = 1
    while match := re.match(r"\s*\\multi(column|row)\b\s*(?:\[[^\]]*\]\s*)?", piece):
        count, position = _group(piece, match.end())
        _, position = _group(piece, re.compile(r"\s*(?:\[[^\]]*\])?").match(piece, position).end())  # type: ignore[union-attr]
        content, position = _group(piece, position)
        number = min(_MOST_SPANNED, abs(int(count))) if re.fullmatch(r"\s*-?\d+\s*", count) else 1
        if match[1] == "column":
            columns = max(1, number)
        else:
            rows = max(1, number)
        piece = content + piece[position:]
    return Cell(_plain_latex(piece), rows, columns)


def _plain_latex(text: str) -> str:
    text = re.sub(r"\\begin\{tabular\*?\}(?:\{[^}]*\})?|\\end\{tabular\*?\}|\\\\", " ", text)
    while (unwrapped := _WRAPPER.sub(r"\1", text)) != text:
        text = unwrapped
    text = re.sub(r"\\[()\[\]]|(?<!\\)\$", "", text)
    return " ".join(re.sub(r"\\([&%$#_{}])", r"\1", text).split())


# --- HTML -----------------------------------------------------------------------------------------------


class _Rows(HTMLParser):
    """Collects the rows of the outermost table; an inner table is text of the cell it stands in."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[Cell]] = []
        self._depth = 0
        self._cell: tuple[int, int, bool] | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
        elif self._depth == 1 and tag == "tr":
            self._end_cell()
            self.rows.append([])
        elif self._depth == 1 and tag in ("td", "th"):
            self._end_cell()
            given = dict(attrs)
            self._cell = (_span(given.get("rowspan")), _span(given.get("colspan")), tag == "th")
        else:
            self._text.append(" " if tag in ("br", "p", "div", "li") else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            if self._depth == 1:
                self._end_cell()
            self._depth -= 1
        elif self._depth == 1 and tag in ("td", "th", "tr"):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._text.append(data)

    def close(self) -> None:
        super().close()
        self._end_cell()

    def _end_cell(self) -> None:
        if self._cell is not None:
            if not self.rows:
                self.rows.append([])
            self.rows[-1].append(Cell(" ".join("".join(self._text).split()), *self._cell))
        self._cell = None
        self._text = []


def _span(value: str | None) -> int:
    """A `rowspan` or `colspan` as browsers take it: 1 where it is missing or no number."""
    match = re.match(r"\s*(\d+)", value or "")
    return min(_MOST_SPANNED, max(1, int(match[1]))) if match else 1


def _parse_html(source: str) -> Table:
    parser = _Rows()
    parser.feed(source)
    parser.close()
    return Table(tuple(tuple(row) for row in parser.rows))


# --- Markdown -------------------------------------------------------------------------------------------


def _parse_pipes(source: str) -> Table:
    match = _PIPES.search(source)
    assert match is not None
    head, _, *body = match.group().splitlines()
    rows = [_pipe_row(head, heading=True), *(_pipe_row(line) for line in body)]
    return Table(tuple(rows))


def _pipe_row(line: str, *, heading: bool = False) -> tuple[Cell, ...]:
    inner = re.sub(r"(?<!\\)\|\s*\Z", "", re.sub(r"\A\s*\|", "", line))
    pieces = re.split(r"(?<!\\)\|", inner)
    texts = (" ".join(re.sub(r"\*\*|<br\s*/?>", " ", p).replace("\\|", "|").split()) for p in pieces)
    return tuple(Cell(text, heading=heading) for text in texts)
