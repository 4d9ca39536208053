"""The browser of this machine, for tests and pictures: a Chromium from the system's packages, else Playwright's own."""

import os
import shutil
from pathlib import Path

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--lang=de",
]  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "There is no Chromium: apt-get install chromium, or name one by CHROMIUM=<path>."


def chromium() -> str | None:
    """The program's path, or None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    return next((path for name in NAMES if (path := shutil.which(name))), None)
