"""`GotOcr2Tokenizer`: text <-> ids on the `tokenizers` library alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
from tokenizers import Tokenizer

from ..errors import CheckpointError, FileAccessError, InvalidOptionError
from . import tiktoken_file
from .batch import BatchFeature
from .byte_level import to_bytes
from .files import read_json, write_json
from .padding import Padding, pad_rows
from .streaming import DecodeStream
from .tensors import ReturnTensors

if TYPE_CHECKING:
    import torch

FILE_NAME = "tokenizer.json"
CONFIG_NAME = "tokenizer_config.json"

Ids: TypeAlias = Union[int, Sequence[int], "np.ndarray[Any, np.dtype[Any]]", "torch.Tensor"]


class GotOcr2Tokenizer:
    """A byte-level tokenizer that knows GOT's control tokens by name.

    Attributes:
        eos_token, pad_token, image_token, ...: names; `eos_token_id` and so on are looked up in the
            vocabulary. The answer ends with `<|im_end|>`; published files call `<|endoftext|>` the end, which
            the model never writes.
        settings: what `tokenizer_config.json` held; written back by `save_pretrained`.
    """

    eos_token = "<|im_end|>"
    pad_token = "<|endoftext|>"
    message_start_token = "<|im_start|>"
    image_start_token = "<img>"
    image_end_token = "</img>"
    image_token = "<imgpad>"

    def __init__(self, backend: Tokenizer, settings: Mapping[str, Any] | None = None) -> None:
        """Args:
            backend: a byte-level tokenizer. Padding and truncation that it is set up for are switched off.
            settings: contents of `tokenizer_config.json`.

        Raises:
            CheckpointError: it is not byte-level, or a control token is missing.
        """
        if backend.decoder is None or type(backend.decoder).__name__ != "ByteLevel":
            kind = type(backend.decoder).__name__
            raise CheckpointError(f"The tokenizer must decode with ByteLevel, as Qwen's does, got {kind}.")
        backend.no_padding()
        backend.no_truncation()
        self._backend = backend
        self.settings: dict[str, Any] = dict(settings or {})
        added = backend.get_added_tokens_decoder()
        self._special_ids = frozenset(i for i, token in added.items() if token.special)
        specials = {token.content for token in added.values() if token.special}
        needed = (
            self.message_start_token, self.eos_token, self.pad_token,
            self.image_start_token, self.image_end_token, self.image_token,
        )  # fmt: skip
        missing = [token for token in needed if token not in specials]
        if missing:
            raise CheckpointError(f"The tokenizer has no special token {', '.join(missing)}.")

    # --- files ------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike[str]) -> GotOcr2Tokenizer:
        """Reads `tokenizer.json` in a folder, or else `qwen.tiktoken` by `load_tiktoken`'s rules "hf".

        Raises:
            FileAccessError: neither file is there, or it may not be read.
            CheckpointError: the file is damaged or lacks a control token.
        """
        folder = Path(folder)
        path = folder / FILE_NAME
        if path.is_file():
            return cls.from_file(path)
        if (folder / tiktoken_file.FILE_NAME).is_file():
            return cls.from_tiktoken(folder / tiktoken_file.FILE_NAME)
        raise FileAccessError(f"{folder} holds neither {FILE_NAME} nor {tiktoken_file.FILE_NAME}.")

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> GotOcr2Tokenizer:
        """Reads a `tokenizer.json`, and the `tokenizer_config.json` beside it if there is one."""
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as e:
            raise FileAccessError(f"{path} cannot be read: {e.strerror}.") from e
        try:
            backend = Tokenizer.from_str(text)
        except Exception as e:  # the library raises bare Exception
            raise CheckpointError(f"{path} is not a tokenizer: {e}.") from e
        config = path.parent / CONFIG_NAME
        return cls(backend, read_json(config) if config.is_file() else None)

    @classmethod
    def from_tiktoken(
        cls, path: str | os.PathLike[str], rules: tiktoken_file.SplitRules = "hf"
    ) -> GotOcr2Tokenizer:
        """Reads a `qwen.tiktoken` file; `rules` chooses between two readings, see `load_tiktoken`."""
        return cls(tiktoken_file.load_tiktoken(Path(path), rules))

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Writes `tokenizer.json` and `tokenizer_config.json`, which transformers reads too.

        Raises:
            FileAccessError: a file cannot be written.
        """
        folder = Path(folder)
        defaults = {
            "bos_token": self.pad_token,
            "eos_token": self.eos_token,
            "pad_token": self.pad_token,
            "padding_side": "left",
            "clean_up_tokenization_spaces": False,
            "model_input_names": ["input_ids", "attention_mask"],
            "processor_class": "GotOcr2Processor",
            "tokenizer_class": "PreTrainedTokenizerFast",
        }
        write_json(folder / CONFIG_NAME, {**defaults, **self.settings})
        try:
            (folder / FILE_NAME).write_text(self._backend.to_str(pretty=True), encoding="utf-8")
        except OSError as e:
            raise FileAccessError(f"{folder / FILE_NAME} cannot be written: {e.strerror}.") from e

    # --- vocabulary -------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Number of ids, added tokens included."""
        return self._backend.get_vocab_size(with_added_tokens=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} tokens)"

    @property
    def vocab_size(self) -> int:
        """Number of ids, added tokens included."""
        return len(self)

    @property
    def eos_token_id(self) -> int:
        return self.convert_tokens_to_ids(self.eos_token)

    @property
    def pad_token_id(self) -> int:
        return self.convert_tokens_to_ids(self.pad_token)

    @property
    def image_token_id(self) -> int:
        return self.convert_tokens_to_ids(self.image_token)

    @property
    def all_special_ids(self) -> list[int]:
        """Ids that `skip_special_tokens` leaves out, ascending."""
        return sorted(self._special_ids)

    def convert_tokens_to_ids(self, token: str) -> int:
        """The id of a token, written as in the vocabulary.

        Raises:
            InvalidOptionError: there is no such token.
        """
        token_id = self._backend.token_to_id(token)
        if token_id is None:
            raise InvalidOptionError(f"The vocabulary has no token {token!r}.")
        return token_id

    def convert_ids_to_tokens(self, token_id: int) -> str:
        """The token of an id, written as in the vocabulary.

        Raises:
            InvalidOptionError: there is no such id.
        """
        token = self._backend.id_to_token(token_id) if token_id >= 0 else None
        if token is None:
            raise InvalidOptionError(f"Id {token_id} is outside the vocabulary of {len(self)}.")
        return token

    # --- text -> ids ------------------------------------------------------------------------------------

    def encode(self, text: str, *, parse_special: bool = True) -> list[int]:
        """The ids of a text; nothing is put before or after it.

        Args:
            text: any text.
            parse_special: read "<img>" and the like as control tokens, as a prompt needs. Turn it off for
                text from outside, such as the page a model shall learn to write, where they are only
                characters.
        """
        backend = self._backend if parse_special else self._literal_backend
        return backend.encode(text, add_special_tokens=False).ids

    def __call__(
        self,
        text: str | Sequence[str],
        *,
        padding: Padding = False,
        return_tensors: ReturnTensors | None = None,
    ) -> BatchFeature:
        """`input_ids` and `attention_mask` of one text or several; padding goes to the left.

        One text without `return_tensors` gives flat lists, everything else rows.

        Raises:
            InvalidOptionError: an option is unknown, or unequal rows shall be one tensor without padding.
        """
        texts = [text] if isinstance(text, str) else text
        batch = pad_rows([self.encode(t) for t in texts], self.pad_token_id, padding, return_tensors)
        if isinstance(text, str) and return_tensors is None:
            return BatchFeature({name: rows[0] for name, rows in batch.items()})
        return batch

    @cached_property
    def _literal_backend(self) -> Tokenizer:
        # The switch belongs to the whole tokenizer, so a second one keeps threads out of each other's way.
        backend = Tokenizer.from_str(self._backend.to_str())
        backend.encode_special_tokens = True
        return backend

    # --- ids -> text ------------------------------------------------------------------------------------

    def decode(self, ids: Ids, skip_special_tokens: bool = True) -> str:
        """The text of one row of ids: a list, a 1-D array or tensor, or a single id.

        Spaces are never "cleaned up". Ids beyond the vocabulary (a model's table may be larger) say nothing.

        Raises:
            InvalidOptionError: several rows, or an id below 0.
        """
        return self._backend.decode(_row(ids), skip_special_tokens=skip_special_tokens)

    def batch_decode(self, rows: Iterable[Ids], skip_special_tokens: bool = True) -> list[str]:
        """`decode` of each row of a list of rows, or of a 2-D array or tensor."""
        return [self.decode(row, skip_special_tokens=skip_special_tokens) for row in rows]

    def token_bytes(self, token_id: int, skip_special_tokens: bool = True) -> bytes:
        """What an id adds to the text: UTF-8 that may begin and end inside a character.

        Nothing for a control token, unless they are to be shown, and for an id beyond the vocabulary.
        """
        if skip_special_tokens and token_id in self._special_ids:
            return b""
        return to_bytes(self._backend.id_to_token(token_id) or "")

    def decode_stream(self, skip_special_tokens: bool = True) -> DecodeStream:
        """A fresh stream that decodes ids as they are written and never shows half a character."""
        return DecodeStream(lambda token_id: self.token_bytes(token_id, skip_special_tokens))


def _row(ids: Ids) -> list[int]:
    values: Any = ids
    if hasattr(values, "tolist"):
        values = values.tolist()
    row: list[Any] = [values] if isinstance(values, int) else list(values)
    if any(isinstance(i, (list, tuple)) for i in row):
        raise InvalidOptionError("decode takes one row of ids; batch_decode takes several.")
    row = [int(i) for i in row]
    if row and min(row) < 0:
        raise InvalidOptionError(f"Ids must be >= 0, got {min(row)}.")
    return row
