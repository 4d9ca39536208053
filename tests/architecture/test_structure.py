"""The structure holds; and each rule is shown a source that breaks it, so that it is known to bite."""

import subprocess
import sys
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from tests.architecture import rules

RULES_OF_CODE = [
    rules.service_imports_another,
    rules.imports_are_relative,
    rules.shared_imports_a_service,
    rules.domain_does_io,
    rules.pure_module_does_io,
    rules.asks_the_clock,
    rules.names_the_broker,
    rules.builds_a_client,
    rules.does_something_at_import,
    rules.file_too_long,
    rules.function_too_long,
]

LONG_FUNCTION = "def long():\n" + "    pass\n" * 50

BROKEN: list[tuple[Any, str, str]] = [
    (rules.service_imports_another, "services/events/web.py", "from services.notify import usecases"),
    (rules.service_imports_another, "services/events/web.py", "from services import outreach"),
    (
        rules.service_imports_another,
        "services/notify/store/core.py",
        "def f():\n    import services.events.domain",
    ),
    (rules.service_imports_another, "services/events/web.py", "import_module('services.notify.app')"),
    (rules.imports_are_relative, "services/events/web.py", "from . import usecases"),
    (rules.imports_are_relative, "services/events/web.py", "from ..notify import usecases"),
    (rules.shared_imports_a_service, "shared/service.py", "from services.events.app import create_app"),
    (rules.domain_does_io, "services/events/domain.py", "from motor.motor_asyncio import AsyncIOMotorDatabase"),
    (rules.domain_does_io, "services/events/domain/slots.py", "import httpx"),
    (rules.domain_does_io, "services/events/domain/slots.py", "import asyncio"),
    (rules.domain_does_io, "services/events/domain/slots.py", "import os"),
    (rules.domain_does_io, "services/events/domain/slots.py", "from shared import mongo"),
    (rules.domain_does_io, "services/events/domain/slots.py", "from shared.auth import Identity"),
    (rules.domain_does_io, "services/events/domain/slots.py", "from services.events.store import Store"),
    (rules.domain_does_io, "services/events/domain/slots.py", "async def take(): pass"),
    (rules.domain_does_io, "services/events/domain/slots.py", "def take():\n    open('x')"),
    (rules.domain_does_io, "services/events/domain/slots.py", "def take(path):\n    path.read_text()"),
    (rules.pure_module_does_io, "shared/errors.py", "import socket"),
    (rules.pure_module_does_io, "services/outreach/school_register/parse.py", "from pathlib import Path"),
    (rules.domain_does_io, "services/events/domain.py", "from services.outreach import school_register"),
    (rules.pure_module_does_io, "shared/schemas/events.py", "from shared.mongo import Document"),
    (rules.asks_the_clock, "services/events/domain.py", "def take():\n    return datetime.now(UTC)"),
    (rules.asks_the_clock, "services/events/usecases/slots.py", "def take():\n    return datetime.datetime.utcnow()"),
    (rules.asks_the_clock, "services/events/usecases.py", "def take():\n    return date.today()"),
    (rules.asks_the_clock, "services/events/usecases.py", "def take():\n    return time.time()"),
    (rules.asks_the_clock, "services/events/usecases.py", "from time import time"),
    (rules.asks_the_clock, "services/events/usecases.py", "def take(self):\n    return self._clock.now()"),
    (rules.names_the_broker, "shared/outbox.py", "import nats.errors"),
    (rules.names_the_broker, "services/events/consumer.py", "from faststream.nats import NatsBroker"),
    (rules.names_the_broker, "services/events/usecases.py", "from shared.broker import Broker"),
    (rules.builds_a_client, "services/events/store.py", "from motor.motor_asyncio import AsyncIOMotorClient"),
    (rules.builds_a_client, "services/events/store.py", "import pymongo\ndef f():\n    pymongo.MongoClient()"),
    (rules.builds_a_client, "deploy/local/seed.py", "from pymongo import AsyncMongoClient"),
    (rules.does_something_at_import, "services/events/app.py", "app = create_app(settings, clock)"),
    (rules.does_something_at_import, "services/events/app.py", "class A:\n    settings = Settings()"),
    (rules.does_something_at_import, "services/events/app.py", "if True:\n    client = connect(url)"),
    (rules.does_something_at_import, "services/events/app.py", "import os\nURL = os.environ['MONGODB_URL']"),
    (rules.file_too_long, "services/events/store.py", "x = 1\n" * 401),
    (rules.function_too_long, "services/events/store.py", LONG_FUNCTION),
    (
        rules.function_too_long,
        "services/events/store.py",
        "class A:\n" + indent(LONG_FUNCTION, "    "),
    ),
    (rules.names_a_machine, "docs/operations.md", "see /" + "root/notes.txt"),
    (rules.names_a_machine, "docs/operations.md", "cd /" + "home/erika/perspektive"),
]

SOUND: list[tuple[Any, str, str]] = [
    (rules.service_imports_another, "services/events/web.py", "from services.events import usecases"),
    (rules.domain_does_io, "services/events/domain/slots.py", "from datetime import datetime\nimport re"),
    (rules.domain_does_io, "services/events/store.py", "import pymongo"),
    (rules.asks_the_clock, "services/events/usecases.py", "def take(now):\n    return now.date()"),
    (rules.asks_the_clock, "services/events/consumer.py", "def take(clock):\n    return clock.now()"),
    (rules.names_the_broker, "shared/broker.py", "import nats"),
    (rules.names_the_broker, "services/events/domain.py", "from services.events.natsuki import x"),
    (rules.builds_a_client, "shared/mongo.py", "from motor.motor_asyncio import AsyncIOMotorClient"),
    (rules.does_something_at_import, "services/events/app.py", "def f():\n    return create_app(Settings())"),
    (rules.does_something_at_import, "services/events/__main__.py", 'if __name__ == "__main__":\n    run()'),
    (rules.function_too_long, "services/events/store.py", LONG_FUNCTION.replace("    pass\n", "", 1)),
    (rules.names_a_machine, "README.md", "curl http://127.0.0.1:8000/events/work/1 and services/root/x"),
]


@pytest.mark.parametrize("rule", RULES_OF_CODE, ids=lambda rule: rule.__name__)
def test_the_code_keeps_the_rule(rule: Any):
    assert rules.violations_in(rule, *rules.CODE) == []


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN, ids=lambda value: getattr(value, "__name__", None))
def test_the_rule_catches_what_breaks_it(rule: Any, path: str, text: str):
    assert list(rule(path, text)) != []


@pytest.mark.parametrize(("rule", "path", "text"), SOUND, ids=lambda value: getattr(value, "__name__", None))
def test_the_rule_lets_pass_what_is_sound(rule: Any, path: str, text: str):
    assert list(rule(path, text)) == []


def test_there_is_code_to_look_at():
    assert len(list(rules.files(*rules.CODE))) > 20


def test_functions_of_tests_can_be_read_at_a_glance_too():
    assert rules.violations_in(rules.function_too_long, "tests") == []


TEXTS = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".html", ".css", ".txt", ".po", ".sh", ""}


def tracked_texts() -> list[tuple[str, str]]:
    """Every text file of the repository, and what is about to become one."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=rules.ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    found = []
    for name in names:
        path = rules.ROOT / name
        if path.is_file() and path.suffix in {
            ".py",
            ".md",
            ".toml",
            ".yaml",
            ".yml",
            ".json",
            ".html",
            ".txt",
            ".po",
            "",
        }:
            found.append((name, path.read_text(errors="ignore")))
    return found


def test_nothing_names_a_path_of_a_machine():
    texts = tracked_texts()
    assert len(texts) > 50
    assert [sentence for path, text in texts for sentence in rules.names_a_machine(path, text)] == []


def entries(service: Path) -> dict[str, int]:
    """The names in a service's folder, with the bytes that are in each."""
    return {
        path.name: sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) or path.stat().st_size
        if path.is_dir()
        else path.stat().st_size
        for path in service.iterdir()
        if path.name != "__pycache__"
    }


@pytest.mark.parametrize("service", rules.SERVICES)
def test_the_same_names_stand_in_each_service(service: str):
    folder = rules.ROOT / "services" / service
    assert list(rules.wrong_names(service, entries(folder))) == []


def test_a_missing_a_strange_and_an_empty_name_are_found():
    sound = dict.fromkeys(
        [name if name.endswith(".md") or name == "domain" else f"{name}.py" for name in rules.REQUIRED], 100
    )
    assert list(rules.wrong_names("events", sound)) == []
    without = {name: size for name, size in sound.items() if name != "consumer.py"}
    assert list(rules.wrong_names("events", without)) == ["services/events has no consumer"]
    assert list(rules.wrong_names("events", {**sound, "helpers.py": 5})) != []
    assert list(rules.wrong_names("events", {**sound, "api.py": 0})) == ["services/events/api.py is empty"]


GUARD = """
import importlib, os, socket, sys
def refuse(*_, **__):
    raise RuntimeError("opens a socket at import")
for name in ("connect", "connect_ex", "bind", "sendto"):
    setattr(socket.socket, name, refuse)
socket.getaddrinfo = refuse
for module in sys.argv[1:]:
    importlib.import_module(module)
"""


def import_with_an_empty_environment(modules: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Import `modules` in a fresh process without any setting, which may not open a socket."""
    command = [sys.executable, "-c", GUARD, *modules]
    return subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True)


def modules() -> list[str]:
    """Every module that is imported and not run (`python -m` runs a __main__)."""
    paths = [path for path, _ in rules.files(*rules.CODE) if not path.endswith("__main__.py")]
    return [path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in paths]


def test_every_module_can_be_imported_with_an_empty_environment_and_opens_no_socket():
    done = import_with_an_empty_environment(modules(), rules.ROOT)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize(
    "text",
    [
        "import socket\nsocket.create_connection(('127.0.0.1', 9))",
        "from os import environ\nURL = environ['MONGODB_URL']",
    ],
)
def test_a_module_that_does_something_at_import_is_found(text: str, tmp_path: Path):
    (tmp_path / "busy.py").write_text(text)
    assert import_with_an_empty_environment(["busy"], tmp_path).returncode != 0
