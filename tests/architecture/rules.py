"""The rules of the structure as pure functions: source text in, one sentence per violation out.

Hand-written on `ast`, because most of these rules are about calls, file names and lengths, which import checkers do
not see, and the rest is a dozen lines.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("shared", "services", "deploy")
SERVICES = ("outreach", "events", "notify")

BROKER_LIBRARIES = {"nats", "faststream"}
CLIENT_BUILDERS = {"AsyncIOMotorClient", "AsyncMongoClient", "MongoClient"}
INPUT_AND_OUTPUT = {
    "aiohttp", "aiosmtplib", "aiosmtpd", "asyncio", "bson", "concurrent", "fastapi", "faststream", "glob", "http",
    "httpx", "io", "jinja2", "logging", "motor", "multiprocessing", "nats", "os", "pathlib", "pymongo", "random",
    "requests", "secrets", "shutil", "signal", "smtplib", "socket", "ssl", "starlette", "subprocess", "sys", "tempfile",
    "threading", "time", "urllib", "uvicorn",
}  # fmt: skip
PURE_SHARED = (
    "shared.bounds",
    "shared.errors",
    "shared.identity",
    "shared.ids",
    "shared.offsets",
    "shared.schemas",
    "shared.school_calendar",
    "shared.texts",
)
PURE_OWN = (
    "services.outreach.school_register",  # a file format: text in, facts out
    "services.notify.consent",  # the rules about pupils, apart from those about mails
    "services.notify.urgency",  # which mail goes first
)
SHIPPED_FACTS = ("shared.region",)  # reads only the data files that come with the code
COMMANDS = ("shared.schemas.compatibility", "shared.schemas.asyncapi")  # run by hand, and by tests
CLOCK_CALLS = {"now", "utcnow", "today", "fromtimestamp", "time", "monotonic", "perf_counter", "time_ns", "sleep"}
CLOCK_OWNERS = {"datetime", "date", "time", "clock", "dt"}
BUILDERS = {"create_app", "connect", "open", "getenv", "run", "front_door", *CLIENT_BUILDERS}

REQUIRED = ("README.md", "__main__", "settings", "app", "web", "api", "consumer", "usecases", "domain", "store")
OPTIONAL = ("templates", "edge")
OWN = {
    "outreach": {"school_register", "first_coordinator"},
    "events": set(),
    "notify": {
        "answers",
        "bounces",
        "bounce_mailbox",
        "calendar",
        "consent",
        "digest",
        "mails",
        "mime",
        "preview",
        "rendering",
        "samples",
        "sender",
        "smtp",
        "suppression",
        "timing",
        "urgency",
    }
    | {"webhooks", "vtimezone", "words", "feeds", "worded", "wording", "wording_fields"},
}
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
MACHINE_PATH = re.compile(r"(?<![\w.\-/:}])/(?:work|root|home/\w+|Users/\w+|tmp/\w+)/")

Violations = Iterator[str]


def files(*folders: str) -> Iterator[tuple[str, str]]:
    """(path from the root, text) of every Python file below `folders`."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text()


def violations_in(rule: object, *folders: str) -> list[str]:
    """What `rule(path, text)` says of every Python file below `folders`."""
    return [sentence for path, text in files(*folders) for sentence in rule(path, text)]  # type: ignore[operator]


def imported(text: str) -> set[str]:
    """The modules, and names in modules, that the source imports, wherever it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found |= {f"{module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Call) and _name(node.func) in ("import_module", "__import__"):
            found |= {str(part.value) for part in node.args if isinstance(part, ast.Constant)}
    return found


def belongs(name: str, modules: Iterable[str]) -> bool:
    """Whether the imported name is one of `modules` or within one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def service_imports_another(path: str, text: str) -> Violations:
    """Services import nothing of each other."""
    own = path.split("/")[1] if path.startswith("services/") else ""
    others = [f"services.{other}" for other in SERVICES if other != own]
    if own:
        yield from (f"{path} imports {name}" for name in sorted(imported(text)) if belongs(name, others))


def imports_are_relative(path: str, text: str) -> Violations:
    """Imports are absolute; the rules here rely on it."""
    yield from (f"{path} imports {name}" for name in sorted(imported(text)) if name.startswith("."))


def shared_imports_a_service(path: str, text: str) -> Violations:
    """shared knows no service."""
    if path.startswith("shared/"):
        for name in sorted(imported(text)):
            if belongs(name, ["services", "deploy", "tests"]):
                yield f"{path} imports {name}"


def is_domain(path: str) -> bool:
    """Whether the file holds a service's rules."""
    return re.match(r"services/\w+/domain(\.py|/)", path) is not None


def domain_does_io(path: str, text: str) -> Violations:
    """The domain imports nothing that does I/O, awaits nothing and opens nothing."""
    if not is_domain(path):
        return
    own = ".".join(path.split("/")[:2])
    own_modules = [module for module in PURE_OWN if module.startswith(f"{own}.")]
    allowed = (*PURE_SHARED, *SHIPPED_FACTS, f"{own}.domain", *own_modules)
    for name in sorted(imported(text)):
        if belongs(name, INPUT_AND_OUTPUT) or (belongs(name, ["shared", "services"]) and not belongs(name, allowed)):
            yield f"{path} imports {name}"
    yield from _awaiting(path, text)


def pure_module_does_io(path: str, text: str) -> Violations:
    """What the domain may import besides itself does no I/O either."""
    module, pure = path.removesuffix(".py").replace("/", "."), (*PURE_SHARED, *PURE_OWN)
    if not belongs(module, pure) or belongs(module, COMMANDS):
        return
    for name in sorted(imported(text)):
        impure = belongs(name, ["shared", "services"]) and not belongs(name, (*pure, *SHIPPED_FACTS))
        if belongs(name, INPUT_AND_OUTPUT) or impure:
            yield f"{path} imports {name}"
    yield from _awaiting(path, text)


def _awaiting(path: str, text: str) -> Violations:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield f"{path}:{node.lineno} awaits"
        if isinstance(node, ast.Call) and _name(node.func) in ("open", "print", "input", "read_text", "write_text"):
            yield f"{path}:{node.lineno} calls {_name(node.func)}"


def asks_the_clock(path: str, text: str) -> Violations:
    """Time is passed in: rules and use cases never ask a clock."""
    if not (is_domain(path) or re.match(r"services/\w+/usecases(\.py|/)", path)):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCK_CALLS:
            owner = _name(node.func.value)
            if owner.strip("_").lower() in CLOCK_OWNERS and not (owner == "datetime" and node.func.attr == "time"):
                yield f"{path}:{node.lineno} calls {owner}.{node.func.attr}"
    for name in sorted(imported(text)):
        if belongs(name, ["time", "shared.clock"]):
            yield f"{path} imports {name}"


def names_the_broker(path: str, text: str) -> Violations:
    """Only shared/broker.py names the broker's libraries; services do not even import that file."""
    if path == "shared/broker.py":
        return
    for name in sorted(imported(text)):
        if belongs(name, BROKER_LIBRARIES) or (path.startswith("services/") and belongs(name, ["shared.broker"])):
            yield f"{path} imports {name}"


def builds_a_client(path: str, text: str) -> Violations:
    """Only shared/mongo.py imports the driver's async half or builds a client."""
    if path == "shared/mongo.py":
        return
    for name in sorted(imported(text)):
        if belongs(name, ["motor"]) or name.rpartition(".")[2] in CLIENT_BUILDERS:
            yield f"{path} imports {name}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and _name(node.func) in CLIENT_BUILDERS:
            yield f"{path}:{node.lineno} builds a {_name(node.func)}"


def does_something_at_import(path: str, text: str) -> Violations:
    """Settings, connections and applications are built in functions."""
    for node in _at_import(ast.parse(text).body):
        if isinstance(node, ast.Call) and (_name(node.func) in BUILDERS or _name(node.func).endswith("Settings")):
            yield f"{path}:{node.lineno} calls {_name(node.func)} at import"
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
            yield f"{path}:{node.lineno} reads the environment at import"


def _at_import(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes that run when the module is imported: no function's body, and nothing below __name__ == "__main__"."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
            continue
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        waiting += ast.iter_child_nodes(node)


def file_too_long(path: str, text: str) -> Violations:
    """A file you can hold in your head."""
    if (lines := text.count("\n")) > LONGEST_FILE:
        yield f"{path} has {lines} lines; at most {LONGEST_FILE}"


def function_too_long(path: str, text: str) -> Violations:
    """Functions that can be read at a glance."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{path}:{node.lineno} {node.name} has {lines} lines; at most {LONGEST_FUNCTION}"


def names_a_machine(path: str, text: str) -> Violations:
    """No path of somebody's machine stands in the repository."""
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            yield f"{path}:{number} names a path of a machine: {line.strip()[:80]}"


def wrong_names(service: str, names: Mapping[str, int]) -> Violations:
    """The same names in each service, absent rather than empty; `names` gives each entry's size in bytes."""
    found = {name if name.endswith(".md") else name.removesuffix(".py") for name in names}
    yield from (f"services/{service} has no {name}" for name in REQUIRED if name not in found)
    extra = found - set(REQUIRED) - set(OPTIONAL) - OWN[service]
    yield from (f"services/{service}/{name} is a name that the others do not have" for name in sorted(extra))
    yield from (f"services/{service}/{name} is empty" for name, size in sorted(names.items()) if size == 0)


def _name(node: ast.AST) -> str:
    """The last part of a dotted name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
