"""What writers share: going through the tree, and writing a page with its problems."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from ..problems import Problem, refuse
from ..rendered import Rendered
from .formulas import checked
from .parsing.parse import parse_page
from .tree import Break, Display, Image, Math, Node, Note, Page, Runs, Text


def nodes(node: Node | Page) -> Iterator[Node]:
    """A node and all that is in it, in reading order."""
    if isinstance(node, Node):
        yield node
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if isinstance(value, tuple):
            for part in cast("tuple[object, ...]", value):
                if isinstance(part, Node):
                    yield from nodes(part)


def plain_text(runs: Runs, line: str = "\n") -> str:
    """What runs say, without any markup; formulas as their LaTeX."""
    parts: list[str] = []
    for run in runs:
        if isinstance(run, Text):
            parts.append(run.text)
        elif isinstance(run, Math):
            parts.append(run.tex)
        elif isinstance(run, Break):
            parts.append(line)
        elif isinstance(run, Image):
            parts.append(run.alt)
        elif isinstance(run, Note):
            parts.append(f" ({plain_text(run.runs, line)})")
        else:
            parts.append(plain_text(run.runs, line))
    return "".join(parts)


def written(
    text: str,
    to: str,
    write: Callable[[Page], bytes | str],
    *,
    strict: bool,
    plain: bool,
    formula: Callable[[str, bool], object | None] | None = None,
    drawn: Callable[[Page, str], Sequence[Problem]] | None = None,
) -> Rendered:
    """Parses a text, writes the page, and puts what was wrong beside it.

    Args:
        text: what the model wrote.
        to: the format.
        write: makes the file of the tree.
        strict: raise on a problem.
        plain: the text is no markup.
        formula: what the format makes of a formula and whether it is displayed; None for one it cannot show.
        drawn: what is wrong with the drawings of a page and its text, for a format that shows them.

    Raises:
        RenderError: `strict` and a problem.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # as spans count
    page = parse_page(text, plain=plain)
    problems = (*page.problems, *formula_problems(text, page, formula), *(drawn(page, text) if drawn else ()))
    problems = tuple(sorted(problems, key=lambda p: (p.line, p.column or 0)))
    if strict:
        refuse("page", problems)
    return Rendered.of(write(page), to, "page", problems)


def formula_problems(
    text: str, page: Page, show: Callable[[str, bool], object | None] | None = None
) -> Sequence[Problem]:
    """What is wrong with the formulas of a page, for any format and for one that shows them by `show`."""
    problems: list[Problem] = []
    for node in nodes(page):
        if isinstance(node, Math | Display):
            formula = checked(node.tex)
            reason = (
                formula.repaired
                if formula.refused is None
                else f"{formula.refused}; it is shown as it stands"
            )
            if reason is None and show is not None and show(formula.tex, isinstance(node, Display)) is None:
                reason = "the formula could not be converted; it is shown as it stands"
            if reason is not None:
                before = text[: node.span[0]]
                line = before.count("\n") + 1
                problems.append(Problem(line, node.span[0] - before.rfind("\n"), reason))
    return problems
