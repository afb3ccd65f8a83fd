"""Metrics of running text: those of the paper, as its released script computes them, and CER and WER.

Paper: arXiv 2409.01704, section 5 and tables 1 to 4; script: `eval/pyevaltools` of its repository (Fox's
`eval_ocr_test.py` is the same). What the script does and the paper does not say:

- tokens are jieba's words where either side has a CJK character, else what whitespace separates; the tables
  of scene text use single characters, spaces included;
- nothing is normalised: case, punctuation and line breaks count;
- F1, precision and recall compare *sets* of tokens, so a word that stands twice counts once;
- the edit distance is over raw characters, divided by the longer length, in the word-level tables too;
- the function is declared (prediction, truth) and called the other way round. `swap=True` repeats that: what
  it prints as precision is the recall and the reverse, and BLEU and METEOR take the prediction for the
  reference. F1 and edit distance are symmetric;
- the values of the pages are averaged.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Sequence
from typing import Literal, NamedTuple

from ...extras import need
from .edit_distance import levenshtein, normalised_distance

Level = Literal["word", "character"]

# The range of the released script: the CJK ideographs of Unicode 1.1.
_CJK = re.compile(r"[一-龥]")


class Tokens(NamedTuple):
    """Both sides cut by the same rule."""

    prediction: list[str]
    truth: list[str]


class SetScores(NamedTuple):
    """Agreement of two sets of tokens, each 0..1."""

    f1: float
    precision: float
    recall: float


class Errors(NamedTuple):
    """Edits and the length of the truth; many pages' rate is the sum of the one over the sum of the other."""

    edits: int
    length: int


def tokenize(prediction: str, truth: str, level: Level = "word") -> Tokens:
    """Cuts both texts as the released script does.

    Raises:
        MissingDependencyError: words of CJK text were asked for and jieba is not installed.
    """
    if level == "character":
        return Tokens(list(prediction), list(truth))
    if _CJK.search(prediction) or _CJK.search(truth):
        jieba = need("jieba", "Cutting Chinese text into words", extra="eval")
        jieba.setLogLevel("WARNING")
        return Tokens(jieba.lcut(prediction), jieba.lcut(truth))
    return Tokens(prediction.split(), truth.split())


def edit_distance(prediction: str, truth: str) -> float:
    """Character edits divided by the longer length, 0 (equal) to 1."""
    return normalised_distance(prediction, truth)


def set_scores(prediction: Sequence[str], truth: Sequence[str]) -> SetScores:
    """F1, precision and recall over the unique tokens. Two empty sides agree; one empty side scores 0."""
    found, right = set(prediction), set(truth)
    if not found and not right:
        return SetScores(1.0, 1.0, 1.0)
    common = len(found & right)
    precision = common / len(found) if found else 0.0
    recall = common / len(right) if right else 0.0
    return SetScores(2 * common / (len(found) + len(right)), precision, recall)


def bleu(prediction: Sequence[str], truth: Sequence[str]) -> float:
    """NLTK's sentence BLEU: up to 4-grams, equal weights, no smoothing, 0..1.

    Raises:
        MissingDependencyError: nltk is not installed.
    """
    if not prediction or not truth:
        return float(not prediction and not truth)
    translate = need("nltk.translate", "BLEU", extra="eval")
    with warnings.catch_warnings():
        # NLTK warns of every text without a common 4-gram; its score, almost 0, is what the script uses.
        warnings.simplefilter("ignore", UserWarning)
        return float(translate.bleu([list(truth)], list(prediction)))


def meteor(prediction: Sequence[str], truth: Sequence[str]) -> float:
    """NLTK's METEOR: exact, stemmed and WordNet matches, 0..1. See `wordnet` for where WordNet comes from.

    Raises:
        MissingDependencyError: nltk or the WordNet files are not installed.
    """
    if not prediction or not truth:
        return float(not prediction and not truth)
    module = need("nltk.translate.meteor_score", "METEOR", extra="eval")
    from .wordnet import wordnet

    return float(module.meteor_score([list(truth)], list(prediction), wordnet=wordnet()))


def set_metrics(
    prediction: str, truth: str, level: Level = "word", *, swap: bool = False
) -> dict[str, float]:
    """Edit distance, F1, precision and recall of one page: the paper's columns that need no package."""
    tokens = tokenize(prediction, truth, level)
    scores = set_scores(tokens.truth, tokens.prediction) if swap else set_scores(*tokens)
    return {"edit_distance": edit_distance(prediction, truth), **scores._asdict()}


def paper_metrics(
    prediction: str, truth: str, level: Level = "word", *, swap: bool = False
) -> dict[str, float]:
    """All six columns of the paper's tables 1 to 4 for one page, each 0..1.

    Args:
        prediction: what the model wrote.
        truth: what stands on the page.
        level: "word" (tables 1, 3, 4) or "character" (table 2, scene text).
        swap: give the arguments in the released script's order, to compare with the published numbers.

    Raises:
        MissingDependencyError: a package of the extra `eval`, or WordNet, is missing.
    """
    tokens = tokenize(prediction, truth, level)
    sides = (tokens.truth, tokens.prediction) if swap else tokens
    return set_metrics(prediction, truth, level, swap=swap) | {"bleu": bleu(*sides), "meteor": meteor(*sides)}


def character_errors(prediction: str, truth: str) -> Errors:
    """Edits of characters against the characters of the truth: CER, and over 1 when much was invented."""
    return Errors(levenshtein(prediction, truth), len(truth))


def word_errors(prediction: str, truth: str) -> Errors:
    """Edits of words against the words of the truth: WER."""
    tokens = tokenize(prediction, truth)
    return Errors(levenshtein(*tokens), len(tokens.truth))


_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("•▪■●◦·∙", "•"),
        "\u00ad": None,
    }
)


def fold(text: str) -> str:
    """The text without what readers differ in by habit rather than by error.

    Kinds of quotes, dashes, bullets, ligatures and full-width forms become one (NFKC), every run of
    whitespace, line breaks included, one space. Case and punctuation stay.
    """
    return " ".join(unicodedata.normalize("NFKC", text.translate(_PLAIN)).translate(_PLAIN).split())
