"""Draws the frozen test sets of `testsets/`: one folder a kind, in the layout that `got-ocr2 evaluate` reads.

    python benchmarks/make_testsets.py --out testsets

The sets in the repository were drawn once, on a machine with all fonts and texts of `docs/synth.md`, and stay as they
are, so that numbers of different days compare. Everything is of the split "test": fonts, texts, molecules and tunes
that training never draws. Where an engine has two renderers, the set has the one that training leaves aside, or both.

Clean pictures are PNG with at most 64 colours; degraded ones, scenes and scores are JPEG.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from PIL import Image

from got_ocr2.synth.composing.documents import MultiPageEngine
from got_ocr2.synth.composing.patches import CropEngine
from got_ocr2.synth.composing.regions import RegionEngine
from got_ocr2.synth.corpora.content import ContentMixture
from got_ocr2.synth.degradation.degrade import degrade
from got_ocr2.synth.registry import create_engine
from got_ocr2.synth.sample import Engine, Sample, sample_rng
from got_ocr2.synth.text.engine import Layout, TextEngine

SEED = 20_260_901
PROSE = ContentMixture(prose=0.8, shuffled=0.1, strings=0.1)
SPOILT = (0.3, 0.9)
COLOURS = 64
QUALITY = 80


@dataclass(frozen=True)
class TestSet:
    """One folder.

    Attributes:
        about: a sentence for the list of sets.
        make: its engine.
        count: samples.
        longest: characters of the longest answer; longer samples are passed over.
        strength: of degradation, from and to, uniform; (0, 0) leaves samples clean.
        photo: whether its pictures have too many colours for a palette.
    """

    about: str
    make: Callable[[], Engine]
    count: int
    longest: int = 1200
    strength: tuple[float, float] = (0.0, 0.0)
    photo: bool = False


def text(
    layout: Layout, canvas: tuple[int, int] = (128, 512), em: tuple[float, float] = (14.0, 28.0)
) -> TextEngine:
    """Plain print in one layout."""
    return TextEngine(layouts={layout: 1.0}, canvas=canvas, em=em, mixture=PROSE, split="test")


def kind(name: str, **options: object) -> Engine:
    """The engine of a kind, held-out."""
    return create_engine(name, split="test", **options)


SETS: dict[str, TestSet] = {
    "text-words": TestSet("single words", lambda: text("word", em=(14.0, 48.0)), 24),
    "text-lines": TestSet("single lines", lambda: text("line"), 24),
    "text-paragraphs": TestSet("paragraphs of up to some nine lines of 512 pixels", lambda: text("paragraph"), 24),
    "text-degraded-lines": TestSet(
        "single lines, scanned, photographed, copied, faxed or on a screen", lambda: text("line"), 24, strength=SPOILT
    ),
    "text-degraded-paragraphs": TestSet(
        "paragraphs, spoilt in the same ways", lambda: text("paragraph"), 20, strength=SPOILT
    ),
    "text-pages": TestSet("whole pages in one to three columns", lambda: text("page"), 12),
    "text-scenes": TestSet("signs on pictures", lambda: text("scene"), 12, photo=True),
    "region": TestSet(
        "a line or block of a small paragraph, by its box or a coloured frame",
        lambda: RegionEngine(text("paragraph")), 20,
    ),
    "region-page": TestSet(
        "a block of a formatted page, by its box or a coloured frame", lambda: RegionEngine(kind("page")), 10
    ),
    "multipage": TestSet(
        "two or three formatted pages as one text",
        lambda: MultiPageEngine(kind("page"), pages=(2, 3), max_characters=1300), 10, longest=3000,
    ),
    "crop": TestSet(
        "large formatted pages that need patches",
        lambda: CropEngine(kind("page", long_side=(1100, 1500)), pages=(1, 1)), 10, longest=2000,
    ),
    "formula": TestSet("formulas, by both renderers", lambda: kind("formula"), 24),
    "table": TestSet("tables", lambda: kind("table"), 16),
    "page": TestSet("formatted pages", lambda: kind("page"), 10, longest=2000),
    "molecule": TestSet("skeletal formulas", lambda: kind("molecule"), 24),
    "music": TestSet("scores", lambda: kind("music"), 12, longest=1500, photo=True),
    "geometry": TestSet(
        "figures, by the renderer that training leaves aside", lambda: kind("geometry", renderer="plain"), 16
    ),
    "chart": TestSet("charts, by both libraries", lambda: kind("chart"), 16),
    "negative": TestSet("nothing to read", lambda: kind("negative"), 10, photo=True),
}  # fmt: skip


def draw(name: str, chosen: TestSet) -> list[Sample]:
    """The first samples whose answers are not too long; no two sets share a stream."""
    engine, seed = chosen.make(), SEED + zlib.crc32(name.encode())
    found: list[Sample] = []
    index = 0
    while len(found) < chosen.count:
        sample = engine.sample(seed, index)
        if len(sample.text) <= chosen.longest:
            rng = sample_rng(seed, "testset", index)
            strength = float(rng.uniform(*chosen.strength))
            found.append(degrade(sample, rng, strength) if strength else sample)
        index += 1
    return found


def write(name: str, chosen: TestSet, folder: Path) -> int:
    """Writes one set; gives its size in bytes."""
    pictures = folder / name / "images"
    pictures.mkdir(parents=True)
    size = 0
    with (folder / name / "data.jsonl").open("w", encoding="utf-8", newline="\n") as lines:
        for number, sample in enumerate(draw(name, chosen)):
            noisy = chosen.photo or bool(chosen.strength[1])
            files: list[str] = []
            for page, image in enumerate(sample.images):
                path = save(image, pictures / f"{number:02}-{page}", noisy=noisy)
                files.append(path.relative_to(folder / name).as_posix())
                size += path.stat().st_size
            task = {key: value for key, value in asdict(sample.task).items() if value}
            row = {
                "id": f"{name}-{number:02}",
                "kind": sample.kind,
                "images": files,
                "text": sample.text,
                "task": task,
            }
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    return size


def save(image: Image.Image, stem: Path, *, noisy: bool) -> Path:
    """Writes a picture in the smaller fitting format."""
    if noisy:
        image.save(stem.with_suffix(".jpg"), quality=QUALITY)
        return stem.with_suffix(".jpg")
    small = image.quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(stem.with_suffix(".png"), optimize=True)
    return stem.with_suffix(".png")


def main() -> int:
    """Draws the sets; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--only", action="append", choices=list(SETS), help="only this set; repeatable")
    parser.add_argument("--count", type=int, help="samples of each set, to try it out")
    options = parser.parse_args()
    if options.out.exists() and any(options.out.iterdir()):
        print(f"{options.out} is not empty; give a new folder.", file=sys.stderr)
        return 1
    total = 0
    for name in options.only or SETS:
        chosen = replace(SETS[name], count=options.count or SETS[name].count)
        size = write(name, chosen, options.out)
        total += size
        print(f"{name}: {chosen.count} samples, {size / 2**10:.0f} KiB")
    print(f"{total / 2**20:.2f} MiB in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
