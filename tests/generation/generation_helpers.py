"""Stand-ins for the neighbours of generation, and prompts for the tiny models."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from got_ocr2.config import GotOcr2Config
from got_ocr2.generation import GenerationMixin, KeyValueCache


class ByteTokenizer:
    """Ids 0..255 are bytes; 256 and 257 are special tokens; 258 and up are the given pieces of bytes."""

    def __init__(self, pieces: Sequence[bytes] = ()) -> None:
        self.pieces = list(pieces)
        self.specials = {256: "<|im_end|>", 257: "<pad>"}

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def _bytes(self, token: int, skip_special_tokens: bool) -> bytes:
        if token < 256:
            return bytes([token])
        if token in self.specials:
            return b"" if skip_special_tokens else self.specials[token].encode()
        return self.pieces[token - 258]

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = True) -> str:
        return b"".join(self._bytes(i, skip_special_tokens) for i in ids).decode(errors="replace")

    def decode_stream(self, skip_special_tokens: bool = True) -> ByteStream:
        return ByteStream(self, skip_special_tokens)


class ByteStream:
    def __init__(self, tokenizer: ByteTokenizer, skip_special_tokens: bool) -> None:
        self._tokenizer, self._skip = tokenizer, skip_special_tokens
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def put(self, token_id: int) -> str:
        return self._decoder.decode(self._tokenizer._bytes(token_id, self._skip))

    def end(self) -> str:
        rest = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return rest


class TinyTokenizer(ByteTokenizer):
    """97 ids: the printable ASCII characters, then "ab" and "ba"."""

    pieces_of_text = (*(chr(32 + i) for i in range(95)), "ab", "ba")

    def _bytes(self, token: int, skip_special_tokens: bool) -> bytes:
        return self.pieces_of_text[token].encode()

    def for_transformers(self) -> Any:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers
        from transformers import PreTrainedTokenizerFast

        # Byte-level vocabularies write a space as "\u0120".
        vocabulary = {piece.replace(" ", "\u0120"): i for i, piece in enumerate(self.pieces_of_text)}
        backend = Tokenizer(models.BPE(vocabulary, []))
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
        return PreTrainedTokenizerFast(tokenizer_object=backend)


class ScriptedModel(GenerationMixin):
    """Writes each row's script, then zeros for ever, and notes every call.

    It finds its place from the mask and the cache alone, so a wrong mask, position or cache shows.
    """

    def __init__(
        self, config: GotOcr2Config, prompt_lengths: Sequence[int], scripts: Sequence[Sequence[int]]
    ):
        self.config = config
        self.prompt_lengths, self.scripts = prompt_lengths, scripts
        self.calls: list[SimpleNamespace] = []

    def __call__(
        self,
        *,
        input_ids: Tensor,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        use_cache: bool = False,
        logits_to_keep: int = 0,
    ) -> SimpleNamespace:
        assert torch.is_inference_mode_enabled()
        assert logits_to_keep == 1
        cache = past_key_values
        if use_cache and cache is None:
            cache = KeyValueCache()
        rows, width = input_ids.shape
        if cache is not None:
            cache.update(0, torch.zeros(rows, 1, width, 2), torch.zeros(rows, 1, width, 2))
            width = cache.get_seq_length()
        if attention_mask is None:
            attention_mask = torch.ones(rows, width, dtype=torch.int64)
        assert attention_mask.shape == (rows, width)
        lengths = attention_mask.sum(1)
        assert position_ids is not None
        assert torch.equal(position_ids[:, -1], lengths - 1)
        self.calls.append(SimpleNamespace(fed=input_ids.clone(), pixel_values=pixel_values))
        logits = torch.zeros(rows, 1, self.config.text_config.vocab_size)
        for row, script in enumerate(self.scripts):
            place = int(lengths[row]) - self.prompt_lengths[row]
            logits[row, 0, script[place] if place < len(script) else 0] = 9.0
        return SimpleNamespace(logits=logits, past_key_values=cache)


@dataclass(frozen=True)
class Prompts:
    """Keyword arguments of `generate`, and the rows of the batch alone."""

    inputs: dict[str, Tensor]
    alone: list[dict[str, Tensor]]


def make_prompts(
    config: GotOcr2Config, images: Sequence[int], lengths: Sequence[int], *, padding: int, seed: int = 0
) -> Prompts:
    """Random prompts: row i has `lengths[i]` words around `images[i]` pictures, padded on the left."""
    generator = torch.Generator().manual_seed(seed)
    vision, image_token = config.vision_config, config.image_token_index
    rows, pixels, alone = [], [], []
    for count, length in zip(images, lengths, strict=True):
        words = torch.randint(5, image_token, (length,), generator=generator).tolist()
        row = [*words[:2], *[image_token] * (count * vision.num_image_tokens), *words[2:]]
        rows.append(row)
        pictures = torch.randn(count, vision.num_channels, *vision.image_hw, generator=generator)
        pixels.append(pictures)
        single = {
            "input_ids": torch.tensor([row]),
            "attention_mask": torch.ones(1, len(row), dtype=torch.int64),
        }
        alone.append({**single, "pixel_values": pictures} if count else single)
    width = max(map(len, rows))
    inputs = {
        "input_ids": torch.tensor([[padding] * (width - len(row)) + row for row in rows]),
        "attention_mask": torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows]),
    }
    if any(images):
        inputs["pixel_values"] = torch.cat(pixels)
    return Prompts(inputs, alone)
