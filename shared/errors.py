"""What can be wrong with a request, by kind. A rule's error class derives from one of these kinds; its docstring is
the sentence that a person reads ({placeholders} are filled from the keyword arguments), and its kind decides the
HTTP status in one place, shared/web/problems.py."""

import inspect
import re


class RuleBroken(Exception):
    """The request breaks a rule."""

    field: str | None = None

    def __init__(self, **values: object) -> None:
        self.values = values
        super().__init__(self.sentence())

    @classmethod
    def template(cls) -> str:
        """The English sentence with its placeholders: the key in the catalogues."""
        return re.sub(r"\s+", " ", inspect.cleandoc(cls.__doc__ or "")).strip()

    @classmethod
    def slug(cls) -> str:
        """The stable last part of the problem's `type`: SlotIsFull → slot-is-full."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def sentence(self) -> str:
        """The English sentence, filled in."""
        return self.template().format(**self.values)


class Invalid(RuleBroken):
    """Something in the request is not valid."""


class TooLarge(RuleBroken):
    """This is larger than what is taken here."""


class NotFound(RuleBroken):
    """There is nothing at this address."""


class NotAllowed(RuleBroken):
    """You may not do this."""


class NotSignedIn(RuleBroken):
    """Please sign in first, or send a valid API key."""


class Conflict(RuleBroken):
    """The present state does not allow this."""


class TryLater(RuleBroken):
    """This cannot be done right now. Please try again in a moment."""


class TooManyRequests(RuleBroken):
    """Too many attempts. Please wait {seconds} seconds and try again."""
