"""`GotOcr2Tokenizer`: text <-> ids on the `tokenizers` library alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union, cast, overload

import numpy as np
from tokenizers import Tokenizer

from ..errors import CheckpointError, FileAccessError, InvalidOptionError
from . import tiktoken_file
from .arguments import is_count
from .batch import BatchFeature
from .byte_level import to_bytes
from .files import folder_of, read_json, write_json
from .options import check_decode_options, check_text_options
from .padding import Padding, Side, pad_rows
from .streaming import DecodeStream
from .tensors import ReturnTensors, as_requested, check_return_tensors

if TYPE_CHECKING:
    import torch

FILE_NAME = "tokenizer.json"
CONFIG_NAME = "tokenizer_config.json"
_NO_LIMIT = 10**30  # what transformers says where a file names no length

Ids: TypeAlias = Union[int, Sequence[int], "np.ndarray[Any, np.dtype[Any]]", "torch.Tensor"]


class GotOcr2Tokenizer:
    """A byte-level tokenizer that knows GOT's control tokens by name.

    Attributes:
        eos_token, pad_token, image_token, ...: names; `eos_token_id` and so on are looked up in the
            vocabulary. The answer ends with `<|im_end|>`; published files call `<|endoftext|>` the end, which
            the model never writes.
        padding_side: where short rows are filled up: on the left, as generation needs it, unless you write "right".
        settings: what `tokenizer_config.json` held; written back by `save_pretrained`.
    """

    padding_side: Side = "left"
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
    def from_pretrained(cls, repo_or_folder: str | os.PathLike[str], **options: Any) -> GotOcr2Tokenizer:
        """Reads a checkpoint's `tokenizer.json`, or else `qwen.tiktoken` by `load_tiktoken`'s rules "hf".

        Args:
            repo_or_folder, **options: see `folder_of`.

        Raises:
            FileAccessError: neither file is there, or it may not be read.
            CheckpointError: the file is damaged or lacks a control token, or the checkpoint cannot be found.
            InvalidOptionError: an option is unknown or cannot be obeyed.
        """
        folder = folder_of(cls.__name__, repo_or_folder, options)
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
        except UnicodeDecodeError as e:
            raise CheckpointError(f"{path} is not UTF-8 text.") from e
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
        """Number of ids without the added tokens, as in transformers; `len` counts those too."""
        return self._backend.get_vocab_size(with_added_tokens=False)

    @property
    def model_max_length(self) -> int:
        """Longest text that the checkpoint's `tokenizer_config.json` names; nothing here depends on it."""
        return int(self.settings.get("model_max_length", _NO_LIMIT))

    def get_vocab(self) -> dict[str, int]:
        """Every token, written as in the vocabulary, and its id; added tokens included."""
        return self._backend.get_vocab(with_added_tokens=True)

    @property
    def all_special_tokens(self) -> list[str]:
        """The tokens of `all_special_ids`."""
        return self.convert_ids_to_tokens(self.all_special_ids)

    @property
    def bos_token(self) -> str:
        """What published files name so; nothing is ever put before a text."""
        return self.pad_token

    @property
    def bos_token_id(self) -> int:
        return self.pad_token_id

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

    @overload
    def convert_tokens_to_ids(self, tokens: str) -> int: ...  # pyright: ignore[reportOverlappingOverload]

    @overload
    def convert_tokens_to_ids(self, tokens: Sequence[str]) -> list[int]: ...

    def convert_tokens_to_ids(self, tokens: str | Sequence[str]) -> int | list[int]:
        """The id of a token, written as in the vocabulary, or the ids of a list of them.

        Raises:
            InvalidOptionError: there is no such token.
        """
        if not isinstance(tokens, str):
            return [self.convert_tokens_to_ids(token) for token in tokens]
        token_id = self._backend.token_to_id(tokens)
        if token_id is None:
            raise InvalidOptionError(f"The vocabulary has no token {tokens!r}.")
        return token_id

    @overload
    def convert_ids_to_tokens(self, ids: int, skip_special_tokens: bool = False) -> str: ...

    @overload
    def convert_ids_to_tokens(self, ids: Sequence[int], skip_special_tokens: bool = False) -> list[str]: ...

    def convert_ids_to_tokens(
        self, ids: int | Sequence[int], skip_special_tokens: bool = False
    ) -> str | list[str]:
        """The token of an id, written as in the vocabulary, or the tokens of a row of ids.

        Args:
            ids: one id, or a list, 1-D array or tensor of them.
            skip_special_tokens: leave control tokens out of a row.

        Raises:
            InvalidOptionError: there is no such id.
        """
        several = _plain(ids)
        if not isinstance(several, int):
            kept = [i for i in _row(ids) if not (skip_special_tokens and i in self._special_ids)]
            return [self.convert_ids_to_tokens(i) for i in kept]
        token = self._backend.id_to_token(several) if several >= 0 else None
        if token is None:
            raise InvalidOptionError(f"Id {several} is outside the vocabulary of {len(self)}.")
        return token

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """The text of tokens that are written as in the vocabulary."""
        return b"".join(to_bytes(token) for token in tokens).decode("utf-8", errors="replace")

    def tokenize(self, text: str) -> list[str]:
        """The tokens of a text, written as in the vocabulary."""
        return self.convert_ids_to_tokens(self.encode(text))

    # --- text -> ids ------------------------------------------------------------------------------------

    @overload
    def encode(
        self,
        text: str,
        add_special_tokens: bool = True,
        *,
        parse_special: bool = True,
        return_tensors: None = None,
    ) -> list[int]: ...

    @overload
    def encode(
        self,
        text: str,
        add_special_tokens: bool = True,
        *,
        parse_special: bool = True,
        return_tensors: ReturnTensors,
    ) -> Any: ...

    def encode(
        self,
        text: str,
        add_special_tokens: bool = True,
        *,
        parse_special: bool = True,
        return_tensors: ReturnTensors | None = None,
    ) -> Any:
        """The ids of a text; nothing is put before or after it.

        Args:
            text: any text.
            add_special_tokens: accepted as by transformers; this vocabulary puts no token around a text.
            parse_special: read "<img>" and the like as control tokens, as a prompt needs. Turn it off for
                text from outside, such as the page a model shall learn to write, where they are only
                characters.
            return_tensors: "pt" or "np" for ids of shape (1, T) instead of a list.
        """
        backend = self._backend if parse_special else self._literal_backend
        ids = backend.encode(text, add_special_tokens=False).ids
        if return_tensors is None:
            return ids
        check_return_tensors(return_tensors)
        return as_requested(np.asarray([ids], dtype=np.int64), return_tensors)

    def __call__(
        self,
        text: str | Sequence[str],
        *,
        padding: Padding = False,
        return_tensors: ReturnTensors | None = None,
        truncation: bool = False,
        max_length: int | None = None,
        padding_side: Side | None = None,
        add_special_tokens: bool = True,
        **others: Any,
    ) -> BatchFeature:
        """`input_ids` and `attention_mask` of one text or several.

        One text without `return_tensors` gives flat lists, everything else rows.

        Args:
            text: one text or a list of them.
            padding, return_tensors: see `pad_rows`.
            truncation: cut what goes beyond `max_length` off the end of a text.
            max_length: most ids of a text with `truncation`; width of every row with padding "max_length".
            padding_side: "left" or "right"; None takes the attribute of the same name.
            add_special_tokens: as for `encode`.
            **others: arguments of transformers' that change nothing.

        Raises:
            InvalidOptionError: an option is unknown, or unequal rows shall be one tensor without padding.
        """
        check_text_options(others)
        if truncation not in (True, False, None, "longest_first", "do_not_truncate"):
            raise InvalidOptionError(f"truncation must be True or False, got {truncation!r}.")
        cut = truncation in (True, "longest_first")
        if cut and not is_count(max_length):
            raise InvalidOptionError(f"truncation needs max_length, a whole number >= 1, got {max_length!r}.")
        texts = [text] if isinstance(text, str) else text
        rows = [self.encode(t)[: max_length if cut else None] for t in texts]
        side = padding_side or self.padding_side
        batch = pad_rows(rows, self.pad_token_id, padding, return_tensors, side=side, width=max_length)
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

    @overload
    def decode(self, ids: Ids, skip_special_tokens: bool = False, **others: Any) -> str: ...

    @overload
    def decode(
        self, ids: Sequence[Sequence[int]], skip_special_tokens: bool = False, **others: Any
    ) -> list[str]: ...

    def decode(self, ids: Any, skip_special_tokens: bool = False, **others: Any) -> str | list[str]:
        """The text of one row of ids: a list, a 1-D array or tensor, or a single id; of several rows, a list.

        Spaces are never "cleaned up". Ids beyond the vocabulary (a model's table may be larger) say nothing.

        Args:
            ids: what `generate` or `encode` gave.
            skip_special_tokens: leave control tokens such as `<|im_end|>` out.
            **others: arguments of transformers' that change nothing.

        Raises:
            InvalidOptionError: an id below 0, or an unknown argument.
        """
        check_decode_options(others)
        values = _plain(ids)
        if isinstance(values, list) and values and isinstance(values[0], list):
            return [self.decode(row, skip_special_tokens) for row in cast("list[list[int]]", values)]
        return self._backend.decode(_row(values), skip_special_tokens=skip_special_tokens)

    def batch_decode(
        self, rows: Iterable[Ids], skip_special_tokens: bool = False, **others: Any
    ) -> list[str]:
        """`decode` of each row of a list of rows, or of a 2-D array or tensor."""
        check_decode_options(others)
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


def _plain(values: Any) -> Any:
    """Arrays, tensors and tuples, also those in a list, as lists; a single id as it is."""
    if hasattr(values, "tolist"):
        return values.tolist()
    if isinstance(values, (list, tuple)):
        return [_plain(value) for value in cast("Sequence[Any]", values)]
    return values


def _row(ids: Any) -> list[int]:
    values: Any = _plain(ids)
    row = [int(i) for i in ([values] if isinstance(values, int) else values)]
    if row and min(row) < 0:
        raise InvalidOptionError(f"Ids must be >= 0, got {min(row)}.")
    return row
