"""``token``: who may open the page, and the page opened to the network.

``token = new`` makes one. Its link then stands in ``edge-runtime-link.txt`` beside ``edge.conf``
and, until the next start, on the screen that is plugged into the board. It stands in no log.
"""

from __future__ import annotations

import re
from typing import Final

from edge_runtime.config import Config
from edge_runtime.errors import ConfigError
from edge_runtime.qr import drawn
from edge_runtime.setup import settings_file
from edge_runtime.setup.step import Step, Values
from edge_runtime.setup.system import System
from edge_runtime.web.door import is_loopback
from edge_runtime.web.tokens import TOKEN_FILE, TokenFile, TokenScope

LINK_FILE: Final = "edge-runtime-link.txt"
SCREEN: Final = "run/issue.d/edge-runtime.issue"
"""What the login prompt shows above itself, agetty(8); gone at the next start."""
NAME: Final = "edge.conf"
"""Of the kept token."""

_SHORTEST: Final = 32
_FEWEST: Final = 12
_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - that is what is asked for, and it asks for the token


def _check(values: Values) -> None:
    token = values["token"]
    if token == "new":  # noqa: S105 - a word, no secret
        return
    # A token is kept unsalted, because nobody can guess one: so it must not be a password.
    if not re.fullmatch(rf"[\w-]{{{_SHORTEST},128}}", token, re.ASCII) or len(set(token)) < _FEWEST:
        raise ConfigError(
            f"token can be guessed: write `new`, or at least {_SHORTEST} random letters, digits, "
            "hyphens and underscores, such as `openssl rand -hex 24` prints"
        )


def _apply(values: Values, system: System) -> str:
    chosen = None if values["token"] == "new" else values["token"]  # noqa: S105
    account = system.service_account()
    config = settings_file.service_config(system)
    system.folder(config.state_dir, mode=0o700, of=account)
    secret = _kept(TokenFile(config.state_dir / TOKEN_FILE), chosen)
    if is_loopback(config.web.host):
        settings_file.change(system, "web.host", _EVERYWHERE)
    system.do("systemctl", "--no-block", "try-restart", "edge-runtime.service")
    if chosen is None:
        _tell(f"{address_of(config, system)}login#{secret}", system)
        return f"the page asks for a token; its link stands in {LINK_FILE} and on the screen"
    return "the page asks for the token of edge.conf"


def address_of(config: Config, system: System) -> str:
    """The page's address; no network is up yet, so it is by name."""
    name = system.text("etc/hostname").strip().partition(".")[0] or "raspberrypi"
    scheme = "https" if config.web.tls_cert else "http"
    return f"{scheme}://{name}.local:{config.web.port}/"


def _kept(file: TokenFile, chosen: str | None) -> str:
    """Keep a token in the place of the one of an earlier ``edge.conf``."""
    if any(token.name == NAME for token in file.read()):
        file.revoke(NAME)
    return file.make(TokenScope.ADMIN, NAME, secret=chosen)[1]


def _tell(link: str, system: System) -> None:
    text = f"edge-runtime: open this in a browser of the same network\n\n  {link}\n\n"
    # agetty takes a backslash for a command; there is none in a link or a QR code.
    system.write(system.at(SCREEN), f"{text}{drawn(link)}\n", mode=0o600)
    note = "Delete this file when the page is open: the link lets in whoever has it.\n"
    system.write(system.card / LINK_FILE, f"{text}{note}", mode=0o600)


TOKEN = Step(("token",), _check, _apply)
