"""`got-ocr2 mcp`."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ..extras import need
from .options import model as own
from .options import shared

if TYPE_CHECKING:
    from ..modeling.backends.choice import Quantization


def mcp(
    folder: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER",
            help="Documents may be read from here and from the folders within; may be given several times. The "
            "working folder by default.",
            show_default=False,
        ),
    ] = None,
    write_to: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="The tool render may write new files here; by default it writes none."
        ),
    ] = None,
    model: own.NamedModel = None,
    device: shared.Device = "auto",
    dtype: shared.Dtype = "auto",
    quantize: own.Quantize = None,
    kv_memory: own.KvMemory = None,
) -> None:
    """Serve the Model Context Protocol on standard input and output.

    For programs that let a language model use tools: they start this command and call `read_document`, `read_region`
    and `render`. It ends when its standard input is closed.
    """
    need("mcp", "The Model Context Protocol server", extra="mcp")
    from ..integrations.folders import Folders
    from ..integrations.mcp import serve
    from ..ocr import OCR

    folders = Folders(folder or ["."], write_to)
    ocr = OCR.from_pretrained(
        model,
        device=device,
        dtype=dtype,
        quantization=cast("Quantization | None", quantize),
        kv_memory=kv_memory,
    )
    # The thread that waits for standard input cannot be woken: an interrupt ends the process, which keeps no state.
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        serve(ocr, folders)
    finally:
        signal.signal(signal.SIGINT, handler)
