"""What `OCR` refuses before anything is opened or loaded."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

import got_ocr2.ocr
from fake_ocr import fake_ocr, picture
from got_ocr2 import OCR
from got_ocr2.errors import InvalidOptionError
from got_ocr2.reading import ReadOptions

NONSENSE = {
    "box and multi_page": ({"box": [0, 0, 1, 1], "multi_page": True}, "cannot go with multi_page"),
    "short box": ({"box": [1, 2, 3]}, r"x1, y1, x2, y2 in pixels, got \[1, 2, 3\]"),
    "reversed box": ({"box": [5, 0, 1, 1]}, r"\[5, 0, 1, 1\] is empty or reversed"),
    "negative box": ({"box": [-1, 0, 1, 1]}, "finite numbers from 0"),
    "nan box": ({"box": [0, 0, float("nan"), 1]}, "finite numbers from 0"),
    "text box": ({"box": "0,0,1,1"}, "x1, y1, x2, y2"),
    "no tokens": ({"max_new_tokens": 0}, "max_new_tokens must be a whole number >= 1, got 0"),
    "no patches": ({"max_patches": 0}, "max_patches must be a whole number >= 1, got 0"),
    "half a flag": ({"format": "yes"}, "format must be True or False, got 'yes'"),
    "pages": ({"pages": "x"}, "Pages are named like"),
    "dpi": ({"dpi": 0}, "dpi must be above 0, got 0"),
    "color": ({"color": "[red]"}, "color must be a word"),
}


@pytest.mark.parametrize(("options", "message"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_before_anything_is_opened(options, message):
    ocr = fake_ocr()
    for call in (ocr.read, ocr.stream, lambda source, **o: ocr.read_many([source], **o)):
        with pytest.raises(InvalidOptionError, match=message):
            call("missing.png", **options)


def test_an_unknown_option_is_named_with_the_nearest_known_one():
    ocr = fake_ocr()
    for call in (ocr.stream, ocr.read_many, ocr.events):
        with pytest.raises(InvalidOptionError, match="no option 'multipage'; did you mean 'multi_page'"):
            call("x", multipage=True)
    with pytest.raises(InvalidOptionError, match="no option 'zzz'; there are: format"):
        ocr.stream("x", zzz=1)


def test_the_dialect_is_asked_before_anything_is_opened():
    ocr = fake_ocr()
    ocr.processor.dialect = "original"
    with pytest.raises(InvalidOptionError, match='"original" dialect has no prompt for a box and a color'):
        ocr.read("missing.png", box=[0, 0, 1, 1], color="red")


def test_several_sources_are_not_read_as_one_by_accident():
    with pytest.raises(InvalidOptionError, match=r"2 sources .* needs multi_page=True"):
        fake_ocr().read([picture(1, 1), picture(2, 2)])
    with pytest.raises(InvalidOptionError, match="empty list"):
        fake_ocr().read([], multi_page=True)


BAD_ENGINES = {
    "quantization": ({"quantization": "int3"}, 'quantization is "int8", "int4" or None, got \'int3\''),
    "kernels": ({"kernels": "cuda"}, 'kernels is "auto", "native" or "torch", got \'cuda\''),
    "both": ({"kernels": "torch", "quantization": "int8"}, "needs the native kernels"),
    "size": ({"kv_memory": "much"}, "kv_memory is a size such as \"2GB\" or a number of bytes, got 'much'"),
    "no size": ({"kv_memory": 0}, "kv_memory is a size"),
    "batch": ({"max_batch": 0}, "max_batch must be a whole number >= 1, got 0"),
}


@pytest.mark.parametrize(("options", "message"), BAD_ENGINES.values(), ids=BAD_ENGINES)
def test_bad_engines_are_refused_before_anything_is_loaded(options, message):
    with pytest.raises(InvalidOptionError, match=message):
        OCR.from_pretrained("nowhere/nothing", **options)


def test_read_takes_every_option_of_reading():
    taken = list(inspect.signature(OCR.read).parameters.values())[2:]
    fields = dataclasses.fields(ReadOptions)
    assert sorted(one.name for one in taken) == sorted(field.name for field in fields)
    defaults = {one.name: one.default for one in taken}
    assert ReadOptions() == ReadOptions(**{**defaults, "limits": got_ocr2.ocr.Limits()})
