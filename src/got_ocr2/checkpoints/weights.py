"""The tensors of a folder's safetensors files, read one by one under our module names.

Nothing here runs anything from a checkpoint: pickle files are refused, shard names cannot leave the folder.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..config import read_json
from ..errors import CheckpointError
from . import layouts

SINGLE_NAME = "model.safetensors"
INDEX_NAME = "model.safetensors.index.json"

# Reading maps a file into memory, and pages count as ours while it is mapped. Reopening it every so many
# bytes keeps what a conversion to another dtype, or packing for kernels, holds twice down to about this.
_MAPPED_BYTES = 32 << 20

_DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


@dataclass(frozen=True)
class StoredTensor:
    """Where one tensor lies, and what its header says of it.

    Attributes:
        name: its name in the file.
        file: the safetensors file.
        shape: as our modules have it, convolutions (out, in, height, width).
        dtype: a floating point dtype.
        channels_last: whether the file has it as (out, height, width, in).
    """

    name: str
    file: Path
    shape: tuple[int, ...]
    dtype: torch.dtype
    channels_last: bool

    @property
    def nbytes(self) -> int:
        count = 1
        for side in self.shape:
            count *= side
        return count * self.dtype.itemsize


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a checkpoint: one, or the shards that the index names.

    Raises:
        CheckpointError: there is none, a shard is missing, there are several without an index, or there are
            only pickles.
    """
    if (folder / SINGLE_NAME).is_file():
        return [folder / SINGLE_NAME]
    if (folder / INDEX_NAME).is_file():
        return _shards(folder / INDEX_NAME)
    found = sorted(folder.glob("*.safetensors"))
    if len(found) == 1:
        return found
    if found:
        names = ", ".join(p.name for p in found)
        raise CheckpointError(f"{folder} holds several safetensors files ({names}) but no {INDEX_NAME}.")
    pickles = sorted(p.name for p in folder.iterdir() if p.suffix in _PICKLES)
    if pickles:
        raise CheckpointError(
            f"{folder} holds weights only as a pickle ({pickles[0]}), which can run code when loaded: "
            "got-ocr2 reads safetensors only."
        )
    raise CheckpointError(f"{folder} holds no .safetensors file.")


def _shards(index: Path) -> list[Path]:
    table = read_json(index).get("weight_map")
    if not isinstance(table, dict) or not table:
        raise CheckpointError(f"{index} has no weight_map.")
    files: list[Path] = []
    for name in sorted({str(value) for value in cast("dict[str, Any]", table).values()}):
        if Path(name).name != name:
            raise CheckpointError(f"{index} names the shard {name!r}, which is not a plain file name.")
        if not (index.parent / name).is_file():
            raise CheckpointError(f"{index.parent} lacks the shard {name} that {index.name} names.")
        files.append(index.parent / name)
    return files


def scan(folder: Path) -> tuple[layouts.Layout, dict[str, StoredTensor]]:
    """Reads the headers of a checkpoint.

    Returns:
        The layout, and module name -> tensor for every tensor; one that no rule knows keeps its own name.

    Raises:
        CheckpointError: unreadable file, unknown layout, quantised or non-float tensor, or one stored twice.
    """
    headers: dict[str, tuple[Path, tuple[int, ...], str]] = {}
    for file in weight_files(folder):
        with _opened(file) as f:
            for name in f.keys():  # noqa: SIM118 - safe_open is no mapping
                if name in headers:
                    raise CheckpointError(
                        f"Tensor {name} is in both {headers[name][0].name} and {file.name}."
                    )
                part = f.get_slice(name)
                headers[name] = (file, tuple(part.get_shape()), part.get_dtype())
    layout = layouts.detect(headers)
    tensors: dict[str, StoredTensor] = {}
    for name, (file, shape, kind) in headers.items():
        if layouts.is_computed(name):
            continue
        if name.endswith((".scales", ".biases")) and layout is layouts.MLX:
            raise CheckpointError(f"{folder} is quantised by MLX (tensor {name}); take its bf16 version.")
        if kind not in _DTYPES:
            raise CheckpointError(
                f"Tensor {name} is stored as {kind}; only float tensors are weights of GOT-OCR2."
            )
        channels_last = layout.channels_last and len(shape) == 4 and not name.endswith("pos_embed")
        if channels_last:
            out, height, width, channels = shape
            shape = (out, channels, height, width)
        ours = layout.to_module(name) or name
        if ours in tensors:
            raise CheckpointError(f"Tensors {tensors[ours].name} and {name} are the same weight {ours}.")
        tensors[ours] = StoredTensor(name, file, shape, _DTYPES[kind], channels_last)
    return layout, tensors


def read(
    tensors: dict[str, StoredTensor], convert: Callable[[Tensor], Tensor]
) -> Iterator[tuple[str, Tensor]]:
    """Yields (module name, `convert(tensor)`), holding little more than what `convert` returns.

    A tensor that `convert` returns as it came stays backed by the file: its pages load on first use and are
    shared between processes. It must not be written to disk in place; `save` therefore replaces files whole.
    """
    by_file: dict[Path, list[str]] = defaultdict(list)
    for ours, stored in tensors.items():
        by_file[stored.file].append(ours)
    for file, names in by_file.items():
        for chunk in _chunks(names, tensors):
            with _opened(file) as f:
                for ours in chunk:
                    tensor = cast(Tensor, f.get_tensor(tensors[ours].name))
                    if tensors[ours].channels_last:
                        tensor = tensor.permute(0, 3, 1, 2).contiguous()
                    yield ours, convert(tensor)


def _chunks(names: Iterable[str], tensors: dict[str, StoredTensor]) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for name in names:
        if chunk and size + tensors[name].nbytes > _MAPPED_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(name)
        size += tensors[name].nbytes
    if chunk:
        yield chunk


def _opened(file: Path) -> Any:
    try:
        return safe_open(str(file), framework="pt")
    except (SafetensorError, OSError) as e:
        raise CheckpointError(f"{file} cannot be read as safetensors: {e}.") from e
