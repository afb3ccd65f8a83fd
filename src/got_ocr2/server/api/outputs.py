"""Results as files: one, or several in a zip archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from ...errors import InvalidOptionError
from ...rendering import render_result
from ...rendering.places import write
from ...rendering.registry import FORMATS, formats_of
from ...rendering.rendered import Rendered
from ...results import DocumentResult

ZIP = "application/zip"


@dataclass(frozen=True)
class OutputFile:
    """A file to download.

    Attributes:
        name: what to call it.
        data: its bytes.
        media_type: such as "application/pdf".
        problems: what was wrong with the text, a sentence each.
    """

    name: str
    data: bytes
    media_type: str
    problems: tuple[str, ...] = ()


def checked_formats(to: Sequence[str]) -> list[str]:
    """Formats that can be written, each once.

    Raises:
        InvalidOptionError: an unknown one.
    """
    return formats_of(",".join(to)) if to else []


def files_of(
    result: DocumentResult, formats: Sequence[str], *, document: bytes | None, password: str | None
) -> list[OutputFile]:
    """A result in each of the formats.

    Args:
        result: a document's.
        formats: from `checked_formats`.
        document: what was read, for a searchable PDF.
        password: with which it was opened.

    Raises:
        GotOcr2Error: a format that the text does not have.
    """
    stem = PurePath(result.source).stem or "document"
    found: list[OutputFile] = []
    for name in formats:
        done = _written(result, name, document, password)
        problems = tuple(f"{name}, {problem}" for problem in done.problems)
        found.append(OutputFile(stem + FORMATS[name].suffix, done.data, done.media_type, problems))
    return found


def _written(result: DocumentResult, name: str, document: bytes | None, password: str | None) -> Rendered:
    if name != "searchable-pdf":
        return render_result(result, name)
    if document is None:
        raise InvalidOptionError(
            "A searchable PDF is made of one document, got several that were read as one."
        )
    return write(result, name, source=document, password=password)


def bundled(files: Sequence[OutputFile], name: str) -> OutputFile:
    """One file as it is, several in an archive."""
    if len(files) == 1:
        return files[0]
    out = io.BytesIO()
    used: set[str] = set()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, file in enumerate(files, 1):
            own = file.name if file.name not in used else f"{number}-{file.name}"
            used.add(own)
            archive.writestr(own, file.data)
    return OutputFile(f"{name}.zip", out.getvalue(), ZIP, tuple(p for file in files for p in file.problems))
