"""ALTO 4.4 (https://www.loc.gov/standards/alto/), with pixels as its unit."""

from __future__ import annotations

from collections.abc import Sequence

from ..._version import __version__
from .layout import PlacedLine, PlacedPage
from .slanted import Slanted
from .writing import around, escaped, pixels, points

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" SCHEMAVERSION="4.4">
<Description>
<MeasurementUnit>pixel</MeasurementUnit>
<sourceImageInformation><fileName>{source}</fileName></sourceImageInformation>
<Processing ID="ocr"><processingCategory>contentGeneration</processingCategory><processingSoftware>\
<softwareName>got-ocr2</softwareName><softwareVersion>{version}</softwareVersion></processingSoftware></Processing>
</Description>
<Layout>
"""


def write_alto(pages: Sequence[PlacedPage]) -> str:
    """Pages as one ALTO document; lines that are not level have a polygon as well as their upright box."""
    parts = [_HEAD.format(source=escaped(pages[0].source), version=__version__)]
    for page in pages:
        parts += _page(page)
    return "".join([*parts, "</Layout>\n</alto>\n"])


def _page(page: PlacedPage) -> list[str]:
    p = f"p{page.number}"
    size = f'HEIGHT="{page.height}" WIDTH="{page.width}"'
    parts = [f'<Page ID="{p}" PHYSICAL_IMG_NR="{page.number}" {size} PROCESSINGREFS="ocr">\n']
    parts.append(f'<PrintSpace ID="{p}_space" {size} HPOS="0" VPOS="0">\n')
    for b, block in enumerate(page.blocks, 1):
        box = _where(around([line.place for line in block], page))
        parts.append(f'<TextBlock ID="{p}_b{b}" {box}>\n')
        for n, line in enumerate(block, 1):
            parts += _line(line, f"{p}_b{b}_l{n}", page)
        parts.append("</TextBlock>\n")
    return [*parts, "</PrintSpace>\n</Page>\n"]


def _line(line: PlacedLine, name: str, page: PlacedPage) -> list[str]:
    base = points(line.place.baseline, page)
    parts = [
        f'<TextLine ID="{name}" {_where(pixels(line.place, page))} BASELINE="{base}">{_shape(line.place, page)}'
    ]
    for w, word in enumerate(line.words, 1):
        box = pixels(word.place, page)
        parts.append(
            f'<String ID="{name}_w{w}" {_where(box)} CONTENT="{escaped(word.text)}" WC="{word.confidence:.4f}"/>'
        )
        if word.space:
            after = pixels(line.words[w].place, page)
            wide = max(0, after[0] - box[2])
            parts.append(f'<SP HPOS="{box[2]}" VPOS="{box[1]}" WIDTH="{wide}"/>')
    return [*parts, "</TextLine>\n"]


def _shape(place: Slanted, page: PlacedPage) -> str:
    if not place.angle:
        return ""
    return f'<Shape><Polygon POINTS="{points(place.corners, page)}"/></Shape>'


def _where(box: tuple[int, int, int, int]) -> str:
    left, top, right, bottom = box
    return f'HPOS="{left}" VPOS="{top}" WIDTH="{right - left}" HEIGHT="{bottom - top}"'
