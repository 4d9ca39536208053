"""Pages: templates, forms and their guards, the person's language, and errors that a person can read."""

import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from shared.auth import Identity
from shared.errors import Invalid, NotAllowed, NotFound, RuleBroken, TooLarge, TryLater
from shared.ids import derived_id, random_id
from shared.ui import language as words
from shared.ui.error_summary import ErrorSummary
from shared.ui.menu import home_of, initials, menu, section
from shared.ui.switch import switch_choices
from shared.ui.templating import environment
from shared.web.assets import Assets
from shared.web.callers import SignInNeeded, came_from, path_and_query, sign_in_address, visitor
from shared.web.idempotency import LARGEST_BODY, BodyTooLarge
from shared.web.problems import BodyInvalid, field_errors, handler_for, status_of

UI = Path(__file__).parent.parent / "ui"
LANGUAGE_COOKIE = "perspektive_language"
KB = 1024
LARGEST_FORM = 64 * KB
LONGEST_CURSOR = 200  # characters
MOST_FILES, MOST_FIELDS_BESIDE_FILES, MOST_FIELDS = 2, 10, 1000


class OnlyForForms(RuleBroken):
    """This address only takes a form. Please start again from the page to which it belongs."""


class FormExpired(NotAllowed):
    """This form is too old or came from another page. Please open the page again and send it once more."""


class FormTooLarge(TooLarge):
    """This form holds more than {most} kB, or does not say how much. Please go back and shorten what you have typed."""


class Pages:
    """Renders one service's templates within the common look; `zone` is the region's."""

    def __init__(self, service: str, templates: Path, zone: str) -> None:
        self.service = service
        self.assets = Assets(UI / "static")
        self._environments = {code: environment([templates, UI / "templates"], code, zone) for code in ("de", "en")}

    def show(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """The page `template` for this request's person and language. ValueError when `values` take a name that the
        frame around every page has for itself."""
        language = language_of(request)
        person: Identity | None = getattr(request.state, "person", None)
        common = {
            "request": request,
            "path": request.url.path,
            "status": status,
            "service": self.service,
            "static": self._static,
            "person": person,
            "csrf": masked(person.csrf) if person else "",
            "lang": language,
            "new_request_id": random_id,
            "menu": lambda who: menu(who, language),
            "section": section,
            "home_page": home_of(person.roles) if person else "/",
            "initials": initials,
            "list_page": lambda address: _list_page(request, address),
            "switch_choices": lambda who: switch_choices(who, language),
        }
        if taken := common.keys() & values.keys():
            raise ValueError(f"{template} takes names of the frame: {sorted(taken)}")
        usual = {"this_page": _this_page(request), "errors": {}, "values": {}}
        environment, summary = self._environments[language], ErrorSummary()
        frame = {**usual, **common, **values, "note_label": summary.note, "summary_place": summary.place}
        html = environment.get_template(template).render(frame)
        return HTMLResponse(summary.put_into(html, frame["errors"], environment), status)

    def _static(self, name: str) -> str:
        """The address of a file below shared/ui/static."""
        return f"/{self.service}/static/{name}?v={self.assets.version(name)}"


def _this_page(request: Request) -> str:
    """The page to show again after a change of language: this one, or for an answered form the one it came from."""
    asked = path_and_query(request.url) if request.method in ("GET", "HEAD") else came_from(request)
    return asked or str(request.scope.get("root_path", "")) + "/"


def _list_page(request: Request, address: str) -> str:
    """The list at `address`, with the filters in it when the reader comes from there."""
    path, _, query = came_from(request).partition("?")
    kept = [each for each in query.split("&") if each and not each.startswith("done=")]
    return f"{path}?{'&'.join(kept)}" if path == address and kept else address


def language_of(request: Request) -> words.Language:
    """The chosen language (cookie), else the person's own, else the browser's, else German."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in ("de", "en"):
        return chosen  # type: ignore[return-value]
    person: Identity | None = getattr(request.state, "person", None)
    return person.language if person else words.preferred(request.headers.get("accept-language"))


def same_origin(request: Request) -> bool:
    """Whether the browser says that a form was sent from a page of this origin."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and origin.rstrip("/") == request.app.state.public_url.rstrip("/")


def masked(token: str) -> str:
    """A session's form token as a page carries it: different on each page, so that a page's compressed length tells
    nothing of it (the attack called BREACH)."""
    mask = secrets.token_bytes(len(token) // 2)
    return (mask + _xor(mask, bytes.fromhex(token))).hex()


def _unmasked(value: str) -> str:
    try:
        both = bytes.fromhex(value)
    except ValueError:
        return ""
    half = len(both) // 2
    return _xor(both[:half], both[half:]).hex()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))


async def posted(request: Request, *, uploads: bool = False) -> FormData:
    """The fields of a form that this person's own page sent; FormExpired for anything else.

    FormTooLarge; BodyTooLarge when `uploads` are expected.
    """
    form = await _read_form(request, uploads)
    person: Identity | None = getattr(request.state, "person", None)
    if person is not None and not _carries(form, person.csrf):
        raise FormExpired
    return form


async def _read_form(request: Request, uploads: bool = False) -> FormData:
    """Nothing of a form from elsewhere or of one that is too large is read."""
    if not same_origin(request):
        raise FormExpired
    most = LARGEST_BODY if uploads else LARGEST_FORM
    size = request.headers.get("content-length", "")
    if not (size.isascii() and size.isdigit() and int(size[:12]) <= most):
        raise BodyTooLarge if uploads else FormTooLarge(most=LARGEST_FORM // KB)
    if uploads:
        return await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS_BESIDE_FILES)
    return await request.form(max_files=0, max_fields=MOST_FIELDS)


def _carries(form: FormData, token: str) -> bool:
    return secrets.compare_digest(_unmasked(str(form.get("csrf", ""))), token)


def form_request_id(person: Identity, form: FormData) -> str:
    """The request id of a form, the same when it is sent twice by accident; FormExpired for a form without one."""
    if not form.get("request_id"):
        raise FormExpired
    return derived_id(person.id, form["request_id"])


def nested(form: Mapping[str, Any], lists: Sequence[str] = ()) -> dict[str, Any]:
    """Form fields named like `group.pupils` as nested dictionaries; empty texts are left out, their groups are not:
    what lacks in a group is named by its field.

    Names in `lists` are read from all their values (checkboxes). Invalid for a name that is both a text and a group.
    """
    result: dict[str, Any] = {}
    for name, value in form.items():
        if name in ("csrf", "request_id") or name in lists:
            continue
        *parents, last = name.split(".")
        target = result
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                raise _invalid_field(parent)
        if value != "":
            target[last] = value.strip() if isinstance(value, str) else value
    for name in lists:
        result[name] = [v for v in form.getlist(name) if v] if hasattr(form, "getlist") else form.get(name, [])
    return result


def _invalid_field(name: str) -> Invalid:
    error = Invalid()
    error.field = name
    return error


def errors_by_field(error: RuleBroken | ValidationError, language: str) -> dict[str, str]:
    """For a form shown again: field name → reason; the reason that belongs to no field stands under `""`.

    What is wrong with one entry of a list stands at the list's field, and names the entry.
    """
    if isinstance(error, ValidationError):
        return dict(_at_field(**item, language=language) for item in reversed(field_errors(error.errors(), language)))
    return {error.field or "": words.sentence(error, language)}


def _at_field(field: str, reason: str, language: str) -> tuple[str, str]:
    name, _, entry = field.rpartition(".")
    if not (name and entry.isdecimal()):
        return field, reason
    numbered = words.translate("Entry {number}: {reason}", language)
    return name, numbered.format(number=int(entry) + 1, reason=reason)


def asked_after(request: Request) -> str | None:
    """The cursor in a list's address; BodyInvalid for one that is none of ours."""
    cursor = request.query_params.get("after") or None
    if cursor and len(cursor) > LONGEST_CURSOR:
        raise BodyInvalid
    return cursor


def validated(model: type[BaseModel], fields: dict[str, Any]) -> Any:
    """The command in `fields`; pydantic.ValidationError when it does not fit."""
    return model.model_validate(fields)


def see_other(path: str) -> RedirectResponse:
    """After a form: show the page `path` (303)."""
    return RedirectResponse(path, 303)


def add_page_handlers(app: FastAPI, pages: Pages) -> None:
    """Errors of pages as pages (the API keeps its problem documents), and the language switch."""
    problems = dict(app.exception_handlers)

    def for_pages(kind: Any, show: Any) -> None:
        async def handler(request: Request, error: Any) -> Response:
            if "/api/" in request.url.path:
                return await problems[kind](request, error)  # type: ignore[misc]
            return await show(request, error)

        app.add_exception_handler(kind, handler)

    async def rule_page(request: Request, error: RuleBroken) -> Response:
        if isinstance(error, SignInNeeded):
            return _to_sign_in(request, error)
        await visitor(request)
        sentence = words.sentence(error, language_of(request))
        return pages.show(request, "error.html", status_of(error), sentence=sentence, kind=error.slug())

    async def any_page(request: Request, error: Exception) -> Response:
        answer = await handler_for(problems, error)(request, error)
        sentence = words.sentence(TryLater(), language_of(request)) if answer.status_code == 503 else None
        page = pages.show(request, "error.html", answer.status_code, sentence=sentence, kind="")
        if "Retry-After" in answer.headers:
            page.headers["Retry-After"] = answer.headers["Retry-After"]
        return page

    async def http_page(request: Request, error: Any) -> Response:
        await visitor(request)
        if error.status_code == 404:
            return await rule_page(request, NotFound())
        sentence = words.sentence(OnlyForForms(), language_of(request)) if error.status_code == 405 else None
        page = pages.show(request, "error.html", error.status_code, sentence=sentence, kind="")
        page.headers.update(error.headers or {})
        return page

    async def body_page(request: Request, error: Any) -> Response:
        return await rule_page(request, BodyInvalid())

    for kind in problems:
        name = getattr(kind, "__name__", "")
        show = {
            "RuleBroken": rule_page, "HTTPException": http_page, "RequestValidationError": body_page,
        }.get(name, any_page)  # fmt: skip
        if not isinstance(kind, int) and name != "WebSocketRequestValidationError":
            for_pages(kind, show)
    _add_language_switch(app, pages)


def _to_sign_in(request: Request, error: SignInNeeded) -> Response:
    """Leads to the sign-in page; an update of a page's part stays undone, and the next click leads there.

    It must not take the page away: another service may hear of a new session a moment later than this one.
    """
    if request.headers.get("HX-Request") == "true":
        return Response(status_code=401)
    return see_other(sign_in_address(error.back_to, unsent=request.method == "POST"))


def _add_language_switch(app: FastAPI, pages: Pages) -> None:
    @app.post("/language", include_in_schema=False)
    async def choose_language(request: Request) -> Response:
        form = await _read_form(request)
        if form.get("language") not in ("de", "en"):
            raise Invalid
        back = str(form.get("back", "/"))
        answer = see_other(back if re.match(r"^/[^/\\]", back) else f"/{pages.service}/")
        answer.set_cookie(
            LANGUAGE_COOKIE, str(form["language"]), max_age=365 * 86400, samesite="lax", httponly=True,
            secure=request.app.state.public_url.startswith("https"),
        )  # fmt: skip
        return answer
