"""Engine of charts: bars, lines, pies and scattered points, answered by what they say.

Two libraries draw them: matplotlib, and a writer of our own in the manner of the charts of web pages. See
`data` for the form of the answer.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from ...errors import GotOcr2Error, InvalidOptionError
from ..corpora.catalog import Split, text_pool
from ..sample import Sample, Task, sample_rng
from .data import CHART_KINDS, ChartData, ChartKind, random_chart
from .look import Look, random_look, with_headings
from .with_matplotlib import draw_with_matplotlib
from .with_svg import draw_with_svg

LIBRARIES = {"matplotlib": draw_with_matplotlib, "svg": draw_with_svg}
_ATTEMPTS = 60


class ChartEngine:
    """Draws charts.

    Args:
        split: "train", or "test" for words and fonts that training never draws.
        kinds: which kinds of charts, out of `CHART_KINDS`.
        libraries: which libraries draw, out of `LIBRARIES`, each equally often.

    Raises:
        InvalidOptionError: an unknown split, kind or library, or none at all.
        MissingDependencyError: a library is not installed (at the first sample that needs it).
    """

    kind = "chart"

    def __init__(
        self,
        *,
        split: Split = "train",
        kinds: tuple[ChartKind, ...] = CHART_KINDS,
        libraries: tuple[str, ...] = tuple(LIBRARIES),
    ) -> None:
        if split not in ("train", "test"):
            raise InvalidOptionError(f"The split is {split!r}; it must be 'train' or 'test'.")
        for name, given, known in (("kind", kinds, CHART_KINDS), ("library", libraries, tuple(LIBRARIES))):
            if not given or not set(given) <= set(known):
                raise InvalidOptionError(f"The charts' {name} is one of {', '.join(known)}, not {given!r}.")
        self.split: Split = split
        self.kinds = kinds
        self.libraries = libraries

    def sample(self, seed: int, index: int) -> Sample:
        """Draws one chart; the answer is one line of JSON."""
        rng = sample_rng(seed, self.kind, index)
        library = self.libraries[int(rng.integers(len(self.libraries)))]
        for _ in range(_ATTEMPTS):
            data = random_chart(rng, text_pool(split=self.split), self.kinds)
            hues = len(data.categories if data.kind == "pie" else data.series)
            look = random_look(rng, data.answer() + "Source: ", hues, self.split)
            page = self._page(data, look, library, rng)
            if page is not None:
                meta = {
                    "chart": data.kind,
                    "library": library,
                    "font": look.face.name,
                    "printed": data.printed,
                }
                return Sample(self.kind, (page,), data.answer(), Task(format=True), meta=meta)
        raise GotOcr2Error(f"No chart found room for its texts in {_ATTEMPTS} attempts.")

    def _page(
        self, data: ChartData, look: Look, library: str, rng: np.random.Generator
    ) -> Image.Image | None:
        plot = LIBRARIES[library](data, look, rng)
        if plot is None:
            return None
        return with_headings(plot, look, data.title, data.source, margin=int(rng.integers(6, 30)))
