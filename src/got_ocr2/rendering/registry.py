"""Kinds of text, formats of files, and who writes which.

A writer is a function `write_<format>(text, *, strict=False, **options) -> Rendered`, found by the string
"module:function" and imported when it is first asked for, so that optional packages are only touched then (its room
raises `MissingDependencyError` without them). It takes the model's text as it is. What is wrong with it goes into
`Rendered.problems` (`Rendered.of(data, format, kind, problems)` fills in the rest), and with `strict=True` it calls
`problems.refuse(kind, problems)`, which raises `RenderError`. Where nothing at all can be shown, such as a molecule
that is none, it raises `RenderError` without being asked. It reads and writes no file and opens no connection. Its
keyword options are its own, documented in its docstring; `render` refuses unknown ones by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, get_args

from ..errors import InvalidOptionError

Kind = Literal["page", "music", "molecule", "geometry", "chart"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class Format:
    """A file format: its media type, how its files' names end, and whether they are text."""

    media_type: str
    suffix: str
    textual: bool = False


FORMATS: dict[str, Format] = {
    "md": Format("text/markdown", ".md", True),
    "html": Format("text/html", ".html", True),
    "latex": Format("application/x-tex", ".tex", True),
    "docx": Format("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"),
    "txt": Format("text/plain", ".txt", True),
    "json": Format("application/json", ".json", True),
    "csv": Format("text/csv", ".csv", True),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
    "pdf": Format("application/pdf", ".pdf"),
    "svg": Format("image/svg+xml", ".svg", True),
    "png": Format("image/png", ".png"),
    "midi": Format("audio/midi", ".mid"),
    "musicxml": Format("application/vnd.recordare.musicxml+xml", ".musicxml", True),
    "kern": Format("text/plain", ".krn", True),
    "mol": Format("chemical/x-mdl-molfile", ".mol", True),
    "inchi": Format("chemical/x-inchi", ".inchi", True),
    "smiles": Format("chemical/x-daylight-smiles", ".smi", True),
    "tikz": Format("application/x-tex", ".tikz", True),
    "hocr": Format("text/html", ".hocr", True),
    "alto": Format("application/xml", ".alto.xml", True),
    "page-xml": Format("application/xml", ".page.xml", True),
    "tsv": Format("text/tab-separated-values", ".tsv", True),
    "searchable-pdf": Format("application/pdf", ".searchable.pdf"),
}

# Need lines and words with their places, so they are made of results and pictures, not of text alone: `places.write`.
PLACES = ("hocr", "alto", "page-xml", "tsv", "searchable-pdf")


def _writers(module: str, *formats: str) -> dict[str, str]:
    return {name: f"{module}:write_{name}" for name in formats}


WRITERS: dict[str, dict[str, str]] = {
    "page": {
        name: f"pages.{module}:write_{name}"
        for name, module in (
            ("md", "markdown"), ("html", "html"), ("latex", "latex"), ("docx", "word.document"), ("txt", "plain"),
            ("json", "as_json"), ("csv", "sheets"), ("xlsx", "sheets"), ("pdf", "pdf"),
        )
    },
    "music": _writers("music.write", "svg", "png", "midi", "musicxml", "kern"),
    "molecule": _writers("molecules", "svg", "png", "mol", "inchi", "smiles"),
    "geometry": _writers("geometry.write", "svg", "png", "tikz"),
    "chart": {
        **_writers("charts.draw", "svg", "png"), **_writers("charts.page", "html"),
        **_writers("charts.sheets", "csv", "xlsx", "json"),
    },
}  # fmt: skip


def formats_of(names: str) -> list[str]:
    """The formats in a list such as "md,html", each once.

    Raises:
        InvalidOptionError: one is unknown, or the list is empty.
    """
    found = list(dict.fromkeys(name.strip().lower() for name in names.split(",") if name.strip()))
    if not found:
        raise InvalidOptionError(f"The format is one of {', '.join(FORMATS)}, got {names!r}.")
    for name in found:
        if name not in FORMATS:
            raise InvalidOptionError(f"The format is one of {', '.join(FORMATS)}, got {name!r}.")
    return found


def writer(kind: str, to: str) -> Callable[..., Any]:
    """The function that writes a kind in a format.

    Raises:
        InvalidOptionError: there is no such kind or format, or the kind has no such format.
        MissingDependencyError: an optional package is missing.
    """
    if kind not in WRITERS:
        raise InvalidOptionError(f"The kind is one of {', '.join(KINDS)}, got {kind!r}.")
    if to not in FORMATS:
        raise InvalidOptionError(f"The format is one of {', '.join(FORMATS)}, got {to!r}.")
    if to in PLACES:
        raise InvalidOptionError(
            f"{to} needs the places of words on a page, which a text alone does not have; "
            "read the page with --to, or call rendering.places.write."
        )
    if to not in WRITERS[kind]:
        raise InvalidOptionError(f"A {kind} cannot be written as {to}; it can as {', '.join(WRITERS[kind])}.")
    module, _, name = WRITERS[kind][to].partition(":")
    return getattr(import_module(f"{__package__}.{module}"), name)
