"""Random steps for two runners on arenas of their own, compared; for tests on CPU, interpreter and GPU."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from got_ocr2.generation.engine.runner import RowInput, Span
from got_ocr2.generation.rules.sampling import greedy, log_probability
from got_ocr2.modeling.backends.cuda.runner import CudaRunner
from got_ocr2.modeling.backends.torch_runner import TorchRunner


def row(start: int, size: int, past: int, tokens: int, wanted: int | None = None) -> RowInput:
    return RowInput(Span(start, size), past, tokens, tokens if wanted is None else wanted)


@dataclass
class Page:
    """A page of a random workload: a prompt, then some tokens at each step."""

    span: Span
    past: int = 0


def both(model, positions: int, **options) -> tuple[TorchRunner, CudaRunner]:
    runners = TorchRunner(model), CudaRunner(model, **options)
    for runner in runners:
        runner.allocate(positions)
        # What nobody has stored is garbage: it must not be seen.
        arena = runner._arena
        assert arena is not None
        arena.keys.fill_(torch.nan)
        arena.values.fill_(torch.nan)
    return runners


def random_steps(
    seed: int, config, positions: int, steps: int, device: str = "cpu"
) -> Iterator[tuple[Tensor, list[RowInput]]]:
    """Steps as an engine makes them: rows that go on, with drafts or not, then prompts, with pictures or not."""
    rng = random.Random(seed)
    generator = torch.Generator().manual_seed(seed)
    text, image_tokens = config.text_config, config.vision_config.num_image_tokens
    pages: list[Page] = []
    free = 0
    for _ in range(steps):
        rows: list[RowInput] = []
        ids: list[Tensor] = []
        rng.shuffle(pages)
        for page in pages:
            room = page.span.size - page.past
            if room and rng.random() < 0.8:
                tokens = min(room, rng.choice([1, 1, 1, 2, 5]))
                rows.append(RowInput(page.span, page.past, tokens, rng.choice([tokens, 1])))
                ids.append(torch.randint(0, text.vocab_size, (tokens,), generator=generator))
                page.past += tokens - rng.choice([0, tokens - 1])  # drafts may be refused
        for _ in range(rng.choice([0, 1, 3])):
            features, length = None, rng.choice([6, 14, 14, 19])
            prompt = torch.randint(0, config.image_token_index, (length,), generator=generator)
            if length >= 14:
                prompt[2 : 2 + image_tokens] = config.image_token_index
                features = torch.randn(image_tokens, text.hidden_size, generator=generator).to(device)
            span = Span(free, length + rng.randint(1, 12))
            if span.end > positions:
                break
            free = span.end
            pages.append(Page(span, length))
            rows.append(RowInput(span, 0, length, rng.choice([0, 1, length]), features))
            ids.append(prompt)
        if rows:
            yield torch.cat(ids).to(device), rows


def compare(one, other, ids: Tensor, rows: Sequence[RowInput]) -> None:
    """Equal scores from both; the second also knows the best tokens."""
    expected, got = one.forward(ids, rows), other.forward(ids, rows)
    assert got.logits.dtype == torch.float32
    torch.testing.assert_close(got.logits, expected.logits, atol=2e-5, rtol=1e-4)
    assert torch.equal(got.best, greedy(got.logits))
    torch.testing.assert_close(got.logprobs, log_probability(got.logits, got.best))
