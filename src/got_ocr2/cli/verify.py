"""`got-ocr2 verify`."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING

import typer

from ..errors import GotOcr2Error
from .options import shared
from .options import verification as own
from .output.tables import show_table
from .output.terminal import note

if TYPE_CHECKING:
    from ..verification.verify import Verification


def verify(
    model: shared.Model = "default",
    page: own.Page = None,
    variants: own.Variants = "exact,int8,int4",
    transformers: own.Transformers = None,
    tokens: own.Tokens = 48,
    tolerance: own.Tolerance = 0.0001,
    agreement: own.Agreement = None,
    max_cer: own.MaxCer = None,
    threads: shared.Threads = None,
    json: own.Json = False,
    quiet: shared.Quiet = False,
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
    show_table(
        names,
        rows,
        left={"what", "of", ""},
        title=found.model,
        style=lambda row: None if row[-1] == "ok" else "red",
    )
