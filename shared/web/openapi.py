"""What every API's OpenAPI document says besides its routes: the key of each POST, and errors as problem documents."""

from typing import Any

from fastapi import FastAPI

from shared.web.idempotency import LONGEST_KEY

Schema = dict[str, Any]
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A text that is new for each new request. Sent again with the same one, a request is done once and "
    "gets the same answer for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
}
FIELD_ERROR = {
    "type": "object",
    "required": ["field", "reason"],
    "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457, in the language of Accept-Language",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": FIELD_ERROR},
    },
}
REFUSED = {
    "description": "Refused, and nothing was changed. 401: no valid API key; 403: it may not do this; 404: not known; "
    "409: a rule or a newer state speaks against it, or the first request with this key still runs; 413: too large; "
    "422: named fields are not valid, or the key was used for another request; 429: too often, see Retry-After",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
NOT_NOW = {**REFUSED, "description": "503: a part does not answer at the moment. Send the same again after Retry-After"}
DEFAULTS = ("HTTPValidationError", "ValidationError")  # what FastAPI says of errors, and we never answer


def describe_edge(app: FastAPI) -> None:
    """Have the application's OpenAPI document say what its middleware and error handlers do."""
    routes_alone = app.openapi

    def openapi() -> Schema:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(routes_alone())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(document: Schema) -> Schema:
    for path in document["paths"].values():
        for method, operation in path.items():
            if method == "post":
                operation["parameters"] = [*operation.get("parameters", ()), KEY]
            operation["responses"].pop("422", None)
            operation["responses"] |= {"4XX": REFUSED, "5XX": NOT_NOW}
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in DEFAULTS:
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    return document
