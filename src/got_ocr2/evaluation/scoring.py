"""Which metrics a page gets, by what stands on it, and what each of them means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .metrics import text as metrics
from .metrics.charts import TOLERANCES, chart_precision, parse_chart
from .metrics.elements import score_elements
from .metrics.formatted import released_split, split
from .metrics.formulas import formula_distance, formula_match
from .metrics.molecules import canonical_smiles, smiles_match
from .metrics.music import symbol_errors
from .metrics.tables import Table, read_tables
from .metrics.teds import teds
from .metrics.text import Level
from .pages import Elements, Page
from .statistics import Ratio


@dataclass(frozen=True)
class Metric:
    """What a column of the report says.

    Attributes:
        meaning: in a line.
        lower: whether less is better.
    """

    meaning: str
    lower: bool = False


METRICS: dict[str, Metric] = {
    "cer": Metric("character error rate: edits over characters of the truth, all pages together", lower=True),
    "cer_folded": Metric(
        "the same with kinds of quotes and dashes unified and every whitespace run one space", lower=True
    ),
    "wer": Metric("word error rate, all pages together", lower=True),
    "exact": Metric("share of pages without an error"),
    "edit_distance": Metric("edits over the longer length, averaged over pages (paper)", lower=True),
    "f1": Metric("F1 of the sets of words (paper)"),
    "precision": Metric("share of the words written that stand on the page (paper)"),
    "recall": Metric("share of the page's words that were written (paper)"),
    "bleu": Metric("sentence BLEU, 4-grams, unsmoothed (paper)"),
    "meteor": Metric("METEOR: exact, stem and WordNet matches (paper)"),
    "formula_match": Metric("share of formulas that are the same after normalisation"),
    "formula_edit": Metric("edits of a formula's normalised tokens over the longer length", lower=True),
    "teds": Metric("likeness of the tables as trees of cells"),
    "teds_structure": Metric("the same without the text of the cells"),
    "smiles_match": Metric("share of molecules with the right canonical SMILES"),
    "smiles_valid": Metric("share of answers that are a molecule"),
    "ser": Metric("symbol error rate of **kern, all pages together", lower=True),
    **{
        f"ap_{name}": Metric(f"chart AP, {t.edits} edits and {t.share:.0%} off allowed; unparsed is wrong")
        for name, t in TOLERANCES.items()
    },
    "chart_parsed": Metric("share of answers that are a dict"),
    "text_edit": Metric("edits of a page's letters and digits over the longer length", lower=True),
    "order_edit": Metric("edits of the order of the blocks found, over their number", lower=True),
    "facts": Metric("share of the facts that hold, baseline facts aside"),
    "baseline": Metric("share of pages that are not blank, looping or in an unexpected script"),
}
for _part in ("formula", "table"):
    for _name in ("edit_distance", "f1", "precision", "recall", "bleu", "meteor"):
        METRICS[f"{_part}.{_name}"] = Metric(
            f"{_name} of the {_part}s of formatted pages (paper, table 3)", METRICS[_name].lower
        )


@dataclass(frozen=True)
class Scoring:
    """How to score.

    Attributes:
        level: tokens of the paper's metrics: "word", or "character" as for scene text.
        paper: add BLEU and METEOR, and formulas and tables of formatted pages apart; needs the extra `eval`.
        released: score as the paper's released script does, to compare with its numbers: arguments swapped
            (precision and recall change places), pages with an empty side left out.
    """

    level: Level = "word"
    paper: bool = False
    released: bool = False


def score(page: Page, prediction: str, scoring: Scoring | None = None) -> dict[str, Ratio]:
    """Every metric of one page.

    Args:
        page: with its truth.
        prediction: what was read.
        scoring: how; the defaults of `Scoring` when None.

    Raises:
        MissingDependencyError: a metric needs a package of the extra `eval`.
    """
    scoring = scoring or Scoring()
    scores: dict[str, Ratio] = {}
    if page.text is not None:
        scores |= _text_scores(prediction, page.text, scoring)
        formatted = page.task.format and page.kind not in (*_OF_KIND, "geometry")
        if extra := _page_scores if formatted else _OF_KIND.get(page.kind):
            scores |= extra(prediction, page.text)
        if scoring.paper and formatted:
            found, right = released_split(prediction), released_split(page.text)
            for part in ("formula", "table"):
                sides = getattr(found, part), getattr(right, part)
                if any(sides):
                    values = _paper_scores(*sides, scoring)
                    scores |= {f"{part}.{name}": value for name, value in values.items()}
    if page.elements is not None:
        scores |= score_elements(prediction, page.elements)
    if page.facts:
        scores |= _fact_scores(page, prediction)
    return scores


def badness(scores: dict[str, Ratio]) -> float:
    """How bad a page is, 0 (perfect) to 1, to find the worst ones of a set."""
    for name in ("edit_distance", "text_edit"):
        if name in scores:
            return scores[name].rate
    for name in ("facts", "baseline", "teds", "formula_match"):
        if name in scores:
            return 1 - scores[name].rate
    return 1.0


def _text_scores(prediction: str, truth: str, scoring: Scoring) -> dict[str, Ratio]:
    return {
        "cer": Ratio(*metrics.character_errors(prediction, truth)),
        "cer_folded": Ratio(*metrics.character_errors(metrics.fold(prediction), metrics.fold(truth))),
        "wer": Ratio(*metrics.word_errors(prediction, truth)),
        "exact": Ratio(prediction == truth),
        **_paper_scores(prediction, truth, scoring),
    }


def _paper_scores(prediction: str, truth: str, scoring: Scoring) -> dict[str, Ratio]:
    if scoring.released and not (prediction and truth):
        return {}
    compute = metrics.paper_metrics if scoring.paper else metrics.set_metrics
    values = compute(prediction, truth, scoring.level, swap=scoring.released)
    return {name: Ratio(value) for name, value in values.items()}


def _fact_scores(page: Page, prediction: str) -> dict[str, Ratio]:
    held = {fact.id: fact.holds(prediction) for fact in page.facts}
    scores: dict[str, Ratio] = {}
    for name, baseline in (("facts", False), ("baseline", True)):
        told = [held[fact.id] for fact in page.facts if (fact.type == "baseline") == baseline]
        if told:
            scores[name] = Ratio(sum(told), len(told))
    return scores


def _table_scores(prediction: str, truth: str) -> dict[str, Ratio]:
    found, right = (next(iter(read_tables(text)), Table(())) for text in (prediction, truth))
    return {
        "teds": Ratio(teds(found, right)),
        "teds_structure": Ratio(teds(found, right, structure_only=True)),
    }


def _formula_scores(prediction: str, truth: str) -> dict[str, Ratio]:
    return {
        "formula_match": Ratio(formula_match(prediction, truth)),
        "formula_edit": Ratio(formula_distance(prediction, truth)),
    }


def _molecule_scores(prediction: str, truth: str) -> dict[str, Ratio]:
    return {
        "smiles_match": Ratio(smiles_match(prediction, truth)),
        "smiles_valid": Ratio(canonical_smiles(prediction) is not None),
    }


def _chart_scores(prediction: str, truth: str) -> dict[str, Ratio]:
    scores = {f"ap_{name}": Ratio(chart_precision(prediction, truth, t)) for name, t in TOLERANCES.items()}
    return scores | {"chart_parsed": Ratio(parse_chart(prediction) is not None)}


def _music_scores(prediction: str, truth: str) -> dict[str, Ratio]:
    return {"ser": Ratio(*symbol_errors(prediction, truth))}


def _page_scores(prediction: str, truth: str) -> dict[str, Ratio]:
    """Formulas and tables of a formatted page, where it has some."""
    parts = split(truth)
    return score_elements(prediction, Elements((), tuple(parts.formulas), tuple(parts.tables)))


_OF_KIND: dict[str, Callable[[str, str], dict[str, Ratio]]] = {
    "table": _table_scores,
    "formula": _formula_scores,
    "molecule": _molecule_scores,
    "chart": _chart_scores,
    "music": _music_scores,
}
