"""Pages as LaTeX documents that pdflatex, xelatex and lualatex compile.

Every command in the document is written here: of the text, only formulas whose words are all known (`math_words`) are
handed to TeX, everything else is escaped. So no text can read a file, run a program or define a macro.
"""

from __future__ import annotations

import re

from ..rendered import Rendered
from .formulas import checked
from .tree import (
    Abstract,
    Authors,
    Block,
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
    Row,
    Run,
    Runs,
    Statement,
    Styled,
    Table,
    Text,
    Title,
)  # fmt: skip
from .walk import written

_PREAMBLE = r"""\documentclass{article}
\usepackage[a4paper, margin=25mm]{geometry}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[T1]{fontenc}
  \usepackage{textcomp}
  \IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\else
  \usepackage{fontspec}
\fi
\usepackage{amsmath, amssymb, amsthm}
\usepackage{array, caption, enumitem, etoolbox, multirow}
\usepackage[hidelinks]{hyperref}
\setlength{\parindent}{0pt}
\setlength{\parskip}{6pt plus 2pt}
\setlength{\emergencystretch}{3em}
\date{}
\patchcmd{\thebibliography}{\section*{\refname}}{}{}{}
\let\numberedfootnotetext\footnotetext
\renewcommand{\footnotetext}[1]{{\renewcommand{\thefootnote}{}\numberedfootnotetext{#1}}}
"""
_ESCAPES: dict[str, str] = {
    "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "\\": r"\textbackslash{}",
    "^": r"\^{}", "~": r"\~{}", "\u00a0": "~", "\u2009": r"\,", "*": "{*}", "`": r"\textasciigrave{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "\ufffd": "?",
    "\u00ad": "", "…": r"\ldots{}", "\u200b": "", "\ufeff": "",
    "](": "]{}(", "--": "-{}-", "''": "'{}'",
}  # fmt: skip
_SPECIAL = re.compile("|".join(map(re.escape, sorted(_ESCAPES, key=len, reverse=True))))
_BLOCK_SIGN = re.compile(r"[\[•]|-(?= )|\d{1,4}(?=[.)] )")
_LEVELS = ("section", "subsection", "subsubsection", "paragraph", "subparagraph", "subparagraph")
_STYLES = {
    "bold": "textbf", "italic": "emph", "code": "texttt", "underline": "underline", "strike": "st",
    "sub": "textsubscript", "super": "textsuperscript",
}  # fmt: skip


def write_latex(text: str, *, strict: bool = False, plain: bool = False) -> Rendered:
    """A page as a LaTeX document.

    The arguments are those of `walk.written`.

    Raises:
        RenderError: `strict` and a problem.
    """
    return written(text, "latex", document, strict=strict, plain=plain)


def document(page: Page) -> str:
    """The whole document."""
    names = sorted({block.name for block in _statements(page.blocks)} - {"proof"})
    theorems = "".join(f"\\newtheorem*{{{name}}}{{{name.capitalize()}}}\n" for name in names)
    parts: list[str] = []
    for block, following in zip(page.blocks, [*page.blocks, None][1:], strict=True):
        parts.append(block_latex(block))
        if isinstance(block, Title | Authors) and not (
            isinstance(block, Title) and isinstance(following, Authors)
        ):
            parts.append("\\maketitle")
    body = "\n\n".join(parts)
    strike = "\\usepackage{soul}\n" if "\\st{" in body else ""
    return f"{_PREAMBLE}{strike}{theorems}\\begin{{document}}\n\n{body}\n\n\\end{{document}}\n"


def _statements(blocks: tuple[Block, ...]) -> list[Statement]:
    found: list[Statement] = []
    for block in blocks:
        if isinstance(block, Statement):
            found.append(block)
        if isinstance(block, Abstract | Figure | Footnote | Quote | Statement):
            found += _statements(block.blocks)
        elif isinstance(block, Items):
            for item in block.items:
                found += _statements(item.blocks)
    return found


def escape(text: str) -> str:
    """Text that means itself in LaTeX."""
    text = "".join(c if c.isprintable() or c in "\u00a0\u2009\u00ad\u200b\ufeff\ufffd" else " " for c in text)
    return _SPECIAL.sub(lambda m: _ESCAPES[m.group()], text)


def _first(latex: str) -> str:
    """A line whose first sign is no option of the command before it, and no sign of a list."""
    return (
        _BLOCK_SIGN.sub(lambda m: f"{{{m.group()}}}", latex, count=1) if _BLOCK_SIGN.match(latex) else latex
    )


def runs_latex(runs: Runs, line: str = "\\\\\n") -> str:
    """Runs as LaTeX; `line` stands between lines."""
    parts: list[str] = []
    fresh = True
    for run in runs:
        said = line if isinstance(run, Break) else _run(run, line)
        parts.append(_first(said) if fresh and isinstance(run, Text) else said)
        fresh = isinstance(run, Break)
    return "".join(parts)


def _run(run: Run, line: str) -> str:
    if isinstance(run, Text):
        return escape(run.text)
    if isinstance(run, Math):
        formula = checked(run.tex)
        return f"\\( {formula.tex} \\)" if formula.refused is None else f"\\texttt{{{escape(run.tex)}}}"
    if isinstance(run, Styled):
        return f"\\{_STYLES[run.style]}{{{runs_latex(run.runs, line)}}}"
    if isinstance(run, Link):
        target = re.sub(r"([%#&_~^])", r"\\\1", run.target)
        return f"\\href{{{target}}}{{{runs_latex(run.runs, line)}}}"
    if isinstance(run, Note):
        return f"\\footnote{{{runs_latex(run.runs, ' ')}}}"
    if isinstance(run, Image):
        return f"\\fbox{{{escape(run.alt or run.source)}}}"
    return line


def display_latex(block: Display) -> str:
    """A formula on its own lines."""
    formula = checked(block.tex)
    tag = "" if block.tag is None else f" \\tag{{{escape(block.tag)}}}"
    if formula.refused is not None:
        return f"\\texttt{{{escape(block.tex)}}}"
    return f"\\[ {formula.tex}{tag} \\]"


def _items(block: Items) -> str:
    name = "enumerate" if block.numbered else "itemize"
    start = f"[start={block.start}]" if block.numbered and block.start != 1 else ""
    items: list[str] = []
    for item in block.items:
        label = "" if item.label is None else f"[{{{runs_latex(item.label, ' ')}}}]"
        items.append(f"\\item{label} {_blocks(item.blocks)}")
    return f"\\begin{{{name}}}{start}\n" + "\n".join(items) + f"\n\\end{{{name}}}"


def _code(text: str, in_argument: bool = False) -> str:
    """Lines as they stand. In an argument TeX reads before it knows that they are verbatim: there they are escaped."""
    if in_argument:
        return "\\\\\n".join(f"\\texttt{{{escape(line)}}}" for line in text.split("\n"))
    text = text.replace("\\end{verbatim", "\\end {verbatim")
    text = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    return f"\\begin{{verbatim}}\n{text}\n\\end{{verbatim}}"


def table_latex(table: Table) -> str:
    """A `tabular`, in a `table` with its caption if it has one."""
    lines = [f"\\begin{{tabular}}{{{table.spec}}}"]
    width = len(table.aligns)
    busy: dict[int, int] = {}
    for row in table.rows:
        cells = _row(row, busy, table.spec)
        lines.append(_rules(row.rules, width) + _first(cells) + " \\\\")
    if table.closing:
        lines.append(_rules(table.closing, width).strip())
    latex = "\n".join([*lines, "\\end{tabular}"])
    if table.caption is None:
        return latex
    return f"\\begin{{table}}[h]\n\\caption*{{{runs_latex(table.caption, ' ')}}}\n{latex}\n\\end{{table}}"


def _row(row: Row, busy: dict[int, int], spec: str) -> str:
    """The cells of a row with `&` between them; empty ones where a cell from above reaches. Updates `busy`."""
    out: list[str] = []
    column = 0
    for cell in row.cells:
        out += [""] * (cell.column - column)
        said = _cell_text(cell.runs)
        if cell.rows > 1:
            said = f"\\multirow{{{cell.rows}}}{{*}}{{{said}}}"
        if cell.columns > 1 or cell.spec is not None:
            said = f"\\multicolumn{{{cell.columns}}}{{{cell.spec or 'c'}}}{{{said}}}"
        out.append(said)
        column = cell.column + cell.columns
    covered = [c for c, left in busy.items() if left > 0 and c >= column]
    out += [""] * (max(covered) + 1 - column if covered else 0)
    for place in list(busy):
        busy[place] -= 1
    for cell in row.cells:
        for place in range(cell.column, cell.column + cell.columns):
            busy[place] = max(busy.get(place, 0), cell.rows - 1)
    return " & ".join(out)


def _cell_text(runs: Runs) -> str:
    if not any(isinstance(run, Break) for run in runs):
        return runs_latex(runs)
    lines = runs_latex(runs, " \\\\ ")
    return f"\\begin{{tabular}}{{@{{}}l@{{}}}}{lines}\\end{{tabular}}"


def _rules(rules: tuple[tuple[int, int], ...], width: int) -> str:
    return "".join(
        "\\hline " if (first, last) == (0, width - 1) else f"\\cline{{{first + 1}-{last + 1}}} "
        for first, last in rules
        if last < width
    )


def _blocks(blocks: tuple[Block, ...]) -> str:
    return "\n\n".join(map(block_latex, blocks))


def block_latex(block: Block) -> str:
    """A block, without the blank line after it."""
    if isinstance(block, Title):
        return f"\\author{{}}\n\\title{{\n{runs_latex(block.runs)}\n}}"
    if isinstance(block, Authors):
        return f"\\author{{\n{runs_latex(block.runs)}\n}}"
    if isinstance(block, Abstract):
        return f"\\begin{{abstract}}\n{_blocks(block.blocks)}\n\\end{{abstract}}"
    if isinstance(block, Heading):
        return f"\\{_LEVELS[block.level - 1]}*{{{runs_latex(block.runs, ' ')}}}"
    if isinstance(block, Paragraph):
        return runs_latex(block.runs)
    if isinstance(block, Display):
        return display_latex(block)
    if isinstance(block, Items):
        return _items(block)
    if isinstance(block, Table):
        return table_latex(block)
    if isinstance(block, Footnote):
        body = "\n\n".join(
            _code(part.text, True) if isinstance(part, Code | Drawing) else block_latex(part)
            for part in block.blocks
        )
        return f"\\footnotetext{{\n{body}\n}}"
    if isinstance(block, Figure):
        caption = "" if block.caption is None else f"\n\\caption*{{{runs_latex(block.caption)}}}"
        return f"\\begin{{figure}}[h]\n{_blocks(block.blocks)}{caption}\n\\end{{figure}}"
    if isinstance(block, Statement):
        title = "" if block.title is None else f"[{{{runs_latex(block.title, ' ')}}}]"
        return f"\\begin{{{block.name}}}{title}\n{_blocks(block.blocks)}\n\\end{{{block.name}}}"
    if isinstance(block, References):
        entries = "\n".join(
            f"\\bibitem[{escape(entry.label)}]{{r{n}}} {runs_latex(entry.runs)}"
            for n, entry in enumerate(block.entries)
        )
        return f"\\begin{{thebibliography}}{{99}}\n{entries}\n\\end{{thebibliography}}"
    if isinstance(block, Code | Drawing):
        return _code(block.text)
    if isinstance(block, Quote):
        return f"\\begin{{quote}}\n{_blocks(block.blocks)}\n\\end{{quote}}"
    return "\\hrule"
