"""A tiny tokenizer of the kind that a small model of our own has, and the real one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from got_ocr2.processing import GotOcr2Tokenizer
from got_ocr2.processing.byte_level import CHARACTERS

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<img>", "</img>", "<imgpad>")
PHRASES = (
    "system\nYou should follow the instructions carefully and explain your answers in detail.",
    "user\n",
    "assistant\n",
    "OCR: ",
    "OCR with format: ",
)


def build_tiny_backend() -> Tokenizer:
    vocabulary = {character: i for i, character in enumerate(CHARACTERS)} | {"th": 256, "the": 257}
    backend = Tokenizer(models.BPE(vocabulary, [("t", "h"), ("th", "e")]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIALS])
    backend.add_tokens([AddedToken(phrase, normalized=False, special=False) for phrase in PHRASES])
    return backend


@pytest.fixture
def tiny_backend() -> Tokenizer:
    """256 bytes, two merges, the control tokens, and the phrases of prompts as single ordinary tokens."""
    return build_tiny_backend()


@pytest.fixture
def tiny_tokenizer(tiny_backend: Tokenizer) -> GotOcr2Tokenizer:
    return GotOcr2Tokenizer(tiny_backend)


@pytest.fixture(scope="session")
def shared_tiny_tokenizer() -> GotOcr2Tokenizer:
    """The same for property tests, which refuse what is made anew for each test."""
    return GotOcr2Tokenizer(build_tiny_backend())


@pytest.fixture(scope="session")
def qwen_tokenizer(qwen_tiktoken: Path) -> GotOcr2Tokenizer:
    return GotOcr2Tokenizer.from_pretrained(qwen_tiktoken.parent)
