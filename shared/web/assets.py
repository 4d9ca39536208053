"""Style sheet, script and pictures of the pages: read once, compressed once, kept by browsers until they change."""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

FOREVER = "public, max-age=31536000, immutable"
STYLES = "perspektive.css"
DESIGN_SYSTEM = "packages/kern.min.css"


@dataclass(frozen=True)
class _Asset:
    content: bytes
    compressed: bytes
    media_type: str
    version: str


class Assets:
    """The files below `folder` as an ASGI application; `perspektive.css` is one file of all style sheets."""

    def __init__(self, folder: Path) -> None:
        names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        contents = {name: (folder / name).read_bytes() for name in names if not Path(name).name.startswith(".")}
        areas = [contents.pop(name) for name in sorted(contents) if name.startswith("areas/")]
        contents[STYLES] = b"\n".join([_lowest_layer(contents.pop(DESIGN_SYSTEM)), contents[STYLES], *areas])
        self._assets = {name: _asset(name, content) for name, content in contents.items()}

    def content(self, name: str) -> bytes:
        """The file `name`. KeyError for a file that is not there."""
        return self._assets[name].content

    def version(self, name: str) -> str:
        """What an address ends with, so that it changes with the content. KeyError for a file that is not there."""
        return self._assets[name].version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET and HEAD for one file."""
        request = Request(scope)
        await self._answer(request)(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        name = request.scope["path"].removeprefix(request.scope.get("root_path", "")).lstrip("/")
        asset = self._assets.get(name)
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(405)
        if asset is None:
            raise HTTPException(404)
        known = request.query_params.get("v") == asset.version
        headers = {
            "ETag": f'W/"{asset.version}"',
            "Vary": "Accept-Encoding",
            "Cache-Control": FOREVER if known else "no-cache",
        }
        if headers["ETag"] in _tags(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        content = asset.content
        if takes_gzip(request.headers.get("accept-encoding", "")) and len(asset.compressed) < len(content):
            headers["Content-Encoding"], content = "gzip", asset.compressed
        headers["Content-Length"] = str(len(content))
        body = b"" if request.method == "HEAD" else content
        return Response(body, headers=headers, media_type=asset.media_type)


def _tags(header: str) -> list[str]:
    """The tags of If-None-Match, compared weakly as it must be."""
    return [f"W/{tag.strip().removeprefix('W/')}" for tag in header.split(",")]


def takes_gzip(header: str) -> bool:
    """Whether gzip is named, and not with the weight 0."""
    for part in header.lower().split(","):
        name, _, weight = part.replace(" ", "").partition(";q=")
        if name == "gzip":
            return not re.fullmatch(r"0(\.0*)?", weight)
    return False


def _lowest_layer(sheet: bytes) -> bytes:
    """Below all other rules, so that the own style sheet never has to outdo a selector of the design system."""
    return b"@layer kern {" + sheet.removeprefix(b'@charset "UTF-8";') + b"}"


def _asset(name: str, content: bytes) -> _Asset:
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return _Asset(content, gzip.compress(content, 9, mtime=0), media_type, hashlib.sha256(content).hexdigest()[:16])
