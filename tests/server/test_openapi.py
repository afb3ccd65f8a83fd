"""The OpenAPI document is true: schemathesis asks for whatever it allows, and for what it does not."""

from __future__ import annotations

import base64
import json
import re

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lazy_modules import lazy_module

schemathesis = lazy_module("schemathesis")

RENDERING = ("POST /read", "POST /render", "POST /jobs")
READING = ("POST /read", "POST /v1/chat/completions", "POST /v1/ocr", "POST /jobs")

# What a schema does not say: the documents' own sizes, options that exclude each other or that a kind of model does not
# know, and what stands in a text. Each is known by its sentence; every other refusal is a failure.
EXCUSED = (
    (
        ("POST /v1/chat/completions",),
        r"^The messages hold no picture and no file",
        "a part may stand in any message",
    ),
    (("POST /v1/chat/completions",), r"needs logprobs to be true", "one field depends on another"),
    (READING, r"^Page \d+ was asked for, but .* ends at page 1", "depends on the document"),
    (READING, r"^A range of pages runs forwards|^Pages are counted from 1", "two numbers within one text"),
    (READING, r"is empty or reversed: it needs x1 < x2", "a number depends on another"),
    (READING, r"reaches over the page", "depends on the document"),
    (
        READING,
        r"cannot go with multi_page|^A draft is of no use|but crop=True does so",
        "options exclude each other",
    ),
    (READING, r"for models that read whole pages", "with lines, a model does not know all options"),
    (RENDERING, r" cannot be written as |needs the places of words", "a kind of text has formats of its own"),
    (RENDERING, r"^The page has no table|^This is no |", "depends on the text"),
)


def excused(operation, answer):
    if answer.status_code not in (400, 422):
        return False
    said = answer.json()["error"]["message"]
    return any(operation in operations and re.search(words, said) for operations, words, _ in EXCUSED)


def test_the_document_is_true(serve, png):

    from schemathesis.specs.openapi.checks import positive_data_acceptance

    picture = png(40, 30)
    encoded = base64.b64encode(picture).decode()
    for name, values in {
        "binary": [picture],
        "byte": [encoded, f"data:image/png;base64,{encoded}"],
        "uri": [f"data:image/png;base64,{encoded}"],
        "json": ["{}", '{"confidence": "word"}', '{"skip_blank": false}'],
    }.items():
        schemathesis.openapi.format(name, st.sampled_from(values))
    server = serve(lambda pages: "text")
    document = schemathesis.openapi.from_dict(server.http.get("/openapi.json").json())
    few = settings(
        max_examples=10,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    asked = []
    for found in document.get_all_operations():
        operation = found.ok()
        asked.append(f"{operation.method.upper()} {operation.path}")

        @few
        @given(case=operation.as_strategy())
        def check(case):
            answer = case.call(base_url=server.url, timeout=60)
            without = [positive_data_acceptance] if excused(asked[-1], answer) else []
            case.validate_response(answer, excluded_checks=without)

        check()
    for path in (*READING, *RENDERING):
        assert path in asked


def test_the_bound_of_seeds_is_told_exactly(serve, png):
    """The document tells bounds as floats, whose digits end at 2^53: of 2^63 it told 9223372036854776000."""
    server = serve(lambda pages: "text")
    schemas = server.http.get("/openapi.json").json()["components"]["schemas"].values()
    seeds = [fields["seed"] for schema in schemas if "seed" in (fields := schema.get("properties", {}))]
    assert len(seeds) >= 2
    assert {int(json.loads(str(seed["anyOf"][0]["exclusiveMaximum"]))) for seed in seeds} == {2**53}
    address = f"data:image/png;base64,{base64.b64encode(png(40, 30)).decode()}"
    asked = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": address}}]}
    for seed, code in ((2**53 - 1, 200), (2**53, 400)):
        body = {"model": "got-ocr2", "messages": [asked], "seed": seed}
        assert server.http.post("/v1/chat/completions", json=body).status_code == code
        given = {"files": {"file": ("a.png", png(40, 30))}, "data": {"options": json.dumps({"seed": seed})}}
        assert server.http.post("/read", **given).status_code == code
