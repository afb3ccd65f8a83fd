"""Reads pages with `OCR`: pages of any documents, one after another, through one engine."""

from __future__ import annotations

import io
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...documents import DEFAULT_DPI, Document, Limits, open_document
from ...results import PageError, PageResult
from ..inputs import Source, content_of
from ..inputs.opening import check_unchanged, digest_of
from .reader import Item

if TYPE_CHECKING:
    from PIL import Image

    from ...ocr import OCR

_OPEN = 4  # documents that are kept open: pages of one come one after another


class OcrReader:
    """See `reader.PageReader`."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._model: dict[str, Any] = dict(options["model"])
        self._reading: dict[str, Any] = dict(options["reading"])
        self._batch_size: int = options["batch_size"]
        pixels: int = self._reading.pop("max_pixels", Limits.max_pixels)
        # Pages are read a few at a time, however many a document has.
        self._limits = Limits(max_pixels=pixels, max_pages=1 << 40)
        self._dpi: float = self._reading.pop("dpi", DEFAULT_DPI)
        self._password: str | None = self._reading.pop("password", None)
        self._documents: OrderedDict[tuple[Source, str], Document] = OrderedDict()
        self._ocr: OCR | None = None

    @classmethod
    def identity(cls, options: Mapping[str, Any]) -> str:
        from ...hub import resolve
        from ...ocr import EMBEDDED_MODEL

        model = dict(options["model"])
        name = model.get("model")
        place = {
            key: model[key] for key in ("revision", "token", "cache_dir", "local_files_only") if key in model
        }
        folder = EMBEDDED_MODEL if name is None else resolve(name, **place)
        return f"{'default' if name is None else Path(name).name}@{_folder_sum(Path(folder))}"

    def open(self) -> None:
        from ...ocr import OCR

        self._ocr = OCR.from_pretrained(**self._model)

    def look(self, source: Source) -> tuple[str, int]:
        content = content_of(source, self._limits)
        digest = digest_of(content)
        with self._opened(content) as document:
            return digest, document.page_count

    def draw(self, items: Iterable[Item]) -> Iterator[tuple[Item, bytes | PageError]]:
        for item in items:
            try:
                sink = io.BytesIO()
                self._page(item).save(sink, "png", compress_level=1)
            except Exception as e:
                yield item, PageError.from_exception(e)
            else:
                yield item, sink.getvalue()

    def read(self, items: Iterable[Item]) -> Iterator[tuple[Item, PageResult]]:
        assert self._ocr is not None
        waiting: deque[tuple[Item, PageError | None]] = deque()
        results = self._ocr.read_many(
            self._images(items, waiting), batch_size=self._batch_size, limits=self._limits, **self._reading
        )
        for result in results:
            assert isinstance(result, PageResult)
            yield from self._failures(waiting)
            yield waiting.popleft()[0], result
        yield from self._failures(waiting)

    def close(self) -> None:
        """Closes the documents that are still open."""
        while self._documents:
            self._documents.popitem()[1].close()

    def _images(
        self, items: Iterable[Item], waiting: deque[tuple[Item, PageError | None]]
    ) -> Iterator[Image.Image]:
        """The pages that can be opened; `waiting` remembers all of them, in order."""
        for item in items:
            try:
                image = self._page(item)
            except Exception as e:
                waiting.append((item, PageError.from_exception(e)))
            else:
                waiting.append((item, None))
                yield image

    @staticmethod
    def _failures(waiting: deque[tuple[Item, PageError | None]]) -> Iterator[tuple[Item, PageResult]]:
        """The pages before the next one that was opened."""
        while waiting and waiting[0][1] is not None:
            item, error = waiting.popleft()
            yield item, PageResult("", "failed", "error", item.source.name, (item.page,), error=error)

    def _page(self, item: Item) -> Image.Image:
        """In RGB, without what the file says of its colors, which is done with."""
        if item.drawn is not None:
            from PIL import Image

            return Image.open(io.BytesIO(item.drawn))
        image = self._document(item).load(item.page).image
        image.info = {}
        return image

    def _document(self, item: Item) -> Document:
        key = (item.source, item.digest)
        found = self._documents.get(key)
        if found is None:
            content = content_of(item.source, self._limits)
            check_unchanged(item.source, content, item.digest)
            while len(self._documents) >= _OPEN:
                self._documents.popitem(last=False)[1].close()
            found = self._documents[key] = self._opened(content)
        self._documents.move_to_end(key)
        return found

    def _opened(self, content: str | bytes) -> Document:
        return open_document(content, dpi=self._dpi, password=self._password, limits=self._limits)


def _folder_sum(folder: Path) -> str:
    """12 hexadecimal digits that change with any weight or setting of a checkpoint."""
    total = blake2b(digest_size=6)
    for path in sorted(
        p for p in folder.iterdir() if p.is_file() and p.suffix in (".json", ".safetensors", ".tiktoken")
    ):
        total.update(f"{path.name}\n{digest_of(str(path))}\n".encode())
    return total.hexdigest()
