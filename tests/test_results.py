from __future__ import annotations

import dataclasses
import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr2.errors import EncryptedDocumentError, InputError
from got_ocr2.results import (
    DocumentResult,
    PageError,
    PageResult,
    Repetition,
    Request,
    Speculation,
    TextPart,
    json_schema,
)

VALIDATOR = jsonschema.Draft202012Validator(json_schema())
BROKEN = PageError("InputError", "a.png is damaged.", 2)

counts = st.integers(0, 10**6)
requests = st.builds(
    Request,
    format=st.booleans(),
    box=st.none() | st.tuples(*[st.floats(0, 1e5)] * 4),
    color=st.none() | st.sampled_from(["red", "green", "blue"]),
    multi_page=st.booleans(),
    crop=st.booleans(),
    max_patches=st.none() | st.integers(1, 12),
)

shares = st.floats(0, 1)
parts = st.lists(st.builds(TextPart, st.text(), counts, counts, shares), max_size=3).map(tuple)
repetitions = st.builds(
    Repetition,
    st.sampled_from(["stop", "penalise", "retry_cropped", "ignore"]),
    st.none() | st.integers(1, 500),
    counts,
    st.booleans(),
)


@st.composite
def page_results(draw: st.DrawFn) -> PageResult:
    status = draw(st.sampled_from(["complete", "truncated", "looped", "empty", "failed"]))
    reasons = {"failed": ["error"], "truncated": ["length", "deadline"], "looped": ["looped"]}
    reason = draw(st.sampled_from(reasons.get(status, ["stop"])))
    return PageResult(
        text=draw(st.text()) if status != "failed" else "",
        status=status,
        finish_reason=reason,
        source=draw(st.text()),
        page_numbers=tuple(draw(st.lists(st.integers(1, 10**4), min_size=1))),
        width=draw(counts),
        height=draw(counts),
        prompt_tokens=draw(counts),
        tokens=draw(counts),
        seconds=draw(st.floats(0, 1e6)),
        mean_logprob=draw(st.none() | st.floats(-100, 0)),
        lines=draw(st.none() | parts),
        words=draw(st.none() | parts),
        characters=draw(st.none() | st.lists(shares, max_size=5).map(tuple)),
        repetition=draw(repetitions if status == "looped" else st.none() | repetitions),
        speculation=draw(st.none() | st.builds(Speculation, counts, counts, st.none() | shares)),
        request=draw(requests),
        error=BROKEN if status == "failed" else None,
    )


documents = st.builds(DocumentResult, st.text(), st.lists(page_results(), min_size=1, max_size=3).map(tuple))


@settings(deadline=None)
@given(page_results())
def test_page_results_survive_json_and_keep_the_schema(result):
    data = json.loads(result.to_json())
    VALIDATOR.validate(data)
    assert PageResult.from_dict(data) == result
    assert data == json.loads(json.dumps(result.to_dict()))


@settings(deadline=None)
@given(documents)
def test_document_results_survive_json_and_keep_the_schema(result):
    data = json.loads(result.to_json(indent=2))
    VALIDATOR.validate(data)
    assert DocumentResult.from_dict(data) == result
    assert data["text"] == result.text


def test_the_schema_is_a_schema_and_refuses_what_is_no_result():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    good = PageResult("hi", "complete", "stop").to_dict()
    for change in (
        {"status": "done"},
        {"extra": 1},
        {"tokens": -1},
        {"page_numbers": []},
        {"kind": "document"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(good | change, json_schema())


def test_every_field_is_written():
    data = PageResult("hi", "complete", "stop").to_dict()
    assert set(data) == {f.name for f in dataclasses.fields(PageResult)} | {"kind", "confidence"}
    assert set(data["request"]) == {f.name for f in dataclasses.fields(Request)}


def test_text_outside_ascii_is_written_as_it_is():
    assert "日本 é" in PageResult("日本 é", "complete", "stop").to_json()


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["complete", "failed", "looped"], "failed"),
        (["truncated", "looped", "empty"], "looped"),
        (["empty", "truncated", "complete"], "truncated"),
        (["empty", "complete"], "complete"),
        (["empty", "empty"], "empty"),
    ],
)
def test_a_document_is_as_good_as_its_worst_page(statuses, expected):
    pages = tuple(
        PageResult(
            "x" * (s != "empty"), s, "stop",
            error=BROKEN if s == "failed" else None,
            repetition=Repetition("stop", 3, 99) if s == "looped" else None,
        )
        for s in statuses
    )  # fmt: skip
    assert DocumentResult("a", pages).status == expected


def test_a_document_adds_its_pages_up():
    pages = [PageResult(text, "complete", "stop", tokens=3, seconds=0.5) for text in ("a", "", "b")]
    result = DocumentResult("x", tuple(pages))
    assert (result.text, result.tokens, result.seconds) == ("a\n\nb", 9, 1.5)


def test_impossible_results_are_refused():
    for fields, message in (
        ({"status": "done"}, "status is one of"),
        ({"finish_reason": "tired"}, "finish reason is one of"),
        ({"page_numbers": ()}, "at least one page"),
        ({"error": BROKEN}, "exactly when it failed"),
        ({"status": "failed"}, "exactly when it failed"),
        ({"status": "looped"}, "looped says what was repeated"),
    ):
        with pytest.raises(InputError, match=message):
            PageResult(**({"text": "", "status": "complete", "finish_reason": "stop"} | fields))
    with pytest.raises(InputError, match="no page results"):
        DocumentResult("x", ())


def test_what_is_no_result_is_not_read():
    page = PageResult("hi", "complete", "stop").to_dict()
    document = DocumentResult("x", (PageResult("hi", "complete", "stop"),)).to_dict()
    for cls, data, message in (
        (PageResult, {}, '"kind": "page", got None'),
        (PageResult, document, "got 'document'"),
        (PageResult, page | {"txt": 1}, "no field 'txt'"),
        (PageResult, {"kind": "page"}, "not a got-ocr2 page result"),
        (PageResult, page | {"request": {"colour": "red"}}, "not a got-ocr2 page result"),
        (PageResult, page | {"words": [{"word": "hi"}]}, "not a got-ocr2 page result"),
        (DocumentResult, page, "got 'page'"),
        (DocumentResult, {"kind": "document", "source": "x"}, "not a got-ocr2 document result"),
    ):
        with pytest.raises(InputError, match=message):
            cls.from_dict(data)


def test_errors_keep_their_sentence_and_exit_code():
    ours = PageError.from_exception(EncryptedDocumentError("a.pdf is encrypted and needs a password."))
    assert ours == PageError("EncryptedDocumentError", "a.pdf is encrypted and needs a password.", 8)
    assert PageError.from_exception(RuntimeError("boom")) == PageError(
        "RuntimeError", "RuntimeError: boom", 15
    )
    assert PageError.from_exception(MemoryError()).message == "MemoryError."
