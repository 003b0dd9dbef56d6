"""Templates kept unreadable for whoever takes the card: AES-256-GCM with a key of the machine.

The key is a credential of the service, which systemd decrypts at its start from the board's TPM or
host key (``systemd-creds encrypt``, ``LoadCredentialEncrypted=``; docs/known-faces.md).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_runtime.errors import ConfigError, LibraryMissing, TemplatesInvalid

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CREDENTIAL: Final = "edge-runtime-people-key"
"""The credential's name."""

LEAST_KEY: Final = 32
"""Bytes of a key: fewer are a password, which somebody can guess."""

NONCE: Final = 12
_PURPOSE: Final = b"edge-runtime templates of people 1"


class Seal:
    """Seals and opens with one key."""

    def __init__(self, key: bytes, *, source: str = "the key") -> None:
        """Raises ConfigError for a key that is too short, LibraryMissing without the library."""
        if len(key.strip()) < LEAST_KEY:
            raise ConfigError(
                f"{source} has {len(key.strip())} bytes; expected {LEAST_KEY} and more, made by "
                f"`head -c {LEAST_KEY} /dev/urandom | base64`"
            )
        self._cipher = _cipher(hashlib.sha256(_PURPOSE + key.strip()).digest())

    def close(self, content: bytes, header: bytes) -> bytes:
        """Sealed content; ``header`` stays readable but cannot be changed."""
        nonce = os.urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, content, header)

    def open(self, sealed: bytes, header: bytes) -> bytes:
        """Raises TemplatesInvalid when the key is another one or a byte was changed."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], header)
        except (InvalidTag, ValueError) as error:
            raise TemplatesInvalid("it was sealed with another key, or was damaged") from error


def _cipher(key: bytes) -> AESGCM:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as error:
        raise LibraryMissing(
            "templates of people are to be sealed, which needs the library cryptography: "
            "pip install 'edge-runtime[signing]', or apt install python3-cryptography"
        ) from error
    return AESGCM(key)


def seal_of(credentials: Path | None, key_file: Path | None = None) -> Seal | None:
    """The seal of the service's credential, else of a file that the settings name; None: neither.

    ``credentials``: the folder that systemd gives a service (``CREDENTIALS_DIRECTORY``). Raises
    ConfigError when the key cannot be read or is too short.
    """
    credential = None if credentials is None else credentials / CREDENTIAL
    file = credential if credential is not None and credential.exists() else key_file
    if file is None:
        return None
    try:
        return Seal(file.read_bytes(), source=f"the key in {file}")
    except OSError as error:
        raise ConfigError(
            f"the key that seals the templates cannot be read from {file} "
            f"({error.strerror}): let this user read it, or take people.key_file away"
        ) from error
