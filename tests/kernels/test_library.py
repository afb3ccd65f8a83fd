"""Loading the native library: switches, reasons, instruction sets."""

from __future__ import annotations

import subprocess
import sys

import pytest

from got_ocr2 import kernels
from got_ocr2.errors import InvalidOptionError

needs_native = pytest.mark.skipif(not kernels.available(), reason=str(kernels.why_not()))


def in_new_process(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"from got_ocr2 import kernels as k\n{code}"],
        capture_output=True, text=True, check=True, env={"PATH": "", **environment},
    )  # fmt: skip
    return done.stdout.strip()


def test_available_or_a_reason():
    assert kernels.available() == (kernels.why_not() is None)


def test_switched_off():
    assert in_new_process("print(k.available(), k.why_not())", GOT_OCR2_NATIVE="0") == (
        "False the environment variable GOT_OCR2_NATIVE is 0"
    )
    code = "from got_ocr2.errors import MissingDependencyError as E\ntry: k.native()\nexcept E as e: print(e)"
    assert in_new_process(code, GOT_OCR2_NATIVE="0") == (
        "The native kernels cannot be used: the environment variable GOT_OCR2_NATIVE is 0."
    )


def test_not_built(monkeypatch, tmp_path):
    from got_ocr2.kernels import library

    monkeypatch.delenv("GOT_OCR2_NATIVE", raising=False)
    monkeypatch.setattr(library, "__file__", str(tmp_path / "library.py"))
    assert library.library_path() is None
    assert "was not built" in str(library._load.__wrapped__())
    (tmp_path / "_native.abi3.so").write_bytes(b"no library at all")
    assert "does not load" in str(library._load.__wrapped__())


@needs_native
def test_a_library_of_another_checkout_is_refused(monkeypatch):
    from got_ocr2.kernels import library

    monkeypatch.setattr(library, "ABI", -1)
    assert "install the package again" in str(library._load.__wrapped__())


@needs_native
def test_every_instruction_set_up_to_the_best_can_be_chosen():
    best = kernels.instruction_set()
    try:
        assert kernels.instruction_set("portable") == "portable"
    finally:
        kernels.instruction_set(best)
    with pytest.raises(InvalidOptionError, match=r"'mmx' is not one of those of this machine: portable"):
        kernels.instruction_set("mmx")


@needs_native
def test_instruction_set_from_the_environment():
    assert in_new_process("print(k.instruction_set())", GOT_OCR2_ISA="portable") == "portable"
    reason = in_new_process("print(k.why_not())", GOT_OCR2_ISA="mmx")
    assert reason.startswith("the environment variable GOT_OCR2_ISA is 'mmx'")
