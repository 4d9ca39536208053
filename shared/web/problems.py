"""Errors as answers: RFC 9457 problem details for programs. The one place that maps a kind of error to a status."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.errors import (
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    RuleBroken,
    TooLarge,
    TooManyRequests,
    TryLater,
)
from shared.mongo import StoreError
from shared.ui.language import preferred, sentence, translate

log = logging.getLogger(__name__)
STATUS: dict[type[RuleBroken], int] = {
    NotSignedIn: 401,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    Invalid: 422,
    TooManyRequests: 429,
    TryLater: 503,
}
TYPE_PREFIX = "https://perspektive.example/problems/"


class BodyInvalid(Invalid):
    """The request has fields that are missing or not valid; each is named below with the reason."""


class UnexpectedFailure(RuleBroken):
    """Something went wrong on our side. Nothing was changed; please try again."""


def status_of(error: RuleBroken) -> int:
    """The HTTP status of an error, by its kind."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def handler_for(handlers: Mapping[Any, Any], error: Exception) -> Any:
    """The handler of the nearest of the error's classes that has one; there must be one for Exception."""
    return next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)


def problem(error: RuleBroken, language: str, errors: Sequence[dict[str, Any]] = ()) -> JSONResponse:
    """The problem document of `error`; `errors` names single fields with their reasons."""
    extras = {name: value for name, value in error.values.items() if isinstance(value, int | str | bool)}
    body: dict[str, Any] = {
        **extras,
        "type": TYPE_PREFIX + error.slug(),
        "title": translate(type(error).template(), language) if not error.values else sentence(error, language),
        "status": status_of(error),
        "detail": sentence(error, language),
    }
    if error.field:
        errors = [{"field": error.field, "reason": sentence(error, language)}, *errors]
    if errors:
        body["errors"] = list(errors)
    headers = {"Retry-After": str(error.values.get("seconds", 1))} if body["status"] in (429, 503) else {}
    if body["status"] == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, body["status"], headers, media_type="application/problem+json")


REASONS = {
    "missing": "This field is required.",
    "string_too_short": "This must not be empty.",
    "string_too_long": "This is too long: at most {max_length} characters.",
    "int_parsing": "This must be a whole number.",
    "int_type": "This must be a whole number.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than_equal": "This must be at most {le}.",
    "greater_than": "This must be more than {gt}.",
    "date_from_datetime_parsing": "This must be a date, for example 2026-12-01.",
    "date_parsing": "This must be a date, for example 2026-12-01.",
    "datetime_from_date_parsing": "This must be a date and time, for example 2026-12-01T09:00.",
    "datetime_parsing": "This must be a date and time, for example 2026-12-01T09:00.",
    "bool_parsing": "This must be true or false.",
    "literal_error": "This must be one of: {expected}.",
    "extra_forbidden": "There is no field of this name.",
    "too_short": "At least {min_length} are needed.",
    "too_long": "At most {max_length} are allowed.",
    "json_invalid": "This is not valid JSON.",
    "string_type": "This must be a text.",
    "list_type": "This must be a list.",
    "dict_type": "This must be an object with fields.",
    "model_type": "This must be an object with fields.",
    "model_attributes_type": "This must be an object with fields.",
    "bool_type": "This must be true or false.",
    "int_from_float": "This must be a whole number.",
    "date_type": "This must be a date, for example 2026-12-01.",
    "date_from_datetime_inexact": "This must be a date, for example 2026-12-01.",
    "datetime_type": "This must be a date and time, for example 2026-12-01T09:00.",
    "datetime_object_invalid": "This must be a date and time, for example 2026-12-01T09:00.",
    "timezone_aware": "This must be an instant with an offset or Z, for example 2026-12-01T09:00Z.",
    "string_pattern_mismatch": "This does not have the form that is expected here.",
}
PATTERNS = {
    r"^\d{5}$": "This must have five digits, for example 57072.",
    r"^\d{6}$": "This must have six digits, for example 190512.",
}


def field_errors(errors: Sequence[Any], language: str) -> list[dict[str, str]]:
    """Pydantic's errors as {field, reason}, in `language`, without the input (it may be personal)."""
    return [{"field": _field_name(error["loc"]), "reason": _reason(error, language)} for error in errors]


def _field_name(location: Sequence[Any]) -> str:
    return ".".join(str(part) for part in location if part not in ("body", "query", "path"))


def _reason(error: Any, language: str) -> str:
    context = error.get("ctx", {})
    if isinstance(context.get("error"), RuleBroken):
        return sentence(context["error"], language)
    if error["type"] == "value_error" and "email" in str(error["msg"]):
        return translate("This is not a valid e-mail address.", language)
    template = PATTERNS.get(context.get("pattern", "")) or REASONS.get(error["type"])
    return translate(template, language).format(**context) if template else str(error["msg"])


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the API with a problem document; never with a stack trace."""

    async def on_rule(request: Request, error: RuleBroken) -> JSONResponse:
        return problem(error, preferred(request.headers.get("accept-language")))

    async def on_body(request: Request, error: RequestValidationError) -> JSONResponse:
        language = preferred(request.headers.get("accept-language"))
        return problem(BodyInvalid(), language, field_errors(error.errors(), language))

    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        kind = {404: NotFound, 403: NotAllowed, 401: NotSignedIn}.get(error.status_code)
        if kind:
            return await on_rule(request, kind())
        body = {"type": "about:blank", "title": str(error.detail), "status": error.status_code}
        return JSONResponse(body, error.status_code, error.headers, media_type="application/problem+json")

    async def on_store(request: Request, error: StoreError) -> JSONResponse:
        log.warning("the store did not answer: %s", type(error).__name__)
        return await on_rule(request, TryLater())

    async def on_anything(request: Request, error: Exception) -> JSONResponse:
        log.error("unexpected failure", exc_info=error)
        return await on_rule(request, UnexpectedFailure())

    app.add_exception_handler(RuleBroken, on_rule)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, on_body)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, on_http)  # type: ignore[arg-type]
    app.add_exception_handler(StoreError, on_store)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, on_anything)
