"""A certificate that this machine signs for itself: encrypts, and proves nothing but sameness."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_runtime.errors import LibraryMissing, OutputUnwritable

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

DAYS: Final = 825
"""The longest that Apple's browsers accept (support.apple.com/103769)."""

CERTIFICATE: Final = "page-certificate.pem"
KEY: Final = "page-key.pem"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was made, and how to recognize it in a browser's warning."""

    certificate: Path
    key: Path
    fingerprint: str
    """SHA-256 of the certificate, as ``AB:CD:…``."""
    ends: datetime


def make_certificate(
    folder: Path, names: Iterable[str], *, now: datetime | None = None
) -> Certificate:
    """A key and a certificate for host names and addresses, written into ``folder``.

    Raises LibraryMissing without ``cryptography``, OutputUnwritable when a file is there already
    or cannot be written.
    """
    try:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        raise LibraryMissing(
            "making a certificate needs the library cryptography: pip install "
            "'edge-runtime[signing]', or apt install python3-cryptography"
        ) from None
    key = ec.generate_private_key(ec.SECP256R1())
    made = _signed(key, sorted(set(names)), now or datetime.now(UTC))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(folder / KEY, private, 0o600)
    _write(folder / CERTIFICATE, made.public_bytes(serialization.Encoding.PEM), 0o644)
    return Certificate(
        folder / CERTIFICATE,
        folder / KEY,
        made.fingerprint(hashes.SHA256()).hex(":").upper(),
        made.not_valid_after_utc,
    )


def _signed(key: EllipticCurvePrivateKey, names: list[str], now: datetime) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "edge-runtime")])
    # A board without a clock battery starts in the past: valid from yesterday.
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS - 1))
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _name(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, content: bytes, mode: int) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except FileExistsError:
        raise OutputUnwritable(
            f"{path} is there already and is not replaced: remove it first, or name another folder "
            "with --out"
        ) from None
    except OSError as error:
        raise OutputUnwritable(
            f"{path} cannot be written ({error.strerror}): name another folder with --out"
        ) from error
