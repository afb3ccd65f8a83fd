"""Several pages as one text (paper section 3.4, multi-page data)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...errors import InvalidOptionError
from ..sample import Engine, Sample, Task, sample_rng
from .attempts import ATTEMPTS, fresh_index, too_long


class MultiPageEngine:
    """Asks for several pages as one text.

    Args:
        source: engine of one-page samples.
        pages: fewest and most pages, 2 to 8 in the paper.
        max_characters: longest answer of one page; longer pages are left out. (The paper allows 650
        tokens, about
            2600 letters.)

    Raises:
        InvalidOptionError: an option out of range.
    """

    kind = "multipage"

    def __init__(
        self, source: Engine, *, pages: tuple[int, int] = (2, 8), max_characters: int = 2600
    ) -> None:
        if not 2 <= pages[0] <= pages[1] <= 8:
            raise InvalidOptionError(
                f"Documents of {pages[0]} to {pages[1]} pages are outside 2 to 8, rising."
            )
        self.source = source
        self.pages = pages
        self.max_characters = max_characters

    def sample(self, seed: int, index: int) -> Sample:
        """Pages in order; glyphs are those of the first page."""
        rng = sample_rng(seed, self.kind, index)
        count = int(rng.integers(self.pages[0], self.pages[1] + 1))
        pages: list[Sample] = []
        for _ in range(ATTEMPTS):
            page = self.source.sample(seed, fresh_index(rng))
            if len(page.text) <= self.max_characters:
                pages.append(page)
            if len(pages) == count:
                return self._bind(pages)
        raise too_long(self.source, self.max_characters)

    def _bind(self, pages: Sequence[Sample]) -> Sample:
        return Sample(
            kind=self.kind,
            images=tuple(page.image for page in pages),
            text="\n".join(page.text for page in pages),
            task=Task(format=pages[0].task.format, multi_page=True),
            regions=tuple(replace(region, page=n) for n, page in enumerate(pages) for region in page.regions),
            glyphs=pages[0].glyphs,
            meta={"source": pages[0].kind, "pages": len(pages)},
        )
