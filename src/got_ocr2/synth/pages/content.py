"""Random pages as document trees: papers, reports, notes, in the order people write them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from ..formulas.grammar import FormulaGrammar
from ..formulas.sentences import PageText, random_tag, sentence_with_formulas
from ..markup import math_notation as mx
from ..markup.document import (
    Abstract,
    Authors,
    Block,
    Display,
    Figure,
    Heading,
    Items,
    Note,
    Paragraph,
    References,
    Run,
    Runs,
    Styled,
    Table,
    Title,
    runs_width,
)
from ..markup.tabular import TableStyle
from ..tables.content import TableContent, table_width

_GIVEN = ("Anna", "Ben", "Chen", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ingrid", "João", "Karl", "Lena",
          "Mehmet", "Nadia", "Olu", "Priya", "Quentin", "Rosa", "Søren", "Tomás", "Uma",
          "Vera", "Wei", "Yuki", "Zoë")  # fmt: skip
_FAMILY = ("Abe", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Hansen", "Ivanov", "Jones", "Kumar",
           "Lopez", "Müller", "Novak", "Okafor", "Petrov", "Rossi", "Smith", "Tanaka", "Virtanen", "Wang", "Xu",
           "Yilmaz", "Zhang", "Kowalski", "Laurent", "Meyer", "Silva")  # fmt: skip
_PLACES = ("Institute of Physics", "Department of Mathematics", "School of Engineering", "Faculty of Medicine",
           "Research Laboratory", "Centre for Data Science", "College of Arts", "National Observatory")  # fmt: skip
_CITIES = (
    "Oslo",
    "Kyoto",
    "Porto",
    "Geneva",
    "Delft",
    "Austin",
    "Pune",
    "Lyon",
    "Kraków",
    "Nairobi",
    "Lima",
    "Graz",
)
_SECTIONS = ("Introduction", "Related Work", "Background", "Preliminaries", "Method", "Methods", "Model", "Data",
             "Experiments", "Results", "Discussion", "Conclusion", "Evaluation", "Limitations", "Theory", "Notation",
             "Main Results", "Numerical Examples", "Materials", "Analysis", "Appendix", "Summary")  # fmt: skip
_TITLE_EM = 0.62  # of a bold letter
_STATEMENTS = ("Theorem", "Lemma", "Proposition", "Corollary", "Definition", "Remark", "Example", "Assumption",
               "Proof", "Conjecture")  # fmt: skip
_BEFORE_FORMULA = ("where", "so that", "with", "Here", "In particular", "Then", "It follows that", "and")
_VENUES = ("Journal of", "Annals of", "Proceedings of", "Transactions on", "Letters in", "Review of")
_PARTS = ("paragraph", "display", "heading", "items", "table", "figure", "statement")
_WEIGHTS = {
    "paper": (10, 5, 1.6, 1, 1, 0.7, 1.2),
    "report": (8, 0.8, 2, 2.5, 2.5, 1, 0),
    "notes": (6, 7, 1.2, 2, 0.5, 0.4, 2.5),
    "book": (12, 1, 0.6, 0.6, 0.4, 0.6, 0.4),
}


@dataclass(frozen=True)
class Room:
    """How much a page holds.

    Attributes:
        column: width of a column in em.
        lines: lines of text of all columns together.
        columns: how many.
        title: how many em of its own size a line of the title may be wide.
    """

    column: float
    lines: float
    columns: int
    title: float


class PageContent:
    """Makes the blocks of a page; the same states of its sources give the same blocks.

    Args:
        rng: source of randomness.
        text: words and sentences.
        grammar: formulas.
        room: how much the page holds.
        table_style: how its tables will be drawn, for their widths.
    """

    def __init__(
        self,
        rng: random.Random,
        text: PageText,
        grammar: FormulaGrammar,
        room: Room,
        table_style: TableStyle,
    ) -> None:
        self._rng = rng
        self._text = text
        self._grammar = grammar
        self._room = room
        self._table_style = table_style
        self._tables = TableContent(rng, text.words, grammar)
        self._kind = rng.choices(tuple(_WEIGHTS), (5, 2.5, 2, 1.5))[0]
        self._numbered = rng.random() < 0.7
        self._sections = [rng.randint(1, 9), 0, 0]
        self._tag = rng.randint(1, 40) if rng.random() < 0.6 else None
        self._note = rng.choice((1, 1, 1, rng.randint(2, 30)))
        self._table, self._figure = rng.randint(1, 12), rng.randint(1, 12)
        self._left = 0.0
        self._notes_left = rng.choice((0, 0, 1, 1, 2, 3))

    def blocks(self, fill: float) -> tuple[Block, ...]:
        """Blocks for about `fill` of the page: above 1 for a page that goes on overleaf."""
        self._left = fill * self._room.lines
        blocks: list[Block] = []
        for block in self._stream():
            height = self._height(block)
            if blocks and height > self._left + 4:
                break
            blocks.append(block)
            self._left -= height
            if self._left <= 0:
                break
        while len(blocks) > 1 and isinstance(blocks[-1], Heading):
            blocks.pop()
        return tuple(blocks)

    def _stream(self) -> Iterator[Block]:
        """Blocks in a likely order: endless, unless the page ends with references."""
        rng = self._rng
        if self._kind == "paper" and rng.random() < 0.45:
            yield from self._front()
            yield self._heading(1, "Introduction" if rng.random() < 0.7 else None)
        elif rng.random() < 0.35:
            yield Title(self._title_lines())
            if rng.random() < 0.4:
                yield Authors((self._names(),))
        elif rng.random() < 0.5:
            yield Paragraph(self._continued())
        else:
            yield self._heading(1)
        last = "heading"
        if self._kind == "paper" and rng.random() < 0.15:
            yield Paragraph(self._runs(rng.randint(1, 4)))
            yield Heading(1, rng.choice(("References", "Bibliography")))
            yield self._references()
            return
        while True:
            kind = (
                "paragraph"
                if last == "heading" and rng.random() < 0.9
                else rng.choices(_PARTS, _WEIGHTS[self._kind])[0]
            )
            if kind == last and kind != "paragraph":
                continue
            yield from self._part(kind)
            last = kind

    def _part(self, kind: str) -> Iterator[Block]:
        rng = self._rng
        if kind == "paragraph":
            yield Paragraph(self._runs(rng.randint(1, 6)))
        elif kind == "display":
            yield self._display()
            if rng.random() < 0.5:
                yield Paragraph(
                    (
                        rng.choice(_BEFORE_FORMULA) + " ",
                        *self._lowered(sentence_with_formulas(rng, self._grammar, self._text)),
                    )
                )
        elif kind == "heading":
            yield self._heading(rng.choices((1, 2, 3), (5, 4, 1))[0])
        elif kind == "items":
            yield self._items()
        elif kind == "table":
            yield from self._table_block()
        elif kind == "figure":
            yield self._figure_block()
        else:
            yield from self._statement()

    # Front matter

    def _front(self) -> Iterator[Block]:
        rng = self._rng
        yield Title(self._title_lines())
        lines: list[Runs] = [self._names(marks=True)]
        for number in range(1, rng.randint(1, 3) + 1):
            place = f"{rng.choice(_PLACES)}, {rng.choice(_CITIES)}"
            lines.append((_mark(str(number)), f" {place}") if rng.random() < 0.7 else (place,))
        if rng.random() < 0.4:
            name = rng.choice(_FAMILY).encode("ascii", "ignore").decode().lower()
            lines.append((f"{name}@{rng.choice(('example.org', 'uni.edu', 'lab.net'))}",))
        yield Authors(tuple(lines))
        if rng.random() < 0.25:
            event = rng.choice(("Received", "Submitted", "Draft of", "Version of"))
            month = rng.choice(("January", "March", "May", "July", "October"))
            yield Paragraph((f"{event} {rng.randint(1, 28)} {month} {rng.randint(1970, 2029)}",))
        if rng.random() < 0.9:
            yield Abstract(self._runs(rng.randint(2, 6), notes=False))
        if rng.random() < 0.35:
            words = ", ".join(self._text.words(rng.randint(1, 2)) for _ in range(rng.randint(3, 6)))
            yield Paragraph((Styled("Keywords:", "bold"), f" {words}"))

    def _title_lines(self) -> tuple[str, ...]:
        """One to three lines, none wider than a title of this page may be."""
        most = int(self._room.title / _TITLE_EM)
        lines: list[str] = []
        for _ in range(self._rng.choice((1, 1, 2, 2, 3))):
            words = self._text.phrase(2, 8).split(" ")
            while len(words) > 1 and len(" ".join(words)) > most:
                words.pop()
            lines.append(" ".join(words).strip(",;: "))
        if self._rng.random() < 0.5:
            lines = [" ".join(word[:1].upper() + word[1:] for word in line.split(" ")) for line in lines]
        elif self._rng.random() < 0.1:
            lines = [line.upper() for line in lines]
        return tuple(lines)

    def _names(self, marks: bool = False) -> Runs:
        runs: list[Run] = []
        for number in range(self._rng.randint(1, 4)):
            name = f"{self._rng.choice(_GIVEN)} {self._rng.choice(_FAMILY)}"
            if self._rng.random() < 0.2:
                name = f"{name[0]}. {name.split(' ')[1]}"
            runs.append((", " if number else "") + name)
            if marks:
                runs += [" ", _mark(str(self._rng.randint(1, 3)))]
        return tuple(runs)

    # Running text

    def _runs(self, sentences: int, notes: bool = True) -> Runs:
        rng = self._rng
        runs: list[Run] = []
        for number in range(sentences):
            if number:
                runs.append(" ")
            kind = rng.random()
            if kind < (0.1 if self._kind in ("report", "book") else 0.3):
                runs += sentence_with_formulas(rng, self._grammar, self._text, (1, 2))
            else:
                runs += self._sentence()
            if notes and self._notes_left and rng.random() < 0.08:
                runs.append(Note(self._note, (self._text.sentence(20, 140),)))
                self._note += 1
                self._notes_left -= 1
        return tuple(runs)

    def _sentence(self) -> Runs:
        rng, text = self._rng, self._text.sentence()
        kind = rng.random()
        if kind < 0.1:
            first, _, rest = text[:-1].partition(" ")
            place = rng.choice(
                ("[{}]", "[{}, {}]", "({})", "(see Section {})", "(Table {})", "(Fig. {})", "(Eq. ({}))")
            )
            return (f"{first} {rest} {place.format(rng.randint(1, 40), rng.randint(41, 90))}{text[-1]}",)
        if kind < 0.18 and text.count(" ") > 3:
            words = text.split(" ")
            at = rng.randrange(1, len(words) - 1)
            styled = Styled(words[at], rng.choice(("bold", "italic", "italic", "mono")))
            return (" ".join(words[:at]) + " ", styled, " " + " ".join(words[at + 1 :]))
        if kind < 0.22:
            return (
                text[:-1]
                + f", {rng.randint(2, 9999)} of {rng.randint(10, 99999):,} ({rng.uniform(0, 100):.1f}%).",
            )
        return (text,)

    def _continued(self) -> Runs:
        """A paragraph that began on the page before."""
        words = self._text.sentence(60, 240).split(" ")
        rest = " ".join(words[self._rng.randint(1, len(words) // 2) :])
        return (rest, " ", *self._runs(self._rng.randint(1, 4)))

    @staticmethod
    def _lowered(runs: tuple[Run, ...]) -> tuple[Run, ...]:
        first = runs[0]
        assert isinstance(first, str)
        return (first[:1].lower() + first[1:], *runs[1:])

    # Other blocks

    def _heading(self, level: int, text: str | None = None) -> Heading:
        rng = self._rng
        text = text or (
            rng.choice(_SECTIONS) if level == 1 and rng.random() < 0.4 else self._text.phrase(1, 5)
        )
        if not self._numbered:
            return Heading(level, text)
        self._sections[level - 1] += 1
        self._sections[level:] = [0] * (3 - level)
        number = ".".join(str(max(1, count)) for count in self._sections[:level])
        return Heading(level, f"{number}{rng.choice(('', '', '.'))} {text}")

    def _display(self) -> Display:
        tag = None
        if self._tag is not None and self._rng.random() < 0.7:
            tag = str(self._tag) if self._rng.random() < 0.9 else random_tag(self._rng)
            self._tag += 1
        return Display(self._grammar.display(0.85 * self._room.column - (4 if tag else 0)), tag)

    def _items(self) -> Items:
        rng = self._rng
        sentences = rng.random() < 0.7
        items: list[Runs] = []
        for _ in range(rng.randint(2, 6)):
            if not sentences:
                items.append((self._text.phrase(1, 6),))
            elif rng.random() < 0.2:
                items.append(sentence_with_formulas(rng, self._grammar, self._text))
            else:
                items.append(self._sentence())
        return Items(tuple(items), numbered=rng.random() < 0.4)

    def _table_block(self) -> Iterator[Block]:
        table = self._tables.table(0.8 * self._room.column, max_rows=10)
        if table_width(table, self._table_style) > 1.15 * self._room.column:
            return
        caption: Runs | None = None
        if self._rng.random() < 0.8:
            label = f"Table {self._table}{self._rng.choice((':', '.'))}"
            caption = (Styled(label, self._rng.choice(("bold", "italic"))) if self._rng.random() < 0.4 else label,
                       f" {self._text.sentence(15, 110)}")  # fmt: skip
            self._table += 1
        yield Table(table, caption, caption_above=self._rng.random() < 0.7)

    def _figure_block(self) -> Figure:
        label = f"{self._rng.choice(('Figure', 'Fig.'))} {self._figure}{self._rng.choice((':', '.'))}"
        self._figure += 1
        caption: Runs = (label, f" {self._text.sentence(15, 140)}")
        return Figure(self._rng.randrange(2**31), self._rng.uniform(6, 14), caption)

    def _statement(self) -> Iterator[Block]:
        rng = self._rng
        name = rng.choice(_STATEMENTS)
        number = "" if name == "Proof" else f" {rng.randint(1, 9)}.{rng.randint(1, 20)}"
        runs = sentence_with_formulas(rng, self._grammar, self._text, (1, 3))
        yield Paragraph((Styled(f"{name}{number}.", rng.choice(("bold", "italic"))), " ", *runs))
        if rng.random() < 0.5:
            yield self._display()

    def _references(self) -> References:
        """As many entries as there is room for."""
        entries: list[Runs] = []
        left = self._left
        while left > 0 or not entries:
            entries.append(self._reference(len(entries) + 1))
            left -= self._text_height(entries[-1]) + 0.3
        return References(tuple(entries))

    def _reference(self, number: int) -> Runs:
        rng = self._rng
        names = ", ".join(f"{rng.choice(_GIVEN)[0]}. {rng.choice(_FAMILY)}" for _ in range(rng.randint(1, 3)))
        venue = f"{rng.choice(_VENUES)} {self._text.phrase(1, 2)}"
        pages = f"{rng.randint(1, 400)}–{rng.randint(401, 900)}"
        return (
            f"[{number}] {names}. {self._text.phrase(3, 9)}. ",
            Styled(venue, "italic"),
            f", {rng.randint(1, 90)}({rng.randint(1, 12)}):{pages}, {rng.randint(1950, 2029)}.",
        )

    # Heights

    def _height(self, block: Block) -> float:
        """Rough height in lines."""
        room = self._room
        if isinstance(block, Title):
            return 2.2 * len(block.lines) * room.columns + 1
        if isinstance(block, Authors):
            return 1.4 * len(block.lines) * room.columns + 1
        if isinstance(block, Abstract):
            return self._text_height(block.runs) + 4
        if isinstance(block, Heading):
            return 2.4
        if isinstance(block, Paragraph):
            return self._text_height(block.runs) + 0.1
        if isinstance(block, Display):
            return 2.0 + 1.4 * block.formula.tall + 2.0 * block.formula.tex.count("\\\\")
        if isinstance(block, Items):
            return sum(self._text_height(item) for item in block.items) + 1
        if isinstance(block, Table):
            rows = len(block.table.grid) * (1 + 0.9 * self._table_style.inset_y)
            return rows + 2 + (0 if block.caption is None else self._text_height(block.caption))
        if isinstance(block, Figure):
            return block.height + 2 + self._text_height(block.caption)
        return sum(self._text_height(entry) for entry in block.entries)

    def _text_height(self, runs: Runs) -> float:
        return max(1.0, 0.9 * runs_width(runs) / self._room.column + 0.5)


def _mark(text: str) -> mx.Math:
    """A raised number, as at an author's name."""
    return mx.Math(f"{{ }}^{{{text}}}", f'""^{text}', 0.4)
