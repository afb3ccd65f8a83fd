"""File systems behind addresses such as `s3://`, `gs://` and `hf://`, by fsspec: for inputs and for the output."""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import Any

from ..errors import FileAccessError, InvalidOptionError, MissingDependencyError
from ..extras import need
from ..wording import printable, reason

_LOGGERS = ("fsspec", "s3fs", "gcsfs", "google.auth", "huggingface_hub")


def file_system(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it.

    Raises:
        MissingDependencyError: fsspec, or the package for this kind of address, is not installed.
        InvalidOptionError: no such kind.
        FileAccessError: it cannot be reached, or gives nobody in without credentials.
    """
    fsspec = need("fsspec", "Opening addresses such as s3://", extra="batch")
    _silence()
    try:
        # What was listed before is not what is there now.
        return fsspec.core.url_to_fs(address, use_listings_cache=False)
    except ImportError as e:
        raise MissingDependencyError(f"{printable(address)} cannot be opened: {reason(e)}.") from e
    except ValueError as e:
        raise InvalidOptionError(f"{printable(address)} cannot be opened: {reason(e)}.") from e
    except Exception as e:  # each kind has errors of its own
        raise FileAccessError(f"{printable(address)} cannot be opened: {reason(e)}.") from e


@cache
def _silence() -> None:
    """Where nobody has set up logging, Python prints what they log, tracebacks too; it stands in our sentences."""
    if not os.environ.get("GOT_OCR2_TRACEBACK"):
        for name in _LOGGERS:
            logging.getLogger(name).addHandler(logging.NullHandler())
