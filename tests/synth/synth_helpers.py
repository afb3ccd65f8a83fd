"""A page engine small enough to check by eye, and pages drawn with one bundled font."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from got_ocr2.synth.fonts.catalog import FontFile, fonts
from got_ocr2.synth.sample import Glyphs, Region, Sample, Task, sample_rng

WORDS = ("quick", "brown", "fox", "jumps", "over", "lazy", "dogs", "while", "seven", "wizards", "mix", "ink")


def bundled_face(family: str = "Domine") -> FontFile:
    """A face that every machine has."""
    faces = (*fonts(), *fonts(split="test"))
    return next(face for face in faces if face.family == family and face.source == "bundled")


@dataclass(frozen=True)
class PageOfLines:
    """Draws a few lines of words as one block; unequal sides, colours on request."""

    size: tuple[int, int] = (330, 210)
    letters: int = 22
    formatted: bool = False
    ink: tuple[int, int, int] = (20, 20, 20)
    kind: str = "lines"

    def sample(self, seed: int, index: int) -> Sample:
        rng = sample_rng(seed, self.kind, index)
        image = Image.new("RGB", self.size, (250, 250, 250))
        draw = ImageDraw.Draw(image)
        font = bundled_face().load(self.letters)
        lines, regions, offsets, boxes = [], [], [], []
        y = 12.0
        while y + 1.4 * self.letters < self.size[1] - 8:
            line = " ".join(rng.choice(WORDS, size=3))
            start = sum(len(other) + 1 for other in lines)
            for position, letter in enumerate(line):
                x = 14 + font.getlength(line[:position])
                draw.text((x, y), letter, font=font, fill=self.ink)
                if letter != " ":
                    offsets.append(start + position)
                    boxes.append((x, y, x + font.getlength(letter), y + 1.3 * self.letters))
            regions.append(Region("line", line, (14.0, y, 14 + font.getlength(line), y + 1.3 * self.letters)))
            lines.append(line)
            y += 1.6 * self.letters
        text = "\n".join(lines)
        block = (14.0, 12.0, max(r.box[2] for r in regions), regions[-1].box[3])
        glyphs = Glyphs(np.array(offsets, np.int32), np.array(boxes, np.float32))
        task = Task(format=self.formatted)
        return Sample(self.kind, (image,), text, task, (Region("block", text, block), *regions), glyphs)
