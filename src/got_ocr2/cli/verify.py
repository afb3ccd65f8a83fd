"""`got-ocr2 verify`."""

from __future__ import annotations

import json as json_module
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import GotOcr2Error
from .options.shared import Model, Quiet, Threads
from .output.terminal import note

if TYPE_CHECKING:
    from ..verification.verify import Verification

_WHAT, _LIMITS, _OUTPUT = "What to check", "Limits", "Output"


def verify(
    model: Model = "default",
    page: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="A picture to read; may be repeated. By default a few rendered ones.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    variants: Annotated[
        str,
        typer.Option(
            metavar="NAME,...",
            help="exact, int8, int4: each is held against plain torch. Empty for none.",
            rich_help_panel=_WHAT,
        ),
    ] = "exact,int8,int4",
    transformers: Annotated[
        bool | None,
        typer.Option(
            "--transformers/--no-transformers",
            help="Compare with it layer by layer; by default if it is installed.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    tokens: Annotated[
        int, typer.Option(metavar="N", min=1, help="The most to write for a page.", rich_help_panel=_WHAT)
    ] = 48,
    tolerance: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="The largest difference of exact numbers, as a share of the largest magnitude.",
            rich_help_panel=_LIMITS,
        ),
    ] = 0.0001,
    agreement: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Quantised weights must keep the best token at this share of positions, such as 0.98.",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    max_cer: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="The text of quantised weights may differ from the exact one by this character error rate.",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    threads: Threads = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the checks as one JSON object.", rich_help_panel=_OUTPUT)
    ] = False,
    quiet: Quiet = False,
) -> int:
    """Check that a model gives the right numbers on this machine.

    Plain torch is compared with transformers layer by layer, the fast back ends with plain torch, quantised weights
    with exact ones. Exact comparisons have limits; quantised ones only if you set them. The exit code is 15 if a
    limit is exceeded.
    """
    from ..machine import describe
    from ..verification.verify import VerifyOptions
    from ..verification.verify import verify as run

    options = VerifyOptions(
        backends=tuple(part.strip() for part in variants.split(",") if part.strip()),
        transformers=transformers,
        tokens=tokens,
        tolerance=tolerance,
        agreement=agreement,
        max_cer=max_cer,
        threads=describe()["cores"] if threads is None else threads,
    )
    if model == "default":
        from ..ocr import EMBEDDED_MODEL

        model = str(EMBEDDED_MODEL)
    found = run(model, options, pictures=page or (), report=_silent if quiet else note)
    for sentence in found.left_out:
        note(sentence[0].upper() + sentence[1:])
    if json:
        typer.echo(json_module.dumps(found.to_dict(), ensure_ascii=False))
    else:
        _show(found)
    failed = sum(not check.passed for check in found.checks)
    if failed:
        note(f"{failed} of {len(found.checks)} checks exceed their limit.")
    return GotOcr2Error.exit_code if failed else 0


def _silent(_: str) -> None: ...


def _show(found: Verification) -> None:
    """Every check: a table on a terminal, tab-separated fields elsewhere."""
    names = ("what", "of", "value", "limit", "")
    rows = [
        (
            check.group,
            check.name,
            f"{check.value:.2e}" if check.kind == "difference" else f"{check.value:.4f}",
            "-" if check.limit is None else f"{'<=' if check.kind == 'difference' else '>='} {check.limit:g}",
            "ok" if check.passed else "EXCEEDED",
        )
        for check in found.checks
    ]
    if not sys.stdout.isatty():
        for row in (names, *rows):
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=found.model, box=None, header_style="bold")
    for name in names:
        table.add_column(name, justify="right" if name in ("value", "limit") else "left")
    for row in rows:
        table.add_row(*row, style=None if row[-1] == "ok" else "red")
    Console().print(table)
