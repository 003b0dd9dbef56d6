"""Tokens: who else may come in. Only hashes of them are kept, so the file opens nothing.

A token is 192 random bits, so its hash needs no salt and no slowness: nobody tries them all. What
is kept is the hash of the token's cookie, and the cookie is a keyed hash of the token:

    token --HMAC-SHA256--> cookie --SHA-256--> digest in the file

So one digest serves programs, which send the token, and browsers, which send the cookie; a stolen
cookie does not tell the token, and a stolen file tells neither.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import math
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import Final, Literal, cast

from edge_runtime.errors import WebUnavailable
from edge_runtime.store.shelf.disk import SystemDisk, ensure_folder, part_of
from edge_runtime.types import Clock

log = logging.getLogger(__name__)

TOKEN_FILE: Final = "web-tokens.json"  # noqa: S105 - a name, no secret
PREFIX: Final = "ert_"
"""Marks a token where it turns up, so that log masks and scanners of repositories find it."""
MOST_TOKENS: Final = 64
CHECK_S: Final = 1.0
"""How long a revocation may take to be noticed."""

_COOKIE: Final = b"edge-runtime page cookie"


ScopeWord = Literal["stats", "view", "admin"]


class TokenScope(IntEnum):
    """What a token's holder may do; each scope holds those below it."""

    STATS = 1
    """Figures, no pictures."""
    VIEW = 2
    """Pictures too."""
    ADMIN = 3
    """Changes too."""

    @property
    def word(self) -> ScopeWord:
        return cast(ScopeWord, self.name.lower())


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token."""

    name: str
    """What people call it by; each name once."""
    scope: TokenScope
    made: str
    """UTC, as ``2026-11-25T11:02:03Z``."""
    digest: str = field(repr=False)
    """SHA-256 of its cookie, as 64 hexadecimal digits."""
    expires: str | None = None
    """UTC, written as ``made``; from then on it opens nothing. None: never."""

    @property
    def ends_at(self) -> datetime | None:
        """``expires`` as a time."""
        return None if self.expires is None else datetime.fromisoformat(self.expires)

    def expired(self, now: datetime) -> bool:
        """Whether it ended by itself."""
        return self.ends_at is not None and now >= self.ends_at


def utc_now() -> datetime:
    """By this machine's clock."""
    return datetime.now(UTC)


def cookie_of(token: str) -> str:
    """What a browser keeps instead of the token."""
    return hmac.new(token.encode(), _COOKIE, hashlib.sha256).hexdigest()


def digest_of(cookie: str) -> str:
    """What the file keeps of a cookie."""
    return hashlib.sha256(cookie.encode()).hexdigest()


class TokenFile:
    """The kept tokens of one state folder, for those who make and revoke them.

    Everything raises WebUnavailable when the file cannot be read, written or understood.
    """

    def __init__(self, path: Path, *, now: Callable[[], datetime] | None = None) -> None:
        self.path = path
        self._now = now or utc_now
        self._disk = SystemDisk()

    def read(self) -> tuple[Token, ...]:
        """The oldest first; none where there is no file."""
        try:
            self._keep_private()
            text = self.path.read_text()
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError) as error:
            raise WebUnavailable(
                f"the tokens in {self.path} cannot be read ({error}): let the user of this program "
                "read that file"
            ) from error
        return self._understood(text)

    def make(
        self,
        scope: TokenScope,
        name: str | None,
        lives: timedelta | None = None,
        secret: str | None = None,
    ) -> tuple[Token, str]:
        """What is kept of a new token, and the token itself, which is never seen again.

        ``lives``: how long from now it opens anything; None: until it is revoked.
        ``secret``: a token that somebody made elsewhere, as hard to guess as ours.
        """
        secret = secret or PREFIX + secrets.token_urlsafe(24)
        digest = digest_of(cookie_of(secret))
        now = self._now()
        expires = None if lives is None else _written(now + lives)
        token = Token(name or f"{scope.word}-{digest[:4]}", scope, _written(now), digest, expires)
        self._change(lambda kept: self._with(kept, token))
        return token, secret

    def revoke(self, name: str) -> Token:
        """Keep no more of the token of that name, and give what was kept."""
        gone: list[Token] = []

        def without(kept: tuple[Token, ...]) -> tuple[Token, ...]:
            gone.extend(token for token in kept if token.name == name)
            if not gone:
                names = ", ".join(token.name for token in kept) or "none"
                raise WebUnavailable(f"there is no token {name!r} in {self.path}; kept: {names}")
            return tuple(token for token in kept if token.name != name)

        self._change(without)
        return gone[0]

    def _with(self, kept: tuple[Token, ...], token: Token) -> tuple[Token, ...]:
        if any(each.name == token.name for each in kept):
            raise WebUnavailable(
                f"there is a token {token.name!r} already: choose another --name, or revoke it "
                f"with `edge-runtime token revoke {token.name}`"
            )
        if len(kept) >= MOST_TOKENS:
            raise WebUnavailable(
                f"{len(kept)} tokens are kept already, {MOST_TOKENS} are the most: revoke one with "
                "`edge-runtime token revoke NAME`"
            )
        return (*kept, token)

    def _change(self, change: Callable[[tuple[Token, ...]], tuple[Token, ...]]) -> None:
        folder = self.path.parent
        try:
            ensure_folder(self._disk, folder)
            with self._disk.held(folder):
                self._write(change(self.read()))
        except WebUnavailable:
            raise
        except OSError as error:
            raise WebUnavailable(
                f"the tokens cannot be kept in {self.path} ({error.strerror}): make that folder "
                "writable, run this as the service's user, or set state_dir"
            ) from error

    def _write(self, tokens: tuple[Token, ...]) -> None:
        kept = [asdict(token) | {"scope": token.scope.word} for token in tokens]
        part = part_of(self.path)
        part.unlink(missing_ok=True)
        # Made with its mode: it is at no moment readable by others.
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            if os.geteuid() == 0:
                # Made with sudo, but the service, whose folder it is, has to read it.
                owner = self.path.parent.stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            json.dump({"tokens": kept}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        # In place at once or not at all: a power cut leaves no half file.
        self._disk.rename(part, self.path)
        self._disk.sync(self.path.parent)

    def _keep_private(self) -> None:
        if self.path.stat().st_mode & 0o077:
            log.warning("%s could be read by others; now only its owner can", self.path)
            self.path.chmod(0o600)

    def _understood(self, text: str) -> tuple[Token, ...]:
        try:
            return tuple(_token(entry) for entry in json.loads(text)["tokens"])
        except (ValueError, KeyError, TypeError) as error:
            raise WebUnavailable(
                f"{self.path} is no list of tokens ({type(error).__name__}: {error}): delete it "
                "and make new tokens with `edge-runtime token new`"
            ) from error


def _written(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _token(entry: Mapping[str, str]) -> Token:
    scope = TokenScope[entry["scope"].upper()]
    digest = entry["digest"]
    if len(bytes.fromhex(digest)) != hashlib.sha256().digest_size:
        raise ValueError(f"the digest of {entry['name']!r} has {len(digest)} digits, not 64")
    token = Token(entry["name"], scope, entry["made"], digest, entry.get("expires"))
    if token.ends_at is not None and token.ends_at.tzinfo is None:
        raise ValueError(f"{token.expires!r} of {token.name!r} names no time zone")
    return token


class Tokens:
    """The tokens that hold now, for the service: follows the file within ``CHECK_S``."""

    def __init__(
        self,
        file: TokenFile,
        *,
        clock: Clock = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """``now``: the time of day by which tokens expire."""
        self._file = file
        self._clock, self._now = clock, now
        self._mark = self._marked()
        self._held = file.read()
        self._checked_at = clock()

    def __repr__(self) -> str:
        return f"Tokens({len(self._held)} of {self._file.path})"

    def __len__(self) -> int:
        return len(self._current())

    def by_token(self, offered: str) -> Token | None:
        """Whose token it is, even if it has expired."""
        return self.by_cookie(cookie_of(offered))

    def by_cookie(self, offered: str) -> Token | None:
        """Whose cookie it is; takes as long for a near miss as for a wild guess."""
        digest, found = digest_of(offered), None
        for token in self._current():
            if hmac.compare_digest(token.digest, digest):
                found = token
        return found

    def holds(self, token: Token) -> bool:
        """Whether it has neither been revoked nor expired since."""
        return token in self._current() and not self.expired(token)

    def expired(self, token: Token) -> bool:
        """Whether it ended by itself."""
        return token.expired(self._now())

    def left_s(self, token: Token) -> float:
        """Seconds until it expires; infinite when it does not."""
        ends = token.ends_at
        return math.inf if ends is None else (ends - self._now()).total_seconds()

    def _current(self) -> tuple[Token, ...]:
        now = self._clock()
        if now - self._checked_at >= CHECK_S:
            self._checked_at = now
            if (mark := self._marked()) != self._mark:
                self._held, self._mark = self._read(), mark
        return self._held

    def _read(self) -> tuple[Token, ...]:
        try:
            return self._file.read()
        except WebUnavailable as error:
            # Nobody knows who was revoked, so nobody comes in until it can be read.
            log.error("nobody can come in: %s", error)
            return ()

    def _marked(self) -> tuple[int, ...]:
        """Differs when the file does: each change makes a new one."""
        try:
            found = self._file.path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_size, found.st_ctime_ns
