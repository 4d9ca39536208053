"""What ends a backup or a restore: always one sentence for a person, never a traceback, never a name or a secret."""


class BackupRefused(Exception):
    """The backup or restore cannot go on; the text says why and what to do."""


class Damaged(BackupRefused):
    """The backup is not whole; the text names the part."""
