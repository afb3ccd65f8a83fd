"""got-ocr2 as the OCR engine of OCRmyPDF: `ocrmypdf --plugin got_ocr2.integrations.ocrmypdf in.pdf out.pdf`.

OCRmyPDF draws the pages, cleans them if asked to, and makes PDF/A; this plugin reads them, line by line. It adds
the options `--got-model` and `--got-device`. Languages given with `-l` change nothing: a model reads what it was
trained on. `--rotate-pages` and `--deskew` do nothing: they need an engine that tells which way up a page is.
"""

from __future__ import annotations

from argparse import ArgumentParser
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from PIL import Image

from .._version import __version__
from ..errors import RenderError
from ..extras import need
from ..ocr import OCR
from ..rendering.places import write
from ..rendering.places.layout import place
from ..rendering.places.searchable_pdf import write_text_only_pdf
from ..results import PageResult

try:
    from ocrmypdf import hookimpl  # pyright: ignore[reportMissingImports]
except ImportError:  # the module can be imported without OCRmyPDF, only not used

    def hookimpl(function: Any) -> Any:
        return function


_LOADING = (
    Lock()
)  # OCRmyPDF asks from several threads; they share one model, whose engine reads their pages together


@hookimpl
def add_options(parser: ArgumentParser) -> None:
    """Adds the plugin's options to OCRmyPDF's command line."""
    group = parser.add_argument_group("got-ocr2", "Options of the got-ocr2 plugin")
    group.add_argument(
        "--got-model",
        metavar="MODEL",
        help="folder or hub name of the model; without it the small model that comes with got-ocr2",
    )
    group.add_argument(
        "--got-device", metavar="DEVICE", default="auto", help="cpu, cuda, cuda:1, mps or auto"
    )


@hookimpl
def get_ocr_engine() -> Any:
    """The engine, for OCRmyPDF."""
    return _engine()


@lru_cache(maxsize=1)
def _engine() -> Any:
    spec = need("ocrmypdf.pluginspec", "The plugin of OCRmyPDF", extra="ocrmypdf")

    class GotOcr2Engine(spec.OcrEngine):
        """Reads page images; see `ocrmypdf.pluginspec.OcrEngine` for what each method is asked for."""

        @staticmethod
        def version() -> str:
            return __version__

        @staticmethod
        def creator_tag(options: Any) -> str:
            return f"got-ocr2 {__version__}"

        def __str__(self) -> str:
            return f"got-ocr2 {__version__}"

        @staticmethod
        def languages(options: Any) -> set[str]:
            return set(getattr(options, "languages", None) or {"eng"})

        @staticmethod
        def get_orientation(input_file: Path, options: Any) -> Any:
            return spec.OrientationConfidence(angle=0, confidence=0.0)

        @staticmethod
        def get_deskew(input_file: Path, options: Any) -> float:
            return 0.0

        @staticmethod
        def generate_hocr(input_file: Path, output_hocr: Path, output_text: Path, options: Any) -> None:
            page = _read(input_file, options)
            output_hocr.write_bytes(write(page, "hocr").data)
            output_text.write_text(page.text, encoding="utf-8")

        @staticmethod
        def generate_pdf(input_file: Path, output_pdf: Path, output_text: Path, options: Any) -> None:
            page = _read(input_file, options)
            output_pdf.write_bytes(write_text_only_pdf(place(page)[0], _dpi(input_file)))
            output_text.write_text(page.text, encoding="utf-8")

    return GotOcr2Engine()


def _read(picture: Path, options: Any) -> PageResult:
    model, device = getattr(options, "got_model", None), getattr(options, "got_device", None) or "auto"
    with _LOADING:
        ocr = _opened(model, device)
    result = ocr.read(picture, boxes=True, confidence="word")
    if not isinstance(result, PageResult):
        raise RenderError(f"OCRmyPDF gave a picture of {len(result.pages)} pages; it must have one.")
    return result


@lru_cache(maxsize=2)
def _opened(model: str | None, device: str) -> OCR:
    return OCR.from_pretrained(model, device=device)


def _dpi(picture: Path) -> float:
    opened = Image.open(picture)
    with opened:
        said: Any = opened.info.get("dpi", (72.0, 72.0))
    return float(said[0])
