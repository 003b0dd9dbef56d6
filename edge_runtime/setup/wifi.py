"""``wifi_name``, ``wifi_password``, ``wifi_country``: a network for NetworkManager to join."""

from __future__ import annotations

import re
from typing import Final

from edge_runtime.errors import ConfigError, SetupFailed
from edge_runtime.setup.step import Step, Values
from edge_runtime.setup.system import System

CONNECTION: Final = "etc/NetworkManager/system-connections/edge-runtime-wifi.nmconnection"
_DRIVER: Final = "etc/modprobe.d/edge-runtime-wifi.conf"


def _check(values: Values) -> None:
    if "wifi_name" not in values:
        raise ConfigError(f"{' and '.join(values)} without wifi_name: write the network's name too")
    if not 1 <= len(values["wifi_name"].encode()) <= 32:
        raise ConfigError("wifi_name is longer than 32 bytes, which no network's name is")
    password = values.get("wifi_password")
    if password is not None and not _is_password(password):
        raise ConfigError(
            "wifi_password is no WPA password: 8 to 63 characters without accents, or 64 "
            "hexadecimal digits; leave the line out for an open network"
        )
    if not re.fullmatch(r"[A-Za-z]{2}", values.get("wifi_country", "DE")):
        raise ConfigError(
            f"wifi_country {values['wifi_country']!r:.40} is no country: two letters, such as DE"
        )


def _apply(values: Values, system: System) -> str:
    if not system.at("usr/sbin/NetworkManager").exists():
        raise SetupFailed(
            "Wi-Fi needs NetworkManager, which is not installed: sudo apt install network-manager"
        )
    # Only root may read it: NetworkManager refuses the file otherwise, and it holds the password.
    system.write(system.at(CONNECTION), _connection(values), mode=0o600)
    if country := values.get("wifi_country"):
        system.write(system.at(_DRIVER), f"options cfg80211 ieee80211_regdom={country.upper()}\n")
    if system.at("usr/sbin/rfkill").exists():
        # Raspberry Pi OS blocks the radio until somebody names a country.
        system.do("rfkill", "unblock", "wlan")
    if system.at("run/NetworkManager").exists():
        system.do("nmcli", "connection", "reload")
    return f"joins the Wi-Fi {values['wifi_name']!r}"


def _is_password(text: str) -> bool:
    """As IEEE 802.11 has them: a passphrase of printable ASCII, or the key itself."""
    return bool(re.fullmatch(r"[ -~]{8,63}|[0-9A-Fa-f]{64}", text))


def _connection(values: Values) -> str:
    """A keyfile, nm-settings-keyfile(5). The name is given as bytes, which may be any."""
    name = "".join(f"{byte};" for byte in values["wifi_name"].encode())
    lines = [
        "[connection]",
        "id=edge-runtime-wifi",
        # Fixed, so that the same file made twice is the same connection.
        "uuid=5d9b1f0e-6f0a-4c55-9f0a-edbe00000001",
        "type=wifi",
        "autoconnect-retries=0",
        "[wifi]",
        "mode=infrastructure",
        f"ssid={name}",
    ]
    if (password := values.get("wifi_password")) is not None:
        lines += ["[wifi-security]", "key-mgmt=wpa-psk", f"psk={_escaped(password)}"]
    return "\n".join((*lines, "[ipv4]", "method=auto", "[ipv6]", "method=auto", ""))


def _escaped(text: str) -> str:
    """As GKeyFile reads it: backslashes doubled, blanks at the ends escaped."""
    text = text.replace("\\", "\\\\")
    if text.startswith(" "):
        text = f"\\s{text[1:]}"
    return f"{text[:-1]}\\s" if text.endswith(" ") else text


WIFI = Step(("wifi_name", "wifi_password", "wifi_country"), _check, _apply)
