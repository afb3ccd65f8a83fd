"""The command line in this process, with a model whose answers the tests write down."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from fake_ocr import Answer, fake_ocr, size_of
from got_ocr2.cli import main
from got_ocr2.ocr import OCR


@dataclass
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """`cli("read", "a.png", answer=..., terminal=False)` runs the command and returns what came of it.

    `cli.opened` lists the arguments with which models were opened.
    """
    for name in (
        "MODEL", "DEVICE", "DTYPE", "DPI", "PASSWORD", "MAX_PIXELS", "MAX_NEW_TOKENS", "BATCH_SIZE", "QUANTIZE",
        "KERNELS", "KV_MEMORY", "DEADLINE", "ON_LOOP",
    ):  # fmt: skip
        monkeypatch.delenv(f"GOT_OCR2_{name}", raising=False)

    def run(*arguments: object, answer: Answer = size_of, terminal: bool = False) -> Ran:
        def from_pretrained(model: str | None = None, **options: object) -> OCR:
            run.opened.append((model, options))
            return fake_ocr(answer)

        monkeypatch.setattr(OCR, "from_pretrained", from_pretrained)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    run.opened = []
    return run


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Path]:
    """`picture("a.png", 5, 4)`: a file of that name and size below `tmp_path`; more sizes make more pages."""

    def make(name: str, *sides: int) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        first, *rest = (Image.new("RGB", size) for size in zip(sides[::2], sides[1::2], strict=True))
        for image in (first, *rest):
            image.putpixel((0, 0), (255, 255, 255))  # or the larger ones would be blank pages
        first.save(path, save_all=True, append_images=rest) if rest else first.save(path)
        return path

    return make


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def give(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return give
