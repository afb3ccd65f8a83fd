"""Writers of geometric figures."""

from __future__ import annotations

import io
from typing import Any, Literal, get_args

from ...errors import InvalidOptionError, RenderError
from ...extras import need
from ..problems import Problem, refuse
from ..rendered import Rendered
from .check import Figure, check
from .latex import pdf_of, svg_of

Engine = Literal["tikra", "pdflatex"]
_DPI = (20, 1200)
_MOST_PIXELS = 60_000_000


def write_svg(text: str, *, strict: bool = False, engine: Engine = "tikra") -> Rendered:
    """The figure as a drawing that scales.

    Args:
        text: a `tikzpicture`, or commands of one.
        strict: raise on a problem.
        engine: "tikra", which needs no TeX and says what it does not know; or "pdflatex", where TeX Live is installed
            (SVG then needs poppler's pdftocairo too).

    Raises:
        InvalidOptionError: an unknown engine.
        MissingDependencyError: the engine is not installed.
        RenderError: there is nothing to draw, or `strict` and a problem.
    """
    figure, problems = _checked(text, engine)
    if engine == "pdflatex":
        svg = svg_of(pdf_of(figure))
    else:
        svg, more = _by_tikra(figure)
        problems += more
    if strict:
        refuse("figure", problems)
    return Rendered.of(svg, "svg", "geometry", problems)


def write_png(text: str, *, strict: bool = False, engine: Engine = "tikra", dpi: int = 200) -> Rendered:
    """The figure as a picture on white, `dpi` pixels an inch (20 to 1200); all else as in `write_svg`.

    Raises:
        RenderError: also where the picture would have more than 60 million pixels.
    """
    if not _DPI[0] <= dpi <= _DPI[1]:
        raise InvalidOptionError(
            f"A figure's resolution is {_DPI[0]} to {_DPI[1]} pixels an inch, got {dpi}."
        )
    figure, problems = _checked(text, engine)
    if engine == "pdflatex":
        data = _picture(pdf_of(figure), dpi)
    else:
        svg, more = _by_tikra(figure)
        problems += more
        try:
            data = need("tikra", "Drawing figures", extra="render").png(svg, dpi=float(dpi))
        except ValueError as e:
            raise RenderError(f"The figure cannot be drawn at {dpi} pixels an inch: {str(e)[:200]}.") from e
    if strict:
        refuse("figure", problems)
    return Rendered.of(data, "png", "geometry", problems)


def write_tikz(text: str, *, strict: bool = False) -> Rendered:
    """The mended `tikzpicture`."""
    figure = check(text)
    if strict:
        refuse("figure", figure.problems)
    return Rendered.of(figure.tikz, "tikz", "geometry", figure.problems)


def _checked(text: str, engine: str) -> tuple[Figure, list[Problem]]:
    if engine not in get_args(Engine):
        raise InvalidOptionError(f"The engine is one of {', '.join(get_args(Engine))}, got {engine!r}.")
    figure = check(text)
    return figure, list(figure.problems)


def _by_tikra(figure: Figure) -> tuple[str, list[Problem]]:
    try:
        drawn = need("tikra", "Drawing figures", extra="render").render(figure.tikz)
    except ValueError as e:
        raise RenderError(f"The figure cannot be drawn: {str(e)[:200].rstrip('.')}.") from e
    if drawn["alt"] == "Empty figure":
        raise RenderError("The figure is empty: none of its commands could be drawn.")
    # tikra does not say in which line.
    problems = [Problem(1, None, f"tikra: {warning[:200]}") for warning in drawn["warnings"][:50]]
    return drawn["svg"], problems


def _picture(pdf: bytes, dpi: int) -> bytes:
    document: Any = need("pypdfium2", "Drawing with pdflatex", extra="render").PdfDocument(pdf)
    try:
        page = document[0]
        width, height = page.get_size()
        if width * height * (dpi / 72) ** 2 > _MOST_PIXELS:
            size = f"{width:.0f} x {height:.0f} points"
            raise RenderError(f"The figure measures {size}, too much at {dpi} pixels an inch.")
        picture = page.render(scale=dpi / 72).to_pil()
    finally:
        document.close()
    out = io.BytesIO()
    picture.save(out, "PNG", dpi=(dpi, dpi))
    return out.getvalue()
