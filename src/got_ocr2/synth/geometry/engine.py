"""Engine of geometry: a figure drawn from TikZ, answered by that TikZ.

The answer is written so that it follows from the picture: one command a line; figures without axes have their
longer side ten long and their lower left corner at the origin; paths begin at their lowest corner and run
counterclockwise; commands stand by kind and then from top to bottom.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image

from ...errors import GotOcr2Error, InvalidOptionError, MissingDependencyError
from ..drawing.svg import svg_to_image
from ..fonts.catalog import Split
from ..sample import Sample, Task, sample_rng
from .axes_figures import coordinates, graphs
from .figures import Style, settle
from .plane_figures import medley, parallels, regular_polygon, solid
from .quadrilaterals import quadrilateral
from .round_figures import circle, circles, ellipse
from .tikz import COLOURS, Command, Pen, document
from .tikz_svg import draw_commands
from .triangles import triangle

Renderer = Literal["tikra", "plain"]

FAMILIES = (
    (triangle, 4.0), (quadrilateral, 4.0), (circle, 4.0), (circles, 1.5), (ellipse, 1.5), (regular_polygon, 1.5),
    (parallels, 1.0), (solid, 1.5), (medley, 3.0),
)  # fmt: skip
"""Kinds of figures without axes and how common each is."""

_ATTEMPTS = 100
_BIG_POINT = 2.54 / 72  # centimetres
_LETTERS = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "PQRSTUVWXYZABCDEFGHIJ",
    "KLMNPQRSTUVWXYZ",
    "MNPQRSTUVWXYZ",
    "XYZWVUTSRQP",
)


class GeometryEngine:
    """Draws figures.

    Args:
        axes: share of samples on a pair of axes.
        colours: share of samples with colours; the others are black on white.
        centimetre: smallest and largest number of pixels for a centimetre of the figure (which is about ten wide).
        decimals: of the coordinates, 1 or 2.
        renderer: "tikra" (as TeX draws it) or "plain" (our own: the same lines, labels in many fonts).
        split: "train", or "test" for labels in fonts that training never draws (with "plain").

    Raises:
        InvalidOptionError: an option out of range.
        MissingDependencyError: tikra is not installed (at the first sample).
    """

    kind = "geometry"

    def __init__(
        self,
        *,
        axes: float = 0.25,
        colours: float = 0.4,
        centimetre: tuple[float, float] = (36.0, 80.0),
        decimals: int = 2,
        renderer: Renderer = "tikra",
        split: Split = "train",
    ) -> None:
        for name, share in (("axes", axes), ("colours", colours)):
            if not 0 <= share <= 1:
                raise InvalidOptionError(f"The share of {name} is {share:g}; it must lie in 0 to 1.")
        if not 10 <= centimetre[0] <= centimetre[1] <= 200:
            raise InvalidOptionError(
                f"{centimetre[0]:g} to {centimetre[1]:g} pixels a centimetre are outside 10 to 200, rising."
            )
        if decimals not in (1, 2):
            raise InvalidOptionError(f"The coordinates have {decimals} decimals; it must be 1 or 2.")
        if renderer not in ("tikra", "plain"):
            raise InvalidOptionError(f"The renderer is {renderer!r}; it must be 'tikra' or 'plain'.")
        if split not in ("train", "test"):
            raise InvalidOptionError(f"The split is {split!r}; it must be 'train' or 'test'.")
        self.axes = axes
        self.colours = colours
        self.centimetre = centimetre
        self.decimals = decimals
        self.renderer: Renderer = renderer
        self.split: Split = split

    def sample(self, seed: int, index: int) -> Sample:
        """Draws one figure; the answer is its TikZ picture environment."""
        rng = sample_rng(seed, self.kind, index)
        for _ in range(_ATTEMPTS):
            family, commands = self._figure(rng)
            if commands is not None:
                break
        else:
            raise GotOcr2Error(f"No figure found room for its labels in {_ATTEMPTS} attempts.")
        pixels = float(rng.uniform(*self.centimetre))
        if self.renderer == "tikra":
            figure = draw_tikz(document(commands), pixels)
        else:
            figure = draw_commands(commands, pixels, rng, self.split)
        left, top, right, bottom = (int(margin) for margin in rng.uniform(0.1, 1.2, 4) * pixels)
        page = Image.new("RGB", (left + figure.width + right, top + figure.height + bottom), "white")
        page.paste(figure, (left, top))
        meta = {"family": family, "renderer": self.renderer, "pixels_per_cm": round(pixels, 2)}
        return Sample(self.kind, (page,), document(commands), Task(format=True), meta=meta)

    def _figure(self, rng: np.random.Generator) -> tuple[str, list[Command] | None]:
        style = self._style(rng)
        if rng.random() < self.axes:
            make = graphs if rng.random() < 0.65 else coordinates
            return make.__name__, make(rng, style)
        weights = np.array([weight for _, weight in FAMILIES])
        family = FAMILIES[int(rng.choice(len(FAMILIES), p=weights / weights.sum()))][0]
        return family.__name__, settle(family(rng, style), style, rng)

    def _style(self, rng: np.random.Generator) -> Style:
        colours = ["black"] * 4
        if rng.random() < self.colours:
            colours = [str(colour) for colour in rng.choice(list(_INKS), 4)]
        width = str(rng.choice(["", "", "thick", "semithick", "very thick"]))
        fill = (colours[0] if colours[0] != "black" else "gray", 20) if rng.random() < 0.12 else None
        dash = str(rng.choice(["dashed", "dashed", "dotted", "densely dashed", ""]))
        return Style(
            main=Pen(colours[0], width, fill=fill),
            second=Pen(colours[1], str(rng.choice(["", width]))),
            helper=Pen(colours[2], "thick" if dash == "dotted" else "", dash),
            letters=_LETTERS[int(rng.choice(len(_LETTERS), p=[0.6, 0.1, 0.1, 0.1, 0.1]))],
            math=bool(rng.random() < 0.75),
            name_size=str(rng.choice(["", "", "\\small", "\\footnotesize"])),
            value_size=str(rng.choice(["", "\\small", "\\footnotesize", "\\scriptsize"])),
            name_colour=colours[3] if rng.random() < 0.3 else "black",
            dots=bool(rng.random() < 0.3),
            decimals=self.decimals,
        )


_INKS = tuple(colour for colour in COLOURS if colour not in ("green", "lime", "pink", "cyan"))


def draw_tikz(code: str, centimetre: float) -> Image.Image:
    """Renders a TikZ picture at `centimetre` pixels a centimetre, cropped to what it draws.

    Raises:
        GotOcr2Error: tikra warns of something in it, so that the picture may not show what the code says.
        MissingDependencyError: tikra is not installed.
    """
    try:
        import tikra
    except ImportError as error:
        raise MissingDependencyError('Figures need tikra: pip install "got-ocr2[synth]".') from error
    drawn = tikra.render(code)
    if drawn["warnings"]:
        raise GotOcr2Error(f"Tikra does not understand a figure ({'; '.join(drawn['warnings'])}):\n{code}")
    return svg_to_image(drawn["svg"], _pixels(drawn["svg"], centimetre))


def _pixels(svg: str, centimetre: float) -> int:
    """Width in pixels of tikra's picture, whose unit is the big point."""
    width = svg.split('viewBox="', 1)[1].split('"', 1)[0].split()[2]
    return max(1, round(float(width) * _BIG_POINT * centimetre))
