"""PAGE-XML of PRImA (content schema 2019-07-15): one page a file, every place a polygon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from ..._version import __version__
from ...errors import RenderError
from .layout import PlacedPage
from .slanted import Slanted
from .writing import around, escaped, points

_SPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"


def write_page_xml(pages: Sequence[PlacedPage]) -> str:
    """A page as PAGE-XML.

    Raises:
        RenderError: there is not exactly one page.
    """
    if len(pages) != 1:
        raise RenderError(f"A PAGE-XML file holds one page, got {len(pages)}; write one file for each.")
    page = pages[0]
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    size = f'imageWidth="{page.width}" imageHeight="{page.height}"'
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<PcGts xmlns="{_SPACE}">\n<Metadata><Creator>got-ocr2 {__version__}</Creator>',
        f"<Created>{now}</Created><LastChange>{now}</LastChange></Metadata>\n",
        f'<Page imageFilename="{escaped(page.source)}" {size}>\n',
    ]
    if page.blocks:
        order = "".join(
            f'<RegionRefIndexed index="{k}" regionRef="r{k + 1}"/>' for k in range(len(page.blocks))
        )
        parts.append(f'<ReadingOrder><OrderedGroup id="order">{order}</OrderedGroup></ReadingOrder>\n')
    for b, block in enumerate(page.blocks, 1):
        left, top, right, bottom = around([line.place for line in block], page)
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        parts.append(f'<TextRegion id="r{b}"><Coords points="{points(corners, page)}"/>\n')
        for n, line in enumerate(block, 1):
            name = f"r{b}_l{n}"
            parts.append(f'<TextLine id="{name}">{_coords(line.place, page)}')
            parts.append(f'<Baseline points="{points(line.place.baseline, page)}"/>\n')
            for w, word in enumerate(line.words, 1):
                parts.append(f'<Word id="{name}_w{w}">{_coords(word.place, page)}')
                parts.append(f"{_says(word.text, word.confidence)}</Word>\n")
            parts.append(f"{_says(line.text, line.confidence)}</TextLine>\n")
        text = "\n".join(line.text for line in block)
        parts.append(f"<TextEquiv><Unicode>{escaped(text)}</Unicode></TextEquiv></TextRegion>\n")
    return "".join([*parts, "</Page>\n</PcGts>\n"])


def _coords(place: Slanted, page: PlacedPage) -> str:
    return f'<Coords points="{points(place.corners, page)}"/>'


def _says(text: str, confidence: float) -> str:
    return f'<TextEquiv conf="{confidence:.4f}"><Unicode>{escaped(text)}</Unicode></TextEquiv>'
