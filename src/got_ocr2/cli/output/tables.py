"""Figures as a table on a terminal, as lines of tab-separated fields elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence

import typer


def show_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: Collection[str],
    title: str | None = None,
    style: Callable[[Sequence[str]], str | None] = lambda row: None,
) -> None:
    """Writes rows to standard output.

    Args:
        columns: their names.
        rows: a text for each column.
        left: the columns that are words; figures stand on the right.
        title: on a terminal.
        style: of a row on a terminal, in Rich's words.
    """
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, box=None, header_style="bold")
    for name in columns:
        table.add_column(name, justify="left" if name in left else "right")
    for row in rows:
        table.add_row(*row, style=style(row))
    Console().print(table)
