"""TikZ as the model writes it: one command a line, each ending in a semicolon."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ...errors import RenderError
from ..problems import Problem

_LONGEST = 100_000  # characters
_DEEPEST = 60  # braces and brackets
_WIDE = str.maketrans({"，": ",", "。": ".", "；": ";", "（": "(", "）": ")", "：": ":"})
_BEGIN, _END = r"\begin{tikzpicture}", r"\end{tikzpicture}"
_COMMAND = re.compile(
    r"\s*\\(?:draw|fill|filldraw|node|path|shade|shadedraw|clip|coordinate|foreach|pic|matrix|pattern)\b"
)
# What reads or writes files, runs programs or changes how TeX reads: no figure needs it.
_FORBIDDEN = re.compile(
    r"\\(?:immediate|write|input|include|includegraphics|InputIfFileExists|openin|openout|read|closein|closeout|special|"
    r"pdf(?:obj|file\w*|literal|catalog|shellescape|mdfivesum|uniform\w*)|directlua|latelua|luaexec|catcode|csname|"
    r"scantokens|everyjob|usepackage|RequirePackage|documentclass|lstinputlisting|verbatiminput|"
    r"newread|newwrite|output|endlinechar|escapechar|jobname|"
    r"ShellEscape|tikzexternalize|url|href|pgfplotstableread|file|externalize)(?![A-Za-z])|\^\^"
)


@dataclass(frozen=True)
class Figure:
    """A figure that can be drawn: its `tikzpicture`, the TikZ libraries it asks for, and what was wrong with it."""

    tikz: str
    libraries: tuple[str, ...]
    problems: tuple[Problem, ...]


def check(text: str) -> Figure:
    """Checks and mends a figure.

    Mended are: full-width punctuation outside labels, a missing `;` before the next command, a missing beginning or
    end of the picture. Commands that reach outside the figure are left out with their line.

    Raises:
        RenderError: there is no drawing command in it, it is longer than 100,000 characters, or its braces stand more
            than 60 deep.
    """
    if len(text) > _LONGEST:
        raise RenderError(f"A figure has at most {_LONGEST:,} characters, got {len(text):,}.")
    problems: list[Problem] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def say(line: int, reason: str, column: int | None = None) -> None:
        problems.append(Problem(line, column, reason))

    first = next((k for k, line in enumerate(lines) if _BEGIN in line or _COMMAND.match(line)), None)
    if first is None:
        raise RenderError("This is no figure: there is no drawing command in it.")
    libraries = tuple(re.findall(r"\\usetikzlibrary\{([A-Za-z0-9., ]{1,200})\}", "\n".join(lines[:first])))
    body: list[tuple[int, str]] = []
    ended = False
    for number, line in enumerate(lines[first:], first + 1):
        head, found, rest = line.partition(_END)
        if ended:
            if line.strip() and line.strip() != r"\end{document}":
                say(number, "text after the figure was left out")
                break
            continue
        if found:
            ended = True
            if rest.strip():
                say(number, "text after the figure was left out")
        body.append((number, head))
    if not ended:
        say(len(lines), r"\end{tikzpicture} is missing; it was added")
    mended = [(number, _mended(line, number, say)) for number, line in body]
    if not mended[0][1].lstrip().startswith(_BEGIN):
        head, found, rest = mended[0][1].partition(_BEGIN)
        if found:
            say(mended[0][0], "text before the figure was left out")
            mended[0] = (mended[0][0], _BEGIN + rest)
        else:
            say(first + 1, r"\begin{tikzpicture} is missing; it was added")
            mended.insert(0, (first + 1, _BEGIN))
    kept = _with_semicolons(mended, say)
    _depth("\n".join(kept))
    kept.append(_END)
    return Figure("\n".join(kept) + "\n", libraries, tuple(sorted(problems, key=lambda one: one.line)))


def _mended(line: str, number: int, say: Callable[..., None]) -> str:
    line = re.sub(r"(?<!\\)%.*", "", line).rstrip()
    if found := _FORBIDDEN.search(line):
        say(number, f"{found.group()} reaches outside the figure; the line was left out", found.start() + 1)
        return _BEGIN if _BEGIN in line else ""
    parts = re.split(r"(\{[^{}]*\})", line)  # labels stay as they are
    plain = [part if k % 2 else part.translate(_WIDE) for k, part in enumerate(parts)]
    if plain != parts:
        say(number, "full-width punctuation was taken for its plain form")
    return "".join(plain)


def _with_semicolons(lines: list[tuple[int, str]], say: Callable[[int, str], None]) -> list[str]:
    """The lines, with a `;` where one command ends because the next begins."""
    kept: list[str] = []
    open_line: int | None = None  # where a command stands whose `;` has not come yet
    for number, line in lines:
        rest = line.strip().removeprefix(_BEGIN).strip()
        begins, last = _COMMAND.match(rest), rest[-1:]
        if open_line is not None and begins:
            say(open_line, "a semicolon is missing at the end; it was added")
            kept[-1] += ";"
            open_line = None
        if last in {";", "{"} or rest == "}":
            open_line = None
        elif begins:
            block = rest.startswith(r"\foreach") and last == "}"
            open_line = None if block else number
        if line.strip():
            kept.append(line)
    if open_line is not None:
        say(open_line, "a semicolon is missing at the end; it was added")
        kept[-1] += ";"
    return kept


def _depth(text: str) -> None:
    depth = deepest = 0
    for sign in text:
        depth += (sign in "{[") - (sign in "}]")
        deepest = max(deepest, depth)
    if deepest > _DEEPEST:
        raise RenderError(f"A figure's braces stand at most {_DEEPEST} deep in one another, got {deepest}.")
