"""SVG in, PNG out, by resvg."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from ..errors import InvalidOptionError
from ..extras import need

_SIDES = (16, 10_000)  # pixels


def png_of(svg: str, *, width: int) -> bytes:
    """Draws an SVG document of our own writers on white.

    Args:
        svg: a document that refers to nothing outside itself.
        width: of the picture in pixels, 16 to 10,000; its height follows.

    Raises:
        InvalidOptionError: the width is out of range.
        MissingDependencyError: resvg-py is not installed.
    """
    if not _SIDES[0] <= width <= _SIDES[1]:
        raise InvalidOptionError(f"A picture is {_SIDES[0]} to {_SIDES[1]} pixels wide, got {width}.")
    resvg = need("resvg_py", "Writing PNG", extra="render")
    text = "<text" in svg
    return bytes(
        resvg.svg_to_bytes(
            svg_string=svg, width=width, background="white", skip_system_fonts=not text,
            font_dirs=_bundled_fonts() if text else None, serif_family="DejaVu Serif",
            sans_serif_family="DejaVu Sans", font_family="DejaVu Sans",
        )
    )  # fmt: skip


def size_of(svg: str) -> tuple[float, float]:
    """Width and height in pixels (96 an inch) that the root of a document of our own writers states; 0 for none."""
    root = svg[: svg.index(">", svg.index("<svg"))]
    sides: list[float] = []
    for name in ("width", "height"):
        found = re.search(rf"\s{name}=[\"']([\d.]+)(pt)?", root)
        sides.append(0.0 if found is None else float(found.group(1)) * (96 / 72 if found.group(2) else 1))
    return sides[0], sides[1]


def _bundled_fonts() -> list[str]:
    """DejaVu, which comes with matplotlib, so that text is drawn where the system has no fonts."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return []
    return [str(Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf")]
