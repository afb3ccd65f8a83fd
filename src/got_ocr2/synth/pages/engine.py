r"""Formatted pages: one tree, set by Typst and written as GOT's Mathpix markdown.

Titles, authors, abstracts, sections, paragraphs with formulas in their lines, displayed formulas with and without
numbers, lists, tables, figures with captions, footnotes and references, in one to three columns.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from ..drawing.typst_fonts import font_folders, pick_math_font, pick_page_font
from ..drawing.typst_pdf import Box, Typeset, union
from ..fonts.catalog import Split
from ..formulas.grammar import FormulaGrammar
from ..formulas.sentences import PageText, page_pool
from ..markup.document import (
    Block,
    Document,
    Heading,
    Note,
    Paragraph,
    Run,
    Runs,
    block_name,
    document_text,
    pieces,
    runs_width,
)
from ..markup.drawn_characters import page_glyphs
from ..markup.typst_writer import PageStyle, typst_source
from ..sample import Region, Sample, Task, sample_rng
from ..tables.content import TableContent
from .content import PageContent, Room
from .styles import random_style

_POINTS = 72.0
_OVERFULL_SHARE = 0.4
_LINE_HEIGHT = 0.7  # of a line without its leading, in em


class PageEngine:
    """Draws formatted pages.

    Args:
        long_side: smallest and largest longer side of the picture in pixels.
        language: of the text, ISO 639-1.
        split: "train", or "test" for held-out fonts and texts.
    """

    kind = "page"

    def __init__(
        self, *, long_side: tuple[int, int] = (900, 1150), language: str = "en", split: Split = "train"
    ) -> None:
        self._long_side = long_side
        self._language = language
        self._split: Split = split
        self._pool = page_pool(language, split)

    def sample(self, seed: int, index: int) -> Sample:
        """One page. Regions: each block that stands in one piece, and each footnote."""
        rng = sample_rng(seed, self.kind, index)
        dice = random.Random(int(rng.integers(2**63)))
        font, head_font = pick_page_font(rng, self._split), pick_page_font(rng, self._split)
        text = PageText(rng, self._pool, lambda words: font.covers(words) and head_font.covers(words))
        grammar = FormulaGrammar(dice)
        table_style = TableContent(dice, text.words, grammar).style()
        style = random_style(
            dice, font, head_font, pick_math_font(rng, self._split), text, table_style, self._language
        )
        content = PageContent(dice, text, grammar, _room(style), table_style)
        overfull = dice.random() < _OVERFULL_SHARE
        document = Document(content.blocks(dice.uniform(1.2, 1.35) if overfull else dice.uniform(0.3, 0.95)))
        dpi = _POINTS * dice.uniform(*self._long_side) / max(style.width, style.height or 0.0)
        drawn = _draw(document, style, dpi)
        parts = [(piece.text, piece.offset, drawn.places[piece.name]) for piece in pieces(drawn.document)]
        return Sample(
            self.kind,
            (drawn.image,),
            document_text(drawn.document),
            Task(format=True),
            _regions(drawn),
            page_glyphs(parts, drawn.characters, drawn.boxes),
            meta={"font": style.font, "columns": style.columns},
        )


def _room(style: PageStyle) -> Room:
    assert style.height is not None
    inner = style.width - 2 * style.margin[0] - style.gutter * (style.columns - 1)
    lines = (style.height - 2 * style.margin[1]) / (style.size * (_LINE_HEIGHT + style.leading))
    column = inner / style.columns / style.size
    title = inner / style.size if style.span_title else column
    return Room(column, lines * style.columns, style.columns, title / style.title_size)


@dataclass(frozen=True)
class _Drawn:
    """A drawn page: the tree that is on it, its picture, the places of its pieces, its characters and their boxes."""

    document: Document
    image: Image.Image
    places: dict[str, list[Box]]
    characters: list[str]
    boxes: np.ndarray


def _draw(document: Document, style: PageStyle, dpi: float) -> _Drawn:
    """Draws a page; what does not fit is cut from the tree first, so that the tree says exactly what is drawn."""
    while True:
        with Typeset(typst_source(document, style), font_folders()) as page:
            places = page.places(dpi)
            if len(page) == 1:
                return _Drawn(document, page.image(dpi), places, *page.characters(dpi))
            overleaf: dict[str, list[Box]] = {}
            for number in range(1, len(page)):
                for name, boxes in page.places(dpi, number).items():
                    overleaf.setdefault(name, []).extend(boxes)
        document = _shortened(document, places, overleaf)


def _shortened(document: Document, places: dict[str, list[Box]], overleaf: dict[str, list[Box]]) -> Document:
    """The tree up to where the page ends: a paragraph that runs on overleaf is cut between two words."""
    blocks = document.blocks
    names = [block_name(index) for index in range(len(blocks))]
    cut = next(
        (index for index, name in enumerate(names) if name in overleaf or name not in places), len(blocks) - 1
    )
    kept: list[Block] = list(blocks[:cut])
    last = blocks[cut]
    here = len(places.get(names[cut], ()))
    if isinstance(last, Paragraph) and here > 1:
        share = (here - 0.6) / (here + len(overleaf.get(names[cut], ())))
        runs = _first_part(last.runs, min(0.9, share) * runs_width(last.runs))
        if runs and runs != last.runs:
            kept.append(replace(last, runs=runs))
    while len(kept) > 1 and isinstance(kept[-1], Heading):
        kept.pop()
    assert kept, "the first block of a page fits on it"
    return Document(tuple(kept))


def _first_part(runs: Runs, width: float) -> Runs:
    """As many whole words and formulas from the start as are about `width` em wide."""
    part: list[Run] = []
    for run in runs:
        if isinstance(run, Note):
            part.append(run)
            continue
        own = runs_width((run,))
        if own > width:
            if isinstance(run, str):
                words = run[: int(len(run) * width / own)].rpartition(" ")[0]
                part += [words] if words.strip() else []
            break
        part.append(run)
        width -= own
    return tuple(part)


def _regions(drawn: _Drawn) -> tuple[Region, ...]:
    """Blocks that stand in one piece, and footnotes, in reading order."""
    regions: list[Region] = []
    width, height = map(float, drawn.image.size)
    for piece in pieces(drawn.document):
        boxes = drawn.places[piece.name]
        if _in_one_piece(boxes):
            left, top, right, bottom = union(boxes)
            box = (max(0.0, left), max(0.0, top), min(width, right), min(height, bottom))
            regions.append(Region("block", piece.text, box))
    return tuple(regions)


def _in_one_piece(boxes: list[Box]) -> bool:
    """Whether lines follow one another downwards: a block that goes on in the next column jumps back up."""
    lowest = boxes[0][3]
    height = max(box[3] - box[1] for box in boxes)
    for _, _, _, bottom in boxes:
        if bottom < lowest - 1.5 * height - 2:
            return False
        lowest = max(lowest, bottom)
    return True
