"""The door: encryption with files that are given."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime.app.certificate import Certificate, make_certificate
from edge_runtime.app.connection import Limits
from edge_runtime.app.server import tls_context
from edge_runtime.errors import WebUnavailable
from tests.web.conftest import LiveService

TOKEN = "a-token-of-the-test-00"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), ["localhost", "127.0.0.1"])


@pytest.fixture
def service(tmp_path: Path, made: Certificate) -> Iterator[LiveService]:
    limits = Limits(handshake_s=0.3, connections=5)
    tls = tls_context(made.certificate, made.key)
    with LiveService(tmp_path, tls=tls, limits=limits, token=TOKEN) as service:
        yield service


def told(service: LiveService, made: Certificate, request: bytes) -> bytes:
    trusting = ssl.create_default_context(cafile=made.certificate)
    with (
        socket.create_connection(("127.0.0.1", service.port), timeout=5) as plain,
        trusting.wrap_socket(plain, server_hostname="localhost") as line,
    ):
        line.sendall(request)
        data = b""
        while chunk := line.recv(65536):
            data += chunk
        return data


def test_a_browser_that_trusts_the_certificate_gets_in(
    service: LiveService, made: Certificate
) -> None:
    get = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    assert told(service, made, get).startswith(b"HTTP/1.1 200")


def test_the_cookie_is_marked_as_secret(service: LiveService, made: Certificate) -> None:
    form = b"token=" + TOKEN.encode()
    head = b"POST /login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
    answer = told(service, made, head + b"content-length: %d\r\n\r\n" % len(form) + form)
    assert answer.startswith(b"HTTP/1.1 303")
    assert b"; secure" in answer.lower()


def test_a_stream_flows_encrypted(tmp_path: Path, made: Certificate) -> None:
    tls = tls_context(made.certificate, made.key)
    trusting = ssl.create_default_context(cafile=made.certificate)
    with (
        LiveService(tmp_path, tls=tls) as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=5) as plain,
        trusting.wrap_socket(plain, server_hostname="localhost") as line,
    ):
        line.sendall(b"GET /api/v1/stream.mjpg HTTP/1.1\r\nhost: localhost\r\n\r\n")
        data = b""
        while data.count(b"image/jpeg") < 5:
            data += line.recv(65536)


def test_old_protocols_are_refused(service: LiveService, made: Certificate) -> None:
    assert tls_context(made.certificate, made.key).minimum_version == ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", service.port), timeout=5) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert b"200" not in received(plain)


def test_a_handshake_that_does_not_come_is_dropped(service: LiveService) -> None:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", service.port), timeout=5) as plain:
        plain.sendall(b"\x16\x03\x01")
        assert received(plain) == b""
    assert time.monotonic() - began < 4


def test_handshakes_that_do_not_come_keep_nobody_out(
    service: LiveService, made: Certificate
) -> None:
    lines = [socket.create_connection(("127.0.0.1", service.port), timeout=5) for _ in range(20)]
    get = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    assert told(service, made, get).startswith(b"HTTP/1.1 200")
    assert len(service.server.server_state.connections) <= 5
    for line in lines:
        line.close()


def test_a_handshake_takes_a_place_like_any_connection(tmp_path: Path, made: Certificate) -> None:
    limits = Limits(handshake_s=60, connections=5)
    tls = tls_context(made.certificate, made.key)
    with LiveService(tmp_path, tls=tls, limits=limits) as service:
        lines = [socket.create_connection(("127.0.0.1", service.port), 5) for _ in range(20)]
        for line in lines[:15]:
            assert received(line) == b""
        for line in lines:
            line.close()


def received(line: socket.socket) -> bytes:
    try:
        return line.recv(65536)
    except ConnectionResetError:
        return b""


def test_files_that_cannot_be_used_are_one_sentence(tmp_path: Path, made: Certificate) -> None:
    other = make_certificate(tmp_path, ["localhost"])
    (tmp_path / "words.pem").write_text("words")
    for certificate, key in (
        (tmp_path / "missing.pem", made.key),
        (tmp_path / "words.pem", made.key),
        (made.certificate, other.key),
    ):
        with pytest.raises(WebUnavailable, match=r"cannot be used.*edge-runtime certificate"):
            tls_context(certificate, key)


def test_a_key_with_a_passphrase_is_refused_and_asks_nobody(
    tmp_path: Path, made: Certificate
) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(made.key.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(WebUnavailable, match=r"\(the key asks for a passphrase\)"):
        tls_context(made.certificate, locked)
