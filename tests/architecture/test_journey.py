"""docs/journey.md names files and functions; each of them exists."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.rules import ROOT

JOURNEY = ROOT / "docs" / "journey.md"
REFERENCE = re.compile(r"`([\w/.-]+\.py):([\w.]+)`")
HALF_REFERENCE = re.compile(r"`[\w/.-]+\.(?:py|html|txt)(?::[^`]*)?`")


def references(text: str) -> list[tuple[str, str]]:
    """(path, dotted name) of each `path.py:name` in the text."""
    return REFERENCE.findall(text)


def missing(text: str, root: Path) -> list[str]:
    """What the text names that does not exist below `root`."""
    found = [f"{path}:{name}" for path, name in references(text) if name not in _names(root / path)]
    files = [half.strip("`") for half in HALF_REFERENCE.findall(text) if not REFERENCE.fullmatch(half)]
    return found + [name for name in files if not (root / name).exists()]


def _names(path: Path) -> set[str]:
    """The functions, classes, methods and constants of a file, methods with their class."""
    return set(_defined(ast.parse(path.read_text()).body, "")) if path.is_file() else set()


def _defined(body: list[ast.stmt], prefix: str) -> list[str]:
    found = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(prefix + node.name)
        elif isinstance(node, ast.ClassDef):
            found += [prefix + node.name, *_defined(node.body, f"{prefix}{node.name}.")]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [prefix + target.id for target in targets if isinstance(target, ast.Name)]
    return found


def test_everything_on_the_journey_exists():
    assert missing(JOURNEY.read_text(), ROOT) == []


def test_the_journey_goes_from_the_browser_to_the_mail_server():
    paths = [path for path, _ in references(JOURNEY.read_text())]
    assert len(paths) >= 15
    for place in ("services/events/", "shared/outbox.py", "shared/broker.py", "shared/inbox.py", "services/notify/"):
        assert any(path.startswith(place) for path in paths), place


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("`code.py:there` and `code.py:Kind.method` and `code.py:TABLE` and `code.py`", []),
        ("`code.py:gone`", ["code.py:gone"]),
        ("`code.py:method`", ["code.py:method"]),
        ("`code.py:Kind.gone`", ["code.py:Kind.gone"]),
        ("`elsewhere.py:there`", ["elsewhere.py:there"]),
        ("`elsewhere.py`", ["elsewhere.py"]),
        ("`templates/gone.html`", ["templates/gone.html"]),
        ("`code.py:there()`", ["code.py:there()"]),
    ],
)
def test_what_does_not_exist_is_found(text: str, broken: list[str], tmp_path: Path):
    (tmp_path / "code.py").write_text(
        "def there(): ...\nclass Kind:\n    async def method(self): ...\nTABLE: dict = {}\n"
    )
    assert missing(text, tmp_path) == broken
