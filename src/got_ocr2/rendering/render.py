"""One call from a text of the model to a file that programs open."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import InvalidOptionError
from .kinds import kind_of
from .registry import writer
from .rendered import Rendered


def render(text: str, to: str, kind: str = "auto", *, strict: bool = False, **options: Any) -> Rendered:
    """Writes what the model read in a format that other programs open.

    Args:
        text: what the model wrote.
        to: the format, a key of `registry.FORMATS`; which kind has which is in `registry.WRITERS`.
        kind: one of `registry.KINDS`, or "auto" to tell by the text (`kinds.kind_of`).
        strict: raise when something is wrong with the text, instead of saying so in `problems`.
        options: for the writer of this format; its docstring has them.

    Raises:
        InvalidOptionError: an unknown kind, format or option, or a format that the kind does not have.
        MissingDependencyError: the format needs a package that is not installed.
        RenderError: nothing can be shown of the text, or `strict` and a problem.
    """
    kind = kind_of(text) if kind == "auto" else kind
    write = writer(kind, to)
    refuse_unknown(options, options_of(write) - {"text"}, f"a {kind} as {to}")
    return write(text, strict=strict, **options)


def options_of(write: Callable[..., Any]) -> set[str]:
    """Names of a writer's parameters, without `strict`, which all have."""
    return set(inspect.signature(write).parameters) - {"strict"}


def refuse_unknown(options: Mapping[str, Any], known: set[str], what: str) -> None:
    """Says which option there is not.

    Raises:
        InvalidOptionError: an option is not among the known ones.
    """
    if unknown := sorted(set(options) - known):
        has = f"it has {', '.join(sorted(known))}" if known else "it has none"
        raise InvalidOptionError(f"Writing {what} has no option {unknown[0]!r}; {has}.")
