"""Pages as PDF: by pdflatex where it is installed and suits the page, else by WeasyPrint from the HTML.

pdflatex sets finer formulas, and knows Latin letters alone and none of our drawings. WeasyPrint is a Python package,
gives the same on every machine, and sets every script that the machine has a font for. A browser would do the same and
weighs hundreds of megabytes that pip cannot install. WeasyPrint knows no MathML, so formulas become vector pictures by
mathra, on the baseline of their line.
"""

from __future__ import annotations

import base64
import importlib
import re
from functools import lru_cache
from html import escape
from typing import Any

from ...errors import InvalidOptionError, MissingDependencyError, RenderError
from ...extras import need
from ..problems import Problem, refuse
from ..rendered import Rendered
from .drawings import Drawn, drawing_problems
from .html import HtmlWriter, svg_address
from .latex import document as latex_document
from .parsing.parse import parse_page
from .style import PAGE_STYLE, PRINT_STYLE
from .tex import compile_latex, has_pdflatex
from .tree import Drawing, Page
from .walk import nodes, written

_ENGINES = ("auto", "html", "latex")
_NOT_LATIN = re.compile("[^\x00-\u017f\u2010-\u2026]")
_STYLE = re.compile(
    r'<svg [^>]*?width="([\d.]+em)" height="([\d.]+em)" style="vertical-align: (-?[\d.]+em)"', re.DOTALL
)
_METADATA = re.compile(r"<title\b.*?</title>|<metadata>.*?</metadata>", re.DOTALL)


def write_pdf(text: str, *, strict: bool = False, plain: bool = False, engine: str = "auto") -> Rendered:
    """A page as a PDF of A4 pages.

    Args:
        text: what the model wrote.
        strict: raise on a problem.
        plain: the text is no markup.
        engine: "html" (WeasyPrint), "latex" (pdflatex, without shell escape, in a folder of its own, for at most a
            minute), or "auto": pdflatex where it is installed, for pages of Latin letters without drawings that it sets
            without a complaint; WeasyPrint for all others.

    Raises:
        InvalidOptionError: an unknown engine.
        MissingDependencyError: WeasyPrint, mathra or pdflatex is missing.
        RenderError: pdflatex was asked for and made no PDF; or `strict` and a problem.
    """
    if engine not in _ENGINES:
        raise InvalidOptionError(f"The engine of a PDF is auto, html or latex, got {engine!r}.")
    if engine == "latex":
        done, failure = _by_latex(text, strict=strict, plain=plain)
        if done is None:
            raise RenderError(f"{failure}.")
        problems = [] if failure is None else [Problem(1, None, failure)]
        if strict:
            refuse("page", problems)
        return Rendered.of(done.data, "pdf", "page", (*done.problems, *problems))
    said: list[Problem] = []
    if engine == "auto" and has_pdflatex() and _suits_latex(text, plain):
        done, failure = _by_latex(text, strict=strict, plain=plain)
        if done is not None and failure is None:
            return done
        said.append(Problem(1, None, f"{failure}; WeasyPrint set the page instead"))
    done = written(
        text, "pdf", html_pdf, strict=strict, plain=plain, formula=formula_svg, drawn=drawing_problems
    )
    return Rendered.of(done.data, "pdf", "page", (*said, *done.problems))


def _suits_latex(text: str, plain: bool) -> bool:
    if _NOT_LATIN.search(text) is not None:
        return False
    return not any(isinstance(node, Drawing) for node in nodes(parse_page(text, plain=plain)))


def _by_latex(text: str, *, strict: bool, plain: bool) -> tuple[Rendered | None, str | None]:
    """What pdflatex makes, None if nothing; and its first complaint, if it has one."""
    complaints: list[str] = []

    def write(page: Page) -> bytes:
        try:
            data, complaint = compile_latex(latex_document(page))
        except RenderError as e:
            complaints.append(str(e).rstrip("."))
            return b""
        if complaint is not None:
            complaints.append(f"pdflatex says: {complaint}")
        return data

    done = written(text, "pdf", write, strict=strict, plain=plain)
    return (done if done.data else None), (complaints[0] if complaints else None)


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
    mathra = need("mathra", "Writing formulas in PDF", extra="render")
    try:
        svg: str = mathra.tex_to_svg(tex, display=display, strict=True)
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
