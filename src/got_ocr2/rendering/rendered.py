"""What rendering gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InvalidOptionError
from .problems import Problem
from .registry import FORMATS


@dataclass(frozen=True)
class Rendered:
    """An output of the model in a format that programs open.

    Attributes:
        data: the file's bytes; UTF-8 for formats that are text.
        format: a name of `registry.FORMATS`.
        kind: what was rendered, a name of `registry.KINDS`.
        media_type: such as "image/svg+xml".
        suffix: what the file's name ends in, such as ".svg".
        problems: what was wrong with the text, in its order; the file shows what could be made of it.
    """

    data: bytes
    format: str
    kind: str
    media_type: str
    suffix: str
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, data: bytes | str, format: str, kind: str, problems: Sequence[Problem] = ()) -> Rendered:
        """With media type and suffix from the table of formats; lone surrogates become U+FFFD."""
        known = FORMATS[format]
        if isinstance(data, str):
            data = data.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode("utf-8")
        return cls(data, format, kind, known.media_type, known.suffix, tuple(problems))

    @property
    def text(self) -> str:
        """The file as text.

        Raises:
            InvalidOptionError: the format is not text.
        """
        if not FORMATS[self.format].textual:
            raise InvalidOptionError(f"A {self.format} file is not text; take its data.")
        return self.data.decode("utf-8")

    def __repr__(self) -> str:
        return (
            f"Rendered({self.kind} as {self.format}, {len(self.data)} bytes, {len(self.problems)} problems)"
        )
