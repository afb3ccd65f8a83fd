"""From the options of a request to those of the reader, within the limits of the server."""

from __future__ import annotations

from typing import Any

from ...errors import InvalidOptionError
from ...reading import ReadOptions
from ..settings import Settings
from .shapes import Options


def read_options(options: Options, settings: Settings, **more: Any) -> ReadOptions:
    """Checks options that a client gave.

    Raises:
        InvalidOptionError: a bad value, or more than the server's limits allow.
    """
    given: dict[str, Any] = {**options.model_dump(), **more}
    tokens = given["max_new_tokens"]
    if tokens is not None and tokens > settings.max_tokens:
        raise InvalidOptionError(
            f"max_new_tokens is {tokens:,}, more than the limit of {settings.max_tokens:,} (max_tokens)."
        )
    return ReadOptions.of(**given, limits=settings.limits)
