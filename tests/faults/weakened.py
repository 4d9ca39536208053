"""python -m tests.faults.weakened outbox app|events …: a program with one defence switched off.

The checker must notice; nothing of the product can be set like this.
"""

import sys

from deploy.local import app
from services.events import __main__ as events
from services.events.store.places import Places


def without_outbox() -> None:
    """Registrations are written, their messages are not."""
    whole = Places._batch
    Places._batch = lambda self, ledger: {**whole(self, ledger), "outbox": []}


WEAKNESSES = {"outbox": without_outbox}

if __name__ == "__main__":
    WEAKNESSES[sys.argv.pop(1)]()
    {"app": app.main, "events": events.main}[sys.argv.pop(1)]()
