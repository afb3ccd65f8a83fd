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
from got_ocr2.generation import GenerationMixin, GenerationOptions
from got_ocr2.generation.engine.requests import Request
from got_ocr2.generation.engine.runner import RowInput, Scores, Span


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


class ScriptedRunner:
    """Writes each page's script, then zeros for ever; a page is known by the order in which it came.

    It finds its place from the spans and lengths alone, and checks every rule that a runner may rely on.

    Attributes:
        calls: what each step was given: `fed`, the ids of each row, and `pages`, which they were.
        encoded: how many pictures each call of `encode` had.
    """

    device = torch.device("cpu")
    bytes_per_position = 8

    def __init__(self, config: GotOcr2Config, scripts: Sequence[Sequence[int]]) -> None:
        self.config, self.scripts = config, scripts
        self.capacity = 0
        self.calls: list[SimpleNamespace] = []
        self.encoded: list[int] = []
        self.allocated: list[int] = []
        self._pages: dict[Span, SimpleNamespace] = {}
        self._begun = 0

    def allocate(self, positions: int) -> None:
        self.capacity = positions
        self.allocated.append(positions)

    def release(self) -> None:
        self.capacity = 0

    def encode(self, pixel_values: Tensor) -> Tensor:
        self.encoded.append(len(pixel_values))
        tokens = self.config.vision_config.num_image_tokens
        return torch.zeros(len(pixel_values), tokens, self.config.text_config.hidden_size)

    def forward(self, ids: Tensor, rows: Sequence[RowInput]) -> Scores:
        assert torch.is_inference_mode_enabled()
        assert ids.dtype == torch.int64
        assert ids.shape == (sum(row.tokens for row in rows),)
        assert [row.past == 0 for row in rows] == sorted(row.past == 0 for row in rows)
        fed = [part.tolist() for part in ids.split([row.tokens for row in rows])]
        logits: list[Tensor] = []
        pages: list[int] = []
        for row, own in zip(rows, fed, strict=True):
            assert row.span.end <= self.capacity
            assert row.past + row.tokens <= row.span.size
            assert 0 <= row.wanted <= row.tokens
            if row.past == 0:
                images = own.count(self.config.image_token_index)
                assert images == (0 if row.features is None else len(row.features))
                self._pages[row.span] = SimpleNamespace(number=self._begun, prompt=row.tokens, stored=0)
                self._begun += 1
            else:
                assert row.features is None
            page = self._pages[row.span]
            assert row.past <= page.stored, "a position was left out"
            page.stored = row.past + row.tokens
            script = self.scripts[page.number]
            for place in range(page.stored - row.wanted - page.prompt + 1, page.stored - page.prompt + 1):
                scores = torch.zeros(self.config.text_config.vocab_size)
                scores[script[place] if place < len(script) else 0] = 9.0
                logits.append(scores)
            pages.append(page.number)
        self.calls.append(SimpleNamespace(fed=fed, pages=pages))
        return Scores(torch.stack(logits))


class ScriptedModel(GenerationMixin):
    """A model whose rows write their scripts; see `ScriptedRunner`."""

    def __init__(self, config: GotOcr2Config, scripts: Sequence[Sequence[int]]):
        self.config = config
        self.scripts = scripts
        self.runner = ScriptedRunner(config, scripts)

    def new_runner(self, *, use_cache: bool = True) -> ScriptedRunner:
        self.runner = ScriptedRunner(self.config, self.scripts)
        return self.runner


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


END = 9
ENDS = GenerationOptions(eos_token_id=(END,))
SCRIPTS = [[20, 21, END], [30, 31, 32, 33, 34, END], [END], [50, 51, 52, END]]
"""What a `ScriptedRunner` writes on four pages."""


def request(prompt: int = 3, limit: int = 8, options: GenerationOptions = ENDS, **more: Any) -> Request:
    return Request(list(range(60, 60 + prompt)), limit, options, **more)
