"""What every data engine gives: one picture (or several pages), the prompt task, and the exact truth.

An engine is any object with a `kind` and a `sample(seed, index)` method. The same seed and index give the same
bytes on every run and in every process, because all randomness comes from `sample_rng`.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from PIL import Image

RegionKind = Literal["block", "line", "word"]


@dataclass(frozen=True)
class Task:
    """How the page is asked for; the fields are the keyword arguments of `GotOcr2Processor.__call__`.

    Attributes:
        format: ask for formatted text (Mathpix markdown, `**kern`, TikZ, SMILES, a chart's dict).
        box: region to read, `(x1, y1, x2, y2)` in pixels of the image.
        color: colour of the frame that marks the region to read: "red", "green" or "blue".
        multi_page: all images are the pages of one document.
        crop_to_patches: the page needs its high-resolution patches.
    """

    format: bool = False
    box: tuple[float, float, float, float] | None = None
    color: str | None = None
    multi_page: bool = False
    crop_to_patches: bool = False


@dataclass(frozen=True)
class Region:
    """A block, line or word of text and where it stands.

    Attributes:
        kind: "block", "line" or "word".
        text: what it says, as it stands in the target text.
        box: `(x1, y1, x2, y2)` in pixels.
        page: index into `Sample.images`.
    """

    kind: RegionKind
    text: str
    box: tuple[float, float, float, float]
    page: int = 0


@dataclass(frozen=True)
class Glyphs:
    """Where each drawn character of the target text stands.

    Attributes:
        offsets: int32 (n,), index of the character in `Sample.text`.
        boxes: float32 (n, 4), `(x1, y1, x2, y2)` in pixels of page 0.
    """

    offsets: np.ndarray
    boxes: np.ndarray

    @staticmethod
    def empty() -> Glyphs:
        return Glyphs(np.zeros(0, np.int32), np.zeros((0, 4), np.float32))


@dataclass(frozen=True)
class Sample:
    """One training example.

    Attributes:
        kind: the engine's name, e.g. "text" or "table".
        images: RGB pages; one unless the task is multi-page.
        text: exactly what the model should answer.
        task: how it is asked.
        regions: blocks, lines and words with their boxes, in reading order.
        glyphs: places of the characters; empty where the engine does not draw plain text.
        meta: anything worth keeping beside it (font, template, source), JSON-serialisable.
    """

    kind: str
    images: tuple[Image.Image, ...]
    text: str
    task: Task = field(default_factory=Task)
    regions: tuple[Region, ...] = ()
    glyphs: Glyphs = field(default_factory=Glyphs.empty)
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def image(self) -> Image.Image:
        """The only page of a one-page sample."""
        if len(self.images) != 1:
            raise ValueError(f"This {self.kind} sample has {len(self.images)} pages, not one.")
        return self.images[0]


class Engine(Protocol):
    """A data engine: stateless between samples, cheap to copy into a worker process."""

    kind: str

    def sample(self, seed: int, index: int) -> Sample:
        """Draws sample number `index` (>= 0) of the stream `seed`; the same arguments give the same bytes."""
        ...


def sample_rng(seed: int, kind: str, index: int) -> np.random.Generator:
    """The only source of randomness of sample `index` of engine `kind` in stream `seed`."""
    return np.random.default_rng([seed, zlib.crc32(kind.encode()), index])
