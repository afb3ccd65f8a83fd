"""What a sample asks, as the processor's arguments; and the other way round, for data written by others."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from ...processing import GotOcr2Processor
from ...processing.prompts import TRAINED_COLORS, frame
from ...synth.sample import Sample, Task


@dataclass(frozen=True)
class AskedSample(Sample):
    """A sample that is asked for in words of its own.

    Attributes:
        question: takes the place of the wording of `task`; "" leaves it to the task.
    """

    question: str = ""


_QUESTION = re.compile(
    rf" *(?:\[(?P<color>{'|'.join(TRAINED_COLORS)})\] )?(?: *\[(?P<box>\d+(?:, ?\d+){{3}})\] )? *"
    r"OCR(?P<format> with format)?(?P<pages> across multi pages)?(?P<patches> upon the patch reference)?: *"
)


def task_of(question: str, size: tuple[int, int]) -> Task | None:
    """The task that a question of GOT's stands for, in either dialect; None if it is no such question.

    Args:
        question: such as "OCR with format: " or "[120, 40, 610, 300] OCR: ", boxes in thousandths.
        size: width and height of the picture, in pixels.
    """
    found = _QUESTION.fullmatch(question)
    if found is None:
        return None
    box = None
    if found["box"] is not None:
        # The middle of the thousandth: rounding down gives the same number back.
        x1, y1, x2, y2 = (
            min(float(side), (int(number) + 0.5) / 1000 * side)
            for number, side in zip(found["box"].split(","), size * 2, strict=True)
        )
        box = (x1, y1, x2, y2)
    return Task(
        format=found["format"] is not None,
        box=box,
        color=found["color"],
        multi_page=found["pages"] is not None,
        crop_to_patches=found["patches"] is not None,
    )


def question_of(sample: Sample, processor: GotOcr2Processor) -> dict[str, Any]:
    """The keyword arguments with which `processor` makes the prompt of a sample."""
    several = sample.task.multi_page or len(sample.images) > 1
    images: Any = list(sample.images) if several else sample.image
    if isinstance(sample, AskedSample) and sample.question:
        return {"images": images, "text": own_prompt(sample.question, processor), "multi_page": several}
    return {"images": images, **asdict(sample.task)}


def own_prompt(question: str, processor: GotOcr2Processor) -> str:
    """A question in its own words, inside the frame of every prompt."""
    names = processor.tokenizer
    return frame(
        question,
        start=names.message_start_token,
        end=names.eos_token,
        image=names.image_start_token + names.image_token + names.image_end_token,
    )
