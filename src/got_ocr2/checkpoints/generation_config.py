"""How a checkpoint wants its answers generated: `generation_config.json` and the ids its tokenizer knows.

Published files name `<|endoftext|>` as the end, or nothing, while the model ends its answers with
`<|im_end|>`. That id is looked up by name, so generation ends where it should without a stop string.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from ..config import read_json
from ..errors import CheckpointError
from ..generation.rules.options import GenerationOptions
from ..processing import GotOcr2Tokenizer
from ..processing.tiktoken_file import FILE_NAME as TIKTOKEN_NAME
from ..processing.tiktoken_file import SPECIAL_TOKENS
from ..processing.tokenizer import FILE_NAME as TOKENIZER_NAME

GENERATION_CONFIG_NAME = "generation_config.json"


def read_generation_defaults(folder: Path) -> GenerationOptions:
    """The options that `generate` starts from, for a model in this folder.

    A folder without a tokenizer knows only what its `generation_config.json` says, if it has one.

    Raises:
        CheckpointError: a file cannot be read.
        InvalidOptionError: the file asks for something that no decoder could obey.
    """
    path = folder / GENERATION_CONFIG_NAME
    data = read_json(path) if path.is_file() else {}
    ids = _special_ids(folder)
    end = ids.get(GotOcr2Tokenizer.eos_token)
    return GenerationOptions.from_generation_config(
        data,
        eos_token_id=() if end is None else (end,),
        pad_token_id=ids.get(GotOcr2Tokenizer.pad_token),
    )


def _special_ids(folder: Path) -> dict[str, int]:
    """Special tokens of the folder's vocabulary and their ids; empty if it has no tokenizer.

    Read straight from the files: building a tokenizer of 150,000 words to look up two would take seconds.
    """
    if (folder / TOKENIZER_NAME).is_file():
        added: Any = read_json(folder / TOKENIZER_NAME).get("added_tokens") or []
        try:
            return {str(t["content"]): int(t["id"]) for t in cast("list[dict[str, Any]]", added)}
        except (TypeError, KeyError, ValueError, OverflowError) as e:
            path = folder / TOKENIZER_NAME
            raise CheckpointError(f"{path} lists its added tokens without a content and an id each.") from e
    if (folder / TIKTOKEN_NAME).is_file():
        ranks = sum(1 for line in (folder / TIKTOKEN_NAME).read_bytes().splitlines() if line.strip())
        return {token: ranks + i for i, token in enumerate(SPECIAL_TOKENS)}
    return {}
