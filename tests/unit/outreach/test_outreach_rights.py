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
    "enter_for", "free_former",
    "free_visits", "forget_former",
    "erase_known", "remove_within", "active_person", "refresh_names",
    "withdraw_member", "erase_visit_contacts", "forget_erased_ambassadors", "decide_on", "keep_free", "load",
    "bounds_of", "message_of", "expire_proposals", "erase_feedback", "prove_figures",
    "mark_mail_trouble",
}  # fmt: skip
BEFORE_SIGN_IN = {
    "ask_for_sign_in", "sign_in_by_link", "sign_in_by_code", "sign_in_by_provider",
    "see_invitation", "accept_invitation", "decline_invitation", "send_feedback",
}  # fmt: skip
NOT_ASKED = IN_PROCESS_ONLY | BEFORE_SIGN_IN
FOR_ONESELF = {"sign_out_everywhere", "sign_out", "change_own_facts"}
MINE = (
    "account", "api_keys", "campaigns", "colleagues", "companies", "coverage", "erasure", "feedback", "find",
    "organisations", "people", "reports", "schools", "sign_in", "uploads",
)  # fmt: skip
FOR_EVERY_ROLE = {
    "get_school", "list_schools", "find_schools", "get_campaign", "list_campaigns", "own_organisations",
}  # fmt: skip
OTHER_TEACHER = identity(("teacher", "999999"))


class Untouchable:
    """A store whose use fails the test: who is not allowed must be refused before anything is read."""

    def __getattr__(self, name: str):
        raise AssertionError(f"the store was touched ({name}) before the caller was refused")


def use_cases(modules=None, besides=()):
    found = []
    for path in sorted(Path(next(iter(usecases.__path__))).glob("*.py")):
        module = importlib.import_module(f"services.outreach.usecases.{path.stem}")
        if modules is None or path.stem in modules:
            found += [
                pytest.param(function, id=f"{path.stem}.{name}")
                for name, function in vars(module).items()
                if is_public(function, module) and name not in besides
            ]
    return found


def is_public(function, module):
    mine = inspect.iscoroutinefunction(function) and function.__module__ == module.__name__
    return mine and not function.__name__.startswith("_")


def asked_by(function, who):
    given = {
        "store": Untouchable(),
        "identity": who,
        "role": RoleGiven(kind="operator"),
        "school_id": "100022",
        "organisation_id": "100022",
    }
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is inspect.Parameter.empty]
    return function(**{p.name: given.get(p.name) for p in needed})


@pytest.mark.parametrize("use_case", use_cases())
def test_a_use_case_either_asks_who_it_is_for_or_is_known_to_be_for_this_process_alone(use_case):
    takes_identity = "identity" in inspect.signature(use_case).parameters
    assert takes_identity != (use_case.__name__ in NOT_ASKED)


@pytest.mark.parametrize("use_case", use_cases(MINE, besides=NOT_ASKED | FOR_ONESELF))
async def test_a_use_case_refuses_somebody_without_a_role(use_case):
    with pytest.raises(NotAllowed):
        await asked_by(use_case, NOBODY)


@pytest.mark.parametrize("use_case", use_cases(MINE, besides=NOT_ASKED | FOR_ONESELF | FOR_EVERY_ROLE))
async def test_a_use_case_refuses_a_teacher_of_another_school_unless_it_is_for_every_role(use_case):
    with pytest.raises(NotAllowed):
        await asked_by(use_case, OTHER_TEACHER)
