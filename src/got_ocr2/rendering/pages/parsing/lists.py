"""Lists of LaTeX and Markdown, and bibliographies."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..tree import Blocks, Item, Items, Reference, References, Runs
from .inline import parse_runs
from .source import Source

Inner = Callable[[int, int], Blocks]

LISTED = re.compile(r"(?P<indent>[ \t]*)(?P<mark>[-*•])[ \t]+(?=\S)")
NUMBERED = re.compile(r"(?P<indent>[ \t]*)(?P<mark>\d{1,4})[.)][ \t]+(?=\S)")
_ITEM = re.compile(r"\\\\|\\(begin|end)[ \t]*\{|\\item\b[ \t]*|\\bibitem\b[ \t]*")
_LABEL = re.compile(r"\[((?:[^\[\]\n]|\[[^\[\]\n]*\]){0,200})\]")
_OPTION = re.compile(r"[ \t]*\[(?:[^\[\]\n]*\bstart[ \t]*=[ \t]*(\d{1,4}))?[^\[\]\n]*\]")
_REFERENCE = re.compile(r"[ \t]*\[(\d{1,4}|[A-Za-z][A-Za-z+]{0,20}\d{2,4}[a-z]?)\][ \t]+(?=\S)")


def items_of(source: Source, start: int, end: int, numbered: bool, inner: Inner) -> Items:
    r"""The list in the body of an environment, cut at the `\item`s that are its own."""
    items: list[Item] = []
    option = _OPTION.match(source.text, start, end)
    first = 1
    if option is not None:
        start, first = option.end(), int(option.group(1) or 1)
    marks = list(_marks(source, start, end, "\\item"))
    lead = inner(start, marks[0][0] if marks else end)
    if lead:
        source.problem(start, "the list has text before its first \\item")
        items.append(Item(lead, span=(start, marks[0][0] if marks else end)))
    for (at, body), following in zip(marks, [*marks, (end, end)][1:], strict=True):
        label: Runs | None = None
        match = _LABEL.match(source.text, body, following[0])
        if match is not None:
            label, body = parse_runs(source, *match.span(1)) or None, match.end()
        items.append(Item(inner(body, following[0]), label, span=(at, following[0])))
    return Items(tuple(items), numbered, first if numbered else 1)


def references_of(source: Source, start: int, end: int) -> References:
    r"""The entries of a `thebibliography`; the key stands for a missing label."""
    entries: list[Reference] = []
    marks = list(_marks(source, start, end, "\\bibitem"))
    for number, ((at, body), following) in enumerate(zip(marks, [*marks, (end, end)][1:], strict=True), 1):
        name = str(number)
        match = _LABEL.match(source.text, body, following[0])
        if match is not None:
            name, body = match.group(1).strip().strip("{}") or name, match.end()
        close = source.braces.get(body, end) if source.text[body : body + 1] == "{" else end
        if close < following[0]:
            body = close + 1
        entries.append(Reference(name, parse_runs(source, body, following[0]), span=(at, following[0])))
    return References(tuple(entries))


def _marks(source: Source, start: int, end: int, command: str):
    """Start and end of each `command` that is not inside another environment."""
    at = start
    while (match := _ITEM.search(source.text, at, end)) is not None:
        at = match.end()
        if match.group(1) == "begin":
            ends = source.environments.get(match.start())
            at = at if ends is None or ends[1] > end else ends[1]
        elif match.group().startswith(command):
            yield match.start(), match.end()


def list_at(source: Source, start: int, end: int, inner: Inner) -> Items:
    """The Markdown list whose first line begins at a position.

    Lines that are indented more than its marks belong to the item before them, and so do lines that follow one
    directly without a mark of their own.
    """
    text = source.text
    first = LISTED.match(text, start, end) or NUMBERED.match(text, start, end)
    assert first is not None
    numbered = first.re is NUMBERED
    indent = _width(first.group("indent"))
    items: list[Item] = []
    at = start
    while at < end:
        match = first.re.match(text, at, end)
        if match is None or _width(match.group("indent")) > indent + 1:
            break
        stop = _line_end(source, at, end)
        while stop < end:
            following = _line_end(source, stop + 1, end)
            line = text[stop + 1 : following]
            if not line.strip():
                after = _line_end(source, following + 1, end)
                deeper = text[following + 1 : after]
                if not deeper.strip() or _width(deeper) <= indent + 1:
                    break
            elif _width(line) <= indent and (
                LISTED.match(line) or NUMBERED.match(line) or line[0] in "\\#|$<`[!"
            ):
                break
            stop = following
        items.append(Item(inner(match.end(), stop), span=(at, stop)))
        at = min(stop + 1, end)
        blank = re.compile(r"[ \t]*\n").match(text, at, end)
        if blank is not None and (again := first.re.match(text, blank.end(), end)) is not None:
            at = blank.end() if _width(again.group("indent")) <= indent + 1 else at
    number = int(first.group("mark")) if numbered else 1
    return Items(tuple(items), numbered, number, span=(start, min(at, end)))


def references_at(source: Source, start: int, end: int) -> References | None:
    """Lines that begin with `[1] `, `[2] `, ...; None for fewer than two."""
    entries: list[Reference] = []
    at = start
    while at < end and (match := _REFERENCE.match(source.text, at, end)) is not None:
        stop = _line_end(source, at, end)
        while stop < end:
            following = _line_end(source, stop + 1, end)
            line = source.text[stop + 1 : following]
            if not line.strip() or _REFERENCE.match(line) or line.lstrip()[0] in "\\#|$<":
                break
            stop = following
        entries.append(Reference(match.group(1), parse_runs(source, match.end(), stop), span=(at, stop)))
        at = stop + 1
    if len(entries) < 2:
        return None
    return References(tuple(entries), span=(start, min(at, end)))


def _line_end(source: Source, at: int, end: int) -> int:
    found = source.find("\n", at, end)
    return end if found < 0 else found


def _width(line: str) -> int:
    """Columns of white space that a line begins with."""
    return len(line[: len(line) - len(line.lstrip())].expandtabs(4))
