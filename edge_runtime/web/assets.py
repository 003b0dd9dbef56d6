"""The page's files, kept in memory: small enough, and no disk is read while serving."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Final

TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


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
    """All files of the page by name. Pages name others with their contents' hash in the address.

    So browsers may keep them for ever, and still see a new version at once.
    """
    folder = resources.files("edge_runtime.web") / "static"
    raw = {entry.name: entry.read_bytes() for entry in folder.iterdir() if _type_of(entry.name)}
    versions = {name: hashlib.sha256(data).hexdigest()[:12] for name, data in raw.items()}
    return {name: _asset(name, _linked(name, data, versions)) for name, data in raw.items()}


def _linked(name: str, data: bytes, versions: dict[str, str]) -> bytes:
    if not name.endswith(".html"):
        return data
    for other, version in versions.items():
        address = f"/static/{other}"
        data = data.replace(f'"{address}"'.encode(), f'"{address}?v={version}"'.encode())
    return data


def _asset(name: str, data: bytes) -> Asset:
    etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
    return Asset(name, _type_of(name), data, gzip.compress(data, 9, mtime=0), etag)


def _type_of(name: str) -> str:
    return TYPES.get(name.rpartition(".")[2], "")
