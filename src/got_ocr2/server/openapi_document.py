"""The OpenAPI document: FastAPI's, with the schemas of results and the errors as they are."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from .api.shapes import components
from .routes.jobs import JobBody
from .routes.read import ReadBody
from .routes.render import RenderAnswer


def openapi_of(app: FastAPI, keys: bool, most_tokens: int) -> dict[str, Any]:
    """The document of an application, made once.

    Args:
        app: with all of its routes.
        keys: whether API keys are needed.
        most_tokens: that a request may ask for, a page.
    """
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            routes=app.routes,
            tags=app.openapi_tags,
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        results = components()
        assert not schemas.keys() & results.keys()
        schemas.update(results)
        for model in (ReadBody, JobBody, RenderAnswer):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs", {}))
            schemas[model.__name__] = schema
        schemas["Options"]["properties"]["max_new_tokens"]["anyOf"][0]["maximum"] = most_tokens
        # Our own answer takes the place of the framework's.
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        for path in document["paths"].values():
            for operation in path.values():
                answer = operation["responses"].get("422", {})
                if "HTTPValidationError" in str(answer):
                    del operation["responses"]["422"]
        if keys:
            document["components"]["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            }
            document["security"] = [{"bearer": []}, {"key": []}]
        app.openapi_schema = document
    return app.openapi_schema
