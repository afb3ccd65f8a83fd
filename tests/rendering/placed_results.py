"""Results with places, made by hand."""

from __future__ import annotations

from got_ocr2.results import PageResult, TextPart


def placed(
    *lines: tuple[str, tuple[float, float, float, float] | None]
    | tuple[str, tuple[float, ...] | None, float, int],
    number: int = 1,
    size: tuple[int, int] = (1000, 700),
    source: str = "page.png",
) -> PageResult:
    """A page of lines `(text, box)` or `(text, box, angle, block)`; words have no boxes of their own."""
    text, parts, words = "", [], []
    for line in lines:
        said, box, angle, block = (*line, 0.0, 0)[:4] if len(line) == 2 else line
        start = len(text)
        parts.append(
            TextPart(said, start, start + len(said), 0.9, box, None if box is None else angle, block)
        )
        offset = 0
        for word in said.split():
            at = said.index(word, offset)
            offset = at + len(word)
            words.append(TextPart(word, start + at, start + offset, 0.8))
        text += said + "\n"
    return PageResult(
        text.rstrip("\n"), "complete", "stop", source=source, page_numbers=(number,), width=size[0], height=size[1],
        lines=tuple(parts), words=tuple(words),
    )  # fmt: skip
