"""Pages as PDF: by WeasyPrint from the HTML, the same on every machine, or by pdflatex where it is asked for.

WeasyPrint is a Python package and sets every script that the machine has a font for. A browser would do the same and
weighs hundreds of megabytes that pip cannot install. WeasyPrint knows no MathML, so formulas become vector pictures by
mathra, on the baseline of their line. pdflatex sets finer formulas and knows Latin letters alone.
"""

from __future__ import annotations

import base64
import importlib
import re
from functools import lru_cache
from html import escape
from typing import Any

from ...errors import InvalidOptionError, MissingDependencyError
from ..problems import Problem
from ..rendered import Rendered
from .drawings import Drawn, drawing_problems
from .html import HtmlWriter, svg_address
from .latex import document as latex_document
from .style import PAGE_STYLE, PRINT_STYLE
from .tree import Drawing, Page
from .walk import written

_ENGINES = ("html", "latex")
_STYLE = re.compile(
    r'<svg [^>]*?width="([\d.]+em)" height="([\d.]+em)" style="vertical-align: (-?[\d.]+em)"', re.DOTALL
)
_METADATA = re.compile(r"<title\b.*?</title>|<metadata>.*?</metadata>", re.DOTALL)


def write_pdf(text: str, *, strict: bool = False, plain: bool = False, engine: str = "html") -> Rendered:
    """A page as a PDF of A4 pages.

    Args:
        text: what the model wrote.
        strict: raise on a problem.
        plain: the text is no markup.
        engine: "html" (WeasyPrint) or "latex" (pdflatex, without shell escape, in a folder of its own, for at most
            a minute).

    Raises:
        InvalidOptionError: an unknown engine.
        MissingDependencyError: WeasyPrint, mathra or pdflatex is missing.
        RenderError: pdflatex made no PDF; or `strict` and a problem.
    """
    if engine not in _ENGINES:
        raise InvalidOptionError(f"The engine of a PDF is html or latex, got {engine!r}.")
    if engine == "html":
        return written(
            text, "pdf", html_pdf, strict=strict, plain=plain, formula=formula_svg, drawn=drawing_problems
        )
    from .tex import compile_latex

    said: list[Problem] = []

    def write(page: Page) -> bytes:
        data, complaint = compile_latex(latex_document(page))
        if complaint is not None:
            said.append(Problem(1, None, f"pdflatex says: {complaint}"))
        return data

    done = written(text, "pdf", write, strict=strict, plain=plain)
    return Rendered.of(done.data, "pdf", "page", (*done.problems, *said))


def html_pdf(page: Page) -> bytes:
    """The whole file."""
    try:
        weasyprint: Any = importlib.import_module("weasyprint")
    except (ImportError, OSError) as e:  # OSError: Pango, a library of the system, is missing
        raise MissingDependencyError(
            "Writing PDF needs WeasyPrint and the Pango library; install the extra: pip install 'got-ocr2[render]'."
        ) from e
    body = _PdfWriter(Drawn(page)).blocks(page.blocks)
    file = f'<!DOCTYPE html><html><head><meta charset="utf-8"><style>{PAGE_STYLE}{PRINT_STYLE}</style></head>'
    only_data = weasyprint.URLFetcher(allowed_protocols=["data"])  # nothing is opened but what is in the page
    html = weasyprint.HTML(string=f"{file}<body><main>{body}</main></body></html>", url_fetcher=only_data)
    return html.write_pdf()


class _PdfWriter(HtmlWriter):
    def drawing(self, block: Drawing, svg: str) -> str:
        """WeasyPrint loses the staves of SVG that reuses its parts, so scores are pictures of 300 pixels an inch."""
        if block.kind != "music" or (drawn := self._drawn.png(block)) is None:
            return super().drawing(block, svg)
        address = f"data:image/png;base64,{base64.b64encode(drawn[0]).decode()}"
        return f'<img alt="score" style="width: {drawn[1]:g}pt" src="{address}">'

    def formula(self, tex: str, display: bool) -> str | None:
        return formula_svg(tex, display)


@lru_cache(maxsize=1024)
def formula_svg(tex: str, display: bool) -> str | None:
    """A checked formula as a picture element with its SVG inside, or None if mathra cannot read it.

    Raises:
        MissingDependencyError: mathra is missing.
    """
    try:
        from mathra import tex_to_svg
    except ImportError as e:
        raise MissingDependencyError(
            "Formulas in PDF need mathra; install the extra: pip install 'got-ocr2[render]'."
        ) from e
    try:
        svg = tex_to_svg(tex, display=display, strict=True)
    except ValueError:
        return None
    place = _STYLE.match(svg)
    if place is None:
        return None
    width, height, low = place.groups()
    return (
        f'<img alt="{escape(tex)}" style="width: {width}; height: {height}; vertical-align: {low}" '
        f'src="{svg_address(_METADATA.sub("", svg))}">'
    )
