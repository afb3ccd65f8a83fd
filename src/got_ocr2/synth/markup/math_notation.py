r"""Formulas written in two notations at once: LaTeX for the truth, Typst for the drawing.

Every function here builds a `Math` from smaller ones and keeps both notations in step, so that what is drawn
and what is to be read cannot drift apart. One picture has one spelling: `\leq` is never written `\le`, braces
stand around every script, and a delimiter grows (`\left( \right)`) exactly when what it holds is tall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .math_symbols import (
    ACCENTS,
    ALPHABETS,
    BIG_DELIMITERS,
    BIG_OPERATORS,
    DELIMITERS,
    LIMIT_OPERATORS,
    OPERATORS,
    SYMBOLS,
)


@dataclass(frozen=True)
class Math:
    """A formula or a part of one.

    Attributes:
        tex: LaTeX, without delimiters of mathematics mode.
        typst: the same in Typst's mathematics mode.
        width: rough width in em, for deciding what fits on a line.
        tall: higher than a line of letters, so that delimiters around it must grow.
    """

    tex: str
    typst: str
    width: float
    tall: bool = False


EMPTY = Math("", "", 0.0)


def join(*parts: Math) -> Math:
    """One after the other; a space separates a control word from a letter that would prolong it."""
    tex = ""
    for part in parts:
        if tex and part.tex[:1].isalpha() and _ends_in_control_word(tex):
            tex += " "
        tex += part.tex
    return Math(
        tex,
        " ".join(part.typst for part in parts if part.typst),
        sum(part.width for part in parts),
        any(part.tall for part in parts),
    )


def _ends_in_control_word(tex: str) -> bool:
    stem = tex.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return stem != tex and stem.endswith("\\")


def letter(char: str) -> Math:
    """One Latin letter, drawn in italics."""
    return Math(char, char, 0.6 if char not in "fijlt" else 0.4)


def number(digits: str) -> Math:
    """A number such as `12` or `0.35`."""
    return Math(digits, digits, 0.5 * len(digits))


_PUNCTUATION = {
    ",": (",", "\\,", 0.45),
    ":": (":", "\\:", 0.8),
    ";": (";", "\\;", 0.45),
    ".": (".", "\\.", 0.28),
    "!": ("!", "\\!", 0.28),
    "/": ("/", "\\/", 0.5),
    "|": ("|", "\\|", 0.28),
    "(": ("(", "\\(", 0.39),
    ")": (")", "\\)", 0.39),
    "[": ("[", "\\[", 0.28),
    "]": ("]", "\\]", 0.28),
    "*": ("*", "∗", 1.2),
    "+": ("+", "+", 1.2),
    "-": ("-", "-", 1.2),
    "=": ("=", "=", 1.35),
    "<": ("<", "<", 1.35),
    ">": (">", ">", 1.35),
}


def symbol(name: str) -> Math:
    r"""A sign: a character such as `+`, or the name of a command without its backslash (`"alpha"`)."""
    if name in _PUNCTUATION:
        return Math(*_PUNCTUATION[name])
    char, width = SYMBOLS[name]
    return Math(f"\\{name}", char, width)


def binary(left: Math, operator: str, right: Math) -> Math:
    """Two parts with an operator or a relation between them."""
    return join(left, symbol(operator), right)


def chain(parts: Sequence[Math], separator: str) -> Math:
    """Parts with the same sign between each two."""
    sign = symbol(separator)
    pieces = [parts[0]]
    for part in parts[1:]:
        pieces += [sign, part]
    return join(*pieces)


def scripts(base: Math, sub: Math | None = None, sup: Math | None = None) -> Math:
    """A base with a subscript, a superscript or both; above and below where the base is a large operator."""
    tex, typst, side = base.tex, base.typst, 0.0
    arguments = ""
    if sub is not None:
        tex += f"_{{{sub.tex}}}"
        arguments += f", b: {sub.typst}"
        side = 0.7 * sub.width
    if sup is not None:
        tex += f"^{{{sup.tex}}}"
        arguments += f", t: {sup.typst}"
        side = max(side, 0.7 * sup.width)
    tall = base.tall or any(script is not None and script.tall for script in (sub, sup))
    return Math(tex, f"attach({typst}{arguments})", base.width + side, tall)


def prime(base: Math, count: int = 1, sub: Math | None = None) -> Math:
    """A letter with one or more primes and perhaps a subscript."""
    below = "" if sub is None else f"_{{{sub.tex}}}"
    marks = " ".join(["\\prime"] * count)
    tex = f"{base.tex}{below}^{{{marks}}}"
    typst = base.typst + "'" * count + ("" if sub is None else f"_({sub.typst})")
    return Math(tex, typst, base.width + 0.3 * count + (0.0 if sub is None else 0.5 * sub.width))


def fraction(above: Math, below: Math) -> Math:
    return Math(
        f"\\frac{{{above.tex}}}{{{below.tex}}}",
        f"frac({above.typst}, {below.typst})",
        max(above.width, below.width) + 0.3,
        True,
    )


def binomial(above: Math, below: Math) -> Math:
    return Math(
        f"\\binom{{{above.tex}}}{{{below.tex}}}",
        f"binom({above.typst}, {below.typst})",
        max(above.width, below.width) + 1.2,
        True,
    )


def root(radicand: Math, index: Math | None = None) -> Math:
    if index is None:
        return Math(
            f"\\sqrt{{{radicand.tex}}}", f"sqrt({radicand.typst})", radicand.width + 0.9, radicand.tall
        )
    return Math(
        f"\\sqrt[{index.tex}]{{{radicand.tex}}}",
        f"root({index.typst}, {radicand.typst})",
        radicand.width + 1.0,
        radicand.tall,
    )


def accent(name: str, base: Math) -> Math:
    r"""A mark over one letter (`hat`, `bar`, `vec`, ...) or over several (`widehat`, `overline`, ...)."""
    return Math(f"\\{name}{{{base.tex}}}", f"{ACCENTS[name]}({base.typst})", base.width, base.tall)


def alphabet(name: str, letters: str) -> Math:
    r"""Letters of another alphabet: `mathbb`, `mathbf`, `mathcal`, `mathfrak`, `mathrm`, `mathsf`."""
    body = " ".join(letters)
    return Math(f"\\{name}{{{letters}}}", ALPHABETS[name].format(body), 0.7 * len(letters))


def bold_symbol(base: Math) -> Math:
    r"""A bold italic letter or a bold Greek one: `\boldsymbol{\theta}`."""
    return Math(f"\\boldsymbol{{{base.tex}}}", f"bold({base.typst})", base.width + 0.05)


def operator(name: str) -> Math:
    r"""A named function (`\sin`), a named one of the author's own (`\operatorname{tr}`), or `\lim` and its like."""
    if name in LIMIT_OPERATORS:
        tex, words = LIMIT_OPERATORS[name]
        return Math(tex, f'op("{words}", limits: #true)', 0.5 * len(words) + 0.2)
    tex = f"\\{name}" if name in OPERATORS else f"\\operatorname{{{name}}}"
    return Math(tex, f'op("{name}")', 0.5 * len(name) + 0.2)


def big_operator(name: str) -> Math:
    r"""`\sum`, `\int`, `\bigcup`, ..."""
    char, width = BIG_OPERATORS[name]
    return Math(f"\\{name}", char, width, True)


def words(text: str) -> Math:
    r"""Text in mathematics: `\text{ if }`. Letters and inner spaces, with a space at a side where text meets a sign.

    Typst sets that outer space by itself, because the parts of a formula stand apart in its source.
    """
    return Math(f"\\text{{{text}}}", f'"{text.strip()}"', 0.48 * len(text))


def delimited(opening: str, body: Math, closing: str) -> Math:
    r"""A pair of delimiters, grown when the body is tall. `"."` stands for no delimiter on that side."""
    tex_open, typst_open = DELIMITERS[opening]
    tex_close, typst_close = DELIMITERS[closing]
    width = body.width + 0.8
    fence = opening in ("|", "||") or closing in ("|", "||")
    if body.tall:
        left = join(Math(f"\\left{tex_open}", "", 0), body)
        return Math(
            f"{left.tex}\\right{tex_close}", f"lr({typst_open} {body.typst} {typst_close})", width, True
        )
    inside = join(Math(tex_open, "", 0), body, Math(tex_close, "", 0))
    typst = f"{typst_open} {body.typst} {typst_close}"
    return Math(inside.tex, f"lr({typst})" if fence else typst, width)


def big_delimited(size: str, opening: str, body: Math, closing: str) -> Math:
    r"""A pair of delimiters of a stated size: `big`, `Big`, `bigg` or `Bigg`."""
    tex_open, typst_open = DELIMITERS[opening]
    tex_close, typst_close = DELIMITERS[closing]
    em = BIG_DELIMITERS[size]
    inside = join(Math(f"\\{size}{tex_open}", "", 0), body)
    left = f'class("opening", lr(size: #{em}em, {typst_open}))'
    right = f'class("closing", lr(size: #{em}em, {typst_close}))'
    return Math(f"{inside.tex}\\{size}{tex_close}", f"{left} {body.typst} {right}", body.width + 1.0, True)


def evaluated(body: Math, sub: Math, sup: Math | None = None) -> Math:
    r"""A bar on the right with limits: `\left.\frac{...}{...}\right|_{x=0}`."""
    inside = join(Math("\\left.", "", 0), body)
    top = "" if sup is None else f"^{{{sup.tex}}}"
    typst_top = "" if sup is None else f", t: {sup.typst}"
    return Math(
        f"{inside.tex}\\right|_{{{sub.tex}}}{top}",
        f"attach(lr({body.typst} \\|), b: {sub.typst}{typst_top})",
        body.width + 0.3 + 0.7 * sub.width,
        True,
    )


_MATRICES = {
    "matrix": "#none",
    "pmatrix": '"("',
    "bmatrix": '"["',
    "Bmatrix": '"{"',
    "vmatrix": '"|"',
    "Vmatrix": '"‖"',
}


def matrix(environment: str, rows: Sequence[Sequence[Math]]) -> Math:
    """A matrix: `matrix`, `pmatrix`, `bmatrix`, `Bmatrix`, `vmatrix` or `Vmatrix`."""
    typst = "; ".join(", ".join(cell.typst for cell in row) for row in rows)
    return Math(
        f"\\begin{{{environment}}}{_tex_rows(rows)}\\end{{{environment}}}",
        f"mat(delim: {_MATRICES[environment]}, {typst})",
        _columns_width(rows, 1.0) + 0.8,
        True,
    )


def cases(rows: Sequence[tuple[Math, Math]]) -> Math:
    """Values and their conditions behind one brace."""
    lines = ", ".join(f"& {value.typst} quad && {condition.typst}" for value, condition in rows)
    return Math(
        f"\\begin{{cases}}{_tex_rows(rows)}\\end{{cases}}",
        f"cases({lines})",
        _columns_width(rows, 1.0) + 1.0,
        True,
    )


def aligned(rows: Sequence[tuple[Math, Math]]) -> Math:
    """Lines aligned where the left and the right part meet; the right part begins with the relation."""
    _check_rows(rows)
    tex = " \\\\\n".join(f"{left.tex} & {right.tex}".strip() for left, right in rows)
    typst = " \\\n".join(f"{left.typst} & {right.typst}".strip() for left, right in rows)
    width = max(left.width for left, _ in rows) + max(right.width for _, right in rows)
    return Math(f"\\begin{{aligned}}\n{tex}\n\\end{{aligned}}", typst, width, True)


def stacked(lines: Sequence[Math]) -> Math:
    r"""Several lines under a large operator: `\substack{...}`."""
    tex = " \\\\ ".join(line.tex for line in lines)
    return Math(
        f"\\substack{{{tex}}}",
        " \\ ".join(line.typst for line in lines),
        max(line.width for line in lines),
        True,
    )


def brace(side: str, body: Math, label: Math | None = None) -> Math:
    r"""A brace over or under a part (`side` is "over" or "under"), with a label."""
    mark = "^" if side == "over" else "_"
    tex = f"\\{side}brace{{{body.tex}}}" + ("" if label is None else f"{mark}{{{label.tex}}}")
    typst = f"{side}brace({body.typst}" + (")" if label is None else f", {label.typst})")
    return Math(tex, typst, max(body.width, 0.0 if label is None else 0.7 * label.width), True)


def over(relation: Math, mark: Math) -> Math:
    r"""A small mark over a relation: `\stackrel{d}{=}`."""
    return Math(
        f"\\stackrel{{{mark.tex}}}{{{relation.tex}}}",
        f"attach(limits({relation.typst}), t: {mark.typst})",
        max(relation.width, 0.7 * mark.width + 0.5),
        True,
    )


def labelled_arrow(label: Math) -> Math:
    r"""An arrow as long as the words over it: `\xrightarrow{...}`."""
    length = round(0.7 * label.width + 1.0, 2)
    return Math(
        f"\\xrightarrow{{{label.tex}}}",
        f"attach(limits(stretch(→, size: #{length}em)), t: {label.typst})",
        length + 0.5,
        True,
    )


def space(name: str) -> Math:
    r"""Space worth writing: `","` for `\,` and `"quad"`."""
    return Math("\\,", "thin", 0.17) if name == "," else Math("\\quad", "quad", 1.0)


def _tex_rows(rows: Sequence[Sequence[Math]]) -> str:
    _check_rows(rows)
    return " " + " \\\\ ".join(" & ".join(cell.tex for cell in row) for row in rows) + " "


def _check_rows(rows: Sequence[Sequence[Math]]) -> None:
    assert not any(row[0].tex.startswith(("[", "*")) for row in rows), "LaTeX would take it for an option"


def _columns_width(rows: Sequence[Sequence[Math]], gap: float) -> float:
    columns = range(len(rows[0]))
    return sum(max(row[column].width for row in rows) for column in columns) + gap * (len(rows[0]) - 1)
