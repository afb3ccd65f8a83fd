"""A dictionary as JSON or Python write it, also broken or half written. Nothing of it is ever run.

What is mended is said. Whatever the text is, reading takes time in proportion to its length.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Union

from ...errors import RenderError
from ..problems import Problem

_LONGEST = 1_000_000  # characters
_DEEPEST = 12
_MOST_PROBLEMS = 100
_SPACE = re.compile(r"[\s]*")
_BARE = re.compile(r"[^\s,:{}\[\]()\"'][^,:{}\[\]()\"'\n]*")
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’"}
_PLAIN = re.compile(r"[^\"'”’\\]+")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_HEX = {"x": 2, "u": 4, "U": 8}
_NOTHING = {"None", "null", "nan", "NaN", "undefined", "NULL"}
_NUMBER = re.compile(r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")

Literal = Union[str, None, "list[Literal]", "dict[str, Literal]"]


@dataclass(frozen=True)
class Read:
    """What a text says, and what was wrong with it; numbers stay as they were written."""

    value: dict[str, Literal]
    problems: tuple[Problem, ...]


def read_dict(text: str) -> Read:
    """Reads the first dictionary in a text.

    Raises:
        RenderError: there is none, the text is longer than a million characters, or dictionaries stand more than
            twelve deep in one another.
    """
    if len(text) > _LONGEST:
        raise RenderError(f"A chart has at most {_LONGEST:,} characters, got {len(text):,}.")
    reader = _Reader(text)
    return Read(reader.read(), tuple(sorted(reader.problems, key=lambda one: (one.line, one.column or 0))))


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.problems: list[Problem] = []
        self.starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self.cut = False

    def read(self) -> dict[str, Literal]:
        start = self.text.find("{")
        if start < 0:
            raise RenderError("This is no chart: there is no dictionary in it.")
        if self.text[:start].strip(" \n\t\r\ufeff"):
            self._say(0, "text before the chart was left out")
        self.at = start
        value = self._dict(1)
        if self.cut:
            self._say(
                len(self.text),
                "the chart is cut; what was open was closed, and its last entry may be incomplete",
            )
        self._skip()
        extra = self.text[self.at :].lstrip("}] \n\t\r")
        if self.at < len(self.text):
            what = "text after the chart was" if extra else "closing brackets too many were"
            self._say(self.at, f"{what} left out")
        return value

    def _say(self, at: int, reason: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            line = bisect_right(self.starts, at)
            self.problems.append(Problem(line, at - self.starts[line - 1] + 1, reason))

    def _skip(self) -> str:
        """The next character that is no white space, "" at the end."""
        found = _SPACE.match(self.text, self.at)
        assert found is not None
        self.at = found.end()
        return self.text[self.at : self.at + 1]

    def _dict(self, depth: int) -> dict[str, Literal]:
        self._deeper(depth)
        self.at += 1
        found: dict[str, Literal] = {}
        while True:
            here = self._between()
            if here == "":
                self.cut = True
                return found
            if here in "}])":
                self._close(here, "}")
                return found
            place = self.at
            key = self._key()
            sign = self._skip()
            if sign == "":
                self.cut = True  # a key whose value was not written any more
                return found
            if sign == ":":
                self.at += 1
                if self._skip() == "":
                    self.cut = True
                    return found
            elif sign not in ",}])":
                self._say(self.at, f"a colon is missing after {_short(key)}")
            else:
                self._say(place, f"{_short(key)} has no value; it was left out")
                continue
            if key in found:
                self._say(place, f"{_short(key)} stands twice; its last value counts")
            found[key] = self._value(depth)

    def _list(self, depth: int, closer: str) -> list[Literal]:
        self._deeper(depth)
        self.at += 1
        found: list[Literal] = []
        while True:
            here = self._between()
            if here == "":
                self.cut = True
                return found
            if here in "}])":
                self._close(here, closer)
                return found
            if here == ":":
                self._say(self.at, "a colon stands in a list; it was left out")
                self.at += 1
                continue
            found.append(self._value(depth))

    def _deeper(self, depth: int) -> None:
        if depth > _DEEPEST:
            raise RenderError(
                f"A chart's dictionaries stand at most {_DEEPEST} deep in one another, got more."
            )

    def _close(self, here: str, closer: str) -> None:
        if here != closer:
            self._say(self.at, f"{here!r} stands where {closer!r} must")
        self.at += 1

    def _between(self) -> str:
        """Skips the comma before the next entry; the character that follows."""
        here, commas = self._skip(), 0
        while here == ",":
            commas += 1
            if commas == 2:
                self._say(self.at, "a comma too many was left out")
            self.at += 1
            here = self._skip()
        return here

    def _key(self) -> str:
        value = self._value(_DEEPEST) if self.text[self.at] not in "{[(:" else None
        if value is None and self.text[self.at : self.at + 1] in {"{", "[", "(", ":"}:
            self._say(self.at, f"{self.text[self.at]!r} stands where a name must; it was left out")
            self.at += 1
            return ""
        return "None" if value is None else str(value)

    def _value(self, depth: int) -> Literal:
        here = self._skip()
        if here in {"", ",", "}", "]", ")"}:
            self._say(self.at, "a value is missing; it was taken for None")
            return None
        if here == "{":
            return self._dict(depth + 1)
        if here in "[(":
            return self._list(depth + 1, "]" if here == "[" else ")")
        if here in _QUOTES:
            return self._string(_QUOTES[here])
        found = _BARE.match(self.text, self.at)
        if found is None:
            self._say(self.at, f"{here!r} was left out")
            self.at += 1
            return None
        word = found.group().rstrip()
        place, self.at = self.at, found.end()
        if word in _NOTHING:
            return None
        if word not in {"True", "False", "true", "false"} and _NUMBER.fullmatch(word) is None:
            self._say(place, f"{_short(word)} stands without quotes")
        return word

    def _string(self, closer: str) -> str:
        opened = self.text[self.at]
        self.at += 1
        parts: list[str] = []
        while self.at < len(self.text):
            found = _PLAIN.match(self.text, self.at)
            if found is not None:
                parts.append(found.group())
                self.at = found.end()
                continue
            sign = self.text[self.at]
            if sign == "\\":
                parts.append(self._escape())
            elif sign == closer and self._ends(self.at + 1):
                self.at += 1
                return _whole("".join(parts))
            else:
                if sign == closer:
                    self._say(self.at, f"{opened} within a name in {opened}{closer} was taken for a letter")
                parts.append(sign)
                self.at += 1
        self.cut = True
        return _whole("".join(parts))

    def _ends(self, at: int) -> bool:
        """Whether what follows a quote shows that it ends the string."""
        found = _SPACE.match(self.text, at)
        after = self.text[found.end() : found.end() + 1] if found is not None else ""
        return after == "" or after in ":,}])\"'“‘"

    def _escape(self) -> str:
        sign = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if sign in _HEX:
            digits = self.text[self.at : self.at + _HEX[sign]]
            if (
                len(digits) == _HEX[sign]
                and re.fullmatch("[0-9A-Fa-f]+", digits)
                and int(digits, 16) < 0x110000
            ):
                self.at += len(digits)
                return chr(int(digits, 16))
        return _ESCAPES.get(sign, sign if sign in {"\\", "/", '"', "'"} else f"\\{sign}")


def _whole(text: str) -> str:
    """Text whose halves of characters beyond U+FFFF, as JSON escapes them, are put together."""
    if not any("\ud800" <= sign <= "\udfff" for sign in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _short(text: str) -> str:
    return repr(text if len(text) <= 30 else text[:27] + "...")
