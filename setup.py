"""The native kernels, as setuptools builds them; everything else about the package is in pyproject.toml.

They are one plain shared library without Python's headers, so one build serves every Python (the `abi3` in its name
and in the wheel's). A machine without a C compiler gets the package all the same: it then computes with torch.
"""

import sys
from glob import glob

from setuptools import Extension, setup

# Needs POSIX threads, and gcc's or clang's way of choosing instructions for each function.
BUILDABLE = sys.platform != "win32"
FLAGS = ["-std=gnu11", "-O3", "-fno-math-errno", "-fvisibility=hidden", "-pthread", "-Wall"]

native = Extension(
    "got_ocr2.kernels._native",
    sources=sorted(glob("src/got_ocr2/kernels/csrc/*.c")),
    depends=sorted(glob("src/got_ocr2/kernels/csrc/*.h")),
    extra_compile_args=FLAGS,
    extra_link_args=["-pthread", "-lm"],
    py_limited_api=True,
    optional=True,
)

setup(
    ext_modules=[native] if BUILDABLE else [],
    options={"bdist_wheel": {"py_limited_api": "cp310"}} if BUILDABLE else {},
)
