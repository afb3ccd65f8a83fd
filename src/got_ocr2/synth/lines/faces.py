"""Which typefaces belong to which kind of print."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ..corpora import Split
from ..fonts import FontFile, fonts, pick_font

if TYPE_CHECKING:
    import numpy as np

TYPEWRITER = (
    "Special Elite", "Cutive Mono", "Cutive", "Courier Prime", "FreeMono", "TeX Gyre Cursor", "Nimbus Mono PS",
    "CMU Typewriter Text", "Latin Modern Mono", "Latin Modern Mono Light", "Liberation Mono", "Cousine", "Xanh Mono",
    "Anonymous Pro", "Latin Modern Mono Prop",
)  # fmt: skip
BOOK = (
    "IM FELL DW Pica", "IM FELL Double Pica", "IM FELL English", "IM FELL French Canon", "IM FELL Great Primer",
    "Old Standard TT", "GFS Didot", "Bodoni Moda", "Libre Bodoni", "Essays1743", "Fanwood", "Fanwood Text",
    "Goudy Bookletter 1911", "Sorts Mill Goudy", "Linden Hill", "Libre Caslon Text", "Cormorant", "Cormorant Garamond",
    "EB Garamond", "Cardo", "Junicode Two Beta", "Jacques Francois", "Neuton", "Rosarivo", "Unna", "C059",
    "TeX Gyre Schola", "URW Bookman", "CMU Serif", "Latin Modern Roman", "Linux Libertine O", "Playfair Display",
    "Prociono",
)  # fmt: skip
RECEIPT = (
    "VT323", "DotGothic16", "Share Tech Mono", "NovaMono", "Handjet", "Pixelify Sans", "Jersey 10", "Micro 5",
    "B612 Mono", "OCRA", "OCR B", "Terminus", "IBM 3270", "Unifont",
)  # fmt: skip


@lru_cache(maxsize=64)
def faces_of(families: tuple[str, ...], split: Split, italic: bool | None = None) -> tuple[FontFile, ...]:
    """The faces at hand of some families; those of one width where there are none."""
    found = tuple(face for face in fonts(split=split, italic=italic) if face.family in families)
    return found or fonts("mono", split=split) or fonts(split=split)


def pick_family(
    rng: np.random.Generator, families: tuple[str, ...], split: Split, *, italic: bool | None = None
) -> FontFile:
    """A face of one of the families, every family equally likely; `italic` as `fonts` takes it."""
    return pick_font(rng, "Aa0", faces_of(families, split, italic))
