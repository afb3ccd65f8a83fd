"""Tab-separated values with the columns and levels of Tesseract's `tsv` output."""

from __future__ import annotations

from collections.abc import Sequence

from .layout import PlacedPage
from .writing import around, pixels

COLUMNS = (
    "level", "page_num", "block_num", "par_num", "line_num", "word_num", "left", "top", "width", "height", "conf",
    "text",
)  # fmt: skip


def write_tsv(pages: Sequence[PlacedPage]) -> str:
    """One row a page (level 1), block (2), paragraph (3), line (4) and word (5); `conf` is 0..100, or -1."""
    rows = ["\t".join(COLUMNS)]

    def add(
        level: int, *place: int, box: tuple[int, int, int, int], conf: str = "-1", text: str = ""
    ) -> None:
        left, top, right, bottom = box
        numbers = (level, *place, *[0] * (5 - len(place)), left, top, right - left, bottom - top)
        rows.append("\t".join([*map(str, numbers), conf, text]))

    for page in pages:
        number = page.number
        add(1, number, box=(0, 0, page.width, page.height))
        for b, block in enumerate(page.blocks, 1):
            box = around([line.place for line in block], page)
            add(2, number, b, box=box)
            add(3, number, b, 1, box=box)
            for n, line in enumerate(block, 1):
                add(4, number, b, 1, n, box=pixels(line.place, page))
                for w, word in enumerate(line.words, 1):
                    text = " ".join(word.text.split())
                    conf = f"{100 * word.confidence:.6f}"
                    add(5, number, b, 1, n, w, box=pixels(word.place, page), conf=conf, text=text)
    return "\n".join(rows) + "\n"
