"""A score in `**kern`, checked and made fit to be drawn.

Humdrum is a table: every line has as many fields, parted by tabs, as there are spines (columns, one a staff or voice)
at that moment. What breaks it is mended and said. A mending is certain where nothing else can have been meant: the end
of the spines in a score that was cut, a last line that was cut, a bar line that misses in some spines. Elsewhere the
line is filled up so that the rest can be shown, and the problem says that this may be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import RenderError
from ..problems import Problem
from .bars import Bars
from .notation import CLEFS, chord_length, fault, metre, plain_kern, rest_like

_LONGEST = 500_000  # characters
_MOST_SPINES = 60
_MOST_PROBLEMS = 200
_COMMANDS = ("!!!filter", "!!!xfilter", "!!filter", "!!!verovio", "!!!hum2mid", "!!!rdf")


@dataclass(frozen=True)
class Score:
    """A score that can be drawn: its text, how many bars with notes and how many notes it has, and what was wrong."""

    kern: str
    bars: int
    notes: int
    problems: tuple[Problem, ...]


@dataclass
class _Spine:
    kind: str
    clef: bool = False
    asked: bool = False
    ended: bool = False


def check(text: str) -> Score:
    """Checks and mends a score.

    Raises:
        RenderError: there is no `**kern` in it, or it is longer than 500,000 characters.
    """
    if len(text) > _LONGEST:
        raise RenderError(f"A score has at most {_LONGEST:,} characters, got {len(text):,}.")
    return _Checker().run(plain_kern(text.lstrip("\ufeff")))


class _Checker:
    def __init__(self) -> None:
        self.spines: list[_Spine] = []
        self.out: list[str] = []
        self.problems: list[Problem] = []
        self.bars = Bars(self._say)
        self.line = 0
        self.notes = 0
        self.over = False

    def run(self, text: str) -> Score:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n ").split("\n")
        begun = False
        for number, line in enumerate(lines, 1):
            self.line = number
            if line.startswith("!!"):
                if line.lower().startswith(_COMMANDS):
                    self._say("a command to programs was left out")
                else:
                    self.out.append(line)
            elif not line.strip():
                if begun and number < len(lines):
                    self._say("an empty line was left out")
            elif not begun and not line.startswith("**"):
                self._say("text before the score was left out")
            elif self.over:
                self._say("text after the end of the score was left out")
                break
            elif not begun:
                begun = self._begin(line.rstrip().split("\t"))
            else:
                self._row(line, last=number == len(lines))
        if not begun:
            raise RenderError("This is no score: no line of it begins with **kern.")
        if not self.over:
            self.bars.close()
            self._say("the score is cut: its spines do not end; their ends were added")
            self.out.append("\t".join(["*-"] * len(self.spines)))
        problems = sorted(self.problems, key=lambda one: one.line)
        if len(problems) > _MOST_PROBLEMS:
            more = len(problems) - _MOST_PROBLEMS
            problems = [*problems[:_MOST_PROBLEMS], Problem(self.line, None, f"{more} more problems")]
        return Score("\n".join(self.out) + "\n", self.bars.count, self.notes, tuple(problems))

    def _say(self, reason: str, column: int | None = None, line: int | None = None) -> None:
        self.problems.append(Problem(self.line if line is None else line, column, reason))

    def _begin(self, fields: list[str]) -> bool:
        known = [field for field in fields if field.startswith("**")]
        if not any(field == "**kern" for field in known):
            return False
        if len(known) < len(fields):
            self._say("a spine without a kind was left out")
        if len(known) > _MOST_SPINES:
            raise RenderError(f"A score has at most {_MOST_SPINES} spines, got {len(known)}.")
        self.spines = [_Spine(field) for field in known]
        self.bars.begin([field == "**kern" for field in known])
        self.out.append("\t".join(known))
        return True

    def _row(self, line: str, *, last: bool) -> None:
        fields = self._fields(line, last)
        if fields is None:
            return
        if all(field.startswith("=") for field in fields):
            self.bars.bar_line(fields[0])
        elif all(field.startswith("!") for field in fields):
            pass
        elif any(field.startswith("*") for field in fields):
            fields = ["*" if field == "." else field for field in fields]
            if stray := [field for field in fields if not field.startswith("*")]:
                self._say(f"{_short(stray[0])} stands in a line of interpretations; it was left out")
                fields = [field if field.startswith("*") else "*" for field in fields]
            self._interpret(fields)
            return
        else:
            fields = [self._token(field, k, line) for k, field in enumerate(fields)]
            self.bars.notes(self.line, [chord_length(field) if field != "." else None for field in fields])
        self.out.append("\t".join(fields))

    def _fields(self, line: str, last: bool) -> list[str] | None:
        """The line's fields, as many as there are spines; None for a line that was cut and is left out."""
        count = len(self.spines)
        fields = [field.strip(" ") for field in line.split("\t")]
        while len(fields) > count and not fields[-1]:
            fields.pop()
        if len(fields) == count and all(fields):
            return fields
        if len(fields) == 1 and fields[0][0] in "*=" and len(fields[0].split()) == count:
            self._say("blanks part the spines; they were taken for tabs")
            return fields[0].split()
        found = sum(map(bool, fields))
        if len(set(filter(None, fields))) == 1 and (fields[0].startswith("=") or fields[0] == "*-"):
            what = "bar line" if fields[0][0] == "=" else "end"
            self._say(f"the {what} stands in {found} of {count} spines; it was put into all of them")
            return fields[:1] * count
        if last and found < count:
            self._say(f"the last line is cut: {found} of {count} fields; it was left out")
            return None
        kind = fields[0][:1] if fields[0][:1] in {"*", "=", "!"} else "."
        if len(fields) > count:
            self._say(f"{len(fields)} fields, but {count} spines; the last were left out, which may be wrong")
        elif len(fields) < count:
            self._say(
                f"{len(fields)} fields, but {count} spines; '{kind}' was put into the last, which may be wrong"
            )
        else:
            self._say(f"a field is empty; '{kind}' was put there")
        return [field or kind for field in [*fields, *[kind] * count][:count]]

    def _token(self, token: str, spine: int, line: str) -> str:
        if token == "." or self.spines[spine].kind != "**kern":
            return token
        here = self.spines[spine]
        if token.startswith(("=", "!")):
            self._say(f"{_short(token)} stands among notes; it was left out")
            return "."
        if not here.clef and not here.asked:
            here.asked = True
            self._say(f"spine {spine + 1} has no clef before its first note; one was guessed")
        for note in filter(None, token.split(" ")):
            if reason := fault(note):
                length = chord_length(token)
                written = rest_like(token) if length else "."
                self._say(
                    f"{_short(note)} {reason}; {'a rest' if length else 'nothing'} was put in the place of its token",
                    line.find(note) + 1,
                )
                return written
        notes = token.split()
        self.notes += sum("r" not in note for note in notes)
        return " ".join(notes)

    def _interpret(self, fields: list[str]) -> None:
        spines, plan, out = self.spines, list[tuple[int, ...]](), list[str]()
        k = 0
        fields = self._joins(fields)
        while k < len(fields):
            field, spine = fields[k], spines[k]
            if field == "*^" and len(spines) < _MOST_SPINES:
                plan += [(k,), (k,)]
            elif field == "*v":
                first = k
                while k + 1 < len(fields) and fields[k + 1] == "*v":
                    k += 1
                plan.append(tuple(range(first, k + 1)))
                out += ["*v"] * (k - first)
            elif field == "*-":
                spine.ended = True
            else:
                field = self._sign(field, k)
                plan.append((k,))
            out.append(field if field != "*^" or len(spines) < _MOST_SPINES else "*")
            k += 1
        self.out.append("\t".join(out))
        if any(field == "*-" for field in fields) and not plan:
            self.bars.close()
            self.over = True
            return
        self.spines = [_Spine(spines[m[0]].kind, spines[m[0]].clef, spines[m[0]].asked) for m in plan]
        self.bars.regroup(plan)

    def _joins(self, fields: list[str]) -> list[str]:
        """Lone `*v`, which join nothing, become `*`, and so do the rare `*+` and `*x`."""
        out = list(fields)
        for k, field in enumerate(fields):
            beside = fields[max(0, k - 1) : k] + fields[k + 1 : k + 2]
            if field == "*v" and "*v" not in beside:
                self._say("*v joins no spine here; it was left out")
                out[k] = "*"
            elif field in {"*+", "*x"} or field.startswith("**"):
                self._say(f"{_short(field)} is not supported within a score; it was left out")
                out[k] = "*"
        return out

    def _sign(self, field: str, spine: int) -> str:
        if self.spines[spine].kind != "**kern":
            return field
        if field.startswith("*clef"):
            if field[5:] not in CLEFS:
                self._say(f"{_short(field)} is no clef; it was left out")
                return "*"
            self.spines[spine].clef = True
        elif field.startswith("*M") and field[2:3].isdigit():
            length = metre(field)
            if length is None:
                self._say(f"{_short(field)} is no metre; it was left out")
                return "*"
            self.bars.metre = length
        elif field.startswith("*k[") and (
            not field.endswith("]") or set(field[3:-1]) - set("abcdefgABCDEFG#-n")
        ):
            self._say(f"{_short(field)} is no key signature; it was left out")
            return "*"
        return field


def _short(token: str) -> str:
    return repr(token if len(token) <= 30 else token[:27] + "...")
