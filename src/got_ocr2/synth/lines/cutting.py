"""Cuts a line, or a run of its words, out of a block, straight or nearly so, as a line finder does."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ..degradation.warp import rim_shade
from ..sample import Glyphs, Region, Sample

LONGEST = 18.5  # widths of a cut in its heights; what is wider is read in parts


def line_count(block: Sample) -> int:
    """How many lines a block has."""
    return sum(region.kind == "line" for region in block.regions)


def cut_line(block: Sample, number: int, rng: np.random.Generator) -> Sample | None:
    """Line `number` of a block, with random margins and a slight slant that is left; None if no word of it fits.

    Args:
        block: a one-page sample whose line regions are followed by those of their words.
        number: which line, from 0.
        rng: source of randomness.

    Returns:
        A sample whose text is that of the line, or of some of its words in a row, and whose picture is "RGB".
    """
    words = _words_of(block, number)
    offset = sum(len(text) + 1 for text in block.text.split("\n")[:number])
    spans: list[tuple[int, int]] = []
    for word in words:
        spans.append((offset, offset + len(word.text)))
        offset += len(word.text) + 1
    at = {int(o): box for o, box in zip(block.glyphs.offsets, block.glyphs.boxes, strict=True)}
    boxes = np.array([at[i] for start, end in spans for i in range(start, end)], np.float64)
    slope = _slope(boxes)
    up, down = _margins(rng), _margins(rng)
    em = float(np.median(boxes[:, 3] - boxes[:, 1]))
    height = em * (1 + up + down)
    first, last = _run(rng, words, height * LONGEST * (1 - 0.5 * rng.random() ** 2))
    if first == last:
        return None
    start, end = spans[first][0], spans[last - 1][1]
    chosen = np.array([at[i] for i in range(start, end) if i in at], np.float64)
    before, after = em * rng.uniform(0.05, 0.7, 2)
    if rng.random() < 0.1:
        after += em * rng.uniform(0, 3)
    # A finder cuts in the middle of a gap: of the words beside, nothing is seen.
    if first:
        before = min(before, 0.6 * (words[first].box[0] - words[first - 1].box[2]))
    if last < len(words):
        after = min(after, 0.6 * (words[last].box[0] - words[last - 1].box[2]))
    angle = np.arctan(slope) + np.radians(rng.normal(0, 0.35))
    along = np.array([np.cos(angle), np.sin(angle)])
    down_page = np.array([-along[1], along[0]])
    centre = np.array([(chosen[0, 0] + chosen[-1, 2]) / 2, (chosen[:, 1] + chosen[:, 3]).mean() / 2])
    width = (chosen[-1, 2] - chosen[0, 0]) / along[0] + before + after
    origin = centre - along * (width - after + before) / 2 - down_page * em * (0.5 + up)
    picture = _lifted(block.image, origin, along, down_page, (width, height))
    offsets = [i for i in range(start, end) if i in at]
    moved = _moved(chosen, origin, along, down_page)
    text = " ".join(word.text for word in words[first:last])
    glyphs = Glyphs(np.array(offsets, np.int32) - start, moved.astype(np.float32))
    return Sample("line", (picture,), text, glyphs=glyphs, meta=block.meta)


def _words_of(block: Sample, number: int) -> list[Region]:
    words: list[Region] = []
    line = -1
    for region in block.regions:
        line += region.kind == "line"
        if region.kind == "word" and line == number:
            words.append(region)
    return words


def _slope(boxes: np.ndarray) -> float:
    """How far the line goes down to the right: of the middles of its characters."""
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    return float(np.polyfit(x, y, 1)[0]) if len(boxes) > 4 else 0.0


def _margins(rng: np.random.Generator) -> float:
    """Room above or below, in line heights: mostly tight, now and then wide, seldom cut into the letters."""
    way = rng.random()
    if way < 0.8:
        return float(rng.uniform(-0.01, 0.22))
    return float(rng.uniform(0.1, 0.5) if way < 0.95 else rng.uniform(0.3, 0.8))


def _run(rng: np.random.Generator, words: list[Region], longest: float) -> tuple[int, int]:
    """First and last (not included) of the words in a row that are read together."""
    start = 0
    if words[-1].box[2] - words[0].box[0] > longest and rng.random() < 0.6:
        start = int(rng.integers(len(words)))
    end = start
    while end < len(words) and words[end].box[2] - words[start].box[0] <= longest:
        end += 1
    return start, end


def _lifted(
    image: Image.Image, origin: np.ndarray, along: np.ndarray, down: np.ndarray, size: tuple[float, float]
) -> Image.Image:
    """The oblong of `size` (width, height) at `origin` whose sides run `along` and `down`; paper where it ends."""
    width, height = (max(1, round(side)) for side in size)
    paper = rim_shade(image.convert("L"))
    coefficients = (along[0], down[0], origin[0], along[1], down[1], origin[1])
    return image.transform(
        (width, height),
        Image.Transform.AFFINE,
        coefficients,
        Image.Resampling.BILINEAR,
        fillcolor=(paper,) * 3,
    )


def _moved(boxes: np.ndarray, origin: np.ndarray, along: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Boxes of the block -> boxes of the cut; upright ones round the turned ones' middles."""
    centre = np.stack([boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]], 1) / 2 - origin
    x, y = centre @ along, centre @ down
    w, h = (boxes[:, 2] - boxes[:, 0]) / 2, (boxes[:, 3] - boxes[:, 1]) / 2
    return np.stack([x - w, y - h, x + w, y + h], 1)
