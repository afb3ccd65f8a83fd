"""Text faces that Typst can set whole pages in: the registry's, under the names that Typst knows them by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..fonts.catalog import FontFile, Split, families, fonts
from .typst_pdf import string, typst_fonts

_REGULAR = 400
_STYLES = ("serif", "sans", "mono")
_STYLE_WEIGHTS = {"serif": 0.6, "sans": 0.33, "mono": 0.07}
_EMBEDDED = (("New Computer Modern", "serif"), ("Libertinus Serif", "serif"))
_EMBEDDED_SHARE = 0.35
_EMBEDDED_MATH = "New Computer Modern Math"
# Debian's fonts-lmodern and fonts-texgyre-math (GUST font licence). Other mathematics faces were looked at and
# left out: they draw two signs alike (Asana) or misplace braces (the old STIX).
_MATH_FOLDERS = tuple(
    f"/usr/share/texmf/fonts/opentype/public/{name}" for name in ("lm-math", "tex-gyre-math")
)
_MATH_FAMILIES: dict[Split, tuple[str, ...]] = {
    "train": ("Latin Modern Math", "TeX Gyre Bonum Math", "TeX Gyre DejaVu Math", "TeX Gyre Pagella Math",
              "TeX Gyre Termes Math"),
    "test": ("TeX Gyre Schola Math",),
}  # fmt: skip


@dataclass(frozen=True)
class PageFont:
    """A family for a page.

    Attributes:
        family: its name in Typst.
        style: "serif", "sans" or "mono".
        face: its regular face in the registry; None for a family that Typst embeds.
    """

    family: str
    style: str
    face: FontFile | None = None

    def covers(self, text: str) -> bool:
        """Whether every character is drawn in this family; Typst's own are trusted with Latin letters."""
        if self.face is not None:
            return self.face.covers(text)
        return all(ord(char) < 0x180 or char in "–—‘’“”…€" for char in text)


@lru_cache(maxsize=2)
def page_fonts(split: Split) -> tuple[PageFont, ...]:
    """Families with a regular upright face in a file of its own; the embedded two belong to training."""
    book = {(info.path, info.index): info.family for info in typst_fonts(font_folders()).fonts() if info.path}
    found: dict[str, PageFont] = {}
    for faces in families(_static(split)).values():
        for face in faces:
            family = book.get((face.path, face.index))
            if family is not None and face.weight == _REGULAR and not face.italic:
                found.setdefault(family, PageFont(family, face.style, face))
    embedded = tuple(PageFont(*row) for row in _EMBEDDED) if split == "train" else ()
    own = {font.family for font in embedded}
    return embedded + tuple(font for name, font in sorted(found.items()) if name not in own)


@lru_cache(maxsize=1)
def font_folders() -> tuple[str, ...]:
    """The folders of all families of both splits, so that one font book serves a process."""
    faces = (*_static("train"), *_static("test"))
    mathematics = {folder for folder in _MATH_FOLDERS if Path(folder).is_dir()}
    return tuple(sorted({str(Path(face.path).parent) for face in faces} | mathematics))


@lru_cache(maxsize=2)
def math_fonts(split: Split) -> tuple[str, ...]:
    """Families for mathematics under their names in Typst; its embedded one alone where no other is installed."""
    at_hand = set(typst_fonts(font_folders()).families())
    found = tuple(family for family in _MATH_FAMILIES[split] if family in at_hand)
    return (_EMBEDDED_MATH, *found) if split == "train" else found or (_EMBEDDED_MATH,)


def pick_math_font(rng: np.random.Generator, split: Split) -> str:
    """A family for mathematics: the embedded one, which looks like TeX's own, as often as all others together."""
    choices = math_fonts(split)
    return choices[0] if rng.random() < 0.5 else choices[int(rng.integers(len(choices)))]


def math_rule(family: str) -> str:
    """Typst markup that sets mathematics in a family; a sign that it lacks comes from the embedded one."""
    return f'#show math.equation: set text(font: ({string(family)}, "{_EMBEDDED_MATH}"))'


def pick_page_font(rng: np.random.Generator, split: Split) -> PageFont:
    """A family for a page: mostly serif, often one of the two that papers are set in most."""
    choices = page_fonts(split)
    embedded = [font for font in choices if font.face is None]
    if embedded and rng.random() < _EMBEDDED_SHARE:
        return _one(rng, embedded)
    weights = [_STYLE_WEIGHTS[style] for style in _STYLES]
    for index in rng.choice(len(_STYLES), size=len(_STYLES), replace=False, p=weights):
        group = [font for font in choices if font.style == _STYLES[int(index)]]
        if group:
            return _one(rng, group)
    raise AssertionError("the registry always has the bundled families")


def _one(rng: np.random.Generator, items: Sequence[PageFont]) -> PageFont:
    return items[int(rng.integers(len(items)))]


def _static(split: Split) -> tuple[FontFile, ...]:
    """Faces that are not instances of a variable font, which Typst would draw at its default weight only."""
    return tuple(face for face in fonts(_STYLES, split=split) if not face.axes)
