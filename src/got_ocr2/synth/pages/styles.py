"""Random looks of pages: paper, columns, faces, spacing, headings, running heads."""

from __future__ import annotations

import random

from ..drawing.typst_fonts import PageFont
from ..formulas.sentences import PageText
from ..markup.tabular import TableStyle
from ..markup.typst_writer import PageStyle

# Width and height in points, and how likely.
_PAPERS = (
    ((595.0, 842.0), 4), ((612.0, 792.0), 4), ((480.0, 680.0), 2), ((420.0, 595.0), 2), ((560.0, 560.0), 1.2),
    ((720.0, 540.0), 1), ((640.0, 420.0), 0.6),
)  # fmt: skip
_COLOURS = (("#000000", "#ffffff"), ("#1a1a1a", "#fffdf7"), ("#222222", "#ffffff"), ("#0d0d26", "#fbfbfd"),
            ("#2b2116", "#f6efe0"))  # fmt: skip
_ACCENTS = ("#1f3a6e", "#7a1f1f", "#0b5345", "#444444", "#5b2c83")
_LABELS = ("Abstract", "Abstract", "ABSTRACT", "Summary", "Abstract.", "Abstract—", "")
_BULLETS = ("•", "•", "–", "◦", "▪", "*")


def random_style(
    dice: random.Random,
    font: PageFont,
    head_font: PageFont,
    math_font: str,
    text: PageText,
    table: TableStyle,
    lang: str,
) -> PageStyle:
    """A look for a page; the same `dice` and `text` states give the same one."""
    width, height = dice.choices([paper for paper, _ in _PAPERS], [weight for _, weight in _PAPERS])[0]
    width, height = width * dice.uniform(0.94, 1.06), height * dice.uniform(0.94, 1.06)
    landscape = width > 1.1 * height
    columns = dice.choices((1, 2, 3), (5, 4, 1) if landscape else (7, 3, 0))[0] if width > 450 else 1
    size = dice.uniform(8.5, 11.0) if columns > 1 else dice.uniform(9.0, 14.0)
    ink, paper = dice.choice(_COLOURS) if dice.random() < 0.25 else _COLOURS[0]
    plain = dice.random() < 0.55
    header, footer = _running(dice, text)
    return PageStyle(
        width=width,
        height=height,
        margin=(width * dice.uniform(0.05, 0.13), height * dice.uniform(0.05, 0.11)),
        columns=columns,
        gutter=dice.uniform(14, 26),
        font=font.family,
        head_font=font.family if dice.random() < 0.6 else head_font.family,
        math_font=math_font,
        size=size,
        leading=dice.uniform(0.5, 0.85),
        spacing=dice.choice((0.62, 0.8, 1.2, 1.5)),
        indent=dice.choice((0.0, 1.0, 1.5, 2.0)),
        justify=dice.random() < 0.65,
        ink=ink,
        paper=paper,
        accent=ink if plain else dice.choice(_ACCENTS),
        title_align="center" if dice.random() < 0.7 else "left",
        title_size=dice.uniform(1.35, 2.1),
        heading_align="center" if dice.random() < 0.2 else "left",
        heading_rule=dice.random() < 0.12,
        abstract_label=dice.choice(_LABELS),
        abstract_narrow=columns == 1 and dice.random() < 0.6,
        span_title=dice.random() < 0.8,
        bullet=dice.choice(_BULLETS),
        header=header,
        footer=footer,
        table=table,
        lang=lang,
    )


def _running(dice: random.Random, text: PageText) -> tuple[str, str]:
    """What stands at the top and the bottom of every page, which the format leaves out."""
    number = str(dice.randint(1, 400))
    header = (
        dice.choice((text.phrase(2, 6), f"{number}    {text.phrase(2, 4)}")) if dice.random() < 0.3 else ""
    )
    return header, dice.choice((number, f"– {number} –", f"Page {number}")) if dice.random() < 0.4 else ""
