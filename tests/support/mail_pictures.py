"""python -m tests.support.mail_pictures docs/pictures: how the main kinds of mails look, 600 and 360 px wide.

The mails are written from the made-up facts of services/notify/samples.py; nothing needs to be running.
"""

import argparse
import base64
import sys
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from services.notify.domain import Delivery
from services.notify.rendering import Writer
from services.notify.samples import Language, sample_deliveries
from tests.support.chromium import ARGUMENTS, MISSING, chromium

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
REMINDED = datetime(2026, 11, 29, 7, tzinfo=UTC)
STARTS = datetime(2026, 12, 1, 9)
WIDTHS = (600, 360)
TALLEST = 1250
# The kind of mail and the role of whoever gets it.
SHOWN = (
    ("registration_confirmed", "teacher"), ("registration_requested", "company"), ("places_offered", "teacher"),
    ("slot_reminder", "teacher"), ("registration_cancelled", "teacher"), ("parent_question", "parent"),
)  # fmt: skip
FRAME = """<body style="margin:0;padding:28px;display:flex;gap:28px;align-items:flex-start;background:#e9e6dc">
<img src="{wide}" style="border-radius:12px;box-shadow:0 8px 30px #0003">
<img src="{narrow}" style="border-radius:28px;border:8px solid #17211e;box-shadow:0 8px 30px #0004">"""


def main() -> int:
    """0 when the pictures are there; 2, with one sentence, when there is no browser."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder, program = parser.parse_args().folder, chromium()
    if program is None:
        print(MISSING, file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        for language in ("de", "en"):
            for delivery in _shown(language):  # type: ignore[arg-type]
                _side_by_side(browser, delivery, folder)
        browser.close()
    return 0


def _shown(language: Language) -> list[Delivery]:
    """The first mail of each kind that is shown."""
    found: dict[tuple[str, str], Delivery] = {}
    for delivery in sample_deliveries(language, STARTS, NOW):
        found.setdefault((delivery.kind, delivery.to.role), delivery)
    return [found[each] for each in SHOWN]


def _side_by_side(browser: Browser, delivery: Delivery, folder: Path) -> None:
    writer = Writer(
        "https://perspektive.example", "Perspektive <mail@perspektive.example>", "x.example", "Europe/Berlin"
    )
    now = REMINDED if delivery.kind.endswith("_reminder") else NOW
    html = writer.content(delivery, now).html
    wide, narrow = (_shot(browser, html, width) for width in WIDTHS)
    frame = browser.new_page(viewport={"width": sum(WIDTHS) + 100, "height": 400})
    frame.set_content(FRAME.format(wide=wide, narrow=narrow))
    name = f"mail-{delivery.kind.replace('_', '-')}.{delivery.to.language}.jpg"
    frame.screenshot(path=folder / name, type="jpeg", quality=72, full_page=True)
    frame.close()
    print(name, flush=True)


def _shot(browser: Browser, html: str, width: int) -> str:
    """The mail in a window as wide, as an address that holds the picture itself."""
    page = browser.new_page(viewport={"width": width, "height": 500}, color_scheme="light")
    page.set_content(html)
    if page.evaluate("document.documentElement.scrollWidth") > width:
        raise SystemExit(f"The mail is wider than {width} px.")
    height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
    clip = {"x": 0, "y": 0, "width": width, "height": height}
    shot = page.screenshot(type="png", full_page=True, clip=clip)  # type: ignore[arg-type]
    page.close()
    return f"data:image/png;base64,{base64.b64encode(shot).decode()}"


if __name__ == "__main__":
    sys.exit(main())
