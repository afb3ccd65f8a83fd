"""Writers of scores: pictures, sound, MusicXML, and `**kern` itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, get_args

from ...errors import InvalidOptionError, RenderError
from ..problems import Problem, refuse
from ..process import run_apart
from ..raster import png_of, size_of
from ..rendered import Rendered
from .check import Score, check

Layout = Literal["tidy", "published"]
_SECONDS = 60
# The options of the sheet-music example in the model's documentation, and those of its original code.
PUBLISHED: dict[str, Any] = {
    "pageWidth": 2100, "pageHeight": 800, "footer": "none", "barLineWidth": 0.5, "beamMaxSlope": 15,
    "staffLineWidth": 0.2, "spacingStaff": 6,
}  # fmt: skip
# A page as wide as A4 in verovio's tenths of a millimetre, at half size, as high as its music.
_TIDY: dict[str, Any] = {
    "pageWidth": 2100, "pageHeight": 2970, "adjustPageHeight": True, "footer": "none", "scale": 50,
    "pageMarginLeft": 60, "pageMarginRight": 60, "pageMarginTop": 60, "pageMarginBottom": 60,
}  # fmt: skip
_OUTSIDE = {"inputFrom", "xmlIdSeed", "outputTo", "resourcePath", "fontAddCustom", "fontLoadAll"}


def write_svg(
    text: str, *, strict: bool = False, layout: Layout = "tidy", page: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Rendered:  # fmt: skip
    """The engraved score.

    Args:
        text: `**kern`, `**ekern` or `**bekern`.
        strict: raise on a problem.
        layout: "tidy" breaks the music into pages as wide as A4; "published" takes the options of the example in the
            model's documentation.
        page: number of a page from 1; None puts all of them one below the other.
        options: of verovio (https://book.verovio.org/toolkit-reference/toolkit-options.html), in place of the layout's.

    Raises:
        InvalidOptionError: an unknown layout or option.
        MissingDependencyError: verovio is not installed.
        RenderError: there is no score in the text, it has no such page, or it takes longer than 60 seconds.
    """
    score = _checked(text, strict)
    return Rendered.of(_svg(score, layout, page, options), "svg", "music", score.problems)


def write_png(
    text: str, *, strict: bool = False, layout: Layout = "tidy", page: int | None = None,
    options: Mapping[str, Any] | None = None, width: int = 1600,
) -> Rendered:  # fmt: skip
    """The engraved score as a picture `width` pixels wide (16 to 10,000); all else as in `write_svg`."""
    score = _checked(text, strict)
    svg = _svg(score, layout, page, options)
    return Rendered.of(png_of(svg, width=width), "png", "music", score.problems)


def write_midi(text: str, *, strict: bool = False, options: Mapping[str, Any] | None = None) -> Rendered:
    """The score as a MIDI file; the arguments are those of `write_svg`."""
    score = _checked(text, strict)
    answer = _engraved(score, _options("tidy", options), midi=True)
    return Rendered.of(base64.b64decode(answer["midi"]), "midi", "music", score.problems)


def write_musicxml(text: str, *, strict: bool = False) -> Rendered:
    """The score as MusicXML, written by music21, which loses some grace notes; a problem says how many."""
    score = _checked(text, strict)
    data = run_apart("music.engraver:to_musicxml", score.kern, what="The score", seconds=2 * _SECONDS)
    written = base64.b64decode(data)
    problems = list(score.problems)
    if (lost := score.notes - written.count(b"<pitch>")) > 0:
        problems.append(
            Problem(1, None, f"{lost} of {score.notes} notes are not in the MusicXML: music21 lost them")
        )
        if strict:
            refuse("MusicXML", problems)
    return Rendered.of(written, "musicxml", "music", problems)


def write_kern(text: str, *, strict: bool = False) -> Rendered:
    """The score as `**kern`, mended."""
    score = _checked(text, strict)
    return Rendered.of(score.kern, "kern", "music", score.problems)


def pages(text: str, *, layout: Layout = "tidy", options: Mapping[str, Any] | None = None) -> list[str]:
    """The engraved score, an SVG document for each page; arguments and errors are those of `write_svg`."""
    return _engraved(check(text), _options(layout, options))["pages"]


def _checked(text: str, strict: bool) -> Score:
    score = check(text)
    if strict:
        refuse("score", score.problems)
    return score


def _options(layout: str, options: Mapping[str, Any] | None) -> dict[str, Any]:
    if layout not in get_args(Layout):
        raise InvalidOptionError(f"The layout is one of {', '.join(get_args(Layout))}, got {layout!r}.")
    given = dict(options or {})
    if unknown := sorted(set(given) - (set(_names()) - _OUTSIDE) if given else ()):
        raise InvalidOptionError(f"Verovio has no option {unknown[0]!r} that can be set here.")
    return {**(PUBLISHED if layout == "published" else _TIDY), **given}


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    return tuple(run_apart("music.engraver:option_names", None, what="The score", seconds=_SECONDS))


def _engraved(
    score: Score, options: dict[str, Any], *, page: int | None = None, midi: bool = False
) -> dict[str, Any]:
    if not score.bars:
        raise RenderError("The score has no notes.")
    job = {"kern": score.kern, "options": options, "midi": midi, "pages": None if page is None else [page]}
    return run_apart("music.engraver:engrave", job, what="The score", seconds=_SECONDS)


def _svg(score: Score, layout: str, page: int | None, options: Mapping[str, Any] | None) -> str:
    drawn: list[str] = _engraved(score, _options(layout, options), page=page)["pages"]
    # What stands outside the staves, such as high notes, is shown and not cut off.
    drawn = [one.replace('overflow="inherit"', 'overflow="visible"') for one in drawn]
    if len(drawn) == 1:
        return drawn[0]
    sizes = [size_of(one) for one in drawn]
    width, height = max(w for w, _ in sizes), sum(h for _, h in sizes)
    size = f'width="{width:g}px" height="{height:g}px" viewBox="0 0 {width:g} {height:g}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>']
    top = 0.0
    for one, (_, high) in zip(drawn, sizes, strict=True):
        body = re.sub(r"^\s*<\?xml[^>]*\?>\s*", "", one)
        parts.append(body.replace("<svg ", f'<svg y="{top:g}" ', 1))
        top += high
    return "\n".join([*parts, "</svg>\n"])
