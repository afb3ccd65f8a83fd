"""Blocks of page markup, found from their first signs: headings, lists, tables, formulas, environments, paragraphs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from ..tree import (
    Authors,
    Block,
    Code,
    Display,
    Drawing,
    Figure,
    Footnote,
    Heading,
    Image,
    Paragraph,
    Rule,
    Runs,
    Table,
    Text,
    Title,
)  # fmt: skip
from .environments import BEGIN, BODY_END, TRANSPARENT, environment, is_block
from .inline import MOST_NESTED, parse_runs
from .lists import LISTED, NUMBERED, list_at, references_at
from .source import Source
from .tables import parse_html_table, pipe_table_at

_BLANK = re.compile(r"[ \t]*\n|\s+\Z")
_GROUP = re.compile(
    r"[ \t]*\\(?P<name>title|author|part|chapter|(?:sub)*section|paragraph|subparagraph|footnotetext|caption)\b\*?"
    r"[ \t]*(?:\[[^\[\]\n]{0,200}\])?[ \t]*(?=\{)"
)
_LEVELS = {
    "part": 1,
    "chapter": 1,
    "section": 1,
    "subsection": 2,
    "subsubsection": 3,
    "paragraph": 4,
    "subparagraph": 5,
}
_HASH = re.compile(r"[ \t]{0,3}(#{1,6})[ \t]+(?=\S)")
_RULE = re.compile(
    r"[ \t]*(?:-{3,}|\*{3,}|_{3,}|(?:\*[ \t]){2,}\*|<hr\s*/?>|\\hrule(?:fill)?)[ \t]*(?:\n|\Z)"
)
_FENCE = re.compile(r"[ \t]*(```+|~~~+)[^\n`]{0,40}(?:\n|\Z)")
_LAYOUT = re.compile(
    r"[ \t]*(?:\\(?:maketitle|newpage|clearpage|pagebreak|noindent|centering|small|med|big)(?:skip)?\b|"
    r"\\(?:label|vspace|hspace|date|pagestyle|thispagestyle)\*?\{[^{}\n]*\})[ \t]*"
)
_TABLE_TAG = re.compile(r"[ \t]*<table\b[^<>]*>", re.IGNORECASE)
_SMILES = re.compile(r"[ \t]*<smiles>([^<>\n]{0,2000})</smiles>[ \t]*(?=\n|\Z)")
_MUSIC = re.compile(r"\*\*(?:b?ekern\S*|kern)(?:[\t ][^\n]*)?(?=\n|\Z)")
_PICTURE = re.compile(
    r"[ \t]*(?:!\[[^\[\]\n]{0,500}\]\([^\s()]*\)|\\includegraphics\b[^\n]*\})[ \t]*(?=\n|\Z)"
)
# Where a paragraph ends at the latest: another block in its line, or at the start of the next.
_PARAGRAPH_END = re.compile(
    r"\\\\|\\\(|(?P<blank>\n[ \t]*(?=\n|\Z))|(?P<display>\\\[|\$\$)|(?P<begin>\\(?:begin|end)[ \t]*\{)|"
    r"(?P<group>\\(?:title|author|(?:sub)*section|footnotetext|caption)\b\*?[ \t]*(?:\[[^\[\]\n]*\])?\{)|"
    r"(?P<item>\\item\b)|(?P<table><table\b)|"
    r"\n(?=(?P<start>[ \t]{0,3}(?:#{1,6}[ \t]+\S|[-*•][ \t]+\S|```|>[ \t]|\|[^\n]*\|[ \t]*\n[ \t]*\|?[ \t:]*-|"
    r"\*\*b?e?kern\b|<smiles>|!\[[^\[\]\n]{0,500}\]\(|\[1\][ \t]+\S)))"
)
_TAG = re.compile(r"\\tag\*?\s*\{([^{}]*)\}|\\(?:label|ref)\s*\{[^{}]*\}|\\(?:nonumber|notag)\b")


def parse_blocks(source: Source, start: int, end: int, depth: int = 0) -> tuple[Block, ...]:
    """The blocks of a range of the text, `depth` levels deep in others."""
    if depth > MOST_NESTED:
        source.problem(start, f"is nested deeper than {MOST_NESTED} levels and stays as it is")
        said = source.text[start:end]
        return (Code(said, span=(start, end)),) if said.strip() else ()
    return _Blocks(source, end, depth).parse(start)


class _Blocks:
    def __init__(self, source: Source, end: int, depth: int) -> None:
        self._source, self._text, self._end, self._depth = source, source.text, end, depth
        self._blocks: list[Block] = []
        self._starts: dict[str, Callable[[int], int | None]] = {
            "\\": self._backslash, "#": self._hash, "$": self._dollars, "|": self._pipes, "`": self._fence,
            "~": self._fence, ">": self._quote, "<": self._tag, "!": self._picture, "-": self._dash,
            "*": self._dash, "_": self._rule, "•": self._listed, "[": self._bracket,
        }  # fmt: skip

    def parse(self, start: int) -> tuple[Block, ...]:
        at = start
        while at < self._end:
            blank = _BLANK.match(self._text, at, self._end)
            if blank is not None and blank.end() > at:
                at = blank.end()
                continue
            at = self._block(at)
        return tuple(self._blocks)

    def blocks(self, start: int, end: int) -> tuple[Block, ...]:
        """Blocks inside this one."""
        return parse_blocks(self._source, start, end, self._depth + 1)

    def _block(self, at: int) -> int:
        first = at
        while first < self._end and self._text[first] in " \t":
            first += 1
        sign = self._text[first] if first < self._end else ""
        found = self._starts.get(sign)
        done = found(at) if found is not None else self._numbered(at) if sign.isdigit() else None
        if done is None and "|" in self._text[at : self._line_end(at)]:
            done = self._pipes(at)
        return self._paragraph(at) if done is None or done <= at else done

    def _line_end(self, at: int) -> int:
        end = self._source.find("\n", at, self._end)
        return self._end if end < 0 else end

    def _add(self, block: Block) -> int:
        self._blocks.append(block)
        return block.span[1]

    def _runs(self, start: int, end: int) -> Runs:
        return parse_runs(self._source, start, end)

    def _backslash(self, at: int) -> int | None:
        text, end = self._text, self._end
        first = at + len(text[at:end]) - len(text[at:end].lstrip(" \t")) if text[at] in " \t" else at
        if text.startswith("\\[", first):
            return self._display(first, "\\[", "\\]")
        if (begin := BEGIN.match(text, first, end)) is not None:
            return self._environment(begin)
        if (picture := self._picture(at)) is not None:
            return picture
        if (group := _GROUP.match(text, at, end)) is not None:
            return self._group(group)
        if (rule := _RULE.match(text, at, end)) is not None:
            return self._add(Rule(span=rule.span()))
        if (layout := _LAYOUT.match(text, at, end)) is not None:
            return layout.end()
        if (stray := BODY_END.match(text, first, end)) is not None:
            if stray.group(1) not in TRANSPARENT:
                self._source.problem(first, f"\\end{{{stray.group(1)}}} has no \\begin and was left out")
            return stray.end()
        return None

    def _group(self, match: re.Match[str]) -> int | None:
        name, start = match.group("name"), match.end()
        close = self._source.braces.get(start, self._end)
        if close >= self._end:
            self._source.problem(match.start(), f"\\{name} lacks its closing brace; it ends with its line")
            close = self._line_end(start)
        span = (match.start(), min(close + 1, self._end))
        if name == "footnotetext":
            return self._add(Footnote(self.blocks(start + 1, close), span=span))
        runs = self._runs(start + 1, close)
        if not runs:
            return span[1]
        if name == "title":
            return self._add(Title(runs, span=span))
        if name == "author":
            return self._add(Authors(runs, span=span))
        if name == "caption":
            return self._caption(runs, span)
        return self._add(Heading(_LEVELS.get(name, min(1 + name.count("sub"), 6)), runs, span=span))

    def _caption(self, runs: Runs, span: tuple[int, int]) -> int:
        r"""A `\caption` outside a float belongs to the table or figure right before it, else is a paragraph."""
        last = self._blocks[-1] if self._blocks else None
        if isinstance(last, Table | Figure) and last.caption is None:
            self._blocks[-1] = replace(last, caption=runs)
            return span[1]
        return self._add(Paragraph(runs, span=span))

    def _display(self, at: int, opening: str, closing: str) -> int | None:
        start = at + len(opening)
        close = self._source.find(closing, start, self._end)
        if close < 0:
            self._source.problem(at, f"the formula that begins with {opening} is never closed")
            close = self._formula_end(start)
            done = close
        else:
            done = close + len(closing)
        self._formula(at, start, close, done)
        return done

    def _formula_end(self, start: int) -> int:
        """Where a formula that is never closed ends: at a blank line or with the text."""
        blank = re.compile(r"\n[ \t]*\n").search(self._text, start, self._end)
        return self._end if blank is None else blank.start()

    def _formula(self, at: int, start: int, end: int, done: int) -> None:
        tex = self._text[start:end]
        tags = [m.group(1).strip() for m in _TAG.finditer(tex) if m.group(1) is not None]
        tex = " ".join(_TAG.sub(" ", tex).split())
        if tex:
            self._add(Display(tex, ", ".join(filter(None, tags)) or None, span=(at, done)))

    def _dollars(self, at: int) -> int | None:
        first = self._text.index("$", at)
        return self._display(first, "$$", "$$") if self._text.startswith("$$", first) else None

    def _hash(self, at: int) -> int | None:
        match = _HASH.match(self._text, at, self._end)
        if match is None:
            return None
        end = self._line_end(at)
        said = (
            self._text[match.end() : end].rstrip().rstrip("#").rstrip()
            if self._text[end - 1] == "#"
            else None
        )
        stop = end if said is None else match.end() + len(said)
        return self._add(Heading(len(match.group(1)), self._runs(match.end(), stop), span=(at, end)))

    def _pipes(self, at: int) -> int | None:
        table = pipe_table_at(self._source, at, self._end)
        return None if table is None else self._add(table)

    def _fence(self, at: int) -> int | None:
        match = _FENCE.match(self._text, at, self._end)
        if match is None:
            return None
        close = re.compile(rf"^[ \t]*{re.escape(match.group(1))}[ \t]*(?:\n|\Z)", re.MULTILINE).search(
            self._text, match.end(), self._end
        )
        stop, end = (self._end, self._end) if close is None else close.span()
        if close is None:
            self._source.problem(at, "the code block is never closed")
        return self._add(Code(self._text[match.end() : stop].rstrip("\n"), span=(at, end)))

    def _quote(self, at: int) -> int | None:
        """Markdown quotes are shown as paragraphs, their signs are kept: pages are rarely written so."""
        return None

    def _tag(self, at: int) -> int | None:
        text, end = self._text, self._end
        if (tag := _TABLE_TAG.match(text, at, end)) is not None:
            close = re.compile(r"</table\s*>", re.IGNORECASE).search(text, tag.end(), end)
            if close is None:
                self._source.problem(at, "the table that begins with <table> is never closed")
                stop = done = self._formula_end(tag.end())
            else:
                stop, done = close.span()
            table = parse_html_table(self._source, tag.end(), stop, at)
            if table.rows:
                self._add(replace(table, span=(at, done)))
            return done
        if (smiles := _SMILES.match(text, at, end)) is not None:
            return self._add(Drawing("molecule", smiles.group(1).strip(), span=smiles.span()))
        rule = _RULE.match(text, at, end)
        return None if rule is None else self._add(Rule(span=rule.span()))

    def _picture(self, at: int) -> int | None:
        match = _PICTURE.match(self._text, at, self._end)
        if match is None:
            return None
        runs = self._runs(*match.span())
        if len(runs) == 1 and isinstance(runs[0], Image):
            return self._add(Figure((Paragraph(runs, span=match.span()),), span=match.span()))
        return None

    def _dash(self, at: int) -> int | None:
        text, end = self._text, self._end
        if (music := _MUSIC.match(text, at, end)) is not None:
            close = re.compile(r"^\*-[^\n]*|\n[ \t]*(?=\n)", re.MULTILINE).search(text, music.end(), end)
            stop = end if close is None else close.end()
            return self._add(Drawing("music", text[at:stop].strip("\n"), span=(at, stop)))
        return self._rule(at) or self._listed(at)

    def _rule(self, at: int) -> int | None:
        rule = _RULE.match(self._text, at, self._end)
        return None if rule is None else self._add(Rule(span=rule.span()))

    def _listed(self, at: int) -> int | None:
        return self._list(at) if LISTED.match(self._text, at, self._end) else None

    def _numbered(self, at: int) -> int | None:
        return self._list(at) if NUMBERED.match(self._text, at, self._end) else None

    def _list(self, at: int) -> int:
        return self._add(list_at(self._source, at, self._end, self.blocks))

    def _bracket(self, at: int) -> int | None:
        references = references_at(self._source, at, self._end)
        return None if references is None else self._add(references)

    def _environment(self, begin: re.Match[str]) -> int:
        name, at = begin.group(1), begin.start()
        ends = self._source.environments.get(at)
        if ends is None or ends[1] > self._end:
            if not is_block(name):
                return self._paragraph(at)
            self._source.problem(at, f"\\begin{{{name}}} is never closed")
            blank = re.compile(r"\n[ \t]*\n(?!\s*\\item)").search(self._text, begin.end(), self._end)
            stop = done = self._end if blank is None or name == "document" else blank.start()
        else:
            stop, done = ends
        found = environment(self._source, name, at, begin.end(), stop, done, self.blocks)
        if found is None:
            return self._paragraph(at)
        if found == "formula":
            self._formula(at, begin.end(), stop, done)
        elif found == "whole formula":
            self._formula(at, at, done, done)
        elif found == "aligned":
            self._aligned(at, begin.end(), stop, done)
        else:
            self._blocks += found
        return done

    def _aligned(self, at: int, start: int, end: int, done: int) -> None:
        """`align` and the like, as the formula that stands inside `\\[ \\]`."""
        self._formula(at, start, end, done)
        last = self._blocks[-1] if self._blocks else None
        if isinstance(last, Display) and last.span == (at, done):
            name = "aligned" if "&" in last.tex else "gathered"
            self._blocks[-1] = replace(last, tex=f"\\begin{{{name}}} {last.tex} \\end{{{name}}}")

    def _paragraph(self, at: int) -> int:
        """Text up to the next sign of another block; at least one character."""
        end, search = self._end, at + 1
        while (match := _PARAGRAPH_END.search(self._text, search, self._end)) is not None:
            if match.lastgroup is None:
                search = match.end()
                if match.group() == "\\(":
                    close = self._source.find("\\)", search, self._end)
                    search = search if close < 0 else close + 2
                continue
            if match.group("begin") and not self._ends_paragraph(match.start()):
                search = match.end()
                continue
            end = match.start()
            break
        runs = self._runs(at, end)
        if runs:
            self._add(Paragraph(runs, span=(at, end)))
        return end

    def _ends_paragraph(self, at: int) -> bool:
        begin = BEGIN.match(self._text, at, self._end)
        if begin is not None:
            return is_block(begin.group(1))
        stray = BODY_END.match(self._text, at, self._end)
        return stray is not None


def plain_blocks(text: str) -> tuple[Block, ...]:
    """The paragraphs of text that is no markup: lines are kept, blank lines part paragraphs."""
    from ..tree import Break, Run
    from .inline import tidy

    blocks: list[Block] = []
    for part in re.finditer(r"(?:[^\n]*\S[^\n]*(?:\n|\Z))+", text):
        runs: list[Run] = []
        for line in re.finditer(r"[^\n]+", part.group()):
            span = (part.start() + line.start(), part.start() + line.end())
            runs += [Text(line.group(), span=span), Break(span=(span[1], span[1] + 1))]
        if found := tidy(runs):
            blocks.append(Paragraph(found, span=part.span()))
    return tuple(blocks)
