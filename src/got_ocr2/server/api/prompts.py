"""The words of a prompt as a task: those that the model was trained on mean what they mean to it.

`OCR:`, `OCR with format:`, a box in thousandths of the picture or a colour before them (`[100,200,300,400] OCR:`,
`[red] OCR with format:`), `across multi pages` and `upon the patch reference` within. Other words ask for plain text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TRAINED = re.compile(
    r"(?:\[(?P<color>[a-z]+)\]\s*)?"
    r"(?:\[(?P<box>\s*\d{1,4}(?:\s*,\s*\d{1,4}){3}\s*)\]\s*)?"
    r"OCR(?P<format>\s+with\s+format)?(?P<pages>\s+across\s+multi\s+pages)?"
    r"(?P<patches>\s+upon\s+the\s+patch\s+reference)?\s*:?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Asked:
    """What a prompt asks for; see `reading.ReadOptions`.

    Attributes:
        thousandths: the box, in thousandths of the picture's sides.
    """

    format: bool = False
    color: str | None = None
    thousandths: tuple[float, float, float, float] | None = None
    multi_page: bool = False
    crop: bool = False


def asked(prompt: str) -> Asked:
    """The task in a prompt."""
    found = _TRAINED.fullmatch(prompt.strip())
    if found is None:
        return Asked()
    box = None
    if found["box"] is not None:
        x1, y1, x2, y2 = (float(number) for number in found["box"].split(","))
        box = (x1, y1, x2, y2)
    return Asked(
        format=found["format"] is not None,
        color=None if found["color"] is None else found["color"].lower(),
        thousandths=box,
        multi_page=found["pages"] is not None,
        crop=found["patches"] is not None,
    )
