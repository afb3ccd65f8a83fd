"""The reader of documents, with a model that answers at once, by how large a page is: "61x47"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fake_ocr import fake_ocr
from got_ocr2.cluster.workers.ocr_reader import OcrReader

TARGET = "size_reader:SizeReader"


class SizeReader(OcrReader):
    @classmethod
    def identity(cls, options: Mapping[str, Any]) -> str:
        return "size@1"

    def open(self) -> None:
        self._ocr = fake_ocr()
