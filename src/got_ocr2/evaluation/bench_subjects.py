"""What is timed: one model in one process, through the calls that its users make.

Ours and transformers' take the same tensors, and both hand their new ids to a streamer as soon as they have them; the
time between two of its calls is the time of a step, whoever did the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import torch
from torch import Tensor

from ..checkpoints import load_model
from ..config import GotOcr2Config
from ..errors import InvalidOptionError
from . import oracle

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Variant:
    """One way to run a checkpoint.

    Attributes:
        name: as people ask for it.
        dtype: "float32", "bfloat16" or "float16": that of the activations.
        weights, cache: formats in which a step reads the decoder's weights, and keys and values: "fp32", "bf16",
            "fp16", "int8" or "int4".
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
    wide = "bfloat16" if device.startswith("cuda") else "float32"
    own = "bf16" if device.startswith("cuda") else "fp32"
    rows = (
        ("torch", wide, own, own, f"got-ocr2 torch {own}"),
        ("exact", wide, "bf16", own, "got-ocr2 exact"),
        ("int8", wide, "int8", own, "got-ocr2 int8"),
        ("int4", wide, "int4", own, "got-ocr2 int4"),
        ("transformers", wide, own, own, f"transformers {own}"),
        ("transformers-fp32", "float32", "fp32", "fp32", "transformers fp32"),
        ("transformers-bf16", "bfloat16", "bf16", "bf16", "transformers bf16"),
    )
    known = {row[0]: Variant(*row) for row in rows}
    if name not in known:
        raise InvalidOptionError(f"There is no variant {name!r} to measure; there are {', '.join(known)}.")
    return known[name]


class Clock:
    """A streamer that only notes when ids come, and which.

    Attributes:
        times: seconds on `perf_counter` of each new step.
        steps: the ids of each step, `(rows,)` int64.
    """

    def __init__(self) -> None:
        self.times: list[float] = []
        self.steps: list[Tensor] = []
        self._prompt_comes = True

    def put(self, value: Tensor) -> None:
        if self._prompt_comes:
            self._prompt_comes = False
            return
        self.times.append(perf_counter())
        self.steps.append(value)

    def end(self) -> None: ...


class Subject(Protocol):
    """A loaded model."""

    config: GotOcr2Config
    device: str

    def encode(self, pixel_values: Tensor) -> Tensor:
        """`(n, C, H, W)` -> `(n, tokens, hidden)`, done when it returns."""
        ...

    def generate(self, clock: Clock, input_ids: Tensor, pixel_values: Tensor | None, tokens: int) -> None:
        """Writes exactly `tokens` ids for every prompt, the most probable ones."""
        ...


class Ours:
    """This package."""

    def __init__(self, folder: Path, chosen: Variant, device: str) -> None:
        self.model = load_model(folder, device=device, dtype=chosen.dtype)
        self.config = self.model.config
        self.device = device

    @torch.inference_mode()
    def encode(self, pixel_values: Tensor) -> Tensor:
        features = self.model.get_image_features(pixel_values.to(self.device))
        _wait(self.device)
        return features

    def generate(self, clock: Clock, input_ids: Tensor, pixel_values: Tensor | None, tokens: int) -> None:
        self.model.generate(
            input_ids.to(self.device),
            None if pixel_values is None else pixel_values.to(self.device, self.model.dtype),
            streamer=clock,
            max_new_tokens=tokens,
            eos_token_id=(),
        )
        _wait(self.device)


class Theirs:
    """transformers."""

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

    def generate(self, clock: Clock, input_ids: Tensor, pixel_values: Tensor | None, tokens: int) -> None:
        ids = input_ids.to(self.device)
        more = {} if pixel_values is None else {"pixel_values": pixel_values.to(self.device, self.dtype)}
        self.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=tokens,
            streamer=clock,
            **more,
        )
        _wait(self.device)


def open_subject(folder: Path, chosen: Variant, device: str) -> Subject:
    """Loads a checkpoint the way the variant says."""
    return (Theirs if chosen.name.startswith(oracle.NAME) else Ours)(folder, chosen, device)


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
