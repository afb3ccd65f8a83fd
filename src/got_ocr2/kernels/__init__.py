"""Native CPU kernels: a small C library of our own, where it could be built; torch serves everywhere else.

`available()` says whether it is here and `why_not()` the reason when it is not. Importing this package loads nothing.
"""

from __future__ import annotations

from .library import available, instruction_set, native, set_threads, threads, why_not

__all__ = ["available", "instruction_set", "native", "set_threads", "threads", "why_not"]
