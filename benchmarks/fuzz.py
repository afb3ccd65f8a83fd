"""Hostile inputs of every kind: no page may be lost, and no process may be brought down unseen.

    python benchmarks/fuzz.py [--count 10000] [--seed 0] [--workers 1] [--keep FOLDER]

Three quarters are pictures and PDFs of eleven kinds for one run of `got-ocr2 batch`; bytes of them are changed, cut
out, doubled, swapped or cut off, by the seed alone. They are opened and drawn by the real reader; a model that answers
at once takes the place of the network. The other quarter are files of checkpoints, markup and requests of JSON, as
`hostile_inputs.py` makes them. Ends with a JSON line, and with exit code 1 if a document has no row, or anything an
error that is not ours.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import hostile_inputs
import pikepdf
from PIL import Image, ImageDraw, features

from got_ocr2.cluster.driver import Told, run
from got_ocr2.cluster.options import BatchOptions
from got_ocr2.machine import describe, peak_memory
from size_reader import TARGET

KINDS = ("png", "jpeg", "tiff", "gif", "webp", "avif", "jpeg2000", "bmp", "ppm", "tga", "pdf")
_SUFFIXES = {"jpeg2000": ".jp2"}
OTHERS = ("config", "tokenizer", "safetensors", "markup", "request")
# What `documents` and `reading` say of a document on purpose; anything else is a traceback in disguise.
OURS = ("InputError", "EncryptedDocumentError", "FileAccessError", "WorkerError")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="where the documents stay; an empty folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = chosen.keep or Path(folder) / "documents"
        made = make(place, chosen.count - chosen.count // 4, chosen.seed)
        found = read(place, Path(folder) / "out", made, chosen.workers)
    others = hostile_inputs.run(
        hostile_inputs.parser().parse_args(
            ["--seed", str(chosen.seed), "--count", str(chosen.count // 4), "--kinds", ",".join(OTHERS)]
        )
    )
    print(json.dumps({**found, "others": others, "seed": chosen.seed, "machine": describe()}))
    return 1 if found["rows_missing"] or found["foreign_errors"] or others["faults"] else 0


def make(place: Path, count: int, seed: int) -> list[str]:
    """Writes `count` documents; the same ones for the same seed and versions of the libraries."""
    place.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed)
    good = originals()
    names = [name for name in KINDS if name in good]
    made: list[str] = []
    for number in range(count):
        kind = names[number % len(names)]
        data = bytearray(draw.choice(good[kind]))
        for _ in range(draw.choice([1, 1, 2, 8, 40])):
            mutate(data, draw)
        name = f"{number:06d}{_SUFFIXES.get(kind, '.' + kind)}"
        (place / name).write_bytes(data)
        made.append(name)
    return made


def originals() -> dict[str, list[bytes]]:
    """Small good documents of every kind that this Pillow can write."""
    pages = []
    for width, height in ((61, 47), (40, 90)):
        page = Image.new("RGB", (width, height), "white")
        ImageDraw.Draw(page).text((4, 4), "Hostile", fill="black")
        pages.append(page)
    found: dict[str, list[bytes]] = {}
    for kind in KINDS:
        if kind == "pdf" or (kind == "avif" and not features.check("avif")):
            continue
        for page in (*pages, pages[0].convert("L"), pages[1].convert("P")):
            sink = io.BytesIO()
            several = (
                {"save_all": True, "append_images": [p.copy() for p in pages]}
                if kind in ("tiff", "gif")
                else {}
            )
            fitting = page if kind in ("png", "bmp", "tga", "gif") else page.convert("RGB")
            fitting = fitting.copy()  # one that was saved keeps settings of that kind
            fitting.save(sink, kind, **several)
            found.setdefault(kind, []).append(sink.getvalue())
    sink = io.BytesIO()
    then = time.gmtime(0)
    pages[0].save(sink, "pdf", save_all=True, append_images=pages[1:], creationDate=then, modDate=then)
    found["pdf"] = [sink.getvalue(), _plain_pdf()]
    return found


def _plain_pdf() -> bytes:
    """Without compression, so that changes reach objects and operators."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(90, 60))
        page.Contents = pdf.make_stream(b"q 1 0 0 RG 5 5 m 80 50 l S Q\n" * 4)
        sink = io.BytesIO()
        pdf.save(
            sink,
            compress_streams=False,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            deterministic_id=True,
        )
        return sink.getvalue()


def mutate(data: bytearray, draw: random.Random) -> None:
    """One change somewhere."""
    if not data:
        return
    at, kind = draw.randrange(len(data)), draw.randrange(7)
    length = min(draw.choice([1, 2, 4, 16, 200]), len(data) - at)
    if kind == 0:
        data[at] ^= 1 << draw.randrange(8)
    elif kind == 1:
        data[at : at + length] = draw.randbytes(length)
    elif kind == 2:
        del data[at : at + length]
    elif kind == 3:
        data[at:at] = data[at : at + length]
    elif kind == 4:
        data[at : at + length] = draw.choice([b"\x00", b"\xff", b"\x7f", b"\x80"]) * length
    elif kind == 5:
        other = draw.randrange(len(data))
        data[at], data[other] = data[other], data[at]
    elif draw.random() < 0.2:
        del data[at:]


def read(place: Path, out: Path, made: list[str], workers: int) -> dict[str, Any]:
    """One run over all of them."""
    options = BatchOptions(
        reader=TARGET,
        workers=workers,
        threads=1,
        shards="jsonl",
        retries=0,
        page_timeout=60.0,
        worker_memory=3 << 30,
        reading={"max_pixels": 20_000_000},
    )
    start = time.monotonic()
    done = run([str(place)], out, options, told=Told(lambda line: None, lambda progress: None), picture=False)
    seconds = time.monotonic() - start
    errors: Counter[str] = Counter()
    foreign: list[str] = []
    seen: set[str] = set()
    for path in sorted(out.glob("shards/part-*")):
        for line in path.read_bytes().splitlines():
            row = json.loads(line)
            seen.add(Path(row["document"]).name)
            if row["error"] is not None:
                errors[row["error"]["type"]] += 1
                if row["error"]["type"] not in OURS:
                    foreign.append(f"{row['document']}: {row['error']['message']}"[:200])
                elif row["error"]["type"] == "WorkerError":
                    print(row["error"]["message"])
    for line in foreign[:20]:
        print(line)
    return {
        "documents": len(made),
        "rows": done.total.rows,
        "rows_missing": len(set(made) - seen),
        "statuses": done.total.statuses,
        "errors": dict(errors),
        "foreign_errors": len(foreign),
        "seconds": round(seconds, 1),
        "driver_peak_bytes": peak_memory(),
        # Or what this process held when it started the worker, if that was more.
        "worker_peak_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10,
    }


if __name__ == "__main__":
    sys.exit(main())
