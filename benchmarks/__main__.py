"""The benchmarks by name: `python -m benchmarks pages --times 60`. Without a name: what there is."""

import importlib
import sys

NAMES = {
    "pages": "each main page with a full database: server time against an empty page, and weight (an own instance)",
    "mail_pipeline": "mails from the broker to the relay, against a bare loop (parts of its own)",
    "due_reminder": "one due reminder among 1,000,000 planned against one among 1,000 (a mongod of its own)",
    "hot_slot": "3,200 registrations at once for one slot (needs `make run` beside it)",
    "school_import": "the import of the whole state's schools (needs `make run` beside it, or MONGODB_URL)",
}


def main() -> int:
    """Run one; 2 when there is none of this name."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in NAMES:
        print("\n".join(f"  make bench NAME={each:<14} {about}" for each, about in NAMES.items()))
        return 2 if name else 0
    sys.argv = [f"benchmarks.{name}", *sys.argv[2:]]
    return importlib.import_module(sys.argv[0]).main() or 0


if __name__ == "__main__":
    sys.exit(main())
