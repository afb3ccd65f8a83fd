"""Contact sheets: a grid of samples of one kind, each with its task and its truth under the picture."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from PIL import Image, ImageDraw

from ..errors import InvalidOptionError
from .fonts.catalog import FontFile, fonts
from .sample import Engine, Sample, Task

CELL_WIDTH, PICTURE_HEIGHT, CAPTION_LINES = 420, 400, 8
GAP, TEXT_SIZE, LINE_HEIGHT = 14, 13, 17
BACKGROUND, ASKED = (228, 230, 233), (200, 0, 160)


def contact_sheet(engine: Engine, seed: int = 0, count: int = 12, columns: int = 4) -> Image.Image:
    """Samples 0 to `count` - 1 of an engine on one RGB picture.

    A box that is asked for is drawn in purple; truths longer than a few lines end in an ellipsis.

    Raises:
        InvalidOptionError: a number of samples or columns below 1.
    """
    if count < 1 or columns < 1:
        raise InvalidOptionError(f"A sheet of {count} samples in {columns} columns needs at least 1 of each.")
    samples = [engine.sample(seed, index) for index in range(count)]
    height = PICTURE_HEIGHT + (CAPTION_LINES + 1) * LINE_HEIGHT + GAP
    rows = -(-count // columns)
    sheet = Image.new("RGB", (columns * (CELL_WIDTH + GAP) + GAP, rows * (height + GAP) + GAP), BACKGROUND)
    for number, sample in enumerate(samples):
        row, column = divmod(number, columns)
        _draw_cell(sheet, sample, GAP + column * (CELL_WIDTH + GAP), GAP + row * (height + GAP), height)
    return sheet


def _draw_cell(sheet: Image.Image, sample: Sample, x: int, y: int, height: int) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((x, y, x + CELL_WIDTH, y + height), fill="white")
    picture = _picture(sample)
    picture.thumbnail((CELL_WIDTH, PICTURE_HEIGHT), Image.Resampling.LANCZOS)
    sheet.paste(picture, (x + (CELL_WIDTH - picture.width) // 2, y + (PICTURE_HEIGHT - picture.height) // 2))
    top = y + PICTURE_HEIGHT + GAP // 2
    size = " + ".join(f"{image.width} x {image.height}" for image in sample.images[:2])
    more = " + ..." if len(sample.images) > 2 else ""
    draw.text(
        (x + 6, top), f"{_asked(sample.task)}   ({size}{more})", fill=ASKED, font=_font("").load(TEXT_SIZE)
    )
    font = _font(sample.text).load(TEXT_SIZE)
    width = max(20, int((CELL_WIDTH - 12) / (font.getlength("abcdefghij0123456789") / 20)))
    for line in _caption(sample.text, width):
        top += LINE_HEIGHT
        draw.text((x + 6, top), line, fill="black", font=font)


def _picture(sample: Sample) -> Image.Image:
    """The page with the box that is asked for, or all pages side by side."""
    if len(sample.images) == 1:
        picture = sample.image.copy()
        if sample.task.box is not None:
            ImageDraw.Draw(picture).rectangle(
                sample.task.box, outline=ASKED, width=max(2, picture.width // 250)
            )
        return picture
    return _side_by_side(sample.images)


def _side_by_side(images: Sequence[Image.Image]) -> Image.Image:
    gap = max(image.width for image in images) // 30
    width = sum(image.width + gap for image in images) - gap
    strip = Image.new("RGB", (width, max(image.height for image in images)), BACKGROUND)
    x = 0
    for image in images:
        strip.paste(image, (x, 0))
        x += image.width + gap
    return strip


def _asked(task: Task) -> str:
    parts = ["format" if task.format else "plain"]
    if task.box is not None:
        parts.append("box " + ", ".join(f"{side:.0f}" for side in task.box))
    parts += [f"{task.color} frame"] if task.color else []
    parts += ["pages"] if task.multi_page else []
    parts += ["patches"] if task.crop_to_patches else []
    return ", ".join(parts)


def _caption(text: str, width: int) -> list[str]:
    """The truth broken to a width in characters; its own line breaks stay."""
    if not text:
        return ["(nothing)"]
    lines = [
        part
        for line in text.split("\n")
        for part in textwrap.wrap(line, width, replace_whitespace=False) or [""]
    ]
    return lines if len(lines) <= CAPTION_LINES else [*lines[: CAPTION_LINES - 1], "…"]


def _font(text: str) -> FontFile:
    """An upright face that draws most of a text."""
    faces = fonts(("mono", "sans"), weights=(400, 400), italic=False)
    if all(ord(letter) < 0x2E80 for letter in text):
        faces = tuple(face for face in faces if face.family in ("DM Mono", "DejaVu Sans Mono")) or faces
    return max(faces, key=lambda face: sum(face.covers(letter) for letter in set(text)))
