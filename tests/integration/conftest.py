"""Every test here that needs MongoDB or NATS runs twice: against child processes, and against containers.

Those that measure, or look at pages, are marked `processes_only`: a second run of them would tell nothing new.
"""

import pytest

from tests.support.engine import engine_answers, engine_is_required


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask for both; pytest puts those of one kind together, so that each server starts once for all of them."""
    if "in_container" not in metafunc.fixturenames:
        return
    if metafunc.definition.get_closest_marker("processes_only"):
        return
    run = engine_is_required() or engine_answers()
    not_run = [] if run else [pytest.mark.skip("no container engine answers")]
    # None is what the tests outside of this folder have: they share their servers with the first kind.
    kinds = [pytest.param(None, id="process"), pytest.param("container", id="container", marks=not_run)]
    metafunc.parametrize("in_container", kinds, indirect=True, scope="session")
