"""Addresses as people may see them: passwords and values named like secrets are ``***``."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SECRET = re.compile(
    r"((?:^|&)[^=&]*(?:pass|pwd|token|key|secret|auth)[^=&]*=)[^&]*", re.IGNORECASE
)


def masked_uri(text: str) -> str:
    """``text`` without the password of its address and without values named like secrets."""
    scheme, separator, rest = text.partition("://")
    address, mark, query = rest.partition("?")
    # The last @ ends the password: people's passwords hold @ and / that nobody encodes.
    login, at, place = address.rpartition("@")
    user, colon, _ = login.partition(":")
    login = f"{user}:***" if colon else login
    query = _SECRET.sub(r"\1***", query)
    return f"{scheme}{separator}{login}{at}{place}{mark}{query}"


def masked_webhook(address: str) -> str:
    """Scheme and host alone: with many services the rest of the address is the secret."""
    parts = urlsplit(address)
    port = "" if parts.port is None else f":{parts.port}"
    hidden = "/***" if parts.path.strip("/") or parts.query else "/"
    return f"{parts.scheme}://{parts.hostname}{port}{hidden}"
