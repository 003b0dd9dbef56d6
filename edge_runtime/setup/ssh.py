"""``ssh_key``: who may log in from elsewhere, as the first user of the system."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from edge_runtime.errors import ConfigError, SetupFailed
from edge_runtime.setup.step import Step, Values
from edge_runtime.setup.system import Account, System

_KINDS: Final = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
_PEOPLE: Final = range(1000, 60000)
"""User ids that Debian gives to people."""


def _check(values: Values) -> None:
    key = values["ssh_key"]
    if "PRIVATE KEY" in key:
        raise ConfigError(
            "ssh_key is a private key, which must not leave your computer: take the line of the "
            "file that ends in .pub, and make a new pair"
        )
    words = key.split(None, 2)
    if len(words) < 2 or words[0] not in _KINDS or not _holds(words[0], words[1]):
        raise ConfigError(
            "ssh_key is no public key: the one whole line of a file such as "
            "~/.ssh/id_ed25519.pub is expected, beginning with ssh-ed25519"
        )


def _apply(values: Values, system: System) -> str:
    account = _first_person(system)
    folder = account.home / ".ssh"
    system.folder(folder, mode=0o700, of=account)
    file = folder / "authorized_keys"
    known = file.read_text("utf-8", "replace").splitlines() if file.exists() else []
    if values["ssh_key"] not in known:
        lines = "\n".join((*known, values["ssh_key"], ""))
        system.write(file, lines, mode=0o600, uid=account.uid, gid=account.gid)
    if not any(system.at("etc/ssh").glob("ssh_host_*_key")):
        # An image holds none: two boards with the same keys could pose as each other.
        system.do("ssh-keygen", "-A")
    system.do("systemctl", "enable", "--quiet", "ssh.service")
    system.do("systemctl", "--no-block", "start", "ssh.service")
    return f"{account.name} may log in with that key"


def _first_person(system: System) -> Account:
    people = [each for each in system.accounts() if each.uid in _PEOPLE]
    if not people:
        raise SetupFailed(
            "ssh_key is nobody's: this system has no user yet; make one, such as with Raspberry "
            "Pi Imager, and start again"
        )
    return min(people, key=lambda each: each.uid)


def _holds(kind: str, text: str) -> bool:
    """Whether the data begins with its own kind, as RFC 4253 section 6.6 has it."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    length = int.from_bytes(data[:4], "big")
    return data[4 : 4 + length] == kind.encode() and len(data) > 4 + length


SSH_KEY = Step(("ssh_key",), _check, _apply)
