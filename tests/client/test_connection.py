"""What is no edge-runtime, or none that can be trusted: one sentence each, and no secret in it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge_runtime.client import Client
from edge_runtime.client.address import address_of
from edge_runtime.errors import ConfigError, ServiceRefused, ServiceUnreachable

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


@contextmanager
def answering(
    answer: bytes, wrap: Callable[[socket.socket], socket.socket] = lambda line: line
) -> Iterator[int]:
    """A program that says the same to whoever comes, on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    line = wrap(listening.accept()[0])
                except OSError as error:
                    if isinstance(error, ssl.SSLError):
                        continue
                    return
                with line:
                    line.recv(65536)
                    line.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "speaks no HTTP"),
        (b"", "broke off"),
        (OK + b"\r\n<html>", "no edge-runtime"),
        (OK + b"Content-Length: 999\r\n\r\n{}", "broke off"),
        (OK + b'\r\n{"version": "1"}', "StatusReport was expected"),
    ],
)
def test_what_is_no_runtime(answer: bytes, problem: str) -> None:
    with answering(answer) as port, pytest.raises(ServiceUnreachable, match=problem):
        Client(f"http://127.0.0.1:{port}").status()


def test_an_error_page_of_somebody_else() -> None:
    page = b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n<html>nginx"
    with answering(page) as port, pytest.raises(ServiceRefused, match="502 without a reason"):
        Client(f"http://127.0.0.1:{port}").status()


def test_a_redirect_gets_no_token() -> None:
    with answering(b"") as elsewhere:
        away = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\n\r\n" % elsewhere
        with answering(away) as port, pytest.raises(ServiceRefused) as refused:
            Client(f"http://127.0.0.1:{port}", token="t" * 20).status()
    assert refused.value.status == 302


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(ServiceUnreachable, match="nothing listens at"):
        Client(f"http://127.0.0.1:{port}").status()


def test_silence_has_an_end() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(ServiceUnreachable, match=r"within 0.05 s"),
    ):
        Client(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.05).status()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("pi.local:8000", "http://pi.local:8000/"),
        ("http://pi", "http://pi:80/"),
        ("https://pi/", "https://pi:443/"),
        ("https://pi/cameras/", "https://pi:443/cameras/"),
        ("http://[fe80::1]:8000/", "http://[fe80::1]:8000/"),
        ("http://pi:8000/login#secret", "http://pi:8000/"),
        ("https://pi/cameras/login#secret", "https://pi:443/cameras/"),
    ],
)
def test_addresses(url: str, shown: str) -> None:
    assert str(address_of(url)) == shown
    assert "secret" not in repr(address_of(url))


@pytest.mark.parametrize("url", ["ftp://pi", "http://", "http://pi:port", "http://pi:99999", ""])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ConfigError, match=r"http://pi\.local:8000"):
        Client(url)


@pytest.mark.parametrize("token", ["a\nb", "geheim€", "a\x00b"])
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(ConfigError, match="copy it again") as error:
        Client(token=token)
    assert token not in str(error.value)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Self-signed, for localhost, with its key in the same file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "own.pem"
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, pkcs8, plain))
    return file


@pytest.fixture
def secure(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    alive = OK + b'\r\n{"alive": true, "version": "1"}'
    with answering(alive, lambda line: context.wrap_socket(line, server_side=True)) as port:
        yield f"https://localhost:{port}"


def test_a_certificate_of_ones_own_is_trusted_when_named(secure: str, certificate: Path) -> None:
    assert Client(secure, verify=certificate).alive().alive


def test_else_it_is_not_and_the_error_says_what_to_do(secure: str) -> None:
    with pytest.raises(ServiceUnreachable, match=r"not trusted .*name its file"):
        Client(secure).alive()


def test_its_name_is_checked(secure: str, certificate: Path) -> None:
    with pytest.raises(ServiceUnreachable, match="not trusted"):
        Client(secure.replace("localhost", "127.0.0.1"), verify=certificate).alive()


def test_verifying_can_be_left_out(secure: str) -> None:
    assert Client(secure, verify=False).alive().alive


def test_a_file_without_a_certificate(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for file in (tmp_path / "empty.pem", tmp_path / "gone.pem"):
        with pytest.raises(ConfigError, match=rf"{file.name} cannot be used .*PEM"):
            Client("https://pi", verify=file)
