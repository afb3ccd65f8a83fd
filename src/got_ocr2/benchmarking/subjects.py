"""What is timed: one model in one process, through the calls that its users make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import torch
from torch import Tensor

from ..config import GotOcr2Config
from ..errors import InvalidOptionError
from ..generation.drafting import TextDrafter
from ..generation.engine.engine import Engine
from ..generation.engine.requests import Request
from ..modeling import load_model
from . import oracle
from .backends import BACKENDS, make_runner

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_ENTERING = 4096  # prompt tokens of a step, the engine's own default
_FIRST_LETTER = 0x10000  # where letters of equal length in UTF-8 begin, as many as a vocabulary could want
LETTERS = 4
"""Letters of an id in `spelt`: about as many as a token of print has in the published vocabulary."""
_BITS = 5  # of an id in one letter, which with its place in the id is one of the 128 of ASCII


@dataclass(frozen=True)
class Variant:
    """One way to run a checkpoint.

    Attributes:
        name: as people ask for it.
        dtype: "float32" or "bfloat16": that of the activations.
        weights, cache: formats in which a step reads the decoder's weights, and keys and values: "fp32", "bf16",
            "int8", "int4" or "compact".
        label: for tables.
    """

    name: str
    dtype: str
    weights: str
    cache: str
    label: str


def variant(name: str, device: str) -> Variant:
    """The variant of that name on a device.

    Raises:
        InvalidOptionError: there is none.
    """
    wide, own, stored = (
        ("bfloat16", "bf16", "bf16") if device.startswith("cuda") else ("float32", "fp32", "compact")
    )
    # Quantised back ends keep keys and values in bf16, exact ones as they are computed.
    rows = (
        ("torch", wide, own, own, f"got-ocr2 torch {own}"),
        ("exact", wide, stored, own, "got-ocr2 exact"),
        ("int8", wide, "int8", "bf16", "got-ocr2 int8"),
        ("int4", wide, "int4", "bf16", "got-ocr2 int4"),
        ("transformers", wide, own, own, f"transformers {own}"),
        ("transformers-fp32", "float32", "fp32", "fp32", "transformers fp32"),
        ("transformers-bf16", "bfloat16", "bf16", "bf16", "transformers bf16"),
    )
    known = {row[0]: Variant(*row) for row in rows}
    if name not in known:
        raise InvalidOptionError(f"There is no variant {name!r} to measure; there are {', '.join(known)}.")
    return known[name]


@dataclass(frozen=True)
class Written:
    """A timed generation.

    Attributes:
        first: seconds to the first id of every row.
        steps: seconds between ids, for every later one; a step that keeps drafted ids counts as one long and some
            short ones.
        seconds: of all.
        ids: new ones of every row.
        drafted, kept: ids that were drafted and verified, and those of them that the model wrote too.
    """

    first: float
    steps: list[float]
    seconds: float
    ids: list[list[int]]
    drafted: int = 0
    kept: int = 0


class Subject(Protocol):
    """A loaded model."""

    config: GotOcr2Config
    device: str

    def encode(self, pixel_values: Tensor) -> Tensor:
        """`(n, C, H, W)` -> `(n, tokens, hidden)`, done when it returns."""
        ...

    def write(
        self,
        input_ids: Tensor,
        pixel_values: Tensor | None,
        tokens: int,
        draft: str | Sequence[int] | None = None,
    ) -> Written:
        """Writes exactly `tokens` ids for every prompt, the most probable ones.

        Args:
            input_ids: `(rows, T)`.
            pixel_values: one picture a row, or None.
            tokens: of each row.
            draft: what the only row is thought to write: ids, or letters as `spelt` makes them.
        """
        ...


class Ours:
    """This package: its engine on one of its back ends."""

    def __init__(self, folder: Path, chosen: Variant, device: str, threads: int) -> None:
        # The kernels pack weights as they are stored: widening them first would only take memory.
        packed = device == "cpu" and chosen.name in BACKENDS
        model = load_model(folder, device=device, dtype="auto" if packed else chosen.dtype)
        self.config = model.config
        self.device = device
        self._runner = make_runner(model, chosen.name, threads=threads, consume=packed)

    @torch.inference_mode()
    def encode(self, pixel_values: Tensor) -> Tensor:
        features = self._runner.encode(pixel_values)
        _wait(self.device)
        return features

    def write(
        self,
        input_ids: Tensor,
        pixel_values: Tensor | None,
        tokens: int,
        draft: str | Sequence[int] | None = None,
    ) -> Written:
        rows, prompt = input_ids.shape
        drafter = None
        if draft is not None:
            vocabulary = self.config.text_config.vocab_size
            drafter = letters_drafter(draft, vocabulary) if isinstance(draft, str) else ids_drafter(draft)
        start = perf_counter()
        # Prompts alone begin in one step, so that every later step has all rows; pages come in as users' pages do.
        entering = rows * prompt if pixel_values is None else _ENTERING
        positions = rows * (prompt + tokens)
        with Engine(self._runner, positions=positions, rows=rows, prefill_tokens=entering) as engine:
            handles = [
                engine.submit(
                    Request(
                        ids=input_ids[row].tolist(),
                        max_new_tokens=tokens,
                        pixel_values=None if pixel_values is None else pixel_values[row : row + 1],
                        drafter=drafter,
                    )
                )
                for row in range(rows)
            ]
            # Nobody begins after the last row.
            times = [perf_counter() for _ in handles[-1]]
            found = [handle.result() for handle in handles]
        _wait(self.device)
        return Written(
            first=times[0] - start,
            steps=[b - a for a, b in pairwise(times)],
            seconds=perf_counter() - start,
            ids=[list(one.tokens) for one in found],
            drafted=sum(one.drafted for one in found),
            kept=sum(one.kept for one in found),
        )


def ids_drafter(draft: Sequence[int]) -> TextDrafter:
    """A drafter for a text that is known by its ids, whatever the vocabulary: every id becomes one letter."""

    def letter(token: int) -> str:
        return chr(_FIRST_LETTER + token)

    return TextDrafter(
        "".join(map(letter, draft)),
        lambda text: [ord(one) - _FIRST_LETTER for one in text],
        lambda token: letter(token).encode(),
    )


def spelt(ids: Sequence[int]) -> str:
    """`LETTERS` letters for every id, whatever the vocabulary; a letter tells its place in the id, as words have
    beginnings and ends.

    Args:
        ids: each below 2 ** 20.
    """
    return "".join(map(_letters, ids))


def letters_drafter(text: str, vocabulary: int = 1 << 20) -> TextDrafter:
    """A drafter for a text as `spelt` makes it, in which letters may be wrong, missing or too many.

    Args:
        text: letters.
        vocabulary: ids are below it; misread letters would give any.
    """

    def read(letters: str) -> list[int]:
        return [token % vocabulary for token in _read(letters)]

    return TextDrafter(text, read, lambda token: _letters(token).encode())


def _letters(token: int) -> str:
    parts = (token >> _BITS * place & (1 << _BITS) - 1 for place in range(LETTERS))
    return "".join(chr((place << _BITS) + part) for place, part in enumerate(parts))


def _read(text: str) -> list[int]:
    """Ids of letters; where some are missing or too many, as a tokenizer would, one id for what is left."""
    ids: list[int] = []
    at = 0
    while at < len(text):
        token = 0
        for place in range(LETTERS):
            part = ord(text[at]) if at < len(text) else -1
            if part >> _BITS == place:
                token |= (part & (1 << _BITS) - 1) << _BITS * place
                at += 1
        ids.append(token)
    return ids


class _Clock:
    """A streamer that only notes when ids come, and which."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.steps: list[Tensor] = []
        self._prompt_comes = True

    def put(self, value: Tensor) -> None:
        if self._prompt_comes:
            self._prompt_comes = False
        else:
            self.times.append(perf_counter())
            self.steps.append(value.flatten())

    def end(self) -> None: ...


class Theirs:
    """transformers: its `generate`."""

    def __init__(self, folder: Path, chosen: Variant, device: str) -> None:
        self.dtype = _DTYPES[chosen.dtype]
        self.model: Any = oracle.load(folder, device, self.dtype)
        self.config = GotOcr2Config.from_json_file(folder / "config.json")
        self.device = device

    @torch.inference_mode()
    def encode(self, pixel_values: Tensor) -> Tensor:
        found = self.model.get_image_features(pixel_values=pixel_values.to(self.device, self.dtype))
        _wait(self.device)
        return found.pooler_output

    def write(
        self,
        input_ids: Tensor,
        pixel_values: Tensor | None,
        tokens: int,
        draft: str | Sequence[int] | None = None,
    ) -> Written:
        if draft is not None:
            raise InvalidOptionError(f"Drafts are not measured with {oracle.NAME}.")
        start = perf_counter()
        ids = input_ids.to(self.device)
        more = {} if pixel_values is None else {"pixel_values": pixel_values.to(self.device, self.dtype)}
        clock = _Clock()
        self.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=tokens,
            streamer=clock,
            **more,
        )
        _wait(self.device)
        return Written(
            first=clock.times[0] - start,
            steps=[b - a for a, b in pairwise(clock.times)],
            seconds=perf_counter() - start,
            ids=torch.stack(clock.steps, 1).tolist(),
        )


def open_subject(folder: Path, chosen: Variant, device: str, threads: int) -> Subject:
    """Loads a checkpoint the way the variant says."""
    if chosen.name.startswith(oracle.NAME):
        return Theirs(folder, chosen, device)
    return Ours(folder, chosen, device, threads)


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
