"""A short run of `benchmarks/hostile_inputs.py`: hostile inputs are read, or refused in one sentence."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr2.config import parse_config
from got_ocr2.documents import PageRanges
from got_ocr2.errors import ConfigError, InvalidOptionError
from got_ocr2.ocr import EMBEDDED_MODEL

ROOT = Path(__file__).parents[1] / "benchmarks"


def _load(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # the one imports the other
    spec.loader.exec_module(module)
    return module


hostile, runner = _load("hostile"), _load("hostile_inputs")
DOCUMENTS = [kind for kind, action in hostile.ACTIONS.items() if action is hostile.read_document]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "count"), [*((kind, 10) for kind in DOCUMENTS), ("markup", 10),
                                             ("config", 3), ("tokenizer", 3), ("safetensors", 3)])  # fmt: skip
def test_hostile_inputs_are_read_or_refused_in_a_sentence(kind, count, tmp_path):
    for number in range(count):
        rng = random.Random(f"tests:{number}")
        found = runner._outcome(hostile.ACTIONS[kind], kind, rng, tmp_path)
        assert found["outcome"] in ("read", "refused"), (number, found)


def test_sound_inputs_are_read_and_the_same_seed_gives_the_same_input():
    for kind, files in hostile.pictures().items():
        for data in files:
            with hostile.open_document(data, limits=hostile.LIMITS) as document:
                assert all(document.load(number).image.mode == "RGB" for number in document.numbers), kind
    png = hostile.pictures()["png"]
    first, second = (hostile.mutated(png[0], random.Random("0:1"), png) for _ in range(2))
    assert first == second != png[0]
    assert tuple(hostile._pdfs()) == hostile.pictures()["pdf"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (ZeroDivisionError(), "traceback"),
        (AssertionError("one"), "lost"),
        (ConfigError("two\nlines."), "not one sentence"),
    ],
)
def test_faults_are_noticed(fault, said, tmp_path):
    def broken(*_):
        raise fault
        yield

    assert runner._outcome(broken, "png", random.Random(0), tmp_path)["outcome"] == said


SOUND = json.loads((EMBEDDED_MODEL / "config.json").read_text("utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(part=st.sampled_from([None, "vision_config", "text_config"]), place=st.integers(0, 30), value=VALUES)
def test_a_configuration_is_sound_or_refused(part, place, value):
    data = json.loads(json.dumps(SOUND))
    inside = data if part is None else data[part]
    inside[[*inside][place % len(inside)]] = value
    try:
        config = parse_config(data)
    except ConfigError as e:
        assert runner.is_sentence(str(e))  # noqa: PT017
    else:
        assert parse_config(config.to_dict()) == config


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("0123456789-, \u0663x"), max_size=12), st.integers(1, 50))
def test_page_ranges_are_pages_or_refused(text, count):
    try:
        pages = PageRanges.parse(text).select(count, "a.pdf")
    except InvalidOptionError as e:
        assert runner.is_sentence(str(e))  # noqa: PT017
    else:
        assert pages
        assert len(set(pages)) == len(pages)
        assert all(1 <= page <= count for page in pages)
