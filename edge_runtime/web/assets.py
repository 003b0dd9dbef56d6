"""The page's files, kept in memory: small enough, and no disk is read while serving."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}

_LINK: Final = re.compile(rb'"((?:/static|\.)/[a-z-]+\.(?:css|js|svg))"')
"""A file of ours in a page or a module, as it stands in quotes."""
_SCRIPT: Final = re.compile(rb'<script type="module" src="/static/([a-z-]+\.js)"></script>')
_IMPORT: Final = re.compile(rb'from "\./([a-z-]+\.js)"')


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the page."""

    name: str
    media_type: str
    data: bytes
    packed: bytes
    """The same, gzip-compressed."""
    etag: str
    """Changes with the contents, in quotes as HTTP wants it."""

    @property
    def text(self) -> str:
        return self.data.decode()


def load_assets() -> dict[str, Asset]:
    """All files of the page by name. They name each other with one version in the address.

    So browsers may keep them for ever, ask for none of them again, and still see a new version
    at once. Pages name the modules of their script, so that those are fetched side by side rather
    than one after the other, as they import each other.
    """
    folder = resources.files("edge_runtime.web") / "static"
    raw = {entry.name: entry.read_bytes() for entry in folder.iterdir() if _type_of(entry.name)}
    version = hashlib.sha256(b"".join(raw[name] for name in sorted(raw))).hexdigest()[:12]
    return {name: _asset(name, _linked(name, raw, version)) for name in raw}


def _linked(name: str, raw: Mapping[str, bytes], version: str) -> bytes:
    data = raw[name]
    if name.endswith(".html"):
        data = _SCRIPT.sub(lambda found: found[0] + _preloads(found[1].decode(), raw), data)
    return _LINK.sub(rb'"\1?v=%s"' % version.encode(), data)


def _preloads(script: str, raw: Mapping[str, bytes]) -> bytes:
    """A line for each module that ``script`` imports, directly or not."""
    found, waiting = list[str](), [script]
    while waiting:
        for module in _IMPORT.findall(raw[waiting.pop(0)]):
            if (name := module.decode()) not in found:
                found.append(name)
                waiting.append(name)
    lines = (f'\n<link rel="modulepreload" href="/static/{name}">' for name in found)
    return "".join(lines).encode()


def _asset(name: str, data: bytes) -> Asset:
    etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
    return Asset(name, _type_of(name), data, gzip.compress(data, 9, mtime=0), etag)


def _type_of(name: str) -> str:
    return TYPES.get(name.rpartition(".")[2], "")
