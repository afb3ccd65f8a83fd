"""`qwen.tiktoken`, the vocabulary file of the original checkpoint -> a `tokenizers.Tokenizer`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from ..errors import CheckpointError, FileAccessError
from .byte_level import to_characters

FILE_NAME = "qwen.tiktoken"
SplitRules = Literal["hf", "qwen"]

# In the order of their ids, which follow the ranks of the file (QWenTokenizer of the original checkpoint).
SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    *(f"<|extra_{i}|>" for i in range(205)),
    *("<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>", "<img>", "</img>", "<imgpad>"),
)

# How text is cut before byte pairs are merged; the two differ in how many digits stay together.
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_DIGITS = {"hf": r"\p{N}{1,3}", "qwen": r"\p{N}"}


def load_tiktoken(path: Path, rules: SplitRules = "hf") -> Tokenizer:
    """Builds the tokenizer of a `qwen.tiktoken` file: byte-level BPE plus GOT's special tokens.

    Args:
        path: the file; each line is a base64 token and its rank.
        rules: "hf" gives the ids of the published transformers checkpoint: no Unicode normalisation, up to
            three digits in one piece. "qwen" gives those of the original code: NFC first, digits one by one.
            On text in NFC they differ only in the full-width numbers U+FF11 U+FF10 and U+FF12 U+FF10, the
            only entries of Qwen's vocabulary with more than one digit.

    Raises:
        FileAccessError: the file is missing or may not be read.
        CheckpointError: a line is malformed, or the ranks are not 0, 1, 2... with all 256 bytes among them.
    """
    ranks = _read_ranks(path)
    names = {rank: to_characters(token) for token, rank in ranks.items()}
    vocabulary = {name: rank for rank, name in names.items()}
    # A word that is itself in the vocabulary is taken whole, as tiktoken does.
    tokenizer = Tokenizer(models.BPE(vocabulary, _merges(ranks, names), ignore_merges=True))
    if rules == "qwen":
        tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(_SPLIT % _DIGITS[rules]), behavior="isolated")
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, to_bytes])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    specials = [AddedToken(token, normalized=False, special=True) for token in SPECIAL_TOKENS]
    tokenizer.add_special_tokens(specials)  # pyright: ignore[reportUnknownMemberType]
    return tokenizer


def _read_ranks(path: Path) -> dict[bytes, int]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as e:
        raise FileAccessError(f"{path} cannot be read: {e.strerror}.") from e
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except (ValueError, binascii.Error) as e:
            raise CheckpointError(f"{path}, line {number}: not a base64 token and its rank.") from e
    if sorted(ranks.values()) != list(range(len(ranks))):
        raise CheckpointError(f"{path}: the {len(ranks)} tokens do not have the ranks 0 to {len(ranks) - 1}.")
    missing = [byte for byte in range(256) if bytes([byte]) not in ranks]
    if missing:
        raise CheckpointError(
            f"{path}: {len(missing)} of the 256 single bytes have no rank, such as {missing[0]}."
        )
    return ranks


def _merges(ranks: Mapping[bytes, int], names: Mapping[int, str]) -> list[tuple[str, str]]:
    """Every pair that joins into a token, in the order in which pairs are merged; `names` are the tokens by rank.

    tiktoken merges whichever neighbours form the token of lowest rank, so every cut of a token into two
    tokens is a merge, not only the one that was learnt. Pairs that form the same token are ordered by their
    own ranks.
    """
    pairs: list[tuple[int, int, int]] = []
    for token, rank in ranks.items():
        for cut in range(1, len(token)):
            left = ranks.get(token[:cut])
            if left is not None and (right := ranks.get(token[cut:])) is not None:
                pairs.append((rank, left, right))
    pairs.sort()
    return [(names[left], names[right]) for _, left, right in pairs]
