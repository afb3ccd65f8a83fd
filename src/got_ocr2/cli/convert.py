"""`got-ocr2 convert`."""

from __future__ import annotations

from typing import Annotated

import typer


def convert(
    src: Annotated[str, typer.Argument(metavar="SRC", help="A checkpoint folder, or OWNER/NAME on the hub.")],
    dst: Annotated[str, typer.Argument(metavar="DST", help="The folder to make; missing or empty.")],
    dtype: Annotated[
        str | None,
        typer.Option(
            metavar="float32|bfloat16|float16", help="Store the weights so; as they are by default."
        ),
    ] = None,
    dialect: Annotated[
        str | None,
        typer.Option(
            metavar="hf|original",
            help="Wording of the prompts. By default what the checkpoint says, or what it was trained on.",
        ),
    ] = None,
    max_shard_size: Annotated[
        str, typer.Option(metavar="SIZE", help="The largest weight file, such as 500MB.")
    ] = "5GB",
    int4_pages: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PAGES",
            help="Fit the decoder's weights to int4 by reading these: a file, folder or pattern; repeatable.",
        ),
    ] = None,
    revision: Annotated[
        str | None, typer.Option(metavar="REV", help="Branch, tag or commit on the hub.")
    ] = None,
) -> int:
    """Write a checkpoint of any layout in Hugging Face's, which transformers reads too.

    The source may be the original layout, Hugging Face's on disk or in memory, in one file or several; the
    copy holds the weights as safetensors, the configuration, and the processor. A copy made with --int4-pages is
    for reading with --quantize int4, which then keeps more of the text.
    """
    from .. import conversion
    from ..errors import InvalidOptionError

    if dialect not in (None, "hf", "original"):
        raise InvalidOptionError(f"--dialect must be hf or original, got {dialect!r}.")
    folder = conversion.convert(
        src,
        dst,
        dtype=dtype,
        dialect=dialect,
        max_shard_size=max_shard_size,
        int4_pages=int4_pages or (),
        revision=revision,
    )
    typer.echo(f"{folder}")
    return 0
