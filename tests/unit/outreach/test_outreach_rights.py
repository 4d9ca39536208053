"""Deny by default: every use case that somebody asks for refuses whoever has no role, before it looks at anything."""

import importlib
import inspect
from pathlib import Path

import pytest

from services.outreach import usecases
from services.outreach.domain.people import RoleGiven
from shared.errors import NotAllowed
from tests.support.outreach import NOBODY, identity

IN_PROCESS_ONLY = {
    "ensure_coordinator", "ensure_api_key", "make_sign_in_link", "close_schools", "erase_due", "enter_within",
    "erase_known",
}  # fmt: skip
BEFORE_SIGN_IN = {"ask_for_sign_in", "sign_in_by_link", "sign_in_by_code"}
MINE = (
    "api_keys", "campaigns", "companies", "erasure", "messages", "people", "reports", "schools", "sign_in", "uploads",
)  # fmt: skip
FOR_EVERY_ROLE = {"get_school", "list_schools", "get_campaign", "list_campaigns"}
OTHER_TEACHER = identity(("teacher", "999999"))


class Untouchable:
    """A store whose use fails the test: who is not allowed must be refused before anything is read."""

    def __getattr__(self, name: str):
        raise AssertionError(f"the store was touched ({name}) before the caller was refused")


def use_cases(modules=None):
    found = []
    for path in sorted(Path(next(iter(usecases.__path__))).glob("*.py")):
        if modules and path.stem not in modules:
            continue
        module = importlib.import_module(f"services.outreach.usecases.{path.stem}")
        for name, function in vars(module).items():
            mine = inspect.iscoroutinefunction(function) and function.__module__ == module.__name__
            if mine and not name.startswith("_"):
                found.append(pytest.param(function, id=f"{path.stem}.{name}"))
    return found


def asked_by(function, who):
    given = {"store": Untouchable(), "identity": who, "role": RoleGiven(kind="operator"), "school_id": "100022"}
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is inspect.Parameter.empty]
    return function(**{p.name: given.get(p.name) for p in needed})


@pytest.mark.parametrize("use_case", use_cases())
def test_a_use_case_either_asks_who_it_is_for_or_is_known_to_be_for_this_process_alone(use_case):
    takes_identity = "identity" in inspect.signature(use_case).parameters
    assert takes_identity or use_case.__name__ in IN_PROCESS_ONLY | BEFORE_SIGN_IN


@pytest.mark.parametrize("use_case", use_cases(MINE))
async def test_a_use_case_refuses_somebody_without_a_role(use_case):
    if "identity" not in inspect.signature(use_case).parameters or use_case.__name__ == "sign_out_everywhere":
        pytest.skip("for this process, or for whoever asks about himself")
    with pytest.raises(NotAllowed):
        await asked_by(use_case, NOBODY)


@pytest.mark.parametrize("use_case", use_cases(MINE))
async def test_a_use_case_refuses_a_teacher_of_another_school_unless_it_is_for_every_role(use_case):
    needs_identity = "identity" in inspect.signature(use_case).parameters
    if not needs_identity or use_case.__name__ in FOR_EVERY_ROLE | {"sign_out_everywhere"}:
        pytest.skip("for this process, or for everybody with a role")
    with pytest.raises(NotAllowed):
        await asked_by(use_case, OTHER_TEACHER)
