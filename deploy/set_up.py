"""Set up .venv from uv.lock: python3 deploy/set_up.py run|test

Needs Python 3.11 and nothing else: without pip it fetches the pinned pip by itself, from the index that
PIP_INDEX_URL names, and pip then fetches the pinned uv. (Written so that an older Python can still read it and say so.)
"""

import hashlib
import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request

UV = "0.13.9"
PIP = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = os.path.join(ROOT, ".tools", "uv-" + UV)
VENV = os.path.join(ROOT, ".venv")


def main(purpose):
    """Install what `purpose` ("run" or "test") needs, and leave the stamp that make looks at."""
    if sys.version_info < OLDEST:
        raise SystemExit(
            "Perspektive needs Python %d.%d or newer, and this is %d.%d: name another one, for example make run"
            " PYTHON=python3.13" % (OLDEST + sys.version_info[:2])
        )
    uv = os.path.join(TOOLS, "bin", "uv")
    if not os.path.exists(uv):
        say("Fetching uv %s ..." % UV)
        run(find_pip() + ["install", "--quiet", "--no-deps", "--target", TOOLS, "uv==" + UV])
    say("Installing the locked packages into .venv ...")
    # --inexact: setting up for a start must not take away what the tests need.
    options = ["--inexact"] if purpose == "run" else ["--group", "dev"]
    run([uv, "sync", "--quiet", "--frozen", "--python", sys.executable] + options, UV_PROJECT_ENVIRONMENT=VENV)
    for stamp in ("run", "test") if purpose == "test" else ("run",):
        with open(os.path.join(VENV, ".ready-to-" + stamp), "w"):
            pass


def find_pip():
    """How pip is called; fetched when this Python has none, as Debian's has not."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return [sys.executable, "-m", "pip"]
    wheel = os.path.join(ROOT, ".tools", PIP)
    if not os.path.exists(wheel):
        fetch_pip(wheel)
    return [sys.executable, os.path.join(wheel, "pip")]  # a wheel is a zip file, and Python can run from one


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
        raise SystemExit("The pip that %s gave is not the expected one; nothing was installed." % index)
    os.makedirs(os.path.dirname(wheel), exist_ok=True)
    with open(wheel, "wb") as file:
        file.write(content)


def run(command, **environment):
    """Run `command`; its failure ends this, its own messages having been shown."""
    if subprocess.run(command, cwd=ROOT, env=dict(os.environ, UV_PYTHON_DOWNLOADS="never", **environment)).returncode:
        raise SystemExit("The set-up failed at: " + " ".join(command[:3]) + " ... (is the package index reachable?)")


def say(text):
    """Progress, for the person who waits."""
    print(text, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
