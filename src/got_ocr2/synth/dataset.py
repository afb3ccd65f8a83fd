"""Data sets on disk: pictures as PNG beside one line of JSON for each sample.

    DIR/dataset.json         what was asked for: kind, seed, options, and what fonts and texts were at hand
    DIR/data.jsonl           one sample a line, in order
    DIR/images/000000.png    its picture; several pages stand in a folder: 000001/0.png, 000001/1.png, ...
    DIR/glyphs/000000.npy    where its characters stand, for kinds that know: float32 (n, 5), offset in
    the text
                             and box in pixels

The same request gives the same bytes whatever the number of processes. A line is written only after its
pictures, so a run that was stopped anywhere goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .._version import __version__
from ..errors import FileAccessError, InputError, InvalidOptionError
from .corpora.catalog import corpora
from .registry import KINDS, create_engine
from .sample import Engine, Glyphs, Region, Sample, Task

LINES, REQUEST, IMAGES, GLYPHS = "data.jsonl", "dataset.json", "images", "glyphs"
PNG_LEVEL = 4


@dataclass(frozen=True)
class DatasetRequest:
    """What a data set holds.

    Attributes:
        kind: one of `registry.KINDS`.
        seed: of the stream of samples.
        split: "train" or "test".
        language: of the texts, ISO 639-1.
        degrade: highest strength of degradation, 0 to 1.

    Raises:
        InvalidOptionError: an unknown kind, split or language, or a number out of range.
    """

    kind: str
    seed: int = 0
    split: str = "train"
    language: str = "en"
    degrade: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidOptionError(
                f"Unknown kind of sample {self.kind!r}; it is one of {', '.join(KINDS)}."
            )
        if self.seed < 0:
            raise InvalidOptionError(f"The seed is {self.seed}; it must be at least 0.")
        if self.split not in ("train", "test"):
            raise InvalidOptionError(f"Unknown split {self.split!r}; it is train or test.")
        if not 0 <= self.degrade <= 1:
            raise InvalidOptionError(f"The strength of degradation is {self.degrade}; it must lie in 0 to 1.")
        corpora(self.language)

    def engine(self) -> Engine:
        """The engine that draws it."""
        from .mixture import Degraded

        engine = create_engine(self.kind, split=self.split, language=self.language)
        return Degraded(engine, self.degrade) if self.degrade else engine


def write_dataset(
    request: DatasetRequest,
    count: int,
    folder: Path,
    *,
    workers: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Writes samples 0 to `count` - 1, or those of them that are not there yet.

    Args:
        request: what to draw.
        count: how many samples the data set holds in the end.
        folder: made if need be; a data set of the same request in it is continued.
        workers: processes that draw; 1 draws in this one.
        progress: called with the number of samples on disk, at the start and after each.

    Returns:
        How many samples were written now.

    Raises:
        InvalidOptionError: a number out of range, or the folder holds a data set of another request.
        FileAccessError: the folder holds other files, or cannot be written.
    """
    if count < 0 or workers < 1:
        raise InvalidOptionError(
            f"{count} samples by {workers} workers: the count must be >= 0, workers >= 1."
        )
    engine = request.engine()
    folder = Path(folder)
    try:
        start = _prepare(request, folder)
        progress(start)
        with (folder / LINES).open("a", encoding="utf-8", newline="\n") as file:
            for done, line in enumerate(
                _lines(engine, request.seed, range(start, count), folder, workers), start + 1
            ):
                file.write(line + "\n")
                file.flush()
                progress(done)
    except OSError as error:
        if isinstance(error, FileAccessError):
            raise
        raise FileAccessError(f"The data set cannot be written to {folder}: {error}.") from error
    return max(0, count - start)


def read_dataset(folder: Path) -> Iterator[Sample]:
    """The samples of a data set, in order.

    Raises:
        FileAccessError: there is no data set, or one of its pictures is missing.
        InputError: a line is not a sample.
    """
    path = Path(folder) / LINES
    if not path.is_file():
        raise FileAccessError(f"There is no data set in {folder}: {LINES} is missing.")
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                yield _sample_of(row, Path(folder))
            except FileNotFoundError as error:
                raise FileAccessError(
                    f"Line {number} of {path} names a missing file: {error.filename}."
                ) from error
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f"Line {number} of {path} is not a sample: {error}.") from error


def save_sample(sample: Sample, index: int, folder: Path) -> dict[str, Any]:
    """Writes a sample's pictures and glyphs below `folder`; gives its row of JSON."""
    name = f"{index:06}"
    files = [f"{IMAGES}/{name}.png"]
    if len(sample.images) > 1:
        (folder / IMAGES / name).mkdir(exist_ok=True)
        files = [f"{IMAGES}/{name}/{page}.png" for page in range(len(sample.images))]
    for file, image in zip(files, sample.images, strict=True):
        image.save(folder / file, "PNG", compress_level=PNG_LEVEL)
    row: dict[str, Any] = {
        "id": f"{sample.kind}-{name}",
        "kind": sample.kind,
        "images": files,
        "text": sample.text,
        "task": {key: value for key, value in asdict(sample.task).items() if value},
        "regions": [asdict(region) for region in sample.regions],
        "meta": sample.meta,
    }
    for region in row["regions"]:
        region["box"] = [round(side, 2) for side in region["box"]]
    if len(sample.glyphs.offsets):
        row["glyphs"] = f"{GLYPHS}/{name}.npy"
        table = np.concatenate([sample.glyphs.offsets[:, None].astype(np.float32), sample.glyphs.boxes], 1)
        np.save(folder / row["glyphs"], table.astype(np.float32))
    return row


def _sample_of(row: dict[str, Any], folder: Path) -> Sample:
    images: list[Image.Image] = []
    for file in row["images"]:
        with Image.open(folder / file) as image:
            images.append(image.convert("RGB"))
    glyphs = Glyphs.empty()
    if "glyphs" in row:
        table = np.load(folder / row["glyphs"])
        glyphs = Glyphs(table[:, 0].astype(np.int32), table[:, 1:])
    task = Task(**row["task"])
    if task.box is not None:
        task = replace(task, box=tuple(row["task"]["box"]))
    regions = tuple(Region(**{**region, "box": tuple(region["box"])}) for region in row["regions"])
    return Sample(row["kind"], tuple(images), row["text"], task, regions, glyphs, row["meta"])


def _prepare(request: DatasetRequest, folder: Path) -> int:
    """Makes the folder, or checks what is in it; gives the number of samples that are there."""
    asked = {**asdict(request), "version": __version__, "sources": _sources()}
    path = folder / REQUEST
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        for name, value in asked.items():
            if found.get(name) != value:
                raise InvalidOptionError(
                    f"{folder} holds a data set with {name}={found.get(name)!r}, not {value!r}; it cannot be "
                    f"continued. Choose another folder."
                )
        return _whole_lines(folder / LINES)
    if folder.is_dir() and any(folder.iterdir()):
        raise FileAccessError(f"{folder} holds files that are no data set; choose an empty or a new folder.")
    for part in (IMAGES, GLYPHS):
        (folder / part).mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asked, indent=2) + "\n", "utf-8")
    return 0


def _whole_lines(path: Path) -> int:
    """Counts the lines of a file and cuts off a last one that was not finished."""
    if not path.is_file():
        return 0
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
    return data.count(b"\n")


def _sources() -> str:
    """A fingerprint of the fonts and texts at hand; with others, the same seed draws other samples."""
    from .fonts.catalog import fonts

    names = [face.name for split in ("train", "test") for face in fonts(split=split)]
    names += [f"{corpus.name} {corpus.source}" for corpus in corpora(None)]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def _lines(engine: Engine, seed: int, indices: range, folder: Path, workers: int) -> Iterator[str]:
    """Draws and saves samples; gives their lines in order."""
    if workers == 1 or len(indices) <= 1:
        for index in indices:
            yield _draw(engine, seed, index, folder)
        return
    context = get_context("spawn")  # a forked copy of a process with threads may hang
    pool = ProcessPoolExecutor(workers, context, _start_worker, (pickle.dumps(engine), seed, folder))
    try:
        waiting: deque[Future[str]] = deque()
        for index in indices:
            waiting.append(pool.submit(_draw_in_worker, index))
            if len(waiting) >= 4 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _draw(engine: Engine, seed: int, index: int, folder: Path) -> str:
    row = save_sample(engine.sample(seed, index), index, folder)
    return json.dumps(row, ensure_ascii=False, separators=(", ", ": "))


_worker: tuple[Engine, int, Path] | None = None


def _start_worker(engine: bytes, seed: int, folder: Path) -> None:
    """Ctrl-C reaches every process of the terminal; only the one that writes the lines may heed it."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = pickle.loads(engine), seed, folder


def _draw_in_worker(index: int) -> str:
    assert _worker is not None
    engine, seed, folder = _worker
    return _draw(engine, seed, index, folder)
