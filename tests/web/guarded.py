"""A service that asks for a token, and tokens for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from edge_runtime.web.door import open_door
from edge_runtime.web.tokens import TOKEN_FILE, TokenFile, TokenScope, cookie_of, digest_of
from tests.web.fake_status import FakeClock
from tests.web.served import Served

AT = "http://192.168.1.5:8000"
"""What visitors from elsewhere type."""
PAGE = {"accept": "text/html"}


def make_token(folder: Path, scope: TokenScope = TokenScope.ADMIN, name: str | None = None) -> str:
    return TokenFile(folder / TOKEN_FILE).make(scope, name)[1]


def keep_token(folder: Path, token: str) -> None:
    """One token that may do everything, known beforehand."""
    digest = digest_of(cookie_of(token))
    kept = {"name": "known", "scope": "admin", "made": "", "digest": digest}
    path = folder / TOKEN_FILE
    path.touch(mode=0o600)
    path.write_text(json.dumps({"tokens": [kept]}))


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


class Guarded(Served):
    """Served on every address of the machine ``pi``; ``token`` may do everything."""

    def __init__(self, folder: Path, **door: Any) -> None:
        self.folder = folder
        self.token = make_token(folder, name="first")
        clock, self.wall = FakeClock(), datetime(2026, 11, 25, 11, 2, tzinfo=UTC)
        opened = open_door(
            "0.0.0.0",
            state_dir=folder,
            hostname="pi",
            clock=clock,
            now=lambda: self.wall,
            **door,
        )
        super().__init__(clock=clock, door=opened)

    def make(self, scope: TokenScope, name: str | None = None) -> str:
        token = make_token(self.folder, scope, name)
        self.clock.now += 1
        return token

    def revoke(self, name: str) -> None:
        TokenFile(self.folder / TOKEN_FILE).revoke(name)
        self.clock.now += 1

    def ask(
        self, path: str, token: str = "", *, method: str = "GET", **more: Any
    ) -> httpx.Response:
        headers = {**(bearer(token) if token else {}), **more.pop("headers", {})}
        return self.request(method, path, base=AT, headers=headers, **more)

    def log_in(self, token: str) -> httpx.Response:
        return self.request("POST", "/login", base=AT, headers=PAGE, data={"token": token})
