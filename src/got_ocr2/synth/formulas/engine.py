r"""Formulas: LaTeX from our own grammar, drawn by two renderers that look different.

- `mathra` draws LaTeX in STIX Two Math;
- `typst` draws our own tree in New Computer Modern Math and the TeX Gyre faces, and sentences in any text face.

The answer is `\[ ... \]` for every formula that stands alone and `\( ... \)` inside sentences.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from PIL import Image, ImageChops

from ...errors import InvalidOptionError, MissingDependencyError
from ..drawing.svg import svg_to_image
from ..drawing.typst_fonts import font_folders, math_rule, pick_math_font, pick_page_font
from ..drawing.typst_pdf import Box, Typeset, union
from ..fonts.catalog import Split
from ..markup.document import Display, Document, Paragraph, display_math, document_text, pieces
from ..markup.drawn_characters import page_glyphs, pair, plain_text, text_marks
from ..markup.math_notation import Math
from ..markup.typst_writer import PageStyle, typst_source
from ..sample import Glyphs, Region, Sample, Task, sample_rng
from .grammar import FormulaGrammar
from .sentences import PageText, page_pool, random_tag, sentence_with_formulas

Renderer = Literal["mix", "mathra", "typst"]

_MATHRA_FACE = "STIX Two Math"
_MAX_SIDE = 1280
_UNITS_PER_EM = 1000.0
_OVERHANG = 150.0  # of slanted letters beyond the box that mathra states, in its units
_VIEW_BOX = re.compile(r'viewBox="([^"]*)"')
_HIDDEN_TEXT = re.compile(r"<text .*?</text>", re.DOTALL)
_PAPERS = (((0, 0, 0), (255, 255, 255)), ((20, 20, 20), (253, 251, 244)), ((10, 20, 60), (255, 255, 255)),
           ((40, 40, 40), (240, 240, 240)), ((70, 20, 20), (255, 252, 248)))  # fmt: skip


@dataclass(frozen=True)
class _Drawn:
    """A drawn formula: its picture, black on white, and its characters and their boxes where the renderer tells."""

    picture: Image.Image
    characters: list[str]
    boxes: np.ndarray


@dataclass(frozen=True)
class _Line:
    """A formula as it is answered, as it is drawn, and its drawn number."""

    text: str
    formula: _Drawn
    tag: _Drawn | None


class FormulaEngine:
    """Draws formulas.

    Args:
        renderer: "mathra", "typst", or "mix" for both in turn at random. Sentences are drawn by Typst alone.
        sentences: share of samples that are running text with formulas in it; 0 with `renderer="mathra"`.
        max_width: rough widest formula in em.
        size: smallest and largest height of an em in pixels.
        language: of the sentences, ISO 639-1.
        split: "train", or "test" for held-out fonts and texts.
        rare: how often the grammar reaches for uncommon signs, 0 to 1.
    """

    kind = "formula"

    def __init__(
        self,
        *,
        renderer: Renderer = "mix",
        sentences: float = 0.2,
        max_width: float = 36.0,
        size: tuple[float, float] = (14.0, 40.0),
        language: str = "en",
        split: Split = "train",
        rare: float = 0.15,
    ) -> None:
        if renderer not in ("mix", "mathra", "typst"):
            raise InvalidOptionError(f"Unknown formula renderer {renderer!r}; it is mix, mathra or typst.")
        self._renderer: Renderer = renderer
        self._sentences = 0.0 if renderer == "mathra" else sentences
        self._max_width = max_width
        self._size = size
        self._split: Split = split
        self._pool = page_pool(language, split)
        self._rare = rare

    def sample(self, seed: int, index: int) -> Sample:
        """One to three formulas, or a few sentences with formulas. Regions: each formula or paragraph a block."""
        rng = sample_rng(seed, self.kind, index)
        dice = random.Random(int(rng.integers(2**63)))
        grammar = FormulaGrammar(dice, self._rare)
        em = dice.uniform(*self._size)
        if dice.random() < self._sentences:
            font = pick_page_font(rng, self._split)
            text = PageText(rng, self._pool, font.covers)
            math_font = pick_math_font(rng, self._split)
            return _running_text(dice, grammar, text, (font.family, math_font), min(em, 32.0))
        renderer = dice.choice(("mathra", "typst")) if self._renderer == "mix" else self._renderer
        face = _MATHRA_FACE if renderer == "mathra" else pick_math_font(rng, self._split)
        draw = _draw_mathra if renderer == "mathra" else partial(_draw_typst, family=face)
        lines = [self._line(dice, grammar, draw, em) for _ in range(dice.choices((1, 2, 3), (85, 10, 5))[0])]
        image, regions, glyphs = _stack(dice, lines, em)
        return Sample(
            self.kind,
            (_coloured(dice, image),),
            "\n\n".join(line.text for line in lines),
            Task(format=True),
            regions,
            glyphs,
            {"renderer": renderer, "font": face},
        )

    def _line(
        self,
        dice: random.Random,
        grammar: FormulaGrammar,
        draw: Callable[[Math, float], _Drawn],
        em: float,
    ) -> _Line:
        formula = grammar.display(self._max_width)
        em = min(em, _MAX_SIDE / (formula.width + 8))
        tag = random_tag(dice) if dice.random() < 0.12 else None
        return _Line(
            display_math(formula.tex, tag),
            draw(formula, em),
            None if tag is None else draw(_tag_formula(tag), em),
        )


def _tag_formula(tag: str) -> Math:
    return Math(f"\\text{{({tag})}}", f'"({tag})"', 0.5 * len(tag) + 0.8)


def _draw_mathra(formula: Math, em: float) -> _Drawn:
    """A formula in STIX Two Math, `em` pixels an em; mathra does not tell where its characters stand.

    Raises:
        RuntimeError: mathra had to mend the formula: a defect of the grammar, which would falsify the picture.
    """
    try:
        import mathra
    except ImportError as error:
        raise MissingDependencyError(
            'Drawing formulas with mathra needs it: pip install "got-ocr2[synth]", or choose renderer="typst".'
        ) from error
    # A line break before a letter looks to mathra like a damaged command (line break, "e": `\\ne`).
    drawn = mathra.render(formula.tex.replace("\n", " "))
    if drawn["warnings"]:
        raise RuntimeError(f"mathra mended {formula.tex!r}: {drawn['warnings']}")
    svg = _HIDDEN_TEXT.sub("", drawn["svg"])
    found = _VIEW_BOX.search(svg)
    assert found is not None
    left, top, width, height = map(float, found.group(1).split())
    left, top, width, height = (
        left - _OVERHANG,
        top - _OVERHANG,
        width + 2 * _OVERHANG,
        height + 2 * _OVERHANG,
    )
    svg = svg.replace(found.group(0), f'viewBox="{left:g} {top:g} {width:g} {height:g}"', 1)
    picture = svg_to_image(svg, width=max(1, round(width * em / _UNITS_PER_EM))).convert("L")
    return _Drawn(picture, [], np.zeros((0, 4), np.float32))


def _draw_typst(formula: Math, em: float, family: str) -> _Drawn:
    """A formula in a family that Typst knows, `em` pixels an em."""
    source = (
        "#set page(width: auto, height: auto, margin: 2.5pt)\n#set text(size: 10pt)\n"
        f"{math_rule(family)}\n$ {formula.typst} $\n"
    )
    with Typeset(source, font_folders()) as page:
        return _Drawn(page.image(7.2 * em).convert("L"), *page.characters(7.2 * em))


def _stack(
    dice: random.Random, lines: list[_Line], em: float
) -> tuple[Image.Image, tuple[Region, ...], Glyphs]:
    """Formulas under one another, their numbers at the right edge, with the places of all and of each character."""
    margins = [round(em * dice.uniform(0.15, 1.2)) for _ in range(4)]
    gap = round(em * dice.uniform(0.6, 1.5))
    aside = max((line.tag.picture.width + round(em) for line in lines if line.tag is not None), default=0)
    inner = max(line.formula.picture.width for line in lines) + 2 * aside
    if dice.random() < 0.2:
        inner = round(inner * dice.uniform(1.0, 1.6))
    centred = aside > 0 or dice.random() < 0.6
    height = sum(line.formula.picture.height for line in lines) + gap * (len(lines) - 1)
    page = Image.new("L", (inner + margins[0] + margins[2], height + margins[1] + margins[3]), 255)
    regions: list[Region] = []
    glyphs: list[Glyphs] = []
    top, start = margins[1], 0
    for line in lines:
        width, high = line.formula.picture.size
        parts = [(line.formula, (margins[0] + ((inner - width) // 2 if centred else 0), top))]
        if line.tag is not None:
            small = line.tag.picture
            parts.append((line.tag, (margins[0] + inner - small.width, top + (high - small.height) // 2)))
        for drawn, corner in parts:
            page.paste(drawn.picture, corner)
        regions.append(
            Region("block", line.text, union([_ink_box(drawn.picture, *at) for drawn, at in parts]))
        )
        characters = plain_text(char for drawn, _ in parts for char in drawn.characters)
        boxes = np.concatenate([drawn.boxes + np.array([*at, *at], np.float32) for drawn, at in parts])
        pairs = pair(text_marks(line.text, start), characters)
        offsets, indices = zip(*pairs, strict=True) if pairs else ((), ())
        glyphs.append(Glyphs(np.array(offsets, np.int32), boxes[np.array(indices, np.intp)]))
        top += high + gap
        start += len(line.text) + 2
    everything = Glyphs(
        np.concatenate([part.offsets for part in glyphs]), np.concatenate([part.boxes for part in glyphs])
    )
    return page, tuple(regions), everything


def _ink_box(picture: Image.Image, left: int, top: int) -> Box:
    """Where a grey picture pasted at `(left, top)` is not white."""
    x1, y1, x2, y2 = ImageChops.invert(picture).getbbox() or (0, 0, *picture.size)
    return float(left + x1), float(top + y1), float(left + x2), float(top + y2)


def _coloured(dice: random.Random, grey: Image.Image) -> Image.Image:
    """The same in an ink on a paper: mostly black on white."""
    if dice.random() < 0.7:
        return grey.convert("RGB")
    ink, paper = dice.choice(_PAPERS)
    tables = [
        [low + (high - low) * level // 255 for level in range(256)]
        for low, high in zip(ink, paper, strict=True)
    ]
    return Image.merge("RGB", [grey.point(table) for table in tables])


def _running_text(
    dice: random.Random, grammar: FormulaGrammar, text: PageText, fonts: tuple[str, str], em: float
) -> Sample:
    """A paragraph or two with formulas in their lines, drawn as a narrow piece of a page."""
    blocks: list[Paragraph | Display] = [Paragraph(sentence_with_formulas(dice, grammar, text))]
    if dice.random() < 0.4:
        blocks.append(Display(grammar.display(18.0), random_tag(dice) if dice.random() < 0.3 else None))
        if dice.random() < 0.6:
            blocks.append(Paragraph(sentence_with_formulas(dice, grammar, text)))
    width = dice.uniform(22, 44)
    margin = (dice.uniform(4, 20), dice.uniform(4, 20))
    style = PageStyle(
        width=10 * width + 2 * margin[0], height=None, margin=margin, font=fonts[0], math_font=fonts[1], size=10.0,
        indent=dice.choice((0.0, 1.2)), justify=dice.random() < 0.6, leading=dice.uniform(0.5, 0.9),
    )  # fmt: skip
    document = Document(tuple(blocks))
    with Typeset(typst_source(document, style), font_folders()) as page:
        dpi = min(7.2 * em, 72 * _MAX_SIDE / max(page.size()))
        image, places = page.image(dpi), page.places(dpi)
        characters, boxes = page.characters(dpi)
    parts = pieces(document)
    regions = tuple(Region("block", piece.text, union(places[piece.name])) for piece in parts)
    found = [(piece.text, piece.offset, places[piece.name]) for piece in parts]
    return Sample(
        FormulaEngine.kind,
        (_coloured(dice, image.convert("L")),),
        document_text(document),
        Task(format=True),
        regions,
        page_glyphs(found, characters, boxes),
        {"renderer": "typst", "font": fonts[0]},
    )
