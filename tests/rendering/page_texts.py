"""Truths of formatted pages, and ways to break them."""

from __future__ import annotations

import json
import random
from pathlib import Path

FORMATTED = ("page", "table", "formula", "crop", "multipage", "region-page")
SETS = Path(__file__).parents[2] / "testsets"


def truths(*names: str) -> list[str]:
    """The texts of frozen test sets."""
    return [
        json.loads(line)["text"]
        for name in names
        for line in (SETS / name / "data.jsonl").read_text(encoding="utf-8").splitlines()
    ]


PIECES = [
    "\\begin{tabular}{|l|c|}", "\\end{tabular}", "\\begin{itemize}", "\\end{itemize}", "\\item", "{", "}",
    "\\(", "\\)",
    "\\[", "\\]", "$", "$$", "**", "*", "`", "``", "''", "\\\\", "&", "\\hline", "\\multicolumn{2}{c}{", "<table>",
    "\\multirow{2}{*}{", "</table>", "<tr>", "<td colspan=2>", "</td>", "|", "|---|", "\n", "\n\n", "# ", "- ", "1. ",
    "[1] ", "\\title{", "\\author{", "\\footnotetext{", "\\footnote{", "\\caption{", "\\begin{theorem}", "\\", "~", "^",
    "\\begin{figure}", "\\cline{1-2}", "![](", "](http://x)", "<br>", "<smiles>", "</smiles>", "```", "**kern", "*-",
    "\\bibitem{a}", "\\begin{thebibliography}{9}", "\\textbf{", "\\'", "\\c{", "\\tag{1}", "\\section*{", "_", "\0",
    "中", "\\begin{align}", "\\end{align}", "\ud800", "&amp;", "\\begin{verbatim}", "\\left(", 
    "\\input{x}", "<script>",
]  # fmt: skip


def broken(rng: random.Random, texts: list[str]) -> str:
    """A truth with pieces put in, cut out and moved."""
    text = rng.choice(texts)
    for _ in range(rng.randint(1, 12)):
        at, what = rng.randint(0, len(text)), rng.random()
        end = min(len(text), at + rng.randint(0, 30))
        if what < 0.5:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif what < 0.7:
            text = text[:at] + text[end:]
        elif what < 0.8:
            text = text[:at]
        elif what < 0.9:
            text = text[:end] + text[at:]
        else:
            text = "".join(rng.choice(PIECES) for _ in range(30)) + text
    return text
