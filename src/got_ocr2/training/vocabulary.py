"""The vocabulary of small models: one id a byte, and one id for each fixed phrase of the prompt.

Every text can be written, nothing is unknown, and no merge hides letters from a model that has yet to learn
them. The frame around each prompt, some 110 letters that never change, costs seven ids.
"""

from __future__ import annotations

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from ..processing import GotOcr2Tokenizer
from ..processing.byte_level import CHARACTERS
from ..processing.prompts import SYSTEM

SPECIAL_TOKENS = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>",
    "<img>", "</img>", "<imgpad>",
)  # fmt: skip
# Matched whole wherever they stand, also in a page that happens to hold them: decoding gives the same text back.
PHRASES = (
    SYSTEM, "user\n", "assistant\n", "OCR with format across multi pages upon the patch reference: ",
    "OCR with format upon the patch reference: ", "OCR with format across multi pages: ", "OCR with format: ",
    "OCR across multi pages upon the patch reference: ", "OCR upon the patch reference: ",
    "OCR across multi pages: ", "OCR: ", "[red] ", "[green] ", "[blue] ",
)  # fmt: skip


def byte_tokenizer() -> GotOcr2Tokenizer:
    """Ids 0..255 are the bytes, then come the special tokens, then the phrases."""
    backend = Tokenizer(BPE(vocab={c: i for i, c in enumerate(CHARACTERS)}, merges=[]))
    backend.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = ByteLevelDecoder()
    backend.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL_TOKENS])
    backend.add_tokens([AddedToken(t, special=False, normalized=False) for t in PHRASES])
    return GotOcr2Tokenizer(backend)
