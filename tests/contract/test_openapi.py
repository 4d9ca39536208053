"""The OpenAPI documents say what the services answer, and nothing that fits them makes a service fail.

Requests are made up from the documents by schemathesis, sound ones and broken ones, and sent to a real start with its
demo data; half of the ids in them exist. The same requests each time; OPENAPI_EXAMPLES=200 tries other and more ones.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.instance import REAL, Instance, started

SERVICES = ("outreach", "events", "notify")
EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "0"))
FEW = settings(
    max_examples=EXAMPLES or 12,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
HOLDS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
Known = dict[str, list[str]]


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with started(tmp_path_factory.mktemp("openapi") / "data", command=REAL) as running:
        yield running


@pytest.fixture(scope="module")
def api(instance: Instance) -> Iterator[httpx.Client]:
    key = (instance.data / "coordinator-api-key").read_text().strip()
    with httpx.Client(
        base_url=instance.addresses["url"], headers={"Authorization": f"Bearer {key}"}, timeout=60
    ) as client:
        yield client


@pytest.mark.parametrize("service", SERVICES)
def test_each_post_names_its_key_and_every_operation_its_errors(api: httpx.Client, service: str) -> None:
    document = api.get(f"/{service}/api/v1/openapi.json").json()
    assert "HTTPValidationError" not in str(document)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            named = {each["name"] for each in operation.get("parameters", []) if each["required"]}
            assert ("Idempotency-Key" in named) == (method == "post"), (path, method)
            assert {"4XX", "5XX"} <= set(operation["responses"]), (path, method)


@pytest.mark.parametrize("service", SERVICES)
def test_no_request_that_a_document_allows_or_forbids_makes_a_service_fail(api: httpx.Client, service: str) -> None:
    documents = schemathesis.openapi.from_url(f"{api.base_url}/{service}/api/v1/openapi.json")
    known, tried = known_ids(api), 0
    for found in documents.get_all_operations():
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            tried += try_out(api, found.ok(), mode, known)
    assert tried >= 24, "hardly anything was tried"


def try_out(api: httpx.Client, operation: APIOperation, mode: GenerationMode, known: Known) -> int:
    """Send some requests of one operation; returns how many."""
    tried = 0

    @FEW
    @given(st.data())
    def requests(data: st.DataObject) -> None:
        nonlocal tried
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if data.draw(st.booleans()):
            aim(case, data, known)
        response = case.call(headers={"Authorization": api.headers["Authorization"]})
        case.validate_response(response, checks=HOLDS)
        tried += 1

    requests()
    return tried


def aim(case: Case, data: st.DataObject, known: Known) -> None:
    """Put ids that exist into the path and the body."""
    for part in (case.path_parameters, case.body):
        if isinstance(part, dict):
            for name in sorted(set(part) & set(known)):
                part[name] = data.draw(st.sampled_from(known[name]))


def known_ids(api: httpx.Client) -> Known:
    """Ids that occur in the first page of each list, by their names in paths and bodies."""
    known: dict[str, set[str]] = defaultdict(set)
    for service in SERVICES:
        paths = api.get(f"/{service}/api/v1/openapi.json").json()["paths"]
        for path in paths:
            if "get" in paths[path] and "{" not in path and (answer := api.get(f"/{service}{path}")).is_success:
                collect(answer.json(), path, known)
    return {name: sorted(ids) for name, ids in known.items()}


def collect(answer: Any, path: str, known: dict[str, set[str]]) -> None:
    """Ids of the listed things by the name of the list, and by their own names what they refer to."""
    items = answer.get("items", []) if isinstance(answer, dict) else answer
    kind = re.sub(r"ies$", "y", path.rsplit("/", 1)[-1]).removesuffix("s").replace("-", "_")
    for item in (each for each in items if isinstance(each, dict)):
        if "id" in item:
            known[f"{kind}_id"].add(item["id"])
        for name, value in item.items():
            if name.endswith("_id") and isinstance(value, str) and value:
                known[name].add(value)
