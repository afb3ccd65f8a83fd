"""Reads one font file: its faces, and the characters that each face draws truthfully.

A character map says what a font claims. Fonts in the wild claim more than they draw: blank outlines, boxes
for letters left out, capitals in the place of small letters, letters without their accent. Text drawn with
such a glyph would contradict its truth, so each glyph is drawn once here and believed only if it is distinct.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...errors import MissingDependencyError

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont
    from PIL import ImageFont

PROBE_SIZE = 28
BLANK = frozenset({0x20, 0xA0, 0x3000})
DRAWN_RANGES = (
    (0x21, 0x24F),
    (0x370, 0x3FF),
    (0x400, 0x45F),
    (0x2010, 0x2044),
    (0x20A0, 0x20BF),
    (0x2100, 0x22FF),
)
TRUSTED_RANGES = ((0x3001, 0x303F), (0x4E00, 0x9FFF), (0xFF01, 0xFF5E))
PLACEHOLDER_COUNT = 12
VARIABLE_WEIGHTS = (400, 700)


@dataclass(frozen=True)
class Face:
    """One face of a file: a member of a collection, or one place on the axes of a variable font.

    Attributes:
        index: face number inside a `.ttc`.
        axes: design coordinates in the file's order of axes; empty for a static font.
        family: typographic family name.
        subfamily: e.g. "Bold Italic"; tells faces of one family apart.
        weight: 100 (thin) to 900 (black).
        italic: slanted.
        category: "serif", "sans", "mono", "handwriting" or "symbol", as the file says; "" if it does not.
        coverage: characters it draws, as sorted inclusive ranges of code points.
    """

    index: int
    axes: tuple[float, ...]
    family: str
    subfamily: str
    weight: int
    italic: bool
    category: str
    coverage: tuple[tuple[int, int], ...]


def read_faces(path: Path) -> list[Face]:
    """All faces of a TrueType or OpenType file.

    Raises:
        MissingDependencyError: fontTools is not installed.
        OSError, fontTools.ttLib.TTLibError: the file is not a font that can be read.
    """
    try:
        from fontTools.ttLib import TTCollection, TTFont
    except ImportError as error:
        raise MissingDependencyError('Fonts need fontTools: pip install "got-ocr2[synth]".') from error
    with path.open("rb") as file:  # fontTools leaves a file open that it cannot read
        if path.suffix.lower() == ".ttc":
            with TTCollection(file, lazy=True) as collection:
                return [face for i, font in enumerate(collection.fonts) for face in _faces_of(font, path, i)]
        with TTFont(file, lazy=True) as font:
            return _faces_of(font, path, 0)


def _faces_of(font: TTFont, path: Path, index: int) -> list[Face]:
    names: Any = font["name"]
    family = names.getDebugName(16) or names.getDebugName(1) or path.stem
    subfamily = names.getDebugName(17) or names.getDebugName(2) or "Regular"
    os2: Any = font.get("OS/2")
    weight = int(os2.usWeightClass) if os2 is not None else 400
    slanted = os2 is not None and bool(os2.fsSelection & 0x201)
    described = f"{subfamily} {path.stem}".lower()  # Courier Prime tells its styles in file names only
    italic = slanted or any(word in described for word in ("italic", "oblique", "slanted"))
    coverage = _as_ranges(_drawn_characters(path, index, font.getBestCmap() or {}))
    category = _category(font)

    places: list[tuple[tuple[float, ...], int, str]] = [((), weight, subfamily)]
    if "fvar" in font:
        places = _places(font["fvar"], weight, subfamily)
    return [Face(index, axes, family, name, w, italic, category, coverage) for axes, w, name in places]


def _places(fvar: Any, weight: int, subfamily: str) -> list[tuple[tuple[float, ...], int, str]]:
    """Where a variable font is used: at the usual weights, and at the default of every other axis."""
    span = next(((a.minValue, a.maxValue) for a in fvar.axes if a.axisTag == "wght"), None)
    weights = [w for w in VARIABLE_WEIGHTS if span and span[0] <= w <= span[1]]
    if not weights:
        return [(tuple(float(a.defaultValue) for a in fvar.axes), weight, subfamily)]

    def at(value: int) -> tuple[float, ...]:
        return tuple(float(value) if a.axisTag == "wght" else float(a.defaultValue) for a in fvar.axes)

    return [(at(w), w, f"{subfamily} {w}") for w in weights]


def _category(font: TTFont) -> str:
    os2: Any = font.get("OS/2")
    post: Any = font.get("post")
    kind, serif, proportion = (0, 0, 0)
    if os2 is not None:
        panose = os2.panose
        kind, serif, proportion = panose.bFamilyType, panose.bSerifStyle, panose.bProportion
    if kind == 5:
        return "symbol"
    if kind == 3:
        return "handwriting"
    if (post is not None and post.isFixedPitch) or (kind == 2 and proportion == 9):
        return "mono"
    if kind == 2 and serif >= 11:
        return "sans"
    return "serif" if kind == 2 and serif >= 2 else ""


def _drawn_characters(path: Path, index: int, cmap: dict[int, str]) -> set[int]:
    """The characters of `cmap` (code point -> glyph name) that are drawn as themselves."""
    from PIL import ImageFont

    named = {code for code, glyph in cmap.items() if glyph != ".notdef"}
    font = ImageFont.truetype(str(path), PROBE_SIZE, index, layout_engine=ImageFont.Layout.BASIC)
    drawn = {code: _bitmap(font, code) for code in _within(named, DRAWN_RANGES)}
    inked = {code: bitmap for code, bitmap in drawn.items() if bitmap is not None}
    distinct = _without_lost_accents(_without_placeholders(inked))
    return _with_true_case(distinct) | (named & BLANK) | set(_within(named, TRUSTED_RANGES))


def _bitmap(font: ImageFont.FreeTypeFont, code: int) -> bytes | None:
    """The picture of one character, with its size; None if no ink is drawn."""
    mask, offset = font.getmask2(chr(code), mode="L")
    if mask.getbbox() is None:
        return None
    return repr((mask.size, offset)).encode() + bytes(cast(Any, mask))


def _without_placeholders(inked: dict[int, bytes]) -> dict[int, bytes]:
    sharing: defaultdict[bytes, set[int]] = defaultdict(set)
    for code, bitmap in inked.items():
        sharing[bitmap].add(_base(code))
    return {code: bitmap for code, bitmap in inked.items() if len(sharing[bitmap]) < PLACEHOLDER_COUNT}


def _without_lost_accents(inked: dict[int, bytes]) -> dict[int, bytes]:
    return {c: b for c, b in inked.items() if _base(c) == c or inked.get(_base(c)) != b}


def _with_true_case(inked: dict[int, bytes]) -> set[int]:
    """Drops small letters where the font draws capitals for them."""
    lower = [code for code in inked if chr(code).islower()]
    false = {code for code in lower if _upper(code) != code and inked.get(_upper(code)) == inked[code]}
    latin = sum(0x61 <= code <= 0x7A for code in false)
    return set(inked) - (set(lower) if latin > 4 else false)


def _base(code: int) -> int:
    decomposed = unicodedata.normalize("NFD", chr(code))
    return ord(decomposed[0])


def _upper(code: int) -> int:
    upper = chr(code).upper()
    return ord(upper) if len(upper) == 1 else code


def _within(codes: set[int], ranges: Iterable[tuple[int, int]]) -> list[int]:
    return [
        code
        for first, last in ranges
        for code in range(first, last + 1)
        if code in codes and unicodedata.category(chr(code)) not in ("Cf", "Cn", "Mn", "Me", "Zs")
    ]


def _as_ranges(codes: set[int]) -> tuple[tuple[int, int], ...]:
    ranges: list[tuple[int, int]] = []
    for code in sorted(codes):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return tuple(ranges)
