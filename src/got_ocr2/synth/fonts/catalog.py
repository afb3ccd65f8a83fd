"""The fonts that the data engines may draw with: each with its family, style, licence and source.

Three sources, in this order (a face found twice is taken from the first):

1. **bundled**: a few families inside the package, so that everything works offline at once;
2. **wheel**: `fontpkg-*` packages from PyPI (entry point group `fontpkg.family`) and the fonts in matplotlib;
3. **system**: fontconfig's usual folders (`/usr/share/fonts`, `/usr/share/texmf/fonts`,
   `/usr/local/share/fonts`, `~/.local/share/fonts`, `~/.fonts`, and their macOS and Windows counterparts).
   Only families listed in `assets/fonts/families.tsv` are taken from there: nothing else tells their licence.

Folders named in `GOT_OCR2_FONTS` (separated like `PATH`) are added with licence "user". Samples depend on the
fonts at hand; `GOT_OCR2_FONT_SOURCES=bundled,wheel` leaves out what differs from one machine to the next, and
`GOT_OCR2_PACK` names a folder that all of them are taken from instead (see `sources.packed`).

Some families are held out: they are only ever given for `split="test"`, with every other family of their
design, so that a score on them is a score on unseen letter shapes.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import cache, lru_cache
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from ...errors import InvalidOptionError
from ..sources.cache import read_cached, write_cached
from ..sources.packed import pack_folder, packed_faces
from .faces import Face, read_faces

if TYPE_CHECKING:
    import numpy as np
    from PIL import ImageFont

FontStyle = Literal["serif", "sans", "mono", "handwriting", "display"]
Split = Literal["train", "test"]
Script = Literal["latin", "chinese"]

SOURCES = ("bundled", "wheel", "system")
STYLES: tuple[FontStyle, ...] = ("serif", "sans", "mono", "handwriting", "display")

TEST_FAMILIES = frozenset({
    "ABeeZee", "Alfa Slab One", "Carlito", "Courier Prime", "Courier Prime Code", "Courier Prime Sans",
    "Crimson Text", "Domine", "Gentium Book Plus", "Gentium Plus", "Kalam", "Lato", "Oswald", "Space Mono",
    "Titillium Web", "WenQuanYi Micro Hei", "femkeklaver",
})  # fmt: skip

_SCRIPT_CHARACTERS: dict[str, str] = {
    "latin": "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;!?'\"()-/",
    "chinese": "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年",
}
_WHEEL_STYLES = (
    ("MONOSPACE", "mono"), ("HANDWRITING", "handwriting"), ("DISPLAY", "display"),
    ("SANS_SERIF", "sans"), ("SERIF", "serif"),
)  # fmt: skip
_CAPITALS_ONLY_FAMILIES = frozenset({"Cinzel", "Cormorant SC", "Permanent Marker"})
_CACHE_NAME = "fonts-2.json"
_ASSETS = Path(__file__).parents[1] / "assets" / "fonts"


@dataclass(frozen=True)
class FontFile:
    """One face that may be drawn with.

    Attributes:
        path: TrueType or OpenType file.
        index: face number inside a collection.
        axes: design coordinates of a variable font, empty for a static one.
        family: family name.
        name: family with its style, e.g. "Lato Bold Italic".
        style: "serif", "sans", "mono", "handwriting" or "display".
        weight: 100 (thin) to 900 (black).
        italic: slanted.
        licence: SPDX-like name of its licence.
        source: the package it comes from, e.g. "fontpkg-lato" or "fonts-lato".
    """

    path: str
    index: int
    axes: tuple[float, ...]
    family: str
    name: str
    style: FontStyle
    weight: int
    italic: bool
    licence: str
    source: str

    def covers(self, text: str) -> bool:
        """Whether every character of `text` (line breaks aside) is drawn as itself."""
        return coverage(self).issuperset(text.replace("\n", ""))

    def load(self, size: float) -> ImageFont.FreeTypeFont:
        """The face at `size` pixels per em; the last few hundred are kept in memory."""
        return _load(self.path, self.index, self.axes, float(size))


def fonts(
    style: FontStyle | Sequence[FontStyle] | None = None,
    *,
    split: Split = "train",
    script: Script = "latin",
    weights: tuple[int, int] = (300, 900),
    italic: bool | None = None,
) -> tuple[FontFile, ...]:
    """The faces that fit, in an order that depends on names only.

    Args:
        style: one style or several; None for all.
        split: "train", or "test" for the held-out families.
        script: "latin", or "chinese" for faces that hold common simplified characters.
        weights: lightest and heaviest weight, both included; hairlines vanish at the size of a page's text.
        italic: only slanted (True) or only upright (False) faces; None for both.

    Raises:
        InvalidOptionError: an unknown style, split or script.
    """
    styles = STYLES if style is None else (style,) if isinstance(style, str) else tuple(style)
    for value, known, what in (
        (split, ("train", "test"), "split"),
        (script, tuple(_SCRIPT_CHARACTERS), "script"),
    ):
        if value not in known:
            raise InvalidOptionError(f"Unknown font {what} {value!r}; it is one of {', '.join(known)}.")
    for value in styles:
        if value not in STYLES:
            raise InvalidOptionError(f"Unknown font style {value!r}; it is one of {', '.join(STYLES)}.")
    return _select(frozenset(styles), split, script, weights, italic)


def families(faces: Iterable[FontFile]) -> dict[str, tuple[FontFile, ...]]:
    """Faces grouped by family, in the order they come in."""
    grouped: dict[str, list[FontFile]] = {}
    for face in faces:
        grouped.setdefault(face.family, []).append(face)
    return {family: tuple(group) for family, group in grouped.items()}


def pick_font(rng: np.random.Generator, text: str, faces: Sequence[FontFile]) -> FontFile:
    """A random face of a random family (every family equally likely) that draws every character of `text`.

    Raises:
        InvalidOptionError: no face in `faces` draws all of `text`.
    """
    grouped = _grouped(tuple(faces))
    for family in rng.permutation(len(grouped)):
        group = grouped[int(family)]
        for face in rng.permutation(len(group)):
            if group[int(face)].covers(text):
                return group[int(face)]
    raise InvalidOptionError(f"None of the {len(faces)} fonts draws every character of {text[:60]!r}.")


@cache
def coverage(face: FontFile) -> frozenset[str]:
    """The characters that a face draws as themselves."""
    return frozenset(chr(code) for first, last in _ranges()[face] for code in range(first, last + 1))


def all_faces() -> tuple[FontFile, ...]:
    """Every usable face of both splits and of any script, in an order that depends on names only."""
    return tuple(_ranges())


def coverage_ranges(face: FontFile) -> tuple[tuple[int, int], ...]:
    """The characters that a face draws as themselves, as sorted inclusive ranges of code points."""
    return _ranges()[face]


@lru_cache(maxsize=64)
def _grouped(faces: tuple[FontFile, ...]) -> tuple[tuple[FontFile, ...], ...]:
    return tuple(families(faces).values())


@lru_cache(maxsize=256)
def _select(
    styles: frozenset[str], split: Split, script: Script, weights: tuple[int, int], italic: bool | None
) -> tuple[FontFile, ...]:
    return tuple(
        face
        for face in _ranges()
        if face.style in styles
        and (face.family in TEST_FAMILIES) == (split == "test")
        and weights[0] <= face.weight <= weights[1]
        and italic in (None, face.italic)
        and face.covers(_SCRIPT_CHARACTERS[script])
    )


@lru_cache(maxsize=400)
def _load(path: str, index: int, axes: tuple[float, ...], size: float) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.truetype(path, size, index, layout_engine=ImageFont.Layout.BASIC)
    if axes:
        font.set_variation_by_axes(list(axes))
    return font


@lru_cache(maxsize=1)
def _ranges() -> dict[FontFile, tuple[tuple[int, int], ...]]:
    """Every usable face with its coverage, sorted by family and name; faces found twice are kept once."""
    index = _FileIndex()
    found: dict[tuple[str, str, int, str], tuple[FontFile, tuple[tuple[int, int], ...]]] = {}
    for file, ranges in _candidates(index):
        key = (file.family.lower(), file.name.lower(), file.weight, Path(file.path).stem)
        found.setdefault(key, (file, ranges))
    index.save()
    return {file: ranges for _, (file, ranges) in sorted(found.items())}


Candidate = tuple[FontFile, tuple[tuple[int, int], ...]]


def _candidates(index: _FileIndex) -> Iterator[Candidate]:
    """Faces that may be used, with their coverage, in order of preference."""
    if (pack := pack_folder()) is not None:
        yield from _packed(pack)
        return
    sources = _sources()
    yield from _bundled(index) if "bundled" in sources else ()
    yield from _wheels(index) if "wheel" in sources else ()
    yield from _installed(index) if "system" in sources else ()
    yield from _users_own(index)


def _sources() -> tuple[str, ...]:
    chosen = tuple(
        name.strip() for name in os.environ.get("GOT_OCR2_FONT_SOURCES", ",".join(SOURCES)).split(",")
    )
    for name in chosen:
        if name not in SOURCES:
            raise InvalidOptionError(
                f"GOT_OCR2_FONT_SOURCES names the font source {name!r}; sources are {', '.join(SOURCES)}."
            )
    return chosen


def _packed(pack: Path) -> Iterator[Candidate]:
    for row in packed_faces(pack):
        ranges = tuple((first, last) for first, last in row.pop("coverage"))
        yield FontFile(**{**row, "axes": tuple(row["axes"])}), ranges


def _bundled(index: _FileIndex) -> Iterator[Candidate]:
    for path in _font_files([_ASSETS]):
        for face in index.faces(path):
            yield _usable(path, face, face.family, _BUNDLED_STYLES[path.parent.name], "OFL-1.1", "bundled")


def _wheels(index: _FileIndex) -> Iterator[Candidate]:
    listed = _listed_families()
    for package in _font_wheels():
        about: dict[str, Any] = json.loads((package / "metadata.json").read_text("utf-8"))
        if about["family"] in _CAPITALS_ONLY_FAMILIES:
            continue
        style = _style(next(name for tag, name in _WHEEL_STYLES if tag in about["category"]))
        source = package.name.replace("_", "-")
        for path in (package / entry["path"] for entry in about["files"]):
            for face in index.faces(path):
                yield _usable(path, face, about["family"], style, about["license"], source)
    yield from _listed_faces(index, listed, _matplotlib_fonts())


def _installed(index: _FileIndex) -> Iterator[Candidate]:
    yield from _listed_faces(index, _listed_families(), _system_folders())


def _listed_faces(
    index: _FileIndex, listed: dict[str, tuple[FontStyle, str, str]], folders: list[Path]
) -> Iterator[Candidate]:
    for path in _font_files(folders):
        for face in index.faces(path):
            if face.family in listed:
                yield _usable(path, face, face.family, *listed[face.family])


def _users_own(index: _FileIndex) -> Iterator[Candidate]:
    for path in _font_files(Path(p) for p in os.environ.get("GOT_OCR2_FONTS", "").split(os.pathsep) if p):
        for face in index.faces(path):
            yield _usable(path, face, face.family, _style(face.category), "user", str(path.parent))


def _usable(path: Path, face: Face, family: str, style: FontStyle, licence: str, source: str) -> Candidate:
    name = f"{family} {face.subfamily}"
    place = (str(path), face.index, face.axes)
    return FontFile(*place, family, name, style, face.weight, face.italic, licence, source), face.coverage


_BUNDLED_STYLES: dict[str, FontStyle] = {
    "abeezee": "sans", "cabin": "sans", "delius": "handwriting", "dm_mono": "mono", "domine": "serif",
    "lora": "serif", "space_mono": "mono",
}  # fmt: skip


def _listed_families() -> dict[str, tuple[FontStyle, str, str]]:
    lines = (_ASSETS / "families.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {family: (_style(style), licence, package) for family, style, licence, package in rows}


def _style(name: str) -> FontStyle:
    return cast("FontStyle", name) if name in STYLES else "sans"


def _font_wheels() -> list[Path]:
    names = sorted({entry.value for entry in metadata.entry_points(group="fontpkg.family")})
    specs = [util.find_spec(name) for name in names]
    return [Path(spec.origin).parent for spec in specs if spec and spec.origin]


def _matplotlib_fonts() -> list[Path]:
    spec = util.find_spec("matplotlib")
    return [Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"] if spec and spec.origin else []


def _system_folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "darwin":
        return [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    if sys.platform == "win32":
        windows = Path(os.environ.get("WINDIR", "C:/Windows"))
        local = Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
        return [local / "Microsoft/Windows/Fonts", windows / "Fonts"]
    data = Path(os.environ.get("XDG_DATA_HOME", home / ".local/share"))
    shared = ("/usr/local/share/fonts", "/usr/share/fonts", "/usr/share/texmf/fonts")
    return [data / "fonts", home / ".fonts", *map(Path, shared)]


def _font_files(folders: Iterable[Path]) -> Iterator[Path]:
    """Font files below each folder, by name within it; not Type 1, whose families have OpenType too."""
    for folder in folders:
        files = (path for suffix in ("ttf", "otf", "ttc") for path in folder.rglob(f"*.{suffix}"))
        yield from sorted(files, key=lambda path: (path.name, str(path)))


class _FileIndex:
    """Faces of every font file read so far, kept in the user's cache until the file changes."""

    def __init__(self) -> None:
        self._old: dict[str, Any] = json.loads(read_cached(_CACHE_NAME) or b"{}")
        self._new: dict[str, Any] = {}

    def faces(self, path: Path) -> list[Face]:
        """Faces of one file; a file that is no readable font has none."""
        key = str(path)
        if key not in self._new:
            status = path.stat()
            stamp = [status.st_size, status.st_mtime_ns]
            old = self._old.get(key)
            self._new[key] = old if old and old["stamp"] == stamp else {"stamp": stamp, "faces": _rows(path)}
        return [
            Face(i, tuple(axes), family, sub, weight, italic, category, tuple((a, b) for a, b in ranges))
            for i, axes, family, sub, weight, italic, category, ranges in self._new[key]["faces"]
        ]

    def save(self) -> None:
        if self._new.keys() - self._old.keys() or any(self._old.get(k) != v for k, v in self._new.items()):
            write_cached(_CACHE_NAME, json.dumps({**self._old, **self._new}).encode())


def _rows(path: Path) -> list[Any]:
    from fontTools.ttLib import TTLibError

    try:
        return [astuple(face) for face in read_faces(path)]
    except (OSError, TTLibError):
        return []
