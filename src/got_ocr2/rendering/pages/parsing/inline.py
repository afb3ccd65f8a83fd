"""Runs inside a block: formulas, emphasis, links, escapes, accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from html import unescape

from ..tree import Break, Image, Link, Math, Note, Run, Runs, Style, Styled, Text
from .source import Source
from .symbols import ACCENTS, DROPPED, DROPPED_WITH_ARGUMENT, SWITCHES, WORDS, WRAPPERS

MOST_NESTED = 24  # levels of runs in runs, and of blocks in blocks; what is deeper stays text

_SPECIAL = re.compile(
    r"\\(?P<word>[A-Za-z]+\*?)|(?P<line>\\\\\*?(?:[ \t]*\[[^\[\]\n]{0,20}\])?[ \t]*\n?)|\\(?P<sign>[^A-Za-z\\]|$)"
    r"|(?P<stars>\*{1,2})|(?P<ticks>`{1,2})|(?P<dollar>\$)|(?P<brace>[{}])|(?P<tag><)|(?P<bang>!?\[)"
    r"|(?P<newline>\n)|(?P<tilde>~)|(?P<amp>&)"
)
_LINK = re.compile(r"(!?)\[([^\[\]\n]{0,500})\]\(([A-Za-z][A-Za-z0-9+.-]*:[^\s()]*|#[^\s()]*|[^\s()]+)\)")
_TAG = re.compile(r"<(/?)(br|b|strong|i|em|u|s|sub|sup|code|smiles)\s*/?>", re.IGNORECASE)
_TAG_STYLES: dict[str, Style] = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "s": "strike", "sub": "sub",
    "sup": "super", "code": "code",
}  # fmt: skip
_OPTION = re.compile(r"[ \t]*\[[^\[\]\n]{0,200}\]")
_SPACES = re.compile(r"[ \t\r\f\v]+")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
SAFE_LINK = re.compile(r"(?:https?://|mailto:|#)[^\s\"'<>\\{}]*", re.IGNORECASE)


def parse_runs(source: Source, start: int, end: int, *, html: bool = False, depth: int = 0) -> Runs:
    """The runs of a range of the text.

    Args:
        source: the text.
        start, end: the range.
        html: entities such as `&amp;` are decoded, and a line break is a space, as in cells of HTML tables.
        depth: how many levels of runs it is in.
    """
    return _Inline(source, html, depth).parse(start, end)


class _Inline:
    def __init__(self, source: Source, html: bool, depth: int) -> None:
        self._source, self._html, self._depth = source, html, depth
        self._runs: list[Run] = []
        self._text: list[str] = []
        self._text_start = 0
        self._end = 0

    def parse(self, start: int, end: int) -> Runs:
        text, self._end, at = self._source.text, end, start
        self._text_start = start
        while at < end:
            match = _SPECIAL.search(text, at, end)
            if match is None:
                self._say(text[at:end])
                break
            self._say(text[at : match.start()])
            at = self._special(match)
        self._flush(end)
        return tidy(self._runs, ends=self._depth == 0)

    def _say(self, text: str) -> None:
        self._text.append(text)

    def _flush(self, at: int) -> None:
        if text := "".join(self._text):
            self._runs.append(Text(text, span=(self._text_start, at)))
        self._text = []

    def _add(self, run: Run) -> int:
        """Adds a run; returns where parsing goes on."""
        self._flush(run.span[0])
        self._runs.append(run)
        self._text_start = run.span[1]
        return run.span[1]

    def _literal(self, match: re.Match[str], reason: str | None = None) -> int:
        if reason is not None:
            self._source.problem(match.start(), reason)
        self._say(match.group())
        return match.end()

    def _inner(self, start: int, end: int) -> Runs:
        if self._depth >= MOST_NESTED:
            self._source.problem(start, f"is nested deeper than {MOST_NESTED} levels and stays as it is")
            return (Text(self._source.text[start:end].replace("\n", " "), span=(start, end)),)
        return parse_runs(self._source, start, end, html=self._html, depth=self._depth + 1)

    def _special(self, match: re.Match[str]) -> int:
        kind = match.lastgroup
        at = match.start()
        if kind == "word":
            return self._command(match)
        if kind in {"line", "newline"}:
            if kind == "newline" and self._html:
                self._say(" ")
                return match.end()
            return self._add(Break(span=match.span()))
        if kind == "sign":
            return self._sign(match)
        if kind == "stars":
            return self._stars(match)
        if kind == "ticks":
            return self._ticks(match)
        if kind == "dollar":
            return self._dollar(match)
        if kind == "brace":
            return self._brace(match)
        if kind == "tag":
            return self._tag(match)
        if kind == "bang":
            return self._link(match)
        if kind == "tilde":
            self._say("\u00a0")
            return match.end()
        entity = _ENTITY.match(self._source.text, at, self._end) if self._html else None
        if entity is not None:
            self._say(unescape(entity.group()))
            return entity.end()
        return self._literal(match)

    def _sign(self, match: re.Match[str]) -> int:
        sign, at, text = match.group("sign"), match.start(), self._source.text
        if sign in "([":
            close = self._source.find("\\)" if sign == "(" else "\\]", match.end(), self._end)
            if close < 0:
                return self._literal(match, f"the formula that begins with \\{sign} is never closed")
            return self._math(at, match.end(), close, close + 2)
        if sign in ")]":
            return self._literal(match, f"a formula ends with \\{sign} that never began")
        if sign in "^~" and text.startswith("{}", match.end()):
            self._say(sign)
            return match.end() + 2
        if sign and sign in ACCENTS:
            return self._accent(match, sign)
        if sign in {" ", "\n"}:
            self._say(" ")
        elif sign == ",":
            self._say("\u2009")
        elif sign in {"-", "/"}:
            pass
        elif sign in {"!", ";", ":", ">"}:
            self._say("" if sign == "!" else " ")
        elif sign:
            self._say(sign)
        else:
            self._say("\\")
        return match.end()

    def _math(self, start: int, inner: int, close: int, end: int) -> int:
        tex = " ".join(self._source.text[inner:close].split())
        return self._add(Math(tex, span=(start, end))) if tex else end

    def _accent(self, match: re.Match[str], sign: str) -> int:
        """`\\'e`, `\\'{e}`, `\\c{c}`: a letter with a mark."""
        text, at = self._source.text, match.end()
        while at < self._end and text[at] == " ":
            at += 1
        after = at + 1
        letter = text[at : at + 1]
        if letter == "{" and (close := self._source.braces.get(at)) is not None and close <= self._end:
            letter, after = text[at + 1 : close].strip(), close + 1
        letter = {"\\i": "i", "\\j": "j"}.get(letter, letter)
        if len(letter) != 1 or not letter.isalpha():
            return self._literal(match)
        self._say(unicodedata.normalize("NFC", letter + ACCENTS[sign]))
        return after

    def _argument(self, at: int) -> tuple[int, int] | None:
        """The range inside the braces that begin at a position, white space left out."""
        text = self._source.text
        while at < self._end and text[at] in " \t":
            at += 1
        close = self._source.braces.get(at) if text[at : at + 1] == "{" else None
        return None if close is None or close >= self._end else (at + 1, close)

    def _command(self, match: re.Match[str]) -> int:
        word, at, text = match.group("word"), match.start(), self._source.text
        name = word.rstrip("*")
        after = match.end()
        if word.endswith("*") and name not in WRAPPERS and name not in DROPPED_WITH_ARGUMENT:
            after -= 1
        if name in WORDS or name in DROPPED:
            self._say(WORDS.get(name, ""))
            if text.startswith("{}", after):
                return after + 2
            return after + 1 if text[after : after + 1] == " " else after
        if name in ACCENTS and (self._argument(after) or text[after : after + 1] == " "):
            return self._accent(match, name)
        option = _OPTION.match(text, after, self._end)
        argument = self._argument(after if option is None else option.end())
        if argument is None:
            if name in SWITCHES:  # a face that lasts to the end of the block is not kept
                return after + 1 if text[after : after + 1] == " " else after
            return self._literal(match, f"the command \\{name} is not known or lacks its {{argument}}")
        span = (at, argument[1] + 1)
        if name in WRAPPERS:
            style = WRAPPERS[name]
            inner = self._inner(*argument)
            if style is not None:
                return self._add(Styled(style, inner, span=span)) if inner else span[1]
            for run in inner:
                self._add(run)
            self._text_start = span[1]
            return span[1]
        if name in DROPPED_WITH_ARGUMENT:
            return span[1]
        if name in {"footnote", "thanks"}:
            return self._add(Note(self._inner(*argument), span=span))
        if name in {"cite", "citep", "citet", "ref", "eqref"}:
            said = text[slice(*argument)].strip()
            self._say(said if name == "ref" else f"({said})" if name == "eqref" else f"[{said}]")
            return span[1]
        if name == "includegraphics":
            return self._add(Image(text[slice(*argument)].strip(), span=span))
        if name in {"url", "href"}:
            return self._address(match, name, argument)
        return self._literal(match, f"the command \\{name} is not known")

    def _address(self, match: re.Match[str], name: str, argument: tuple[int, int]) -> int:
        target = re.sub(r"\\([%#_&~])", r"\1", self._source.text[slice(*argument)].strip())
        shown = self._argument(argument[1] + 1) if name == "href" else argument
        if shown is None:
            return self._literal(match, "\\href lacks its second {argument}")
        end = shown[1] + 1
        if SAFE_LINK.fullmatch(target) is None:
            self._source.problem(
                match.start(), "a link that is not http, https or mailto is kept as text only"
            )
            for run in self._inner(*shown):
                self._add(run)
            self._text_start = end
            return end
        runs = self._inner(*shown) if name == "href" else (Text(target, span=shown),)
        return self._add(Link(target, runs, span=(match.start(), end)))

    def _stars(self, match: re.Match[str]) -> int:
        """`**bold**` and `*italic*`, where the stars embrace words closely, in one line."""
        text, mark, start = self._source.text, match.group(), match.end()
        before, first = text[match.start() - 1 : match.start()], text[start : start + 1]
        close = self._source.find(mark, start, self._end)
        line_end = self._source.find("\n", start, self._end)
        if (
            close > start
            and not (first.isspace() or first in "*}" or before.isalnum() or before == "*")
            and (line_end < 0 or close < line_end)
            and not text[close - 1].isspace()
            and text[close - 1] != "\\"
            and not text[close + len(mark) : close + len(mark) + 1].isalnum()
            and text[close + len(mark) : close + len(mark) + 1] != "*"
        ):
            style: Style = "bold" if len(mark) == 2 else "italic"
            return self._add(
                Styled(style, self._inner(start, close), span=(match.start(), close + len(mark)))
            )
        return self._literal(match)

    def _ticks(self, match: re.Match[str]) -> int:
        """`code`, and ``quotes'' as LaTeX writes them."""
        text, start = self._source.text, match.end()
        line_end = self._source.find("\n", start, self._end)
        line_end = self._end if line_end < 0 else line_end
        if len(match.group()) == 2:
            close = self._source.find("''", start, line_end)
            if close > start:
                self._say("\u201c")
                for run in self._inner(start, close):
                    self._add(run)
                self._text_start = close
                self._say("\u201d")
                return close + 2
            return self._literal(match)
        close = self._source.find("`", start, line_end)
        if close <= start:
            return self._literal(match)
        code = (Text(text[start:close], span=(start, close)),)
        return self._add(Styled("code", code, span=(match.start(), close + 1)))

    def _dollar(self, match: re.Match[str]) -> int:
        """`$x$`, by the rule that keeps prices out: no space inside the signs, no digit after them."""
        text, start = self._source.text, match.end()
        close = self._source.find("$", start, self._end)
        if (
            close > start
            and not text[start].isspace()
            and not text[close - 1].isspace()
            and text[close - 1] != "\\"
            and not text[close + 1 : close + 2].isdigit()
        ):
            return self._math(match.start(), start, close, close + 1)
        return self._literal(match)

    def _brace(self, match: re.Match[str]) -> int:
        """Braces that group are left out; those without a partner are text."""
        at = match.start()
        partner = self._source.braces.get(at)
        if partner is None:
            return self._literal(match, f"the brace {match.group()} has no partner")
        if match.group() == "{" and partner < self._end:
            switch = re.compile(r"\s*\\([a-z]+)\b *").match(self._source.text, at + 1, partner)
            if switch is not None and switch.group(1) in SWITCHES:
                inner = self._inner(switch.end(), partner)
                style = SWITCHES[switch.group(1)]
                if style is not None and inner:
                    return self._add(Styled(style, inner, span=(at, partner + 1)))
        return match.end()

    def _tag(self, match: re.Match[str]) -> int:
        tag = _TAG.match(self._source.text, match.start(), self._end)
        if tag is None:
            return self._literal(match)
        name = tag.group(2).lower()
        if name == "br":
            return self._add(Break(span=tag.span()))
        if name == "smiles":
            return tag.end()
        close = -1 if tag.group(1) else self._source.find(f"</{tag.group(2)}>", tag.end(), self._end)
        if close < 0:
            return self._literal(match, f"the tag <{tag.group(1)}{name}> has no partner")
        inner = self._inner(tag.end(), close)
        end = close + len(name) + 3
        return self._add(Styled(_TAG_STYLES[name], inner, span=(tag.start(), end))) if inner else end

    def _link(self, match: re.Match[str]) -> int:
        link = _LINK.match(self._source.text, match.start(), self._end)
        if link is None:
            return self._literal(match)
        image, target = bool(link.group(1)), link.group(3)
        if image:
            return self._add(Image(target, link.group(2), span=link.span()))
        if SAFE_LINK.fullmatch(target) is not None:
            return self._add(Link(target, self._inner(*link.span(2)), span=link.span()))
        if ":" in target:
            self._source.problem(
                link.start(), "a link that is not http, https or mailto is kept as text only"
            )
        return self._literal(match)


def tidy(runs: Sequence[Run], *, ends: bool = True) -> Runs:
    """Joins neighbouring texts, makes one space of several, and drops space at breaks and, if asked, at both ends."""
    out: list[Run] = []
    for run in runs:
        if isinstance(run, Text):
            text = _SPACES.sub(" ", run.text.replace("\n", " ").replace("\0", "\ufffd"))
            if out and isinstance(out[-1], Text):
                last = out.pop()
                assert isinstance(last, Text)
                text = _SPACES.sub(" ", last.text + text)
                run = Text(text, span=(last.span[0], run.span[1]))
            elif (not out and ends) or (out and isinstance(out[-1], Break)):
                text = text.lstrip(" ")
            if text:
                out.append(Text(text, span=run.span))
        elif isinstance(run, Break):
            _strip_end(out)
            if out and not isinstance(out[-1], Break):
                out.append(run)
        else:
            out.append(run)
    if ends:
        _strip_end(out)
    while out and isinstance(out[-1], Break):
        out.pop()
        _strip_end(out)
    return tuple(out)


def _strip_end(runs: list[Run]) -> None:
    if runs and isinstance(last := runs[-1], Text):
        runs.pop()
        if text := last.text.rstrip(" "):
            runs.append(Text(text, span=last.span))
