"""The option `kv_cache`: what it may be, where it is refused, and that the engine runs with it."""

from __future__ import annotations

from typing import Any

import pytest

from got_ocr2 import OCR
from got_ocr2 import kernels as native_kernels
from got_ocr2.errors import InvalidOptionError
from got_ocr2.modeling.backends.native.runner import NativeRunner
from got_ocr2.reading.engine_options import EngineOptions


@pytest.mark.skipif(not native_kernels.available(), reason="needs the native kernels")
@pytest.mark.parametrize(
    ("quantization", "kv_cache", "stored"),
    [
        (None, "auto", "fp32"), ("int8", "auto", "bf16"), ("int8", "fp32", "fp32"), (None, "bf16", "bf16"),
        (None, "int8", "int8"),
    ],
)  # fmt: skip
def test_caches_by_name(
    byte_folder: Any, page_image: Any, quantization: Any, kv_cache: Any, stored: str
) -> None:
    ocr = OCR.from_pretrained(byte_folder, device="cpu", quantization=quantization, kv_cache=kv_cache)
    assert ocr.read(page_image, max_new_tokens=8).tokens == 8
    assert isinstance(ocr._runner, NativeRunner)
    assert ocr._runner.cache == stored
    ocr.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kv_cache": "fp16"}, 'kv_cache is "auto", "fp32", "bf16" or "int8", got \'fp16\''),
        ({"kv_cache": "bf16", "kernels": "torch"}, "kv_cache='bf16' needs the native kernels"),
    ],
)
def test_what_cannot_be_had_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        EngineOptions(**options)
