"""The OpenAPI document is true: schemathesis asks for whatever it allows, and for what it does not."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings

schemathesis = pytest.importorskip("schemathesis")


def test_the_document_is_true(serve):
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    server = serve(lambda pages: "text")
    document = schemathesis.openapi.from_dict(server.http.get("/openapi.json").json())
    few = settings(
        max_examples=3,
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
            # No schema says which texts are the base64 of a picture.
            case.call_and_validate(
                base_url=server.url, timeout=60, excluded_checks=[positive_data_acceptance]
            )

        check()
    for path in ("POST /read", "POST /v1/chat/completions", "POST /v1/ocr", "POST /jobs", "POST /render"):
        assert path in asked
