"""What a webhook is told, how it is signed, and which addresses are never called."""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from services.notify.webhooks import addresses
from services.notify.webhooks.addresses import (
    AddressInvalid,
    AddressNotPublic,
    AddressNotSafe,
    AddressTellsTooMuch,
    Guard,
    NameUnknown,
)
from services.notify.webhooks.caller import Caller
from services.notify.webhooks.payload import TYPE_OF, call_for, type_of
from services.notify.webhooks.payload import test_call as tried
from services.notify.webhooks.rules import TYPES, Seed, Webhook
from services.notify.webhooks.signing import headers_for, secret_from
from shared.schemas import events, outreach
from shared.schemas.base import Message
from shared.schemas.catalogue import read_message
from shared.schemas.notify import DeliveryFailed
from shared.ui.language import translate
from tests.contract.test_messages import SAMPLES
from tests.support.notify_builders import NOW
from tests.support.routes import all_routes

HOOK = Webhook("hook1", "Schulportal", "https://program.example/", tuple(TYPES), (Seed("s", "f"),), NOW)
TOLD = [*TYPE_OF, DeliveryFailed]
IDS = re.compile(r"(^|\.)(\w+_id|id|aggregate|state|concerns|correlation_id)$")


def sample(message: type[Message]) -> dict[str, Any]:
    """The frozen sample of a message, as it comes from the broker."""
    wire: dict[str, Any] = json.loads((SAMPLES / f"{message.type_name()}.json").read_text())
    return wire


def texts_of(value: Any, name: str = "") -> list[str]:
    """Every text in a message that is no id and no state, by which somebody could be known."""
    if isinstance(value, dict):
        return [text for key, each in value.items() for text in texts_of(each, f"{name}.{key}")]
    if isinstance(value, list):
        return [text for each in value for text in texts_of(each, name)]
    return [value] if isinstance(value, str) and not IDS.search(name) else []


def replaced(value: Any, old: str, new: str) -> Any:
    """The message with `new` in place of the whole text `old`."""
    if isinstance(value, dict):
        return {key: replaced(each, old, new) for key, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, old, new) for each in value]
    return new if value == old else value


@pytest.mark.parametrize("message", TOLD, ids=lambda each: each.__name__)
@given(data=st.data())
def test_nothing_that_somebody_wrote_or_is_called_is_ever_told(message: type[Message], data: st.DataObject) -> None:
    wire = sample(message)
    free = [text for text in texts_of(wire["data"]) if _takes_any_text(wire, text)]
    chosen = data.draw(st.sampled_from(free))
    marker = "Erika " + data.draw(st.text("äöüABCxyz@.", min_size=8, max_size=20))
    told = read_message({**wire, "data": replaced(wire["data"], chosen, marker)})
    payload = call_for(HOOK, told, "https://region.example", NOW).payload
    assert marker not in payload and json.dumps(marker)[1:-1] not in payload
    facts = json.loads(payload)
    assert set(facts) == {"type", "timestamp", "data"} and facts["type"] in TYPES
    for name in set(facts["data"]) - {"state", "version", "url"}:
        assert name.endswith("_id"), name


def _takes_any_text(wire: dict[str, Any], text: str) -> bool:
    try:
        read_message({**wire, "data": replaced(wire["data"], text, "Erika")})
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("message", TOLD, ids=lambda each: each.__name__)
def test_the_link_leads_to_a_route_of_the_api(message: type[Message]) -> None:
    facts = json.loads(call_for(HOOK, read_message(sample(message)), "", NOW).payload)
    assert any(re.fullmatch(pattern, facts["data"]["url"]) for pattern in readable()), facts["data"]["url"]


@cache
def readable() -> list[str]:
    """What the API lets programs read."""
    routes = [path for method, path in all_routes() if method == "GET" and "/api/v1/" in path]
    return [re.sub(r"{\w+}", "[^/]+", path) for path in routes]


def test_every_registration_slot_and_visit_message_has_a_type_and_each_type_words_in_both_languages() -> None:
    families = (events.RegistrationMessage, outreach.VisitMessage)
    messages = [each for family in families for each in family.__subclasses__()]
    messages += [events.SlotOpened, events.SlotMoved, events.SlotResized, events.SlotCancelled]
    assert set(TYPE_OF) == set(messages)
    assert set(TYPE_OF.values()) | {"delivery.refused", "delivery.suppressed"} == set(TYPES)
    assert [text for text in TYPES.values() if translate(text, "de") == text] == []


def test_a_sign_in_mail_that_fails_names_no_person() -> None:
    wire = sample(DeliveryFailed)
    told = read_message({**wire, "data": {**wire["data"], "concerns": "person:erika"}})
    assert "erika" not in call_for(HOOK, told, "", NOW).payload and type_of(told) == "delivery.refused"


def test_the_same_message_gives_each_webhook_one_call_and_another_webhook_another() -> None:
    told = read_message(sample(events.SlotMoved))
    other = Webhook("hook2", "B", HOOK.address, HOOK.types, HOOK.seeds, NOW)
    ids = [call_for(each, told, "", NOW).id for each in (HOOK, HOOK, other)]
    assert ids[0] == ids[1] != ids[2] and all(re.fullmatch(r"msg_[0-9a-f]{32}", id) for id in ids)


@given(more=st.text(min_size=1, max_size=300), seeds=st.lists(st.text(min_size=1), min_size=1, max_size=3, unique=True))
def test_an_independent_library_finds_each_signature_good_and_no_other(more: str, seeds: list[str]) -> None:
    secrets = [secret_from("key", seed) for seed in seeds]
    call = tried(HOOK, NOW, "one")
    text = call.payload.encode()
    headers = headers_for(call.id, int(machine_time().timestamp()), text, secrets)
    for secret in secrets:
        assert Verifier(secret).verify(text, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(secret_from("key", "another" + "".join(seeds))).verify(text, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(secrets[0]).verify(text + more.encode(errors="replace"), headers)


def machine_time() -> datetime:
    """The library compares with the machine's time."""
    return datetime.now(UTC)


def test_the_old_secret_counts_for_a_day_and_no_longer() -> None:
    rotated = HOOK.with_new_secret(Seed("new", "f"), "one", NOW)
    assert [each.value for each in rotated.seeds_at(NOW + timedelta(hours=23, minutes=59))] == ["new", "s"]
    assert [each.value for each in rotated.seeds_at(NOW + timedelta(hours=24))] == ["new"]
    assert [each.value for each in rotated.with_new_secret(Seed("newer", "f"), "two", NOW).seeds_at(NOW)] == [
        "newer", "new", "s",
    ]  # fmt: skip


CLOSED = [
    "10.0.0.1", "172.16.5.4", "192.168.1.1", "127.0.0.1", "0.0.0.0", "169.254.169.254", "100.100.100.200",
    "168.63.129.16", "224.0.0.1", "255.255.255.255", "192.0.0.192", "::1", "::", "fe80::1", "fd00:ec2::254",
    "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:a00:1::", "ff02::1", "198.18.0.1", "fe80::1%eth0",
]  # fmt: skip


@pytest.mark.parametrize("address", CLOSED)
async def test_no_address_of_a_closed_network_is_called_whatever_the_name_says(address: str) -> None:
    guard = Guard(False, lambda host, port: ["93.184.216.34", address])
    with pytest.raises(AddressNotPublic):
        await guard.check("https://program.example/hooks")


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("program.example", AddressInvalid), ("", AddressInvalid), ("ftp://program.example", AddressInvalid),
        ("https://", AddressInvalid), ("https://program.example/" + "x" * 500, AddressInvalid),
        ("http://program.example/", AddressNotSafe), ("http://127.0.0.1:8000/", AddressNotSafe),
        ("https://erika:geheim@program.example/", AddressTellsTooMuch),
        ("https://program.example/#a", AddressTellsTooMuch),
        ("https://127.0.0.1/", AddressNotPublic), ("https://0x7f.1/", AddressNotPublic),
        ("https://2130706433/", AddressNotPublic), ("https://[::1]/", AddressNotPublic),
        ("https://[::ffff:169.254.169.254]/", AddressNotPublic),
    ],
)  # fmt: skip
async def test_an_address_that_cannot_be_called_is_refused_with_its_reason(address: str, error: Any) -> None:
    lookup = {"program.example": ["93.184.216.34"]}
    guard = Guard(False, lambda host, port: lookup.get(host) or [host])
    with pytest.raises(error) as raised:
        await guard.check(address)
    assert raised.value.field == "address" and translate(error.template(), "de") != error.template()


async def test_a_public_address_is_taken_and_a_name_that_nobody_has_is_told() -> None:
    guard = Guard(False, lambda host, port: ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
    assert await guard.check(" https://Prögram.example/a?b=c ") == "https://xn--prgram-xxa.example/a?b=c"

    def nobody(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(NameUnknown):
        await Guard(False, nobody).check("https://program.example/")


async def test_a_name_that_leads_elsewhere_after_it_was_saved_is_not_connected_to() -> None:
    leads_to = [["93.184.216.34"], ["169.254.169.254"]]
    guard = Guard(False, lambda host, port: leads_to.pop(0))
    address = await guard.check("https://program.example/")
    caller = Caller(guard, httpx.create_ssl_context())
    answer = await caller.call(address, "msg_1", b"{}", [secret_from("key", "s")])
    await caller.close()
    assert (answer.trouble, answer.status, leads_to) == ("not_public", None, [])


async def test_the_connection_goes_to_the_very_address_that_was_looked_at() -> None:
    asked: list[str] = []

    def lookup(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    connected: list[str] = []

    class Network(addresses.httpcore.AsyncNetworkBackend):
        async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> Any:
            connected.append(host)
            raise addresses.httpcore.ConnectError("nobody there")

    network = addresses.GuardedNetwork(Guard(True, lookup))
    network._network = Network()  # type: ignore[assignment]
    with pytest.raises(addresses.httpcore.ConnectError):
        await network.connect_tcp("program.example", 443)
    assert (asked, connected) == (["program.example"], ["127.0.0.1"])
