"""What a model is measured with: prompts and pictures of its own sizes, and weights where there is no model.

Speed does not depend on what the ids and pixels say, so they are drawn at random, from a seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoints import save_model
from ..checkpoints.empty_model import empty_model
from ..config import GotOcr2Config
from ..modeling import GotOcr2ForConditionalGeneration

# Tokens of the plain question before and after those of the picture: 286 in all for the published model.
BEFORE_IMAGE, AFTER_IMAGE = 21, 9

_SMALL = ("rel_pos", "pos_embed", "embed_tokens", "lm_head")


def text_prompt(config: GotOcr2Config, rows: int, length: int, seed: int = 0) -> Tensor:
    """Prompts without a picture.

    Returns:
        `(rows, length)` int64 in the vocabulary, never the image token.
    """
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, config.text_config.vocab_size - 1, (rows, length), generator=generator)
    return ids + (ids >= config.image_token_index)


def page_prompt(config: GotOcr2Config, rows: int, seed: int = 0) -> Tensor:
    """Prompts that ask about one picture each.

    Returns:
        `(rows, 30 + image tokens)` int64.
    """
    image = config.vision_config.num_image_tokens
    ids = text_prompt(config, rows, BEFORE_IMAGE + image + AFTER_IMAGE, seed)
    ids[:, BEFORE_IMAGE : BEFORE_IMAGE + image] = config.image_token_index
    return ids


def pictures(config: GotOcr2Config, count: int, seed: int = 0) -> Tensor:
    """Normalised pixels, `(count, channels, height, width)` fp32, standard normal."""
    vision = config.vision_config
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, vision.num_channels, *vision.image_hw, generator=generator)


@torch.no_grad()
def random_model(config: GotOcr2Config, seed: int = 0) -> GotOcr2ForConditionalGeneration:
    """A model in bf16 whose every weight is random, norms, biases and position tables included.

    Linear weights are scaled by their fan-in and embeddings are small, so that activations stay near unit size and a
    tied head does not only repeat the last token. Queries and keys are larger: attention then picks a few positions,
    and texts go on changing; an even mean over hundreds of positions would be the same at every step.
    """
    generator = torch.Generator().manual_seed(seed)
    model = empty_model(GotOcr2ForConditionalGeneration, config)
    tied = config.tie_word_embeddings
    state: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if "norm" in name and name.endswith("weight"):
            value = 1 + 0.1 * noise
        elif name.endswith("bias") or any(part in name for part in _SMALL):
            value = 0.1 * noise
        else:
            picking = 3 if "q_proj" in name or "k_proj" in name else 1
            value = picking * noise / parameter[0].numel() ** 0.5
        state[name] = value.bfloat16()
    if tied:
        state["lm_head.weight"] = state["model.language_model.embed_tokens.weight"]
    model.load_state_dict(state, strict=True, assign=True)
    model.tie_weights()
    return model.eval()


def save_random_model(folder: Path, config: GotOcr2Config | None = None, seed: int = 0) -> Path:
    """Writes a checkpoint of random weights in Hugging Face's layout, without a processor.

    Args:
        folder: made if missing.
        config: sizes; the published ones by default, 1.1 GB.
        seed: of the weights.

    Raises:
        FileAccessError: the folder cannot be written.
    """
    save_model(random_model(config or GotOcr2Config(), seed), folder)
    return folder


def same_prefix(a: Sequence[Sequence[int]], b: Sequence[Sequence[int]]) -> float:
    """Share of ids before the first difference, over all pairs of rows, 0..1; the end of a row counts as an id."""
    same = total = 0
    for left, right in zip(a, b, strict=True):
        pairs = [*zip_longest(left, right)]
        total += len(pairs)
        same += next((i for i, (x, y) in enumerate(pairs) if x != y), len(pairs))
    return same / total if total else 1.0
