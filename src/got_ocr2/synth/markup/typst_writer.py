"""Writes a `document.Document` as Typst source in a given style; `document` itself writes its truth."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from ..drawing.typst_fonts import math_rule
from ..drawing.typst_pdf import marked, string
from .document import (
    Abstract,
    Authors,
    Block,
    Display,
    Document,
    Figure,
    Heading,
    Items,
    Note,
    Paragraph,
    Run,
    Styled,
    Table,
    Title,
    block_name,
    note_name,
    notes,
    runs_text,
)
from .math_notation import Math
from .tabular import TableStyle

# Faces for programmers draw "!=" as one sign, so that a reader could not tell which of the two was written.
NO_CODE_LIGATURES = "features: (calt: 0)"


@dataclass(frozen=True)
class PageStyle:
    """How a page looks, which its text does not tell. Lengths in points unless said otherwise.

    Attributes:
        width, height: of the paper; a height of None lets the paper end below the last line.
        margin: left and right, top and bottom.
        columns: 1 to 3.
        gutter: between columns.
        font, head_font: Typst families of the text and of titles and headings.
        math_font: Typst family of mathematics.
        size: of the text.
        leading: between lines, in em.
        spacing: between paragraphs, in em.
        indent: of a paragraph's first line, in em.
        justify: flush on both sides, with hyphens where needed.
        ink, paper, accent: colours, "#rrggbb"; `accent` is that of headings.
        title_align: "left" or "center".
        title_size: in em.
        heading_align: "left" or "center".
        heading_rule: a thin rule under headings of the first level.
        abstract_label: what stands above or before the abstract, e.g. "Abstract"; "" for nothing.
        abstract_narrow: the abstract is set narrower and smaller.
        span_title: title, authors and abstract run over all columns.
        bullet: sign of unnumbered lists.
        header, footer: running text at the top and the bottom; not part of the truth.
        table: how tables are drawn.
        lang: ISO 639-1 code, for hyphenation.
    """

    width: float = 595.0
    height: float | None = 780.0
    margin: tuple[float, float] = (60.0, 60.0)
    columns: int = 1
    gutter: float = 18.0
    font: str = "New Computer Modern"
    head_font: str = "New Computer Modern"
    math_font: str = "New Computer Modern Math"
    size: float = 11.0
    leading: float = 0.62
    spacing: float = 0.62
    indent: float = 1.2
    justify: bool = True
    ink: str = "#000000"
    paper: str = "#ffffff"
    accent: str = "#000000"
    title_align: str = "center"
    title_size: float = 1.7
    heading_align: str = "left"
    heading_rule: bool = False
    abstract_label: str = "Abstract"
    abstract_narrow: bool = True
    span_title: bool = True
    bullet: str = "•"
    header: str = ""
    footer: str = ""
    table: TableStyle = field(default_factory=TableStyle)
    lang: str = "en"


def typst_source(document: Document, style: PageStyle) -> str:
    """A whole Typst document; every block and every footnote is marked with its name."""
    parts = [preamble(style)]
    first = next(notes(document.blocks), None)
    if first is not None:
        parts.append(f"#counter(footnote).update({first.number - 1})")
    bodies = [block_markup(block, index, style) for index, block in enumerate(document.blocks)]
    spanning = 0
    if style.columns > 1 and style.span_title:
        while spanning < len(bodies) and isinstance(document.blocks[spanning], Title | Authors | Abstract):
            spanning += 1
    if spanning:
        front = "\n\n".join(bodies[:spanning])
        parts.append(
            f'#place(top, scope: "parent", float: true, clearance: 2em, block(width: 100%)[{front}])'
        )
    return "\n\n".join((*parts, *bodies[spanning:])) + "\n"


def preamble(style: PageStyle) -> str:
    """Page, text and paragraph settings, and the functions that the blocks call."""
    height = "auto" if style.height is None else f"{style.height}pt"
    running = _running("header", style.header) + _running("footer", style.footer)
    return f"""\
#set page(width: {style.width}pt, height: {height}, columns: {style.columns}, fill: rgb("{style.paper}"), \
margin: (x: {style.margin[0]}pt, y: {style.margin[1]}pt){running})
#set columns(gutter: {style.gutter}pt)
#set text(font: {string(style.font)}, size: {style.size}pt, fill: rgb("{style.ink}"), lang: "{style.lang}", \
hyphenate: {_bool(style.justify)}, {NO_CODE_LIGATURES})
{math_rule(style.math_font)}
#set par(justify: {_bool(style.justify)}, leading: {style.leading}em, spacing: {style.spacing}em, \
first-line-indent: {style.indent}em)
#set list(marker: {string(style.bullet)}, spacing: {style.spacing}em)
#set enum(spacing: {style.spacing}em)
#let fit(body) = layout(size => {{
  let wide = measure(body).width
  if wide > size.width {{ scale(size.width / wide * 100%, reflow: true, body) }} else {{ body }}
}})
#let display(name, body, tag) = layout(size => {{
  let room = size.width - (if tag == "" {{ 0pt }} else {{ 2 * measure(tag).width + 2em.to-absolute() }})
  let wide = measure(body).width
  let drawn = if wide > room {{ scale(room / wide * 100%, reflow: true, body) }} else {{ body }}
  let number = if tag == "" {{ [] }} else {{ link("box:" + name, tag) }}
  block(above: 1em, below: 1em, grid(columns: (1fr, auto, 1fr), [], link("box:" + name, drawn), \
align(right + horizon, number)))
}})
"""


def block_markup(block: Block, index: int, style: PageStyle) -> str:
    """One block as Typst markup, marked with its name."""
    name = block_name(index)
    if isinstance(block, Title):
        lines = [f"#{_head(style, style.title_size, string(line))}" for line in block.lines]
        return _front_lines(lines, name, style, 0.5)
    if isinstance(block, Authors):
        return _front_lines(map(runs_markup, block.lines), name, style, 1.0)
    if isinstance(block, Abstract):
        return _abstract(block, name, style)
    if isinstance(block, Heading):
        return _heading(block, name, style)
    if isinstance(block, Paragraph):
        return marked_runs(name, block.runs)
    if isinstance(block, Display):
        tag = "" if block.tag is None else f"({block.tag})"
        return f'#display("{name}", $ {block.formula.typst} $, {string(tag)})'
    if isinstance(block, Items):
        kind = "enum" if block.numbered else "list"
        items = "".join(f"[{marked_runs(name, item)}]" for item in block.items)
        return _block(marked(name, f"#{kind}{items}"), 0.9, 0.9)
    if isinstance(block, Table):
        return _table(block, name, style)
    if isinstance(block, Figure):
        return _figure(block, name, style)
    entries = "\n\n".join(marked(name, runs_markup(entry)) for entry in block.entries)
    return f"#[#set par(hanging-indent: 1.6em, first-line-indent: 0pt)\n{entries}]"


def runs_markup(runs: Iterable[Run]) -> str:
    """A line of text; strings go in as string literals, so that no character of theirs means anything to Typst."""
    return "".join(map(_run, runs))


def marked_runs(name: str, runs: Iterable[Run]) -> str:
    """A line of text marked with a name, its footnotes left out of the mark: they stand elsewhere."""
    parts: list[str] = []
    for is_note, group in groupby(runs, lambda run: isinstance(run, Note)):
        markup = runs_markup(group)
        parts.append(markup if is_note else marked(name, markup) + ";")
    return "".join(parts)


def _run(run: Run) -> str:
    if isinstance(run, str):
        return f"#{string(run)};"
    if isinstance(run, Math):
        return f"${run.typst.strip()}$"
    if isinstance(run, Note):
        return f"#footnote[{marked(note_name(run.number), runs_markup(run.runs))}];"
    assert isinstance(run, Styled)
    if run.emphasis == "mono":
        return f'#text(font: "DejaVu Sans Mono", size: 0.85em, {string(run.text)});'
    return f"#{'strong' if run.emphasis == 'bold' else 'emph'}({string(run.text)});"


def _block(body: str, above: float, below: float, extra: str = "") -> str:
    return f"#block(width: 100%, above: {above}em, below: {below}em{extra})[{body}]"


def _head(style: PageStyle, size: float, body: str) -> str:
    return (
        f'text(font: {string(style.head_font)}, size: {size}em, weight: "bold", '
        f'fill: rgb("{style.accent}"), hyphenate: false, {body})'
    )


def _front_lines(lines: Iterable[str], name: str, style: PageStyle, above: float) -> str:
    """Lines that are never broken; one that is too wide is drawn smaller."""
    body = "\n".join(f"#fit(box[{marked(name, line)}])" for line in lines)
    return _block(f"#align({style.title_align})[#set par(justify: false)\n{body}]", above, 1.2)


def _abstract(block: Abstract, name: str, style: PageStyle) -> str:
    body = marked_runs(name, block.runs)
    label = style.abstract_label
    if label.endswith((".", ":", "—")):
        body = f"#strong({string(label)}); " + body
    elif label:
        body = f"#align({style.title_align}, {_head(style, 1.0, string(label))})\n" + body
    if style.abstract_narrow:
        body = f"#pad(x: 2em)[#set text(size: 0.92em)\n{body}]"
    return _block(f"#set par(first-line-indent: 0pt)\n{body}", 1.0, 1.4)


def _heading(block: Heading, name: str, style: PageStyle) -> str:
    size = (1.25, 1.1, 1.0)[block.level - 1]
    body = marked(name, "#" + _head(style, size, string(block.text)))
    if style.heading_rule and block.level == 1:
        body += f'#v(-0.6em)#line(length: 100%, stroke: 0.5pt + rgb("{style.accent}"))'
    align = style.heading_align if block.level == 1 else "left"
    return _block(f"#set par(justify: false)\n#align({align})[{body}]", 1.3, 0.75, ", sticky: true")


def _table(block: Table, name: str, style: PageStyle) -> str:
    drawn = f"#align(center, fit([{marked(name, block.table.typst(runs_markup, style.table))}]))"
    if block.caption is None:
        return _block(drawn, 1.0, 1.0)
    caption = _caption(block.caption, name)
    parts = (caption, drawn) if block.caption_above else (drawn, caption)
    return _block("\n#v(0.4em, weak: true)\n".join(parts), 1.2, 1.2, ", breakable: false")


def _caption(runs: Iterable[Run], name: str) -> str:
    align = "center" if len(runs_text(runs)) < 60 else "left"
    settings = "#set par(first-line-indent: 0pt)\n#set text(size: 0.92em)"
    return f"#align({align})[{settings}\n{marked(name, runs_markup(runs))}]"


def _figure(block: Figure, name: str, style: PageStyle) -> str:
    picture = figure_markup(block.seed, block.height)
    body = f"{picture}\n#v(0.4em, weak: true)\n{_caption(block.caption, name)}"
    return _block(body, 1.2, 1.2, ", breakable: false")


def figure_markup(seed: int, height: float) -> str:
    """A picture without text, `height` lines high: bars, points, a curve or blobs in a frame."""
    rng = random.Random(seed)
    shapes: list[str] = []
    colours = [
        f"rgb({rng.randint(20, 220)}, {rng.randint(20, 220)}, {rng.randint(20, 220)})" for _ in range(3)
    ]
    kind = rng.choice(("bars", "points", "curve", "blobs"))
    count = rng.randint(4, 14)
    for index in range(count):
        x, y, colour = 100 * index / count, rng.randint(5, 85), rng.choice(colours)
        if kind == "bars":
            shape = f"rect(width: {60 / count}%, height: {100 - y}%, fill: {colour})"
        elif kind == "points":
            shape = f"circle(radius: {rng.uniform(1.5, 3):.1f}pt, fill: {colour})"
        elif kind == "curve":
            shape = f"line(end: ({100 / count}%, {rng.randint(-30, 30)}%), stroke: 1pt + {colours[0]})"
        else:
            shape = f"ellipse(width: {rng.randint(8, 30)}%, height: {rng.randint(10, 40)}%, fill: {colour})"
        shapes.append(f"#place(top + left, dx: {x:.1f}%, dy: {y}%, {shape})")
    frame = rng.choice(("0.5pt", "none"))
    fill = rng.choice(("none", f"luma({rng.randint(225, 250)})"))
    box = f"box(width: {rng.randint(55, 95)}%, height: {height}em, stroke: {frame}, fill: {fill}, clip: true)"
    return f"#align(center, {box}[{''.join(shapes)}])"


def _running(where: str, text: str) -> str:
    return f", {where}: align(center, text(size: 0.85em, {string(text)}))" if text else ""


def _bool(value: bool) -> str:
    return "true" if value else "false"
