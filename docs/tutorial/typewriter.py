"""Pages of a worn typewriter for the round trip of docs/serving.md: read, mend, fine-tune, read better.

    python docs/tutorial/typewriter.py draw --out typed --pages 1
    python docs/tutorial/typewriter.py draw --out typed-test --pages 2 --seed 1
    python docs/tutorial/typewriter.py mend typed/0000.png --lines 20 --server http://127.0.0.1:8000

`draw` writes `NAME.png` with its text in `NAME.txt`: the package's own texts in a face that the embedded model was
never trained on, struck by one and the same machine. `mend` does over HTTP what a person does on the page: it has
the picture read and keeps the first lines with what really stands there.
"""

from __future__ import annotations

import argparse
import json
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from got_ocr2.evaluation.metrics.edit_distance import normalised_distance
from got_ocr2.synth.corpora.catalog import text_pool
from got_ocr2.synth.fonts.catalog import fonts

FACE = "Space Mono Regular"  # comes with the package, and is never trained on
MACHINE = 1961  # the seed of the machine's faults
COLUMNS, ROWS = 42, 22
SIZE, PITCH, FEED, MARGIN = 24, 16, 40, 60  # pixels


def page_text(rng: np.random.Generator) -> list[str]:
    """Lines of the package's held-out texts, none wider than the carriage."""
    pool = text_pool("en", "test")
    lines = [""]
    while len(lines) <= ROWS:
        for word in pool.paragraph(rng).split():
            if len(lines[-1]) + len(word) >= COLUMNS:
                lines.append("")
            lines[-1] = f"{lines[-1]} {word}".strip()
    return [line for line in lines if line][:ROWS]


class Typewriter:
    """One machine: every type has its own faults, which it shows each time it is struck."""

    def __init__(self, face: str = FACE) -> None:
        (file,) = (one for one in fonts(split="test") if one.name == face)
        self._font = ImageFont.truetype(file.path, SIZE)
        self._types: dict[str, Image.Image] = {}

    def type_of(self, letter: str) -> Image.Image:
        """What a type strikes: askew, its counters full of dirt, worn on one side; grey, ink is 255."""
        if letter in self._types:
            return self._types[letter]
        rng = np.random.default_rng([MACHINE, ord(letter)])
        mask = Image.new("L", (2 * SIZE, 2 * SIZE), 0)
        ImageDraw.Draw(mask).text((SIZE / 2, SIZE / 4), letter, 255, self._font)
        mask = mask.rotate(rng.normal(0, 4), Image.Resampling.BICUBIC)
        if rng.random() < 0.6:
            mask = ImageChops.lighter(mask, filled(mask).point(lambda v: round(0.85 * v)))
        mask = mask.filter(ImageFilter.GaussianBlur(0.7))
        slope = np.linspace(1, rng.uniform(0.35, 1), 2 * SIZE)
        worn = np.asarray(mask, np.float32) * np.roll(slope, int(rng.integers(0, 2 * SIZE)))
        askew = (1, 0, rng.normal(0, 0.9), 0, 1, rng.normal(0, 2.2))
        shifted = Image.fromarray(worn.astype(np.uint8)).transform(
            mask.size, Image.Transform.AFFINE, askew, Image.Resampling.BICUBIC
        )
        self._types[letter] = shifted
        return shifted

    def page(self, lines: list[str], rng: np.random.Generator) -> Image.Image:
        """A typed sheet, RGB: a tired ribbon, a hand that strikes harder and softer, now and then a double stroke."""
        size = (2 * MARGIN + PITCH * COLUMNS, 2 * MARGIN + FEED * len(lines))
        ink = np.zeros((size[1], size[0]), np.float32)
        for row, line in enumerate(lines):
            for column, letter in enumerate(line):
                if letter == " ":
                    continue
                force = rng.uniform(0.55, 1.0)
                for _ in range(1 + (rng.random() < 0.1)):
                    x = MARGIN + PITCH * column - SIZE // 2 + int(rng.integers(-1, 2))
                    y = MARGIN + FEED * row - SIZE // 4 + int(rng.integers(-1, 2))
                    part = ink[y : y + 2 * SIZE, x : x + 2 * SIZE]
                    np.maximum(part, np.asarray(self.type_of(letter), np.float32) / 255 * force, out=part)
        ribbon = 0.75 + 0.25 * np.sin(np.arange(size[1]) * 1.9)[:, None] * np.sin(np.arange(size[0]) * 1.9)
        paper = rng.normal(0, 5, ink.shape)
        grey = np.clip(232 - 190 * ink * ribbon + paper, 0, 255).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")


def filled(mask: Image.Image) -> Image.Image:
    """The letter with its counters filled: what cannot be reached from outside."""
    outside = mask.point(lambda v: 255 if v > 90 else 0)
    ImageDraw.floodfill(outside, (0, 0), 128)
    return outside.point(lambda v: 0 if v == 128 else 255)


def draw(out: Path, pages: int, seed: int) -> None:
    """Writes pages and their texts."""
    out.mkdir(parents=True, exist_ok=True)
    machine = Typewriter()
    for number in range(pages):
        rng = np.random.default_rng([seed, number])
        lines = page_text(rng)
        machine.page(lines, rng).save(out / f"{number:04}.png")
        (out / f"{number:04}.txt").write_text("\n".join(lines) + "\n", "utf-8")


def mend(picture: Path, count: int, server: str) -> None:
    """Has a picture read, and keeps the first lines with what stands in the text beside it."""
    truth = picture.with_suffix(".txt").read_text("utf-8").splitlines()
    file = post_file(f"{server}/v1/files", picture)["id"]
    result = post(f"{server}/read", {"file_id": file, "options": {"confidence": "line"}})["pages"][0]
    kept = 0
    for line in result["lines"]:
        right = min(truth, key=lambda text: normalised_distance(line["text"], text))
        if normalised_distance(line["text"], right) > 0.6 or kept == count:
            continue  # a person would see which line it is; this program must guess
        truth.remove(right)
        post(
            f"{server}/corrections",
            {"file_id": file, "box": line["box"], "angle": line["angle"], "text": right},
        )
        kept += 1
    if kept < count:
        raise SystemExit(f"Only {kept} of {count} lines could be told.")


def post(url: str, body: dict[str, Any]) -> Any:
    """The answer to a request with JSON."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def post_file(url: str, file: Path) -> Any:
    """The answer to an upload."""
    mark = uuid.uuid4().hex
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
    body = head.encode() + file.read_bytes() + f"\r\n--{mark}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    with urllib.request.urlopen(urllib.request.Request(url, body, kind)) as answer:
        return json.load(answer)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    drawing = commands.add_parser("draw")
    drawing.add_argument("--out", type=Path, required=True)
    drawing.add_argument("--pages", type=int, default=1)
    drawing.add_argument("--seed", type=int, default=0)
    mending = commands.add_parser("mend")
    mending.add_argument("picture", type=Path)
    mending.add_argument("--lines", type=int, default=20)
    mending.add_argument("--server", default="http://127.0.0.1:8000")
    asked = parser.parse_args()
    if asked.command == "draw":
        draw(asked.out, asked.pages, asked.seed)
    else:
        mend(asked.picture, asked.lines, asked.server)


if __name__ == "__main__":
    main()
