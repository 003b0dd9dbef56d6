"""Only what a trusted key signed is let in; the keys are real, the format is minisign's."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("cryptography", reason="signatures need the extra [signing]")

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
)

from edge_runtime.errors import ConfigError, ModelRejected
from edge_runtime.store.signature import TrustedKeys

CONTENT = b"a model" * 100


class Signer:
    """What ``minisign -S`` does."""

    def __init__(self, seed: int) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self._number = bytes([seed]) * 8

    @property
    def public(self) -> str:
        raw = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(b"Ed" + self._number + raw).decode()

    def sign(self, content: bytes, *, hashed: bool = True, comment: str = "file:smile") -> bytes:
        signed = hashlib.blake2b(content).digest() if hashed else content
        signature = self._private.sign(signed)
        overall = self._private.sign(signature + comment.encode())
        first = base64.b64encode((b"ED" if hashed else b"Ed") + self._number + signature).decode()
        last = base64.b64encode(overall).decode()
        return f"untrusted comment: x\n{first}\ntrusted comment: {comment}\n{last}\n".encode()


OURS, THEIRS = Signer(1), Signer(2)


@pytest.mark.parametrize("hashed", [True, False])
def test_what_we_signed_is_let_in_with_its_comment(hashed: bool) -> None:
    keys = TrustedKeys([THEIRS.public, OURS.public])
    assert keys.require_signed(CONTENT, OURS.sign(CONTENT, hashed=hashed), "m") == "file:smile"


@pytest.mark.parametrize(
    ("signature", "sentence"),
    [
        (None, "m is not signed"),
        (THEIRS.sign(CONTENT), "is not by a key of"),
        (OURS.sign(CONTENT + b"!"), "does not fit the file"),
        (OURS.sign(CONTENT).replace(b"file:smile", b"file:other"), "a comment that was changed"),
        (b"", "expected four lines"),
        (b"a\n!!\ntrusted comment: x\n!!\n", "second line that is no signature"),
    ],
)
def test_anything_else_is_refused(signature: bytes | None, sentence: str) -> None:
    with pytest.raises(ModelRejected, match=sentence):
        TrustedKeys([OURS.public]).require_signed(CONTENT, signature, "m")


@given(st.binary(max_size=400))
def test_noise_is_refused_and_nothing_else_happens(noise: bytes) -> None:
    with pytest.raises(ModelRejected):
        TrustedKeys([OURS.public]).require_signed(CONTENT, noise, "m")


@pytest.mark.parametrize("text", ["", "RW", "not base64!", base64.b64encode(b"x" * 42).decode()])
def test_a_text_that_is_no_key_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="no public key of minisign"):
        TrustedKeys([text])
