"""An offer has another contact: the calendar entries of its groups leave the former one and come to the new one."""

from collections.abc import Sequence

from services.notify import domain, mails
from services.notify.domain import CalendarEntries, Letter
from services.notify.mails import RegistrationCase
from services.notify.store.copies import RegistrationCopy
from services.notify.usecases.planner import Planner
from shared.schemas.events import RegistrationFacts


def hand_over(
    planner: Planner, copy: RegistrationCopy, facts: RegistrationFacts, letters: Sequence[Letter] = ()
) -> CalendarEntries:
    """Tell the contact that `copy` knows and the present one, when there was an entry; returns the entries as they
    are afterwards. The new one hears nothing more when one of `letters` brings the entry, or the group does not come.
    """
    former, present = RegistrationCase(copy.facts, True), RegistrationCase(facts, True)
    entry = copy.calendar.get(former.company.tag)
    if entry is None or not entry.live or former.company.email.lower() == present.company.email.lower():
        return copy.calendar
    told = mails.contact_changed(former, present)
    if not present.confirmed or any(letter.to.role == "company" and letter.method for letter in letters):
        told = told[:1]
    return planner.add_all(
        told,
        lambda letter: domain.contact_changed_key(facts.registration_id, entry.sequence, letter),
        {"registration": facts.model_dump(mode="json")},
        copy.calendar,
        based_on=facts.version,
        revision=facts.slot.revision,
    )
