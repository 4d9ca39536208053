"""python -m deploy.local run | reset | forward "14 days" """

import argparse
import os
import sys

from deploy.local.data_folder import DataFolder
from deploy.local.errors import CannotStart
from deploy.local.settings import read_settings


def main() -> int:
    """Do what the command line asks; 2 when that is not possible, with one sentence on standard error."""
    asked = _command_line().parse_args()
    try:
        settings = read_settings(os.environ)
        folder = DataFolder(settings.data_dir)
        if asked.command == "run":
            from deploy.local.run import run

            run(settings)
        elif asked.command == "reset":
            folder.delete()
            print(f"{settings.data_dir} is gone; the next start begins anew.")
        else:
            from deploy.local.forward import forward

            print(f"It is now {forward(folder, asked.time)}.")
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description="Perspektive on one machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="start everything; Ctrl-C stops it")
    commands.add_parser("reset", help="delete all data of the embedded start")
    forward = commands.add_parser("forward", help="move the clock of the running system forward")
    forward.add_argument("time", help='for example "14 days" or "3 hours 30 minutes", or a moment: 2026-12-01T08:00')
    return parser


if __name__ == "__main__":
    sys.exit(main())
