"""The tools of the Model Context Protocol server, as plain functions: arguments in, an answer out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import FileAccessError, GotOcr2Error, InvalidOptionError
from ..extras import need
from ..ocr import OCR
from ..reading import DocumentOpened, DocumentRead, PageRead
from ..rendering import Rendered, render, render_result
from ..rendering.registry import PLACES
from ..results import DocumentResult, PageError, PageResult
from ..wording import printable
from .folders import Folders
from .mcp_schemas import INPUTS

INLINE = 4 << 20  # bytes of a file that an answer carries

TOGETHER = 4  # pages of one call

# Is told the pages that are done and how many there will be; may raise to end the work.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Answer:
    """What a tool gives back.

    Attributes:
        text: for people and models.
        structured: what the tool's schema in `mcp_schemas.OUTPUTS` describes.
        notes: sentences about what went wrong on the way.
        file: to be given beside or instead of the text.
    """

    text: str
    structured: dict[str, Any]
    notes: tuple[str, ...] = ()
    file: Rendered | None = None


class Tools:
    """The tools, over one reader and the folders it may touch."""

    def __init__(self, ocr: OCR, folders: Folders) -> None:
        self._ocr = ocr
        self._folders = folders

    def call(self, name: str, arguments: Mapping[str, Any], progress: Progress) -> Answer:
        """Runs a tool; `name` is a key of `mcp_schemas.INPUTS`.

        Raises:
            GotOcr2Error: its sentence says what is wrong with the arguments or the document.
        """
        check(name, arguments)
        return getattr(self, f"_{name}")(progress, **arguments)

    def _read_document(
        self,
        progress: Progress,
        *,
        path: str,
        places: bool = False,
        **options: Any,
    ) -> Answer:
        options["confidence"] = "line" if places else "page"
        if places:
            options["lines"] = True
        result = self._read(progress, path, **options)
        pages = result.pages if isinstance(result, DocumentResult) else (result,)
        structured = {"source": path, "status": result.status, "pages": [_page(page) for page in pages]}
        text = result.text or ("" if result.status == "failed" else "(Nothing to read was found.)")
        return Answer(text, structured, _notes(pages))

    def _read_region(
        self, progress: Progress, *, path: str, page: int = 1, **options: Any
    ) -> Answer:  # fmt: skip
        result = self._read(progress, path, pages=page, **options)
        (only,) = result.pages if isinstance(result, DocumentResult) else (result,)
        return Answer(only.text or "(Nothing to read was found.)", _page(only), _notes((only,)))

    def _render(
        self,
        progress: Progress,
        *,
        to: str,
        text: str | None = None,
        path: str | None = None,
        kind: str = "auto",
        plain: bool = False,
        file: str | None = None,
        **reading: Any,
    ) -> Answer:
        if path is None:
            if reading:
                raise InvalidOptionError(f"{next(iter(reading))} is about reading a document; it needs path.")
            if to in PLACES:
                raise InvalidOptionError(f"{to} shows where words stand on a page; it needs path, got text.")
            kind = "page" if plain and kind == "auto" else kind
            rendered = render(text or "", to, kind, **({"plain": True} if plain else {}))
            notes: tuple[str, ...] = ()
        else:
            if plain:
                raise InvalidOptionError("plain is about a text; leave it out with path.")
            if to in PLACES:
                reading |= {"lines": True, "confidence": "word"}
            result = self._read(progress, path, **reading)
            notes = _notes(result.pages if isinstance(result, DocumentResult) else (result,))
            rendered = render_result(result, to, kind)
        problems = [f"{problem}." for problem in rendered.problems]
        structured = {
            "format": rendered.format,
            "kind": rendered.kind,
            "media_type": rendered.media_type,
            "bytes": len(rendered.data),
            "problems": problems,
            "file": file,
        }
        notes = (*notes, *problems)
        if file is not None:
            self._folders.write(file, rendered.data)
            return Answer(f"Wrote {printable(file)}, {len(rendered.data):,} bytes.", structured, notes)
        if len(rendered.data) > INLINE:
            raise FileAccessError(
                f"The {to} file has {len(rendered.data):,} bytes, more than the {INLINE:,} that an answer carries; "
                "name a file to write."
            )
        return Answer("", structured, notes, rendered)

    def _read(self, progress: Progress, path: str, **options: Any) -> PageResult | DocumentResult:
        """Reads one document.

        Raises:
            GotOcr2Error: it cannot be opened, or none of its pages could be read.
        """
        document = self._folders.document(path)
        done, total = 0, 0
        found: PageResult | DocumentResult | None = None
        for event in self._ocr.events([document], batch_size=TOGETHER, **options):
            if isinstance(event, DocumentOpened):
                total = event.results
            elif isinstance(event, PageRead):
                done += 1
            elif isinstance(event, DocumentRead):
                found = event.result
            progress(done, total)
        assert found is not None
        pages = found.pages if isinstance(found, DocumentResult) else (found,)
        errors = [page.error for page in pages if page.error is not None]
        if len(errors) == len(pages):
            raise _UnreadError(errors[0])
        return found


class _UnreadError(GotOcr2Error):
    """Says what the results of a document's pages say."""

    def __init__(self, error: PageError) -> None:
        super().__init__(error.message)
        self.exit_code = error.exit_code


def check(name: str, arguments: Mapping[str, Any]) -> None:
    """Holds arguments against the schema of a tool.

    Raises:
        InvalidOptionError: an argument is missing, unknown, of the wrong type or out of range.
    """
    schema = INPUTS[name]
    validation = need("jsonschema", "The Model Context Protocol server", extra="mcp")
    known = schema["properties"]
    for argument in arguments:
        if argument not in known:
            raise InvalidOptionError(f"{name} has no argument {argument!r}; it has {', '.join(known)}.")
    for argument in schema["required"]:
        if argument not in arguments:
            raise InvalidOptionError(f"{name} needs {argument}.")
    for either in schema.get("oneOf", ()):
        names = [one["required"][0] for one in schema["oneOf"]]
        if sum(one in arguments for one in names) != 1:
            given = "both" if either["required"][0] in arguments else "neither"
            raise InvalidOptionError(f"{name} needs either {' or '.join(names)}, got {given}.")
    for argument, value in arguments.items():
        found = next(validation.Draft202012Validator(known[argument]).iter_errors(value), None)
        if found is not None:
            raise InvalidOptionError(f"{argument} must be {_wanted(known[argument])}, got {_shown(value)}.")


def _wanted(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    return {
        "string": "a text" if not schema.get("minLength") else "a text that is not empty",
        "boolean": "true or false",
        "integer": f"a whole number >= {schema.get('minimum', 0)}",
        "array": "four numbers",
    }[schema["type"]]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _page(page: PageResult) -> dict[str, Any]:
    """A page as `mcp_schemas` describes it; short, because models have to read it."""
    found: dict[str, Any] = {
        "pages": list(page.page_numbers),
        "text": page.text,
        "status": page.status,
        "width": page.width,
        "height": page.height,
        "confidence": None if page.confidence is None else round(page.confidence, 3),
        "error": None if page.error is None else page.error.message,
    }
    if page.lines is not None:
        found["lines"] = [
            {
                "text": line.text,
                "box": None if line.box is None else [round(value) for value in line.box],
                "confidence": round(line.confidence, 3),
            }
            for line in page.lines
        ]
    return found


def _notes(pages: tuple[PageResult, ...]) -> tuple[str, ...]:
    """A sentence for every page that was not read to its end."""
    notes: list[str] = []
    for page in pages:
        where = f"Page {', '.join(map(str, page.page_numbers))}"
        if page.error is not None:
            notes.append(f"{where} could not be read: {page.error.message}")
        elif page.status in ("truncated", "looped"):
            notes.append(f"{where} is not whole: its status is {page.status}.")
    return tuple(notes)
