"""What ends the embedded start: always one sentence for a person, never a traceback."""


class CannotStart(Exception):
    """The embedded start cannot go on; the text says why and what to do."""
