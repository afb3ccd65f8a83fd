"""SVG in, pixels out.

Two bindings of the same rasteriser (resvg) are used, because they differ in one way each: `tikra` is seven
times faster (it does not spend its time on compressing the PNG between the two languages) but draws no
`<text>`; `resvg-py` draws text with the font files it is given. The document says which one it needs.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from PIL import Image

from ...errors import InvalidOptionError, MissingDependencyError

_ROOT = re.compile(r"<svg\b[^>]*>")
_SIZE = re.compile(r"""\s(?:width|height|viewBox)\s*=\s*(?:"[^"]*"|'[^']*')""")
_LENGTH = re.compile(r"^\s*([0-9.]+)\s*(px|pt|pc|mm|cm|in)?\s*$")
_PIXELS = {None: 1.0, "px": 1.0, "pt": 96 / 72, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
_MAX_SIDE = 20_000


def svg_to_image(
    svg: str,
    width: int | None = None,
    background: str | tuple[int, int, int] = "white",
    *,
    font_files: Sequence[str] = (),
) -> Image.Image:
    """Draws an SVG document.

    Args:
        svg: the document; its root must carry a `viewBox`, or a `width` and a `height`.
        width: width of the picture in pixels, its height following from the document; None draws at the
            document's own size at 96 dots an inch.
        background: what lies under it, anything Pillow takes for a colour.
        font_files: fonts for its `<text>` elements; system fonts are never looked at, so that the same
            document gives the same pixels on every machine.

    Returns:
        RGB picture.

    Raises:
        InvalidOptionError: the document has no size, text but no fonts, or the width is out of range.
        MissingDependencyError: `tikra` or `resvg-py` is not installed.
    """
    root = _ROOT.search(svg)
    if root is None:
        raise InvalidOptionError("The document has no <svg> element.")
    natural_width, natural_height, view_box = _measure(root.group(0))
    if width is None:
        width = max(1, round(natural_width))
    height = max(1, round(width * natural_height / natural_width))
    if not 1 <= width <= _MAX_SIDE or height > _MAX_SIDE:
        raise InvalidOptionError(
            f"A picture of {width} x {height} pixels is outside 1 to {_MAX_SIDE} a side."
        )
    tag = _SIZE.sub("", root.group(0))
    tag = tag.replace("<svg", f'<svg width="{width}" height="{height}" viewBox="{view_box}"', 1)
    sized = svg[: root.start()] + tag + svg[root.end() :]
    png = _with_fonts(sized, font_files) if "<text" in svg else _paths_only(sized)
    with Image.open(io.BytesIO(png)) as picture:
        ink = picture.convert("RGBA")
    page = Image.new("RGB", ink.size, background)
    page.paste(ink, mask=ink)
    return page


def _paths_only(svg: str) -> bytes:
    try:
        import tikra
    except ImportError as error:
        raise MissingDependencyError('Drawing SVG needs tikra: pip install "got-ocr2[synth]".') from error
    return tikra.png(svg, dpi=96, background=False)


def _with_fonts(svg: str, font_files: Sequence[str]) -> bytes:
    if not font_files:
        raise InvalidOptionError("The document holds <text> but no font files were given to draw it with.")
    try:
        import resvg_py
    except ImportError as error:
        raise MissingDependencyError(
            'Drawing SVG with text needs resvg-py: pip install "got-ocr2[synth]".'
        ) from error
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, font_files=list(font_files), skip_system_fonts=True))


def _attribute(tag: str, name: str) -> str | None:
    found = re.search(rf"""\s{name}\s*=\s*(?:"([^"]*)"|'([^']*)')""", tag)
    return None if found is None else found.group(1) if found.group(1) is not None else found.group(2)


def _measure(tag: str) -> tuple[float, float, str]:
    """Width and height of the document in pixels at 96 dots an inch, and its `viewBox`."""
    view_box = (_attribute(tag, "viewBox") or "").replace(",", " ")
    lengths = [_LENGTH.match(_attribute(tag, name) or "") for name in ("width", "height")]
    if all(lengths):
        width, height = (float(m.group(1)) * _PIXELS[m.group(2)] for m in lengths if m is not None)
        view_box = view_box or f"0 0 {width:g} {height:g}"
    else:
        numbers = view_box.split()
        if len(numbers) != 4:
            raise InvalidOptionError("The SVG root has no width and height and no viewBox of four numbers.")
        width, height = float(numbers[2]), float(numbers[3])
    if width <= 0 or height <= 0:
        raise InvalidOptionError(f"The SVG document measures {width:g} x {height:g}; both must be above 0.")
    return width, height, view_box
