"""What is asked of the model, in the exact words of either dialect.

Two wordings are in use for the same weights:

- "original" is the one that the model was trained on (the GOT repository's `run_ocr_2.0.py`);
- "hf" is what transformers' `GotOcr2Processor` sends since 4.49: the same words after one space more, and
  with combinations that training never saw.

`␠OCR` and `OCR` are different tokens, so the dialect is part of a checkpoint's configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ..errors import InvalidOptionError

Dialect = Literal["hf", "original"]
DIALECTS: tuple[str, ...] = get_args(Dialect)

SYSTEM = "system\nYou should follow the instructions carefully and explain your answers in detail."
# The colours of the frames that the model was trained to look into.
TRAINED_COLORS = ("red", "green", "blue")
_NOT_IN_A_COLOR = frozenset("[]<>\r\n")


@dataclass(frozen=True)
class Question:
    """One document's reading task.

    Attributes:
        format: ask for formatted text.
        box: region to read, in thousandths: x1, y1, x2, y2, or the point x, y.
        color: colour of the frame to read.
        multi_page: the pictures are the pages of one document.
        patches: the pictures are the tiles of one page.
    """

    format: bool = False
    box: Sequence[int] | None = None
    color: str | None = None
    multi_page: bool = False
    patches: bool = False

    def wording(self, dialect: Dialect) -> str:
        """The question in the words of a dialect; it ends with a space.

        Raises:
            InvalidOptionError: the dialect has no such question, or the colour is none.
        """
        _check_color(self.color, dialect)
        if self.box is not None and self.multi_page:
            raise InvalidOptionError(
                "A box marks a region of one image, so it cannot go with multi_page=True."
            )
        if dialect == "original":
            self._check_trained()
        words = "OCR"
        words += " with format" if self.format else ""
        words += " across multi pages" if self.multi_page else ""
        words += " upon the patch reference" if self.patches else ""
        region = "" if self.box is None else str(list(self.box))
        color = "" if self.color is None else f"[{self.color}]"
        if dialect == "hf":
            return f"{color} {region} {words}: " if color else f"{region} {words}: "
        return " ".join(part for part in (color, region, f"{words}: ") if part)

    def _check_trained(self) -> None:
        """Refuses what the original code has no prompt for."""
        asked = {
            "a box": self.box is not None,
            "a color": self.color is not None,
            "multi_page": self.multi_page,
            "crop_to_patches": self.patches,
        }
        together = [name for name, is_asked in asked.items() if is_asked]
        if len(together) > 1:
            raise InvalidOptionError(
                f'The "original" dialect has no prompt for {" and ".join(together)} together: the model was '
                f'trained on one of them at a time. Choose one, or dialect="hf".'
            )
        if self.multi_page and not self.format:
            raise InvalidOptionError(
                'The "original" dialect reads several pages formatted only; pass format=True, or choose '
                'dialect="hf".'
            )


def frame(question: str, *, start: str, end: str, image: str) -> str:
    """The whole prompt around a question.

    Args:
        question: what is asked, in either dialect.
        start, end: the control tokens that open and close a message.
        image: the control tokens that stand for the pictures.
    """
    return f"{start}{SYSTEM}{end}{start}user\n{image}\n{question}{end}{start}assistant\n"


def check_dialect(value: object) -> None:
    """Refuses everything but the known dialects."""
    if value not in DIALECTS:
        raise InvalidOptionError(f'dialect must be "hf" or "original", got {value!r}.')


def _check_color(color: object, dialect: Dialect) -> None:
    if color is None:
        return
    if not isinstance(color, str):
        raise InvalidOptionError(f"A color must be a word such as red, got {color!r}.")
    if dialect == "original" and color not in TRAINED_COLORS:
        raise InvalidOptionError(f"A color must be one of {', '.join(TRAINED_COLORS)}, got {color!r}.")
    if not color.strip() or not _NOT_IN_A_COLOR.isdisjoint(color):
        raise InvalidOptionError(f"A color must be a word without brackets or line breaks, got {color!r}.")
