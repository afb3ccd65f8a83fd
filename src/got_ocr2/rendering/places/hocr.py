"""hOCR 1.2 (http://kba.github.io/hocr-spec/1.2/): one HTML page with the places in `title` attributes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..._version import __version__
from .layout import PlacedLine, PlacedPage
from .slanted import DESCENT
from .writing import around, escaped, pixels

_HEAD = """<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
<meta charset="utf-8" />
<title>{title}</title>
<meta name="ocr-system" content="got-ocr2 {version}" />
<meta name="ocr-number-of-pages" content="{count}" />
<meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_wconf" />
</head>
<body>
"""


def write_hocr(pages: Sequence[PlacedPage]) -> str:
    """Pages as hOCR: well-formed XML and HTML at once."""
    title = escaped(pages[0].source) if pages else ""
    parts = [_HEAD.format(title=title, version=__version__, count=len(pages))]
    for number, page in enumerate(pages):
        parts += _page(page, number)
    return "".join([*parts, "</body>\n</html>\n"])


def _page(page: PlacedPage, number: int) -> list[str]:
    name = f"page_{number + 1}"
    image = page.source.replace("\\", "\\\\").replace('"', '\\"')
    title = escaped(f'image "{image}"; bbox 0 0 {page.width} {page.height}; ppageno {page.number - 1}')
    parts = [f'<div class="ocr_page" id="{name}" title="{title}">\n']
    words = lines = 0
    for k, block in enumerate(page.blocks, 1):
        box = _bbox(around([line.place for line in block], page))
        parts.append(f'<div class="ocr_carea" id="block_{number + 1}_{k}" title="{box}">\n')
        parts.append(f'<p class="ocr_par" id="par_{number + 1}_{k}" title="{box}">\n')
        for line in block:
            lines += 1
            title = f"{_bbox(pixels(line.place, page))}; {_slope(line)}"
            parts.append(f'<span class="ocr_line" id="line_{number + 1}_{lines}" title="{title}">')
            for word in line.words:
                words += 1
                title = f"{_bbox(pixels(word.place, page))}; x_wconf {round(100 * word.confidence)}"
                parts.append(
                    f'<span class="ocrx_word" id="word_{number + 1}_{words}" title="{title}">'
                    f"{escaped(word.text)}</span>{' ' * word.space}"
                )
            parts.append("</span>\n")
        parts.append("</p>\n</div>\n")
    return [*parts, "</div>\n"]


def _bbox(box: tuple[int, int, int, int]) -> str:
    return "bbox " + " ".join(map(str, box))


def _slope(line: PlacedLine) -> str:
    """Baseline relative to the lower left corner of the box, y running down; steep lines have an angle instead."""
    place = line.place
    if abs(place.angle) >= 45:
        return f"textangle {-place.angle % 360:g}"  # hOCR counts against the clock
    slope = math.tan(math.radians(place.angle))
    x1, _, _, y2 = place.box
    x, y = place.at(0, DESCENT)
    return f"baseline {slope:.4f} {round(y - slope * (x - x1) - y2)}; x_size {place.height:.1f}"
