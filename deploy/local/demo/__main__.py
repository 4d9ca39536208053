"""`make demo`: the whole story through the public HTTP API, and a table of what was counted on both sides."""

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from typing import Any

import httpx

from deploy.local.data_folder import DataFolder
from deploy.local.demo.client import Client, StoryBroken, until
from deploy.local.demo.expected import Expected
from deploy.local.demo.register import import_register
from deploy.local.demo.story import Story
from deploy.local.errors import CannotStart
from deploy.local.settings import read_settings


def main() -> int:
    """Run the story against a running Perspektive; 0 when everything is as it must be, 1 when not, 2 when none runs."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--while-parts-are-killed",
        action="store_true",
        help="a mail that was in flight when a part was killed may arrive twice, or be cancelled because it was not "
        "true any more when its turn came again: counted, and not a failure",
    )
    options = parser.parse_args()
    try:
        folder = DataFolder(read_settings(os.environ).data_dir)
        addresses, key = folder.running_instance(), folder.api_key.read_text().strip()
        return asyncio.run(_demo(addresses["url"], addresses["mailbox_url"], key, options.while_parts_are_killed))
    except (CannotStart, FileNotFoundError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except StoryBroken as error:
        print(f"\nThe demo FAILED: {error}", file=sys.stderr)
        return 1


async def _demo(address: str, mailbox: str, key: str, killed: bool) -> int:
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:5.1f} s] {text}", flush=True)

    expected = Expected()
    async with Client(address, key) as client, httpx.AsyncClient(base_url=mailbox, trust_env=False) as mails:
        story = Story(client, expected, say)
        counts = Counts(client, mails, story, killed=killed)
        try:
            await _play(story, counts)
        except StoryBroken:
            if story.campaign:
                _print_table(await counts.table())
            raise
        rows = await counts.table()
        say(f"{client.requests} requests, {client.retries} repeated because there was no answer at first")
    wrong = _print_table(rows)
    verdict = "The demo FAILED" if wrong else "All as it must be"
    print(f"\n{verdict}: {len(rows)} counts in {time.monotonic() - started:.1f} s")
    print("The system's clock now stands after this campaign. For a fresh start: end make run, make reset, make run.")
    return 1 if wrong else 0


async def _play(story: Story, counts: "Counts") -> None:
    await import_register(story.client, story.say)
    await story.open_campaign()
    await story.publish_offers()
    await story.book_too_early()
    await story.visits()
    await story.waiting_list()
    await story.approvals()
    await story.rush()
    await story.book_before_changes()
    await until("the mails so far", counts.mails_agree)
    await story.move_and_cancel_slots()
    await until("the mails of all transitions", counts.mails_agree)
    await story.expire_offer()
    await until("the mail about the expired offer", counts.mails_agree)
    await story.wait_until_reminded(counts.mails_agree)
    await story.attend()
    await until("the report", counts.report_agrees, 15)


class Counts:
    """What the API and the mail server count for one run of the story."""

    def __init__(self, client: Client, mails: httpx.AsyncClient, story: Story, killed: bool = False) -> None:
        self._client = client
        self._mails = mails
        self._story = story
        self._killed = killed

    async def mails_agree(self) -> bool:
        """Whether the deliveries of this run are those expected so far, no fewer."""
        sent, superseded = await self._sent(), await self._superseded()
        return all(
            len(sent.get(entry, ())) + superseded[entry] >= count for entry, count in self._story.expected.mails.items()
        )

    async def report_agrees(self) -> bool:
        """Whether the campaign's report has the story's totals."""
        totals = await self._totals()
        return all(totals.get(name) == value for name, value in self._story.report.items())

    async def table(self) -> list[tuple[str, int, int, int | None]]:
        """(what, expected, API, mail server) for each mail kind and each figure of the report."""
        sent, superseded = await self._sent(), await self._superseded()
        arrived = await self._arrived()
        rows: list[tuple[str, int, int, int | None]] = []
        for entry in sorted({*self._story.expected.mails, *sent}):
            ids = sent.get(entry, [])
            at_server = sum(message_id in arrived for message_id in ids)
            must = self._story.expected.mails[entry] - superseded[entry]
            rows.append((f"mail {entry[0]} → {entry[1]}", must, len(ids), at_server))
        repeated = sum(arrived[message_id] - 1 for ids in sent.values() for message_id in ids if message_id in arrived)
        allowed = repeated if self._killed else 0
        rows.append(("mails that arrived more than once", allowed, allowed, repeated))
        if late := superseded.total():
            rows.append(("mails that were not true any more at their second turn", late, late, None))
        totals = await self._totals()
        rows += [(f"report {name}", value, totals.get(name, 0), None) for name, value in self._story.report.items()]
        differences = (await self._client.get("/events/api/v1/reconciliation"))["differences"]
        return [*rows, ("places: counters that differ from the registrations", 0, len(differences), None)]

    async def _sent(self) -> dict[tuple[str, str], list[str]]:
        """Message-IDs of this run's sent deliveries by (kind, role)."""
        sent: dict[tuple[str, str], list[str]] = {}
        for delivery in await self._deliveries("sent"):
            sent.setdefault((delivery["kind"], delivery["recipient_role"]), []).append(delivery["message_id"])
        return sent

    async def _superseded(self) -> Counter[tuple[str, str]]:
        """News, by (kind, role), that had their turn when a part was killed, and at the next were true no more."""
        if not self._killed:
            return Counter()
        return Counter(
            (delivery["kind"], delivery["recipient_role"])
            for delivery in await self._deliveries("cancelled")
            if delivery["reason"] == "superseded" and not delivery["kind"].endswith("reminder")
        )

    async def _deliveries(self, state: str) -> list[dict[str, Any]]:
        abouts = {f"registration:{entry}" for entry in self._story.registrations}
        abouts |= {f"visit:{entry}" for entry in self._story.visit_ids}
        found = await self._client.all("/notify/api/v1/deliveries", state=state)
        return [delivery for delivery in found if delivery["about"] in abouts]

    async def _arrived(self) -> Counter[str]:
        """How often the mail server got each Message-ID."""
        arrived: Counter[str] = Counter()
        after: Any = None
        while True:
            query = {"limit": 500, **({"after": after} if after else {})}
            page = await self._page(query)
            arrived.update(mail["message_id"] for mail in page["items"])
            after = page["next"]
            if not after:
                return arrived

    async def _page(self, query: dict[str, Any]) -> Any:
        """A page of the mailbox; asked for again while the mail server is being started again."""
        for _ in range(100):
            try:
                return (await self._mails.get("/api/mails", params=query)).json()
            except httpx.TransportError:
                await asyncio.sleep(0.1)
        raise StoryBroken("the mailbox does not answer")

    async def _totals(self) -> dict[str, int]:
        report = await self._client.get(f"/outreach/api/v1/reports/campaigns/{self._story.campaign['id']}")
        return report["totals"]


def _print_table(rows: list[tuple[str, int, int, int | None]]) -> int:
    wide = max(len(row[0]) for row in rows)
    print(f"\n{'what':<{wide}}  {'must be':>8}  {'API':>6}  {'mail server':>11}")
    wrong = 0
    for what, must, api, server in rows:
        bad = api != must or server not in (None, must)
        wrong += bad
        print(
            f"{what:<{wide}}  {must:>8}  {api:>6}  {'' if server is None else server:>11}{'  ← differs' if bad else ''}"
        )
    return wrong


sys.exit(main())
