"""kill -9 of the sender, once at every step of a delivery; hundreds of times by `tests/faults/killed_senders.py`."""

from tests.faults.killed_senders import kill_repeatedly
from tests.support.doomed_sender import STEPS


async def test_a_sender_killed_at_any_step_loses_nothing_and_repeats_only_what_was_in_flight(mongodb_url: str) -> None:
    counts = await kill_repeatedly(mongodb_url, STEPS)
    assert (counts.kills, counts.lost, counts.unexplained) == (len(STEPS), 0, 0), counts
    assert (counts.twice, counts.untold) == (0, 0) and counts.digests and counts.failures, counts
    assert counts.repeats > 0, "some steps are between the relay's 250 and our record"
