"""Whether somebody we trust signed a file: Ed25519 signatures as minisign writes them.

A public key is one line of base64: ``Ed``, the key's 8-byte number, the key's 32 bytes. A file of a
signature has four lines: a comment; base64 of an algorithm (``Ed`` signs the file, ``ED`` its
BLAKE2b-512 hash), the key's number and 64 bytes; a trusted comment; base64 of 64 bytes that sign
the signature with that comment (jedisct1.github.io/minisign).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from edge_runtime.errors import ConfigError, LibraryMissing, ModelRejected

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SUFFIX: Final = ".minisig"
LARGEST: Final = 4096
"""Bytes of a signature file; real ones have about 300."""

_KEY_BYTES, _SIGNED_BYTES, _GLOBAL_BYTES = 2 + 8 + 32, 2 + 8 + 64, 64
_COMMENT: Final = "trusted comment: "


class _Signature(NamedTuple):
    algorithm: bytes
    key_number: bytes
    signature: bytes
    comment: str
    overall: bytes


class TrustedKeys:
    """Public keys whose signatures count.

    Raises ConfigError for a text that is no key, LibraryMissing without ``cryptography``.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = dict(_key(text) for text in keys)

    def require_signed(self, content: bytes, signature: bytes | None, name: str) -> str:
        """The trusted comment of a good signature. Raises ModelRejected for any other, or none."""
        if signature is None:
            raise ModelRejected(
                f"{name} is not signed, but models.trusted_keys asks for it: sign it with minisign "
                f"and copy {name}{SUFFIX} beside it, before the model"
            )
        parts = _parts(signature, name)
        key = self._keys.get(parts.key_number)
        if key is None:
            _refuse(name, "is not by a key of models.trusted_keys")
        signed = hashlib.blake2b(content).digest() if parts.algorithm == b"ED" else content
        _verify(
            key, parts.signature, signed, name, "does not fit the file: one of them was changed"
        )
        overall = parts.signature + parts.comment.encode()
        _verify(key, parts.overall, overall, name, "has a comment that was changed")
        return parts.comment


def _key(text: str) -> tuple[bytes, Ed25519PublicKey]:
    """The key's number and the key."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise LibraryMissing(
            "models.trusted_keys needs the library cryptography: pip install "
            "'edge-runtime[signing]', or apt install python3-cryptography"
        ) from None
    raw = _decoded(text)
    if raw is None or len(raw) != _KEY_BYTES or raw[:2] != b"Ed":
        raise ConfigError(
            f"models.trusted_keys: {text!r} is no public key of minisign; expected the second line "
            "of minisign.pub, 56 letters beginning with RW"
        )
    return raw[2:10], Ed25519PublicKey.from_public_bytes(raw[10:])


def _parts(signature: bytes, name: str) -> _Signature:
    lines = signature[:LARGEST].decode("utf-8", "replace").splitlines()
    if len(lines) < 4 or not lines[2].startswith(_COMMENT):
        _refuse(name, "is none of minisign's: expected four lines")
    signed, overall = _decoded(lines[1]), _decoded(lines[3])
    if signed is None or len(signed) != _SIGNED_BYTES or signed[:2] not in (b"Ed", b"ED"):
        _refuse(name, "has a second line that is no signature")
    if overall is None or len(overall) != _GLOBAL_BYTES:
        _refuse(name, "has a fourth line that is no signature")
    comment = lines[2].removeprefix(_COMMENT)
    return _Signature(signed[:2], signed[2:10], signed[10:], comment, overall)


def _verify(key: Ed25519PublicKey, signature: bytes, signed: bytes, name: str, flaw: str) -> None:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, signed)
    except InvalidSignature:
        _refuse(name, flaw)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None


def _refuse(name: str, flaw: str) -> NoReturn:
    raise ModelRejected(f"the signature {name}{SUFFIX} {flaw}; sign the file again")
