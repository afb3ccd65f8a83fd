r"""Tables: LaTeX `tabular` with merged cells, rules and alignment, drawn by Typst in several looks."""

from __future__ import annotations

import random
from dataclasses import replace

from ..drawing.typst_fonts import font_folders, math_rule, pick_math_font, pick_page_font
from ..drawing.typst_pdf import Box, Typeset, marked, string, union
from ..fonts.catalog import Split
from ..formulas.grammar import FormulaGrammar
from ..formulas.sentences import PageText, page_pool
from ..markup.document import runs_text
from ..markup.drawn_characters import page_glyphs
from ..markup.typst_writer import NO_CODE_LIGATURES, runs_markup
from ..sample import Region, Sample, Task, sample_rng
from .content import TableContent

_MAX_SIDE = 1600
_PAPERS = (("#000000", "#ffffff"), ("#101010", "#ffffff"), ("#222222", "#fdfbf5"), ("#0c1a33", "#ffffff"),
           ("#1a1a1a", "#f4f4f4"))  # fmt: skip


class TableEngine:
    """Draws tables.

    Args:
        max_width: rough widest table in em of its text.
        max_rows: most rows, header included.
        size: smallest and largest height of an em in pixels.
        language: of the words, ISO 639-1.
        split: "train", or "test" for held-out fonts and texts.
    """

    kind = "table"

    def __init__(
        self,
        *,
        max_width: float = 48.0,
        max_rows: int = 16,
        size: tuple[float, float] = (12.0, 36.0),
        language: str = "en",
        split: Split = "train",
    ) -> None:
        self._max_width = max_width
        self._max_rows = max_rows
        self._size = size
        self._split: Split = split
        self._pool = page_pool(language, split)

    def sample(self, seed: int, index: int) -> Sample:
        """One table. Regions: the table as a block, its cells as lines."""
        rng = sample_rng(seed, self.kind, index)
        dice = random.Random(int(rng.integers(2**63)))
        font = pick_page_font(rng, self._split)
        text = PageText(rng, self._pool, font.covers)
        content = TableContent(dice, text.words, FormulaGrammar(dice))
        table, style = content.table(self._max_width, self._max_rows), content.style()
        ink, paper = dice.choice(_PAPERS) if dice.random() < 0.4 else _PAPERS[0]
        if style.ink == "#000000":
            style = replace(style, ink=ink)
        markup = table.typst(runs_markup, style, lambda row, column, body: marked(f"{row},{column}", body))
        margins = [dice.uniform(4, 30) for _ in range(4)]
        source = (
            f'#set page(width: auto, height: auto, fill: rgb("{paper}"), margin: '
            f"(left: {margins[0]}pt, right: {margins[1]}pt, top: {margins[2]}pt, bottom: {margins[3]}pt))\n"
            f'#set text(font: {string(font.family)}, size: 10pt, fill: rgb("{ink}"), hyphenate: false, '
            f"{NO_CODE_LIGATURES})\n{math_rule(pick_math_font(rng, self._split))}\n"
            f"{marked('table', markup)}\n"
        )
        with Typeset(source, font_folders()) as page:
            width, height = page.size()
            dpi = min(7.2 * dice.uniform(*self._size), 72 * _MAX_SIDE / max(width, height))
            image, places = page.image(dpi), page.places(dpi)
            characters, boxes = page.characters(dpi)
        truth, starts = table.text_and_cells(runs_text)
        everything = [box for rectangles in places.values() for box in rectangles]
        regions = [Region("block", truth, union(everything))]
        parts: list[tuple[str, int, list[Box]]] = []
        for row, column, cell in table.cells():
            if cell.runs:
                parts.append((runs_text(cell.runs), starts[row, column], places[f"{row},{column}"]))
                regions.append(Region("line", parts[-1][0], union(parts[-1][2])))
        glyphs = page_glyphs(parts, characters, boxes)
        return Sample(
            self.kind, (image,), truth, Task(format=True), tuple(regions), glyphs, {"font": font.family}
        )
