"""The rules on scores against transformers' classes, and the draws against torch.multinomial."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from got_ocr2.generation import GenerationOptions
from got_ocr2.generation.rules import sampling as s

VOCABULARY, ROWS, LENGTH = 23, 4, 17
SEEDS = range(6)


@pytest.fixture(scope="module")
def hf():
    pytest.importorskip("transformers")
    from transformers.generation import logits_process

    return logits_process


def scores_and_ids(seed: int) -> tuple[Tensor, Tensor]:
    """Scores with ties and -inf, and ids with many repetitions."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(ROWS, VOCABULARY, generator=generator) * 4
    if seed % 2:
        scores = scores.round()
    hidden = torch.rand(scores.shape, generator=generator) < 0.2
    hidden[:, 0] = False
    ids = torch.randint(0, 5, (ROWS, LENGTH), generator=generator)
    return scores.masked_fill(hidden, -torch.inf), ids


def left_padding(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    starts = torch.randint(0, LENGTH - 1, (ROWS, 1), generator=generator)
    starts[0] = 0
    return (torch.arange(LENGTH) >= starts).long()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("penalty", [1.3, 0.6])
def test_repetition_penalty(hf, seed: int, penalty: float) -> None:
    scores, ids = scores_and_ids(seed)
    expected = hf.RepetitionPenaltyLogitsProcessor(penalty)(ids, scores.clone())
    assert torch.equal(s.penalize_repetition(scores, ids, penalty), expected)
    assert not torch.equal(expected, scores)


@pytest.mark.parametrize("seed", SEEDS)
def test_repetition_penalty_does_not_see_padding(hf, seed: int) -> None:
    scores, ids = scores_and_ids(seed)
    mask = left_padding(seed)
    ids = ids.masked_fill(mask == 0, 22)
    theirs = hf.RepetitionPenaltyLogitsProcessor(1.4, prompt_ignore_length=(mask != 0).int().argmax(1))
    assert torch.equal(s.penalize_repetition(scores, ids, 1.4, mask), theirs(ids, scores.clone()))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, LENGTH, LENGTH + 1])
def test_no_repeat_ngram(hf, seed: int, size: int) -> None:
    scores, ids = scores_and_ids(seed)
    expected = hf.NoRepeatNGramLogitsProcessor(size)(ids, scores.clone())
    assert torch.equal(s.forbid_repeated_ngrams(scores, ids, size), expected)
    if size <= 2:
        assert not torch.equal(expected, scores)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_repeat_ngram_of_a_padded_row_is_that_of_the_row_alone(hf, seed: int, size: int) -> None:
    scores, ids = scores_and_ids(seed)
    mask = left_padding(seed)
    ids = ids.masked_fill(mask == 0, 3)  # an id that rows hold too
    ours = s.forbid_repeated_ngrams(scores, ids, size, mask)
    for row in range(ROWS):
        alone = ids[row : row + 1, mask[row] == 1]
        expected = hf.NoRepeatNGramLogitsProcessor(size)(alone, scores[row : row + 1].clone())
        assert torch.equal(ours[row : row + 1], expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_forbidden_end_tokens(hf, seed: int) -> None:
    scores, ids = scores_and_ids(seed)
    theirs = hf.MinNewTokensLengthLogitsProcessor(LENGTH - 2, 3, [0, 7])
    assert torch.equal(s.forbid_tokens(scores, torch.tensor([0, 7])), theirs(ids, scores.clone()))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("k", [1, 2, 7, VOCABULARY, 500])
def test_top_k(hf, seed: int, k: int) -> None:
    scores, ids = scores_and_ids(seed)
    assert torch.equal(s.keep_top_k(scores, k), hf.TopKLogitsWarper(k)(ids, scores.clone()))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("p", [1e-4, 0.3, 0.9, 0.999])
def test_top_p(hf, seed: int, p: float) -> None:
    scores, ids = scores_and_ids(seed)
    ours = s.keep_top_p(scores, p)
    assert torch.equal(ours, hf.TopPLogitsWarper(p)(ids, scores.clone()))
    assert ours.isfinite().any(1).all()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("do_sample", [False, True])
def test_all_rules_in_order(hf, seed: int, do_sample: bool) -> None:
    scores, ids = scores_and_ids(seed)
    options = GenerationOptions(
        do_sample=do_sample, temperature=0.7, top_k=9, top_p=0.8, repetition_penalty=1.2,
        no_repeat_ngram_size=2, eos_token_id=(0, 7), min_new_tokens=3,
    )  # fmt: skip
    theirs = [
        hf.RepetitionPenaltyLogitsProcessor(1.2),
        hf.NoRepeatNGramLogitsProcessor(2),
        hf.MinNewTokensLengthLogitsProcessor(LENGTH, 3, [0, 7]),
    ]
    if do_sample:
        theirs += [hf.TemperatureLogitsWarper(0.7), hf.TopKLogitsWarper(9), hf.TopPLogitsWarper(0.8)]
    expected = scores.clone()
    for rule in theirs:
        expected = rule(ids, expected)
    before = scores.clone()
    assert torch.equal(s.apply_rules(scores, ids, options, forbidden=torch.tensor([0, 7])), expected)
    assert torch.equal(scores, before)


def test_neutral_options_return_the_scores_themselves() -> None:
    scores, ids = scores_and_ids(0)
    assert s.apply_rules(scores, ids, GenerationOptions()) is scores
    assert s.apply_rules(scores, ids, GenerationOptions(do_sample=True, top_k=0)) is scores


@pytest.mark.parametrize("seed", SEEDS)
def test_greedy_is_argmax_first_among_equals(seed: int) -> None:
    scores, _ = scores_and_ids(seed)
    assert torch.equal(s.greedy(scores), scores.argmax(-1))
    assert s.greedy(torch.tensor([[1.0, 5.0, 5.0]])).tolist() == [1]


@pytest.mark.parametrize("seed", SEEDS)
def test_sample_draws_what_multinomial_draws(seed: int) -> None:
    scores, _ = scores_and_ids(seed)
    ours, theirs = (torch.Generator().manual_seed(seed) for _ in range(2))
    for _ in range(50):
        expected = torch.multinomial(scores.softmax(-1), 1, generator=theirs)[:, 0]
        assert torch.equal(s.sample(scores, ours), expected)


def test_sample_uses_the_global_generator_by_default() -> None:
    scores, _ = scores_and_ids(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        first = [s.sample(scores).tolist() for _ in range(9)]
        torch.manual_seed(3)
        assert [torch.multinomial(scores.softmax(-1), 1)[:, 0].tolist() for _ in range(9)] == first


def test_a_generator_per_row_makes_rows_independent() -> None:
    scores, _ = scores_and_ids(0)
    together = s.sample(scores, [torch.Generator().manual_seed(row) for row in range(ROWS)])
    alone = [s.sample(scores[row : row + 1], torch.Generator().manual_seed(row)) for row in range(ROWS)]
    assert torch.equal(together, torch.cat(alone))


def test_sample_follows_the_probabilities() -> None:
    probabilities = torch.tensor([0.5, 0.3, 0.0, 0.2])
    scores = probabilities.log().expand(40_000, -1)
    drawn = s.sample(scores, torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=4) / len(drawn)
    assert shares[2] == 0
    assert torch.allclose(shares, probabilities, atol=0.01)


@pytest.mark.parametrize(
    "row",
    [
        [float("nan"), 1.0, 2.0],
        [1.0, float("nan"), 2.0],
        [float("-inf")] * 3,
        [1.0, float("inf"), 2.0],
    ],
)
def test_a_row_without_a_choice_is_marked_and_others_are_not(row: list[float]) -> None:
    scores = torch.tensor([row, [0.0, 9e9, 0.0]])
    assert s.greedy(scores).tolist() == [s.NO_TOKEN, 1]
    assert s.sample(scores, torch.Generator().manual_seed(0)).tolist() == [s.NO_TOKEN, 1]


def test_log_probability() -> None:
    scores, _ = scores_and_ids(2)
    ids = torch.tensor([3, 0, 22, 9])
    expected = scores.log_softmax(-1)[torch.arange(ROWS), ids]
    assert torch.allclose(s.log_probability(scores, ids), expected, atol=1e-6)
