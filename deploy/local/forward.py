"""Move the clock of a running instance, over its HTTP API."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

from deploy.local.data_folder import DataFolder
from deploy.local.errors import CannotStart


def forward(folder: DataFolder, time: str) -> str:
    """Move the clock by a span of time or to a local moment; the new now (ISO 8601). CannotStart says what is wrong."""
    address = urlsplit(folder.running_instance()["url"])
    asked = {"forward_to" if time[:4].isdigit() and "-" in time else "forward": time}
    connection = HTTPConnection(address.hostname or "", address.port, timeout=30)
    try:
        connection.request("POST", "/local/clock", json.dumps(asked), _headers(folder))
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, ValueError):
        raise CannotStart(f"Nothing answers at {address.geturl()}; start it first: make run.") from None
    if response.status != 200:
        raise CannotStart(answer.get("detail") or answer.get("title") or f"The clock stands still ({response.status}).")
    return answer["now"]


def _headers(folder: DataFolder) -> dict[str, str]:
    if not folder.api_key.exists():
        raise CannotStart(f"There is no API key at {folder.api_key}; start once first: make run.")
    return {"Authorization": f"Bearer {folder.api_key.read_text().strip()}", "Content-Type": "application/json"}
