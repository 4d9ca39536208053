"""Everything in each of its states, made by the use cases at the moment at which it happens in life: what is over by
now began weeks ago."""

from tests.support.estate import Estate
from tests.support.states.agency import agency_in_every_state
from tests.support.states.mails import mails_in_every_state
from tests.support.states.pupils import pupils_in_every_state
from tests.support.states.tours import tours_in_every_state
from tests.support.states.visits import visits_in_every_state
from tests.support.states.webhooks import webhooks_in_every_state


async def bring_about(estate: Estate) -> dict[str, str]:
    """What there is then: ids and links, each by the name of its state."""
    found = {**estate.ids, **await visits_in_every_state(estate)}
    found |= await tours_in_every_state(estate, found)
    found |= await pupils_in_every_state(estate, found)
    found |= await mails_in_every_state(estate)
    found |= await webhooks_in_every_state(estate)
    return found | await agency_in_every_state(estate)
