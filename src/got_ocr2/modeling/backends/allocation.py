"""Running out of memory while an arena is made, as one of our errors."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch

from ...errors import InvalidOptionError


@contextmanager
def allocating(size: int) -> Generator[None]:
    """Turns a failed allocation of `size` bytes into a sentence about the option that asked for it.

    Raises:
        InvalidOptionError: there is not that much memory.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _too_much(size) from error
    except RuntimeError as error:  # what torch raises on a CPU
        if "alloc" not in str(error):
            raise
        raise _too_much(size) from error


def _too_much(size: int) -> InvalidOptionError:
    return InvalidOptionError(
        f"The cache of {size / 1e9:.1f} GB does not fit into memory: pass a smaller kv_memory."
    )
