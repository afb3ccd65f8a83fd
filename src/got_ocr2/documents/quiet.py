"""libtiff prints a line of its own for every fault of a file; what matters of them is in our sentences."""

from __future__ import annotations

import ctypes
import functools
import os

from PIL import Image


@functools.cache
def silence_libtiff() -> None:
    """Takes away the handlers by which Pillow's libtiff prints, for the whole process.

    Nothing is changed where GOT_OCR2_TRACEBACK is set, or where Pillow hides its libtiff (Windows).
    """
    if os.environ.get("GOT_OCR2_TRACEBACK"):
        return
    core: object = getattr(Image, "core", None)
    try:
        library = ctypes.CDLL(getattr(core, "__file__", ""))
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            set_handler = getattr(library, name)
            set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
            set_handler(None)
    except (AttributeError, OSError, TypeError):
        return
