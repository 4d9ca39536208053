"""The collections `wordings` (one row per version, kept) and `campaigns` (their names, as outreach tells them)."""

import time
from dataclasses import asdict

from services.notify.wording import Parts, Wording, WordingKey
from shared.mongo import AlreadyThere, Database, Document, put_if_newer
from shared.schemas.outreach import CampaignChanged

KEPT_SECONDS = 2.0


class Wordings:
    """Which words count now is kept for two seconds, so that a mail costs no question to the store."""

    def __init__(self, db: Database) -> None:
        self._rows = db.wordings
        self._campaigns = db.campaign_names
        self._latest: dict[WordingKey, Wording] = {}
        self._read_at = float("-inf")

    async def create_indexes(self) -> None:
        """For the versions of one mail's words."""
        await self._rows.create_index([("key", 1), ("version", -1)])

    async def now(self, key: WordingKey | None) -> Wording | None:
        """The words that a mail is written with; None for the standard ones."""
        if key is None:
            return None
        if time.monotonic() - self._read_at > KEPT_SECONDS:
            await self._read()
        found = self._latest.get(key)
        return None if found is None or found.parts.standard else found

    async def _read(self) -> None:
        newest = [{"$sort": {"key": 1, "version": -1}}, {"$group": {"_id": "$key", "row": {"$first": "$$ROOT"}}}]
        rows = [_wording(each["row"]) async for each in self._rows.aggregate(newest)]
        self._latest = {each.key: each for each in rows}
        self._read_at = time.monotonic()

    async def add(self, wording: Wording) -> bool:
        """Write the next version; False when somebody was faster."""
        try:
            await self._rows.insert_one(_document(wording))
        except AlreadyThere:
            return False
        self._read_at = float("-inf")
        return True

    async def versions(self, key: WordingKey) -> list[Wording]:
        """All versions of a mail's words, the newest first."""
        return [_wording(row) async for row in self._rows.find({"key": key.text}).sort("version", -1)]

    async def version(self, key: WordingKey, version: int) -> Wording | None:
        """One version, or None."""
        row = await self._rows.find_one({"_id": f"{key.text}:{version}"})
        return _wording(row) if row else None

    async def forget_person(self, person_id: str) -> int:
        """Take out who saved which words; the words stay. How many rows."""
        return (await self._rows.update_many({"by": person_id}, {"$set": {"by": ""}})).modified_count

    async def of_campaign(self, campaign_id: str) -> dict[WordingKey, Wording]:
        """The newest version of each mail's words in a campaign."""
        rows = self._rows.find({"of.campaign_id": campaign_id}).sort("version", 1)
        found = [_wording(row) async for row in rows]
        return {each.key: each for each in found}

    async def keep_campaign(self, message: CampaignChanged) -> None:
        """Take over a campaign's name and end."""
        facts = {"name": message.name, "ends_on": message.ends_on.isoformat()}
        await put_if_newer(self._campaigns, message.campaign_id, message.aggregate_version, facts)

    async def campaigns(self) -> list[tuple[str, str]]:
        """(id, name) of every campaign, the last to end first."""
        return [(row["_id"], row["name"]) async for row in self._campaigns.find().sort([("ends_on", -1), ("_id", 1)])]


def _document(wording: Wording) -> Document:
    fields = asdict(wording)
    return {"_id": f"{wording.key.text}:{wording.version}", "of": fields.pop("key"), "key": wording.key.text, **fields}


def _wording(row: Document) -> Wording:
    fields = {name: row[name] for name in ("version", "saved_at", "by", "request_id", "taken_from")}
    return Wording(key=WordingKey(**row["of"]), parts=Parts(**row["parts"]), **fields)
