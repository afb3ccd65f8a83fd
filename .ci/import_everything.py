"""Imports every module of the installed package: with core dependencies only, none may ask for an extra."""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module, metadata

import got_ocr2

# Triton comes with CUDA builds of torch; the package looks for it before it imports these.
TRITON = (".triton_kernels", ".triton_operations")
extras = {"transformers", "pytest", "verovio", "rdkit", "matplotlib", "typst", "nltk"}
present = {d.metadata["Name"].lower() for d in metadata.distributions()} & extras
if present:
    sys.exit(f"Not a core installation: {', '.join(sorted(present))}.")
# Made of FastAPI throughout; `got-ocr2 serve` asks for the extra before it imports any of it.
SERVER = "got_ocr2.server."
names = [
    m.name
    for m in pkgutil.walk_packages(got_ocr2.__path__, "got_ocr2.")
    if not m.name.endswith(("__main__", "._native", *TRITON)) and not m.name.startswith(SERVER)
]
for name in names:
    import_module(name)
print(f"{len(names)} modules imported with core dependencies only.")
