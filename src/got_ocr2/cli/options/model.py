"""Which model reads, and how it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from .shared import HOW, Device, Dtype
from .values import size

NamedModel = Annotated[
    str | None,
    typer.Option(
        envvar="GOT_OCR2_MODEL",
        metavar="FOLDER|OWNER/NAME",
        help="A checkpoint; by default the small model that comes with got-ocr2.",
        rich_help_panel=HOW,
    ),
]
Quantize = Annotated[
    str | None,
    typer.Option(
        envvar="GOT_OCR2_QUANTIZE",
        metavar="int8|int4",
        help="Smaller, faster weights on a CPU; the text is then no longer exactly the model's.",
        rich_help_panel=HOW,
    ),
]
KvMemory = Annotated[
    int | None,
    typer.Option(
        parser=size,
        metavar="SIZE",
        envvar="GOT_OCR2_KV_MEMORY",
        help="The most that the key/value cache may take, such as 2GB; it limits how many pages are read "
        "together. A share of the free memory by default.",
        rich_help_panel=HOW,
    ),
]


@dataclass(frozen=True)
class ModelOptions:
    """A model, and what runs it."""

    model: NamedModel = None
    device: Device = "auto"
    dtype: Dtype = "auto"
    quantize: Quantize = None
    kernels: Annotated[
        str,
        typer.Option(
            envvar="GOT_OCR2_KERNELS",
            metavar="auto|native|torch",
            help="The compiled code of got-ocr2, or plain torch; the text is the same.",
            rich_help_panel=HOW,
        ),
    ] = "auto"
    kv_memory: KvMemory = None
    kv_cache: Annotated[
        str,
        typer.Option(
            envvar="GOT_OCR2_KV_CACHE",
            metavar="auto|fp32|bf16|int8",
            help="How that cache is stored on a CPU: fewer bits take less memory, and the text is no longer exactly "
            "the model's. By default fp32, and bf16 with --quantize.",
            rich_help_panel=HOW,
        ),
    ] = "auto"

    def arguments(self) -> dict[str, Any]:
        """The same as arguments of `OCR.from_pretrained`."""
        return {
            "model": self.model,
            "device": self.device,
            "dtype": self.dtype,
            "quantization": self.quantize,
            "kernels": self.kernels,
            "kv_memory": self.kv_memory,
            "kv_cache": self.kv_cache,
        }
