"""Words for codes that several tables of this service hold, and what an import cannot do."""

from collections.abc import Mapping

from shared.region import career_fields
from shared.tables.columns import labelled
from shared.tables.faults import Fault

LANGUAGES = labelled(de="German", en="English")


class StateNotReachable(Fault):
    """An import cannot lead from this state to that one."""

    field = "state"
    hint = "Leave the state as it is, and open the entry on its page to see what can be done."


class OneStepPerLine(Fault):
    """A line may change either this or the numbers and times, not both."""

    field = "state"
    hint = "Import the one first, then the other."


class NewHasNoState(Fault):
    """A new entry gets its state by itself."""

    field = "state"
    hint = "Leave this column empty in a new line."


class ReasonAlone(Fault):
    """A reason is taken over only together with what it is the reason for."""

    field = "reason"
    hint = "Leave the reason as it is unless you move, decline or call off in the same line."


def fields(language: str) -> Mapping[str, str]:
    """The fields of work."""
    return career_fields("en" if language == "en" else "de")
