"""verovio and music21 at work on one score; runs in a process of its own, see `process`."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from ...errors import RenderError
from ...extras import need

_DATE = re.compile(r"\s*<encoding-date>[^<]*</encoding-date>")
_PART = re.compile(r"\bP[0-9a-f]{32}\b")


def engrave(job: dict[str, Any]) -> dict[str, Any]:
    """Draws a score.

    Args:
        job: `kern`; `options` of verovio; `midi`, whether to play it too; `pages`, numbers of pages to draw from 1, or
            None for all.

    Returns:
        `pages`: SVG documents; `count`: how many pages there are; `midi`: base64, or None; `bars`: measures drawn.
    """
    verovio = need("verovio", "Rendering music", extra="render")
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    options = {"inputFrom": "humdrum", "xmlIdSeed": 1, **job["options"]}
    if not toolkit.setOptions(options) or not toolkit.loadData(job["kern"]):
        raise RenderError("The score cannot be drawn: verovio does not accept it.")
    count = toolkit.getPageCount()
    if count < 1:
        raise RenderError("The score cannot be drawn: verovio finds no music in it.")
    wanted = job["pages"] or range(1, count + 1)
    if missing := [page for page in wanted if not 1 <= page <= count]:
        raise RenderError(f"The score has pages 1 to {count}, got {missing[0]}.")
    drawn = [] if job["midi"] else [toolkit.renderToSVG(page) for page in wanted]
    midi = toolkit.renderToMIDI() if job["midi"] else None
    return {"pages": drawn, "count": count, "midi": midi}


def option_names(_: Any) -> list[str]:
    """Names of verovio's options."""
    verovio = need("verovio", "Rendering music", extra="render")
    verovio.enableLog(verovio.LOG_OFF)
    options = verovio.toolkit().getDefaultOptions()
    return sorted(json.loads(options) if isinstance(options, str) else options)


def to_musicxml(kern: str) -> str:
    """The score as MusicXML 4.0, base64 of its UTF-8 bytes; by music21, as verovio writes none."""
    converter = need("music21.converter", "Writing MusicXML", extra="render")
    exporter = need("music21.musicxml.m21ToXml", "Writing MusicXML", extra="render").GeneralObjectExporter
    try:
        data = exporter(converter.parse(kern, format="humdrum")).parse().decode("utf-8")
    except Exception as e:  # music21 raises whatever goes wrong
        raise RenderError(
            f"The score cannot be written as MusicXML: {type(e).__name__}: {str(e)[:200]}."
        ) from e
    data = _DATE.sub("", data)
    names: dict[str, str] = {}
    data = _PART.sub(lambda found: names.setdefault(found.group(), f"P{len(names) + 1}"), data)
    return base64.b64encode(data.encode("utf-8")).decode("ascii")
