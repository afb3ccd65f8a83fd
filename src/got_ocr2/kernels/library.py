"""Finding and loading the native library, and its two settings: instruction set and number of threads.

Environment variables, read when the library is first wanted:

- `GOT_OCR2_NATIVE=0` leaves it alone, as if it had not been built;
- `GOT_OCR2_ISA=avx512|avx2|portable` uses that instruction set instead of the best one of this machine;
- `GOT_OCR2_ISA=amx` adds AMX to AVX-512, `GOT_OCR2_ISA=mmla` aarch64's products of small matrices (FEAT_BF16 and
  FEAT_I8MM), for many rows of bf16 and int8 weights. They have been tested by emulation only, on no processor that has
  them, so they are never the best one. Rows in bf16 then depend, in their last bits, on how many there are.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from ..errors import InvalidOptionError, MissingDependencyError
from .cpu_cores import default_threads

ABI = 4
"""Equals `GOT_ABI` in csrc/export.h: a library left over from an older checkout is not called."""

INSTRUCTION_SETS = ("portable", "avx2", "avx512", "amx", "mmla")
"""By their numbers in csrc/isa.h; the best one of a machine is never "amx" nor "mmla"."""

MAX_THREADS = 256
"""`GOT_MAX_THREADS` in csrc/pool.h."""


def library_path() -> Path | None:
    """The built library beside this file, `None` where there is none."""
    folder = Path(__file__).parent
    return next((p for s in EXTENSION_SUFFIXES if (p := folder / f"_native{s}").is_file()), None)


@cache
def _load() -> ctypes.CDLL | str:
    """The library, or the reason why it cannot be used, as the end of a sentence."""
    if os.environ.get("GOT_OCR2_NATIVE") == "0":
        return "the environment variable GOT_OCR2_NATIVE is 0"
    path = library_path()
    if path is None:
        return "the library was not built when the package was installed, which takes gcc or clang"
    try:
        loaded = ctypes.CDLL(str(path))
        found = loaded.got_abi()
    except (OSError, AttributeError) as error:
        return f"the library does not load ({error})"
    if found != ABI:
        return f"the library is of interface {found} and the package needs {ABI}: install the package again"
    loaded.got_set_threads.argtypes = [ctypes.c_int]
    loaded.got_set_threads.restype = None
    name = os.environ.get("GOT_OCR2_ISA")
    if name is not None and (
        name not in INSTRUCTION_SETS or loaded.got_isa_use(INSTRUCTION_SETS.index(name)) != 0
    ):
        best = INSTRUCTION_SETS[loaded.got_isa_best()]
        return f"the environment variable GOT_OCR2_ISA is {name!r} and this machine offers up to {best!r}"
    loaded.got_set_threads(min(default_threads(), MAX_THREADS))
    return loaded


def available() -> bool:
    """Whether the native kernels can be used in this process."""
    return not isinstance(_load(), str)


def why_not() -> str | None:
    """The reason why they cannot be used, `None` where they can."""
    loaded = _load()
    return loaded if isinstance(loaded, str) else None


def native() -> ctypes.CDLL:
    """The loaded library.

    Raises:
        MissingDependencyError: there is none; the message gives the reason.
    """
    loaded = _load()
    if isinstance(loaded, str):
        raise MissingDependencyError(f"The native kernels cannot be used: {loaded}.")
    return loaded


def instruction_set(name: str | None = None) -> str:
    """The instruction set in use, after choosing `name` if given; it holds for the whole process.

    Raises:
        InvalidOptionError: unknown, or not offered by this machine.
    """
    lib = native()
    if name is not None and (
        name not in INSTRUCTION_SETS or lib.got_isa_use(INSTRUCTION_SETS.index(name)) != 0
    ):
        offered = ", ".join(INSTRUCTION_SETS[: lib.got_isa_best() + 1])
        raise InvalidOptionError(
            f"The instruction set {name!r} is not one of those of this machine: {offered}."
        )
    return INSTRUCTION_SETS[lib.got_isa_used()]


def threads() -> int:
    """Threads that the kernels use, the calling one included."""
    return native().got_threads()


def set_threads(count: int) -> None:
    """Sets that number, for the whole process, after the running computation; 1..256.

    Raises:
        InvalidOptionError: out of range.
    """
    if not 1 <= count <= MAX_THREADS:
        raise InvalidOptionError(f"The number of threads is {count}; it must be between 1 and {MAX_THREADS}.")
    native().got_set_threads(count)
