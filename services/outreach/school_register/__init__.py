"""The ministry's school register: read a downloaded file, and compare it with the schools already known."""

from services.outreach.school_register.compare import difference
from services.outreach.school_register.model import (
    Change,
    Difference,
    LineError,
    OperatingStatus,
    RegisterFile,
    RegisterTooLarge,
    RegisterUnreadable,
    School,
    SetAside,
)
from services.outreach.school_register.parse import parse_register

__all__ = [
    "Change",
    "Difference",
    "LineError",
    "OperatingStatus",
    "RegisterFile",
    "RegisterTooLarge",
    "RegisterUnreadable",
    "School",
    "SetAside",
    "difference",
    "parse_register",
]
