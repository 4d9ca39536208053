"""The front door with three services that only say whether they are ready: for tests of the start itself."""

from collections.abc import Mapping

from fastapi import FastAPI

from deploy.local.app import SERVICES, main
from shared.clock import FileClock


def build_stand_ins(clock: FileClock) -> Mapping[str, FastAPI]:
    """Three applications with /readyz and /now."""
    services = {name: FastAPI() for name in SERVICES}
    for service in services.values():
        service.get("/readyz")(lambda: {"ready": True})
        service.get("/now")(lambda: clock.now())
    return services


if __name__ == "__main__":
    main(build_stand_ins)
