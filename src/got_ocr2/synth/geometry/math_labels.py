"""Sets the short labels of figures with any text font: a small part of TeX's mathematics.

Understood are letters and digits, text outside and mathematics inside dollar signs, `^` and `_`, groups in braces,
`\\frac`, `\\sqrt`, Greek letters, `\\circ`, and names of functions such as `\\sin`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw

from ...errors import InvalidOptionError
from ..fonts.catalog import FontFile

_SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "theta": "θ", "varphi": "φ", "circ": "°", "pi": "π", "prime": "′",
}  # fmt: skip
_FUNCTIONS = ("sin", "cos", "tan", "ln", "log")
_SCRIPT = 0.7  # size of an exponent beside its base


@dataclass(frozen=True)
class Faces:
    """The faces of a label: for text and digits, and for the letters of mathematics."""

    upright: FontFile
    italic: FontFile


@dataclass(frozen=True)
class Piece:
    """Text at a place: its left end and baseline, in pixels from the label's left end and baseline."""

    x: float
    y: float
    text: str
    face: FontFile
    size: float


@dataclass(frozen=True)
class Setting:
    """A label set in type; lengths in pixels, y downwards.

    Attributes:
        width, ascent, descent: of the label about its baseline.
        pieces: its texts.
        strokes: its lines, as points: bars of fractions and roots.
    """

    width: float
    ascent: float
    descent: float
    pieces: tuple[Piece, ...] = ()
    strokes: tuple[tuple[tuple[float, float], ...], ...] = ()

    def moved(self, x: float, y: float) -> Setting:
        return replace(
            self,
            pieces=tuple(replace(piece, x=piece.x + x, y=piece.y + y) for piece in self.pieces),
            strokes=tuple(tuple((a + x, b + y) for a, b in stroke) for stroke in self.strokes),
        )

    def draw(self, image: Image.Image, x: float, y: float, colour: str, line: float) -> None:
        """Draws the label with its left end and baseline at a pixel."""
        draw = ImageDraw.Draw(image)
        for piece in self.pieces:
            draw.text(
                (x + piece.x, y + piece.y), piece.text, colour, piece.face.load(piece.size), anchor="ls"
            )
        for stroke in self.strokes:
            draw.line([(x + a, y + b) for a, b in stroke], colour, max(1, round(line)))


def set_label(text: str, faces: Faces, size: float) -> Setting:
    """Sets a label at `size` pixels per em.

    Raises:
        InvalidOptionError: a command that is not understood, or braces or dollar signs that do not match.
    """
    parts = text.split("$")
    if len(parts) % 2 == 0:
        raise InvalidOptionError(f"The dollar signs of the label {text!r} do not match.")
    settings: list[Setting] = []
    for k, part in enumerate(parts):
        if k % 2:
            settings.append(_Reader(part, faces, size).formula())
        elif part:
            settings.append(_run(part, faces.upright, size))
    return _row(settings)


def shown_text(text: str) -> str:
    """The characters that a label needs of its fonts."""
    names = "".join(symbol for name, symbol in _SYMBOLS.items() if f"\\{name}" in text)
    return "".join(c for c in text if c.isalnum() or c in "()|+,.= ") + names + ("−" if "-" in text else "")


class _Reader:
    """Reads one formula from left to right."""

    def __init__(self, source: str, faces: Faces, size: float) -> None:
        self.source = source
        self.faces = faces
        self.size = size
        self.at = 0

    def formula(self, until: str = "") -> Setting:
        """Everything up to a closing character, which is passed over."""
        row: list[Setting] = []
        while self.at < len(self.source) and self.source[self.at] != until:
            if self.source[self.at] == " ":  # means nothing in mathematics
                self.at += 1
            elif self.source[self.at] in "^_":
                raised = self._next() == "^"
                row[-1] = self._with_script(row[-1], self._atom(_SCRIPT), raised)
            else:
                row.append(self._atom(1.0))
        if until:
            if self.at == len(self.source):
                raise InvalidOptionError(f"A brace of the label {self.source!r} is not closed.")
            self.at += 1
        return _row(row)

    def _next(self) -> str:
        self.at += 1
        return self.source[self.at - 1]

    def _atom(self, scale: float) -> Setting:
        """One character, command or group."""
        outer, self.size = self.size, self.size * scale
        character = self._next()
        if character == "{":
            setting = self.formula("}")
        elif character == "\\":
            setting = self._command()
        else:
            setting = self._character(character)
        self.size = outer
        return setting

    def _character(self, character: str) -> Setting:
        if character.isalpha():
            return _run(character, self.faces.italic, self.size)
        if character == "'":
            return _run("′" if self.faces.upright.covers("′") else "'", self.faces.upright, self.size)
        setting = _run("−" if character == "-" else character, self.faces.upright, self.size)
        before = self.source[: self.at - 1].strip()
        binary = character == "=" or (character in "+-" and before and before[-1] not in "(=,{^_")
        gap = 0.2 * self.size if binary else 0.0
        return replace(setting.moved(gap, 0), width=setting.width + 2 * gap)

    def _command(self) -> Setting:
        name = ""
        while self.at < len(self.source) and self.source[self.at].isalpha():
            name += self._next()
        if name in _SYMBOLS:
            return _run(_SYMBOLS[name], self.faces.upright, self.size)
        if name in _FUNCTIONS:
            gap = _run(" ", self.faces.upright, self.size * 0.7)
            return _row([_run(name, self.faces.upright, self.size), gap])
        if name == "frac":
            return self._fraction(self._atom(_SCRIPT), self._atom(_SCRIPT))
        if name == "sqrt":
            return self._root(self._atom(1.0))
        raise InvalidOptionError(f"The label {self.source!r} holds the unknown command \\{name}.")

    def _with_script(self, base: Setting, script: Setting, raised: bool) -> Setting:
        if script.pieces and script.pieces[0].text == "°":  # a degree sign stands high by itself
            return _row([base, replace(script, pieces=(replace(script.pieces[0], size=self.size),))])
        shift = -0.38 * self.size if raised else 0.18 * self.size
        placed = script.moved(base.width, shift)
        return Setting(
            base.width + script.width,
            max(base.ascent, script.ascent - shift),
            max(base.descent, script.descent + shift),
            base.pieces + placed.pieces,
            base.strokes + placed.strokes,
        )

    def _fraction(self, over: Setting, under: Setting) -> Setting:
        width = max(over.width, under.width) + 0.2 * self.size
        axis, gap = -0.26 * self.size, 0.12 * self.size
        top = over.moved((width - over.width) / 2, axis - gap - over.descent)
        bottom = under.moved((width - under.width) / 2, axis + gap + under.ascent)
        return Setting(
            width,
            -axis + gap + over.descent + over.ascent,
            axis + gap + under.ascent + under.descent,
            top.pieces + bottom.pieces,
            (*over.strokes, *under.strokes, ((0.05 * self.size, axis), (width - 0.05 * self.size, axis))),
        )

    def _root(self, under: Setting) -> Setting:
        hook, gap = 0.55 * self.size, 0.12 * self.size
        top = -(under.ascent + gap)
        foot = ((0.05, -0.3), (0.15, -0.35), (0.32, 0.1))
        line = (
            *((x * self.size, y * self.size) for x, y in foot),
            (hook, top),
            (hook + under.width + gap, top),
        )
        inside = under.moved(hook, 0)
        return Setting(
            hook + under.width + gap,
            -top,
            max(under.descent, 0.1 * self.size),
            inside.pieces,
            (*inside.strokes, line),
        )


def _run(text: str, face: FontFile, size: float) -> Setting:
    font = face.load(round(size, 1))
    _, top, _, bottom = font.getbbox(text, anchor="ls")
    return Setting(
        font.getlength(text), float(-top), float(bottom), (Piece(0.0, 0.0, text, face, round(size, 1)),)
    )


def _row(settings: Iterable[Setting]) -> Setting:
    """Settings side by side."""
    row = Setting(0.0, 0.0, 0.0)
    for setting in settings:
        placed = setting.moved(row.width, 0)
        row = Setting(
            row.width + setting.width,
            max(row.ascent, setting.ascent),
            max(row.descent, setting.descent),
            row.pieces + placed.pieces,
            row.strokes + placed.strokes,
        )
    return row
