"""Who may see and do what with a visit. Nobody may anything by default."""

from collections.abc import Iterable

from services.outreach.domain.ambassadors import Ambassador
from services.outreach.domain.visits import Member, Visit
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.mongo import Document
from shared.schemas.outreach import Contact


def must_see(identity: Identity, visit: Visit) -> None:
    """NotAllowed unless a part of the visit, or a company that could still propose a team for it."""
    could_propose = visit.state == "requested" and identity.has("company")
    if not (sees_contact(identity, visit) or could_propose):
        raise NotAllowed


def sees_contact(identity: Identity, visit: Visit) -> bool:
    """Whether this is a coordinator, a teacher of the school, an ambassador of the team, or one's company contact."""
    return for_school(identity, visit) or in_team(identity, visit) or for_team(identity, visit)


def must_propose(identity: Identity, team: Iterable[Ambassador]) -> None:
    """NotAllowed unless a coordinator or, for ambassadors of their own company only, a company contact."""
    own = identity.has("company") and all(manages(identity, each) for each in team)
    if not (identity.coordinates or own):
        raise NotAllowed


def must_answer_for(identity: Identity, ambassador: Ambassador | None) -> None:
    """NotAllowed unless the ambassador in person, or a coordinator on behalf of one."""
    own = ambassador is not None and is_own(identity, ambassador)
    if not (identity.coordinates or own):
        raise NotAllowed


def must_take_out(identity: Identity, ambassador: Ambassador | None, visit: Visit) -> None:
    """NotAllowed unless the ambassador in person, or `takes_out`."""
    member = next((each for each in visit.team if ambassador and each.ambassador_id == ambassador.id), None)
    own = ambassador is not None and is_own(identity, ambassador)
    if not (identity.coordinates or own or (member is not None and takes_out(identity, member))):
        raise NotAllowed


def takes_out(identity: Identity, member: Member) -> bool:
    """Whether this is a coordinator or a contact of the company for which the member comes."""
    return identity.coordinates or identity.has("company", member.company_id)


def must_answer_for_school(identity: Identity, visit: Visit) -> None:
    """NotAllowed unless a coordinator or a teacher of the visit's school."""
    if not for_school(identity, visit):
        raise NotAllowed


def must_withdraw(identity: Identity, visit: Visit) -> None:
    """NotAllowed unless `withdraws`."""
    if not withdraws(identity, visit):
        raise NotAllowed


def withdraws(identity: Identity, visit: Visit) -> bool:
    """Whether this is a coordinator or a contact of one of the team's companies."""
    return identity.coordinates or for_team(identity, visit)


def must_call_off(identity: Identity, visit: Visit) -> None:
    """NotAllowed unless `calls_off`."""
    if not calls_off(identity, visit):
        raise NotAllowed


def calls_off(identity: Identity, visit: Visit) -> bool:
    """Whether this is a coordinator, a teacher of the school, or, once everybody of the team has said yes, one of the
    team or a contact of one of its companies. Before that the team declines, and the school's request stays."""
    answered = visit.state not in ("requested", "proposed")
    return for_school(identity, visit) or (answered and (in_team(identity, visit) or for_team(identity, visit)))


def must_complete(identity: Identity, visit: Visit) -> None:
    """NotAllowed unless a coordinator or one of those who took part."""
    if not sees_contact(identity, visit):
        raise NotAllowed


def for_school(identity: Identity, visit: Visit) -> bool:
    """Whether this is a coordinator or a teacher of the visit's school."""
    return identity.coordinates or identity.has("teacher", visit.school_id)


def in_team(identity: Identity, visit: Visit) -> bool:
    """Whether this is an ambassador of the visit's team."""
    return identity.has("ambassador") and visit.member_of(identity.id) is not None


def for_team(identity: Identity, visit: Visit) -> bool:
    """Whether this is a contact of one of the team's companies."""
    return any(identity.has("company", company_id) for company_id in visit.companies())


def is_own(identity: Identity, ambassador: Ambassador) -> bool:
    """Whether this person is the ambassador."""
    own = any(identity.has("ambassador", company_id) for company_id in ambassador.companies)
    return own and identity.id == ambassador.person_id


def must_care_for(identity: Identity, ambassador: Ambassador) -> None:
    """NotAllowed unless the ambassador in person, a contact of one of the companies, or a coordinator."""
    if not is_own(identity, ambassador):
        must_manage(identity, ambassador)


def must_manage(identity: Identity, ambassador: Ambassador) -> None:
    """NotAllowed unless a coordinator or `manages`."""
    if not (identity.coordinates or manages(identity, ambassador)):
        raise NotAllowed


def manages(identity: Identity, ambassador: Ambassador) -> bool:
    """Whether this is a contact of one of the companies for which the ambassador visits schools."""
    return any(identity.has("company", company_id) for company_id in ambassador.companies)


def as_seen(identity: Identity, ambassador: Ambassador) -> Ambassador:
    """The ambassador; for a company's contact without the other companies."""
    return ambassador if identity.coordinates else ambassador.seen_by(identity.organisations("company"))


def visible(identity: Identity) -> Document:
    """The query for the visits that `must_see` lets through."""
    if identity.coordinates:
        return {}
    parts: list[Document] = []
    if schools := identity.organisations("teacher"):
        parts.append({"school_id": {"$in": schools}})
    if companies := identity.organisations("company"):
        parts += [{"team.company_id": {"$in": companies}}, {"state": "requested"}]
    if identity.has("ambassador"):
        parts.append({"team.person_id": identity.id})
    if not parts:
        raise NotAllowed
    return {"$or": parts}


def shown_to(identity: Identity, visit: Visit) -> Visit:
    """The visit without contact, reasons and texts, unless this is somebody who takes part in it. What the team writes
    afterwards is for the agency, the team and its companies."""
    if not sees_contact(identity, visit):
        contact = Contact(name="", email="", language=visit.contact.language)
        blank = dict.fromkeys(("reason", "room", "material", "preparation", "went_well", "notes"), "")
        return visit.model_copy(update={"contact": contact, "declines": (), **blank})
    if identity.coordinates or in_team(identity, visit) or for_team(identity, visit):
        return visit
    return visit.model_copy(update={"went_well": "", "notes": ""})
