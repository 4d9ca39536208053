"""Handing mails to relays that misbehave: a real SMTP server that follows a script, over real connections."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme

from services.notify.rendering import AddressInvalid, envelope_address
from services.notify.smtp.failures import NoAnswer, NotNow, Refused, TryAgain
from services.notify.smtp.mailer import Mailer
from services.notify.smtp.pool import FULL_SECONDS, Pool
from services.notify.smtp.relays import relay_of, relays_of
from services.notify.smtp.transaction import Mail
from tests.support.relay_server import TOO_MANY, RelayServer

pytestmark = pytest.mark.processes_only
AUTHORITY = trustme.CA()


@pytest.fixture
async def relay() -> AsyncIterator[RelayServer]:
    """A server that takes everything until a test says otherwise."""
    server = await RelayServer().start()
    yield server
    await server.stop()


@pytest.fixture
async def other() -> AsyncIterator[RelayServer]:
    """A second one."""
    server = await RelayServer().start()
    yield server
    await server.stop()


def mail(to: str = "tessa@schule.example", number: int = 1, **more: Any) -> Mail:
    head = f"From: mail@perspektive.example\r\nTo: {to}\r\nMessage-ID: <{number}@perspektive.example>\r\n\r\n"
    return Mail("mail@perspektive.example", to, head.encode() + b"Guten Tag.\r\n", **more)


def mailer(*servers: RelayServer, at_once: int = 8, timeout: float = 5, **options: object) -> Mailer:
    return Mailer([relay_of(server.url(**options)) for server in servers], timeout, at_once, timeout)


async def send_many(through: Mailer, count: int, to: str = "klasse{}@schule.example") -> list[str | BaseException]:
    sending = [through.send(mail(to.format(number), number)) for number in range(count)]
    return await asyncio.gather(*sending, return_exceptions=True)


async def test_half_of_the_recipients_refused_leaves_the_other_half_sent_over_the_same_connection(
    relay: RelayServer,
) -> None:
    relay.answer_to = lambda address: "550 5.1.1 unknown" if int(address[6:].split("@")[0]) % 2 else "250 OK"
    outcomes = await send_many(mailer(relay, at_once=1), 20)
    assert [isinstance(outcome, Refused) for outcome in outcomes] == [bool(n % 2) for n in range(20)]
    assert len(relay.mails) == 10 and relay.connections == 1


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("451 4.7.1 greylisted", TryAgain), ("452 4.2.2 full", TryAgain), ("550 5.1.1 unknown", Refused)],
)
async def test_an_answer_to_the_recipient_is_retryable_or_final(
    relay: RelayServer, other: RelayServer, answer: str, outcome: type[Exception]
) -> None:
    relay.answer_to = lambda _: answer
    with pytest.raises(outcome, match=answer):
        await mailer(relay, other).send(mail())
    assert other.mails == [], "what is said of the recipient is not asked of another relay"


@pytest.mark.parametrize(
    ("answer", "outcome"), [("451 4.3.0 later", TryAgain), ("554 5.7.1 spam", Refused), ("552 5.3.4 large", Refused)]
)
async def test_an_answer_to_the_content_is_retryable_or_final(
    relay: RelayServer, answer: str, outcome: type[Exception]
) -> None:
    relay.data_script = [answer]
    through = mailer(relay)
    with pytest.raises(outcome, match=answer):
        await through.send(mail())
    assert await through.send(mail()) == "250 OK"
    assert relay.connections == 1, "the connection is kept"


async def test_a_relay_that_refuses_the_sender_says_nothing_of_the_recipient(relay: RelayServer) -> None:
    relay.mail_script = ["550 5.1.8 sender unknown"]
    with pytest.raises(TryAgain, match="550"):
        await mailer(relay).send(mail())


async def test_greylisting_lets_the_mail_in_at_the_second_attempt(relay: RelayServer) -> None:
    seen: set[str] = set()

    def answer(address: str) -> str:
        first = address not in seen
        seen.add(address)
        return "451 4.7.1 greylisted" if first else "250 OK"

    relay.answer_to = answer
    through = mailer(relay)
    assert {type(each) for each in await send_many(through, 5)} == {TryAgain}
    assert await send_many(through, 5) == ["250 OK"] * 5


async def test_a_connection_dropped_in_the_middle_of_the_content_is_retryable(
    relay: RelayServer, other: RelayServer
) -> None:
    relay.drop_mid_data = 1
    through = mailer(relay, other)
    with pytest.raises(TryAgain):
        await through.send(mail())
    assert other.mails == [], "the first relay may have the mail: it is asked again, not another one"
    assert await through.send(mail()) == "250 OK"


async def test_a_relay_that_does_not_answer_is_given_up_in_time(relay: RelayServer) -> None:
    relay.before_answer = asyncio.Event().wait  # type: ignore[assignment]
    with pytest.raises(TryAgain, match="no answer"):
        await mailer(relay, timeout=0.2).send(mail())


async def test_a_relay_has_long_to_look_into_a_mail_and_its_silence_then_is_a_failure_of_its_own(
    relay: RelayServer,
) -> None:
    """A relay that scans what it was given answers late: whoever tries again meanwhile sends a copy."""
    looked_into = asyncio.Event()
    relay.before_answer = looked_into.wait  # type: ignore[assignment]
    relays = [relay_of(relay.url())]
    with pytest.raises(NoAnswer):
        await Mailer(relays, timeout_seconds=0.2, content_seconds=0.5).send(mail())
    patient = asyncio.create_task(Mailer(relays, timeout_seconds=0.2, content_seconds=60).send(mail()))
    assert await asyncio.wait([patient], timeout=1) == (set(), {patient}), "longer than for other answers"
    looked_into.set()
    assert await patient == "250 OK"


async def test_a_kept_connection_that_the_relay_closed_costs_no_attempt(relay: RelayServer) -> None:
    through = mailer(relay)
    await through.send(mail())
    relay.mail_script = ["421 4.4.2 idle for too long"]
    assert await through.send(mail(number=2)) == "250 OK"
    assert relay.connections == 2


@pytest.mark.parametrize("where", ["refuse_beyond", "busy_beyond"])
async def test_a_relay_with_room_for_three_connections_gets_everything_over_three(
    relay: RelayServer, where: str
) -> None:
    setattr(relay, where, 3)
    through = mailer(relay, at_once=8)
    assert await send_many(through, 60) == ["250 OK"] * 60, "no mail was charged with the relay's limit"
    assert max(relay.accepted.values()) == 1 and len(relay.accepted) == 60
    (pool,) = through._pools.values()
    assert pool.limit <= 3


async def test_a_limit_that_is_set_is_kept_from_the_start(relay: RelayServer) -> None:
    assert await send_many(mailer(relay, at_once=8, connections=3), 40) == ["250 OK"] * 40
    assert relay.most_open == 3


async def test_a_full_relay_without_a_connection_of_ours_is_no_failure_of_the_mail(
    relay: RelayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notify.smtp.pool.PAUSES", (0, 0))
    relay.mail_script = [TOO_MANY] * 2
    with pytest.raises(NotNow) as caught:
        await mailer(relay).send(mail())
    assert caught.value.seconds == FULL_SECONDS


async def test_a_lowered_limit_recovers_by_one_connection_a_minute(relay: RelayServer) -> None:
    now = [1000.0]
    pool = Pool(relay_of(relay.url()), 5, 8, 5, lambda: now[0])
    relay.busy_beyond = 3
    assert await asyncio.gather(*[pool.send(mail(number=n)) for n in range(20)]) == ["250 OK"] * 20
    lowered = pool.limit
    now[0] += 61
    assert pool.limit == lowered + 1
    now[0] += 60 * 10
    assert pool.limit == 8


async def test_no_more_than_the_limit_of_mails_go_out_in_any_minute(relay: RelayServer) -> None:
    now = [1000.0]
    pool = Pool(relay_of(relay.url(per_minute=10)), 5, 4, 5, lambda: now[0])
    outcomes = [await _outcome(pool, number) for number in range(20)]
    waits = [each.seconds for each in outcomes if isinstance(each, NotNow)]
    assert len(relay.mails) == 9, "the last tenth is kept for urgent mails"
    assert waits == [60] * 9 + [120] * 2, "each has a turn of its own"
    assert await pool.send(mail(number=99, urgent=True)) == "250 OK"
    with pytest.raises(NotNow):
        await pool.send(mail(number=100, urgent=True))
    now[0] += 60
    assert [type(await _outcome(pool, number)) for number in range(200, 209)] == [str] * 9


async def _outcome(pool: Pool, number: int) -> str | NotNow:
    try:
        return await pool.send(mail(number=number))
    except NotNow as error:
        return error


async def test_the_next_relay_takes_over_from_one_that_is_down_and_the_first_gets_mails_again(
    relay: RelayServer, other: RelayServer
) -> None:
    await relay.stop()
    through = mailer(relay, other)
    assert await send_many(through, 3) == ["250 OK"] * 3
    assert len(other.mails) == 3
    await relay.start()
    for pool in through._pools.values():
        pool._down_until = 0
    await through.send(mail())
    assert len(relay.mails) == 1


async def test_when_all_relays_are_down_the_mail_is_tried_again_later(relay: RelayServer, other: RelayServer) -> None:
    await relay.stop()
    await other.stop()
    with pytest.raises(TryAgain, match="no connection"):
        await mailer(relay, other).send(mail())


async def test_a_relay_for_a_domain_gets_its_mails_and_no_others(relay: RelayServer, other: RelayServer) -> None:
    through = Mailer(relays_of(f"{relay.url()} {other.url(for_='schule.example,straße.example')}"), 5)
    for to in ("a@schule.example", "b@sub.schule.example", "c@betrieb.example", "d@nichtschule.example"):
        await through.send(mail(to))
    await through.send(mail(envelope_address("e@straße.example")))
    assert other.recipients[:2] == ["a@schule.example", "b@sub.schule.example"] and len(other.mails) == 3
    assert relay.recipients == ["c@betrieb.example", "d@nichtschule.example"]


async def test_a_relay_for_a_domain_that_is_down_is_stood_in_for_by_the_general_one(
    relay: RelayServer, other: RelayServer
) -> None:
    await other.stop()
    through = Mailer(relays_of(f"{relay.url()} {other.url(for_='schule.example')}"), 5)
    await through.send(mail())
    assert len(relay.mails) == 1


async def test_a_notification_of_failure_is_asked_for_where_the_relay_offers_it(relay: RelayServer) -> None:
    relay.dsn = True
    await mailer(relay).send(mail(envelope_id="4f2a"))
    ((options, recipient_options),) = relay.envelopes
    assert {"RET=HDRS", "ENVID=4F2A"} <= set(options) and recipient_options == ["NOTIFY=FAILURE,DELAY"]


async def test_nothing_is_asked_of_a_relay_that_does_not_offer_it(relay: RelayServer) -> None:
    await mailer(relay).send(mail(envelope_id="4f2a"))
    ((options, recipient_options),) = relay.envelopes
    assert [each.partition("=")[0] for each in options] == ["SIZE"] and recipient_options == []


async def test_an_address_beyond_ascii_goes_to_a_relay_that_takes_it_and_is_refused_when_none_does(
    relay: RelayServer, other: RelayServer
) -> None:
    relay.smtputf8 = False
    await mailer(relay, other).send(mail("jörg@schule.example"))
    ((options, _),) = other.envelopes
    assert "SMTPUTF8" in options and "BODY=8BITMIME" in options
    assert "jörg@schule.example".encode() in other.raw[0]
    with pytest.raises(Refused, match="SMTPUTF8"):
        await mailer(relay).send(mail("jörg@schule.example"))


@pytest.mark.parametrize(
    ("email", "on_the_wire"),
    [
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
        ("jörg@schule.example", "jörg@schule.example"),
        ("a@schule_1.example", "a@schule_1.example"),
    ],
)
def test_an_internationalised_domain_is_written_as_idna_2008_wants_it(email: str, on_the_wire: str) -> None:
    assert envelope_address(email) == on_the_wire


def test_a_domain_that_cannot_be_is_no_address() -> None:
    with pytest.raises(AddressInvalid):
        envelope_address("a@schule\u2603..example")


def certificate(name: str = "127.0.0.1", authority: trustme.CA = AUTHORITY, **validity: datetime) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name, **validity).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file with the authority's certificate."""
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(file)
    return str(file)


YESTERDAY = datetime.now(UTC) - timedelta(days=1)
BROKEN = {
    "wrong name": certificate("mail.elsewhere.example"),
    "expired": certificate(not_before=YESTERDAY - timedelta(days=9), not_after=YESTERDAY),
    "unknown authority": certificate(authority=trustme.CA()),
}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it travels by TLS from the start
@pytest.mark.parametrize("implicit", [True, False], ids=["smtps", "starttls"])
async def test_a_mail_travels_by_verified_tls_and_with_a_login(ca: str, implicit: bool) -> None:
    relay = RelayServer(tls=certificate(), implicit_tls=implicit, logins={"perspektive": "geheim"})
    await relay.start()
    assert await mailer(relay, tls="yes", ca=ca).send(mail()) == "250 OK"
    wrong = Mailer([relay_of(relay.url(tls="yes", ca=ca).replace("geheim", "falsch"))], 5)
    with pytest.raises(TryAgain, match="535"):
        await wrong.send(mail())
    await relay.stop()


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it travels by TLS from the start
@pytest.mark.parametrize("implicit", [True, False], ids=["smtps", "starttls"])
async def test_nothing_is_said_to_a_relay_whose_certificate_is_not_good(ca: str, implicit: bool, fault: str) -> None:
    relay = await RelayServer(tls=BROKEN[fault], implicit_tls=implicit, logins={"perspektive": "geheim"}).start()
    with pytest.raises(TryAgain, match="no connection"):
        await mailer(relay, tls="yes", ca=ca).send(mail())
    assert relay.mails == []
    await relay.stop()


async def test_a_relay_without_tls_gets_nothing_where_tls_is_asked_for(relay: RelayServer) -> None:
    with pytest.raises(TryAgain, match="STARTTLS"):
        await mailer(relay, tls="yes").send(mail())
