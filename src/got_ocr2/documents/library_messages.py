"""libtiff prints a line for every fault of a file, and Python what Pillow and pikepdf log where nobody has set up
logging; what matters of them is in our sentences."""

from __future__ import annotations

import ctypes
import functools
import logging
import os

from PIL import Image


@functools.cache
def silence_libraries() -> None:
    """Takes away the handlers by which Pillow's libtiff prints, for the whole process; logs go to those who want them.

    Nothing is changed where GOT_OCR2_TRACEBACK is set, or where Pillow hides its libtiff (Windows).
    """
    if os.environ.get("GOT_OCR2_TRACEBACK"):
        return
    for name in ("PIL", "pikepdf"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    core: object = getattr(Image, "core", None)
    try:
        library = ctypes.CDLL(getattr(core, "__file__", ""))
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            set_handler = getattr(library, name)
            set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
            set_handler(None)
    except (AttributeError, OSError, TypeError):
        return
