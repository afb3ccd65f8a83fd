"""A page scored part by part, as OmniDocBench does: running text, formulas, tables, reading order.

arXiv 2412.07626, section 4. Its authors match paragraphs with paragraphs before they compare; here the
running text of a page is compared as one string, which asks a little more of a model whose order differs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from ...extras import need
from ..pages import Elements
from ..statistics import Ratio
from .edit_distance import normalised_distance
from .formatted import split
from .formulas import formula_distance, formula_match
from .tables import parse
from .teds import teds

_MARKUP = re.compile(
    r"\\(?:title|author|caption|footnotetext|(?:sub)*section|paragraph|textbf|textit|text|item)\b\*?"
    r"|\\(?:begin|end)\{\w+\*?\}"
    r"|!\[[^\]]*\]\([^)]*\)"
)
# A block counts as found when this share of its letters stands somewhere in the text.
_FOUND = 60.0


def score_elements(prediction: str, truth: Elements) -> dict[str, Ratio]:
    """The scores of a page; a metric is missing where the page has no such part.

    Formulas and tables are paired with those of the truth by likeness, the best pair first; one without a
    partner scores as if an empty one had been written. What was written beyond the truth costs nothing.

    Raises:
        MissingDependencyError: apted (for tables) or rapidfuzz (for the order) is not installed.
    """
    parts = split(prediction)
    scores: dict[str, Ratio] = {}
    if truth.blocks:
        blocks = [letters(block) for block in truth.blocks]
        found = letters(parts.text)
        scores["text_edit"] = Ratio(normalised_distance(found, "".join(blocks)))
        scores["order_edit"] = Ratio(order_distance(found, blocks))
    if truth.formulas:
        pairs = match(truth.formulas, parts.formulas, formula_distance)
        n = len(pairs)
        scores["formula_edit"] = Ratio(sum(formula_distance(p, t) for t, p in pairs), n)
        scores["formula_match"] = Ratio(sum(formula_match(p, t) for t, p in pairs), n)
    if truth.tables:
        tables = match(truth.tables, parts.tables, _table_difference)
        n = len(tables)
        scores["teds"] = Ratio(sum(teds(parse(p), parse(t)) for t, p in tables), n)
        scores["teds_structure"] = Ratio(
            sum(teds(parse(p), parse(t), structure_only=True) for t, p in tables), n
        )
    return scores


def letters(text: str) -> str:
    """Letters and digits alone, markup of headings and lists dropped: what OmniDocBench compares of text."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", _MARKUP.sub(" ", text)))


def order_distance(text: str, blocks: Sequence[str]) -> float:
    """Edits that put the blocks that were found in the right order, divided by their number; 0 for fewer than
    two.

    Args:
        text: letters of the prediction.
        blocks: letters of the right blocks, in reading order.
    """
    fuzz = need("rapidfuzz.fuzz", "The reading order", extra="eval")
    places: list[tuple[int, int]] = []
    for index, block in enumerate(blocks):
        if not block or len(text) < len(block) / 2:
            continue  # `partial_ratio` would look for the text in the block instead
        hit = fuzz.partial_ratio_alignment(block, text, score_cutoff=_FOUND)
        if hit is not None:
            places.append((hit.dest_start, index))
    right = sorted(index for _, index in places)
    return normalised_distance([index for _, index in sorted(places)], right) if len(places) > 1 else 0.0


def match(
    truth: Sequence[str], prediction: Sequence[str], difference: Callable[[str, str], float]
) -> list[tuple[str, str]]:
    """Pairs every right string with the likest written one still free, best pair first; "" for none."""
    costs = sorted((difference(p, t), i, j) for i, t in enumerate(truth) for j, p in enumerate(prediction))
    partner: dict[int, int] = {}
    for _, i, j in costs:
        if i not in partner and j not in partner.values():
            partner[i] = j
    return [(t, prediction[partner[i]] if i in partner else "") for i, t in enumerate(truth)]


def _table_difference(prediction: str, truth: str) -> float:
    """A cheap unlikeness of two tables for pairing them: their cells in a row."""
    first, second = ([cell.text for row in parse(s).rows for cell in row] for s in (prediction, truth))
    return normalised_distance("\n".join(first), "\n".join(second))
