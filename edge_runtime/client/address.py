"""Where a runtime answers, as people write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from edge_runtime.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Address:
    """Scheme, host and port, and the token if it was in the URL."""

    secure: bool
    """Whether over TLS."""
    host: str
    port: int
    path: str
    """What a proxy in front wants before our own paths; without a slash at its end."""
    token: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Without the token, so it may be shown."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}{self.path}/"


def address_of(url: str) -> Address:
    """Of ``http://pi.local:8000/``, ``pi.local:8000``, or the link that ``token new`` prints.

    Raises ConfigError.
    """
    split = urlsplit(url if "://" in url else f"http://{url}")
    if split.scheme not in ("http", "https") or not split.hostname:
        raise ConfigError(
            f"{split.scheme}://… is no address of a runtime: expected one such as "
            f"http://pi.local:8000"
        )
    secure = split.scheme == "https"
    return Address(
        secure,
        split.hostname,
        _port(split) or (443 if secure else 80),
        split.path.removesuffix("login" if split.fragment else "").rstrip("/"),
        split.fragment or None,
    )


def _port(split: SplitResult) -> int | None:
    try:
        return split.port
    except ValueError as error:
        raise ConfigError(
            f"the port in the address of {split.hostname} is wrong: expected 1 to 65535, "
            f"such as http://pi.local:8000"
        ) from error
