"""The text that is parsed: what belongs together in it, found once and in linear time, and its problems."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property

from ...problems import Problem

MOST_PROBLEMS = 1000  # that are listed

_BRACES = re.compile(r"\\[\\{}]|[{}]")
_ENVIRONMENTS = re.compile(r"\\\\|\\(begin|end)[ \t]*\{([^{}\\\n]{1,40})\}")


class Source:
    """A text with its braces and environments matched.

    Args:
        text: what is parsed; positions are indices into it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._found: list[tuple[int, str]] = []
        self._reported: set[tuple[int, str]] = set()
        self._places: dict[str, list[int]] = {}

    @cached_property
    def braces(self) -> dict[int, int]:
        """Opening brace -> closing brace, and back; lone ones are missing."""
        pairs: dict[int, int] = {}
        open_at: list[int] = []
        for match in _BRACES.finditer(self.text):
            if match.group() == "{":
                open_at.append(match.start())
            elif match.group() == "}" and open_at:
                start = open_at.pop()
                pairs[start], pairs[match.start()] = match.start(), start
        return pairs

    @cached_property
    def environments(self) -> dict[int, tuple[int, int]]:
        r"""Start of `\begin` -> start and end of its `\end`; unclosed ones are missing, stray ends are no values."""
        pairs: dict[int, tuple[int, int]] = {}
        stack: list[tuple[str, int]] = []
        depth: dict[str, int] = {}
        for match in _ENVIRONMENTS.finditer(self.text):
            name = match.group(2)
            if match.group(1) == "begin":
                stack.append((name, match.start()))
                depth[name] = depth.get(name, 0) + 1
            elif match.group(1) == "end" and depth.get(name):
                while True:  # inner ones that were left open end here, too
                    inner, start = stack.pop()
                    depth[inner] -= 1
                    if inner == name:
                        pairs[start] = match.span()
                        break
        return pairs

    def find(self, mark: str, start: int, end: int) -> int:
        """First place of `mark` that lies in the range as a whole, or -1; many calls cost no more than one."""
        if mark not in self._places:
            self._places[mark] = [m.start() for m in re.finditer(re.escape(mark), self.text)]
        places = self._places[mark]
        index = bisect_left(places, start)
        found = places[index] if index < len(places) else -1
        return found if 0 <= found <= end - len(mark) else -1

    def problem(self, at: int, reason: str) -> None:
        """Notes what is wrong at a position."""
        if len(self._found) < MOST_PROBLEMS and (at, reason) not in self._reported:
            self._reported.add((at, reason))
            self._found.append((at, reason))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was noted, in the order of the text."""
        starts = [0, *(match.end() for match in re.finditer("\n", self.text))] if self._found else []
        problems: list[Problem] = []
        for at, reason in sorted(self._found):
            line = bisect_left(starts, at + 1)
            problems.append(Problem(line, at - starts[line - 1] + 1, reason))
        return tuple(problems)
