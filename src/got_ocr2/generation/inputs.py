"""The prompts of one batch, checked before any work is done."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import GotOcr2Config
from ..errors import InvalidOptionError
from .rules.options import DEFAULT_NEW_TOKENS, GenerationOptions


@dataclass(frozen=True)
class PromptBatch:
    """Prompts of unequal lengths, padded on the left, and the pictures they mention.

    Attributes:
        input_ids: `(batch, T)` int64.
        mask: `(batch, T)` int64, 0 on padding, or None if no row is padded.
        pixel_values: `(images, C, H, W)`, the pictures of all rows in order, or None.
        lengths: tokens of each row without its padding.
        images: pictures of each row.
    """

    input_ids: Tensor
    mask: Tensor | None
    pixel_values: Tensor | None
    lengths: tuple[int, ...]
    images: tuple[int, ...]

    @classmethod
    def check(
        cls,
        config: GotOcr2Config,
        input_ids: Tensor | None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        padding: int | None = None,
    ) -> PromptBatch:
        """Checks shapes, ids, padding, and that pictures and image tokens match.

        Args:
            config: of the model that will read the batch.
            input_ids, pixel_values, attention_mask: as given to `generate`.
            padding: the id of padding; without a mask, no row may begin with it unless all do.

        Raises:
            InvalidOptionError: the batch cannot be continued; the message gives the numbers.
        """
        if input_ids is None or input_ids.ndim != 2 or 0 in input_ids.shape:
            shape = None if input_ids is None else tuple(input_ids.shape)
            raise InvalidOptionError(
                f"input_ids must be of shape (batch, tokens), both at least 1, got {shape}."
            )
        if input_ids.is_floating_point() or input_ids.is_complex() or input_ids.dtype == torch.bool:
            raise InvalidOptionError(f"input_ids must be whole numbers, got {input_ids.dtype}.")
        input_ids = input_ids.long()
        _check_ids(input_ids, config.text_config.vocab_size)
        mask = _left_padding(input_ids, attention_mask, padding)
        rows, width = input_ids.shape
        lengths = (width,) * rows if mask is None else _int_tuple(mask.sum(1))
        images = _images_per_row(config, input_ids, mask, pixel_values)
        return cls(input_ids, mask, pixel_values, lengths, images)

    def row(self, index: int) -> PromptBatch:
        """One prompt alone: without padding, with its own pictures."""
        length = self.lengths[index]
        first = sum(self.images[:index])
        pixels = None if self.pixel_values is None else self.pixel_values[first : first + self.images[index]]
        return PromptBatch(
            self.input_ids[index : index + 1, -length:],
            None,
            pixels if self.images[index] else None,
            (length,),
            (self.images[index],),
        )

    def max_new_tokens(self, options: GenerationOptions, context: int) -> int:
        """How many tokens each row may gain.

        Args:
            options: its `max_new_tokens`, or None for what the context holds.
            context: most positions that the model knows, prompt included.

        Raises:
            InvalidOptionError: the context cannot hold the longest prompt and the new tokens.
        """
        longest = max(self.lengths)
        wanted = options.max_new_tokens
        if wanted is None:
            wanted = max(1, options.min_new_tokens, min(DEFAULT_NEW_TOKENS, context - longest))
        if longest + wanted > context:
            raise InvalidOptionError(
                f"The longest prompt has {longest} tokens; with {wanted} new ones that makes "
                f"{longest + wanted}, but the model's context ends at {context} (max_position_embeddings)."
            )
        return wanted


def position_ids(mask: Tensor) -> Tensor:
    """`(batch, T)` 0/1 mask -> positions of the real tokens from 0 on; 0 on padding."""
    return (mask.cumsum(1) - 1).clamp(min=0)


def _int_tuple(values: Tensor) -> tuple[int, ...]:
    return tuple(int(v) for v in values.cpu())


def _check_ids(input_ids: Tensor, vocabulary: int) -> None:
    low, high = (int(v) for v in input_ids.aminmax())
    if low < 0 or high >= vocabulary:
        bad = low if low < 0 else high
        raise InvalidOptionError(f"input_ids hold {bad}, outside the vocabulary 0..{vocabulary - 1}.")


def _left_padding(input_ids: Tensor, attention_mask: Tensor | None, padding: int | None) -> Tensor | None:
    """The mask as int64, or None if it hides nothing."""
    if attention_mask is None:
        # One prompt may begin with the padding id, and so may all: some models begin texts with it.
        begins = None if padding is None else input_ids[:, 0] == padding
        if begins is not None and bool(begins.any() & ~begins.all()):
            raise InvalidOptionError(
                f"Row {int(begins.int().argmax())} begins with the padding id {padding}, but there is no "
                "attention_mask to tell padding from text: pass the one that the processor made."
            )
        return None
    if attention_mask.shape != input_ids.shape:
        raise InvalidOptionError(
            f"attention_mask has shape {tuple(attention_mask.shape)}, but input_ids have "
            f"{tuple(input_ids.shape)}."
        )
    mask = attention_mask.to(device=input_ids.device, dtype=torch.int64)
    if not bool(((mask == 0) | (mask == 1)).all()):
        raise InvalidOptionError("attention_mask may hold only 0 (padding) and 1.")
    ordered = (mask[:, 1:] >= mask[:, :-1]).all(1) & (mask[:, -1] == 1)
    if not bool(ordered.all()):
        row = int(ordered.int().argmin())
        raise InvalidOptionError(
            f"Row {row} of attention_mask has padding after text: generation needs padding on the left."
        )
    return None if bool(mask.all()) else mask


def _images_per_row(
    config: GotOcr2Config, input_ids: Tensor, mask: Tensor | None, pixel_values: Tensor | None
) -> tuple[int, ...]:
    places = input_ids == config.image_token_index
    if mask is not None and bool((places & (mask == 0)).any()):
        raise InvalidOptionError("attention_mask hides image tokens.")
    counts = _int_tuple(places.sum(1))
    per_image = config.vision_config.num_image_tokens
    if pixel_values is None:
        if any(counts):
            raise InvalidOptionError(
                f"The prompts hold {sum(counts)} image tokens, but pixel_values are missing."
            )
        return (0,) * len(counts)
    if pixel_values.ndim != 4:
        raise InvalidOptionError(
            "pixel_values must be of shape (images, channels, height, width), got "
            f"{tuple(pixel_values.shape)}."
        )
    for row, count in enumerate(counts):
        if count % per_image:
            raise InvalidOptionError(
                f"Row {row} holds {count} image tokens, not a multiple of the {per_image} that one picture "
                "takes."
            )
    if sum(counts) != per_image * pixel_values.shape[0]:
        raise InvalidOptionError(
            f"The prompts hold {sum(counts)} image tokens, but {pixel_values.shape[0]} pictures of "
            f"{per_image} tokens each need {per_image * pixel_values.shape[0]}."
        )
    return tuple(count // per_image for count in counts)
