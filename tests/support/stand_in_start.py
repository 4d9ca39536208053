"""python -m tests.support.stand_in_start: the embedded start with stand-in services, settings from the environment.

STAND_IN_APP and STAND_IN_SEED replace the commands of the application and of the demo data.
"""

import os
import sys

from deploy.local.errors import CannotStart
from deploy.local.run import run
from deploy.local.settings import read_settings

_APP = f"{sys.executable} -m tests.support.stand_in_app"
_SEED = f"{sys.executable} -m tests.support.stand_in_seed"

if __name__ == "__main__":
    try:
        app, seed = os.environ.get("STAND_IN_APP", _APP), os.environ.get("STAND_IN_SEED", _SEED)
        run(read_settings(os.environ), app=app.split(), seed=seed.split())
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        sys.exit(2)
