"""Scores, molecules and figures inside a page, as pictures."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ...errors import RenderError
from ...extras import need
from ..problems import Problem
from ..raster import png_of, size_of
from ..registry import writer
from .tree import Drawing, Page
from .walk import nodes

MOST_DRAWINGS = 40  # that are drawn on a page
_MOST_CHARACTERS = 50_000  # of one
_LOOKS: dict[str, dict[str, Any]] = {"molecule": {"width": 300, "height": 220}}  # pixels
_NAMES = {"music": "score", "molecule": "molecule", "geometry": "figure"}


class Drawn:
    """The drawings of a page.

    Attributes:
        problems: what is wrong with them, in the lines of the page's text.
    """

    def __init__(self, page: Page, text: str = "") -> None:
        found = [node for node in nodes(page) if isinstance(node, Drawing)]
        self._shown = {id(node): _svg(node.kind, node.text) for node in found[:MOST_DRAWINGS]}
        self.problems: list[Problem] = []
        for number, node in enumerate(found):
            before = text.count("\n", 0, node.span[0])
            reasons = (
                self._shown[id(node)][1]
                if number < MOST_DRAWINGS
                else ((1, None, f"only {MOST_DRAWINGS} drawings of a page are drawn; this one stays text"),)
            )
            self.problems += [Problem(before + line, column, reason) for line, column, reason in reasons]

    def svg(self, drawing: Drawing) -> str | None:
        """A drawing of the page as an SVG document, or None for one that stays text."""
        return self._shown.get(id(drawing), (None,))[0]

    def png(self, drawing: Drawing) -> tuple[bytes, float] | None:
        """The same as a picture of 300 pixels an inch, and its width in points (72 an inch)."""
        svg = self.svg(drawing)
        if svg is None:
            return None
        wide = size_of(svg)[0]
        if drawing.kind == "geometry":  # resvg refuses some of what tikra draws
            return need("tikra", "Drawing figures", extra="render").png(svg, dpi=300.0), 0.75 * wide
        return png_of(svg, width=min(max(round(300 / 96 * wide), 16), 5000)), 0.75 * wide


@lru_cache(maxsize=2 * MOST_DRAWINGS)
def _svg(kind: str, text: str) -> tuple[str | None, tuple[tuple[int, int | None, str], ...]]:
    """A drawing as SVG, and what is wrong with it, with lines and columns of its own.

    Raises:
        MissingDependencyError: what draws this kind is not installed.
    """
    name = _NAMES[kind]
    if len(text) > _MOST_CHARACTERS:
        reason = f"the {name} has {len(text):,} characters, more than {_MOST_CHARACTERS:,}; it stays text"
        return None, ((1, None, reason),)
    try:
        done = writer(kind, "svg")(text, **_LOOKS.get(kind, {}))
    except RenderError as e:
        said = str(e)
        return None, ((1, None, f"the {name} stays text: {said[:1].lower()}{said[1:].rstrip('.')}"),)
    return done.text, tuple((one.line, one.column, f"in the {name}: {one.reason}") for one in done.problems)


def drawing_problems(page: Page, text: str) -> list[Problem]:
    """What is wrong with the drawings of a page."""
    return Drawn(page, text).problems
