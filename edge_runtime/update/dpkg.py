"""Asking dpkg and apt: what a package file is, what is installed, and installing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_runtime.errors import UpdateRefused
from edge_runtime.service.systemctl import Run

NAME: Final = "edge-runtime"

PATIENCE_S: Final = 300.0
"""For other programs that install something now, such as unattended-upgrades."""
_PAUSE_S: Final = 5.0

_FIELDS: Final = ("Package", "Version", "Architecture", "Installed-Size")

# Nobody answers questions here. Settings that were changed stay, as `apt` leaves them by default.
_QUIETLY: Final = ("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8")
_KEEP_SETTINGS: Final = ("--force-confdef", "--force-confold")


class InstallFailed(Exception):
    """What dpkg or apt said, in one line; how far they came is theirs to know."""


@dataclass(frozen=True, slots=True)
class Package:
    """What a package file says of itself."""

    name: str
    version: str
    architecture: str
    installed_kib: int


class Dpkg:
    """``run`` waits as long as installing takes; ``wait`` sleeps for seconds."""

    def __init__(self, run: Run, wait: Callable[[float], None]) -> None:
        self._run, self._wait = run, wait

    def describe(self, file: Path) -> Package:
        """Raises UpdateRefused for what is no package, or only a part of one."""
        done = self._run(("dpkg-deb", "--field", str(file), *_FIELDS))
        fields = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
        if done.returncode != 0 or set(fields) != set(_FIELDS):
            reason = _line(done.stderr) or f"it lacks one of {', '.join(_FIELDS)}"
            raise UpdateRefused(f"that file is no Debian package of ours: {reason}")
        # Reads all of it: one that was cut short shows here, and not when half is installed.
        done = self._run(("dpkg-deb", "--contents", str(file)))
        if done.returncode != 0:
            raise UpdateRefused(f"that package is damaged: {_line(done.stderr)}")
        return Package(
            fields["Package"],
            fields["Version"],
            fields["Architecture"],
            int(fields["Installed-Size"]),
        )

    def installed(self) -> str | None:
        """The version whose files are here, also if they are half of it; None without any."""
        words = ("dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Version}", NAME)
        done = self._run(words)
        status, _, version = done.stdout.partition(" ")
        is_there = done.returncode == 0 and status[1:2] not in ("n", "c", "")
        return version.strip() if is_there else None

    def is_whole(self) -> bool:
        """Whether it is installed to the end, and its files are those of the package."""
        words = ("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", NAME)
        done = self._run(words)
        if done.returncode != 0 or done.stdout.strip() != "ii":
            return False
        changed = self._run(("dpkg", "--verify", NAME)).stdout.splitlines()
        return all(_is_settings(line) for line in changed)

    def architecture(self) -> str:
        return self._run(("dpkg", "--print-architecture")).stdout.strip()

    def is_older(self, version: str, than: str) -> bool:
        return self._run(("dpkg", "--compare-versions", version, "lt", than)).returncode == 0

    def rehearse(self, file: Path) -> None:
        """Raises UpdateRefused where apt would not install it; nothing is changed."""
        done = self._run((*self._apt("--simulate"), str(file)))
        if done.returncode != 0:
            # What is missing stands among the results, that something is among the errors.
            missing = [line for line in done.stdout.splitlines() if "Depends:" in line]
            reason = _line(" ".join((*missing, done.stderr)))
            raise UpdateRefused(f"apt would not install that package: {reason}")

    def install(self, file: Path) -> None:
        """With what it depends on. Raises InstallFailed."""
        self._must((*self._apt("--yes"), str(file)))

    def put_back(self, file: Path) -> None:
        """Whatever was left half done before; without the network. Raises InstallFailed.

        dpkg and not apt: apt refuses to do anything after dpkg was cut short.
        """
        words = (*_QUIETLY, "dpkg", *_KEEP_SETTINGS, "--force-downgrade", "--install", str(file))
        waited = 0.0
        while True:
            try:
                self._must(words)
                break
            except InstallFailed as error:
                if "lock" not in str(error) or waited >= PATIENCE_S:
                    raise
            self._wait(_PAUSE_S)
            waited += _PAUSE_S
        # Libraries that came with the new version may be half installed, too. Should one of them
        # fail, it is not what we run on.
        self._run((*_QUIETLY, "dpkg", *_KEEP_SETTINGS, "--configure", "--pending"))

    def _apt(self, how: str) -> tuple[str, ...]:
        settings = (f"Dpkg::Options::={each}" for each in _KEEP_SETTINGS)
        options = (f"DPkg::Lock::Timeout={PATIENCE_S:.0f}", *settings)
        return (
            *_QUIETLY,
            *("apt-get", "--quiet", "--no-install-recommends", "--allow-downgrades"),
            "--reinstall",  # one of the same version may be another, built anew
            *(word for option in options for word in ("-o", option)),
            *(how, "install"),
        )

    def _must(self, words: Sequence[str]) -> None:
        done = self._run(words)
        if done.returncode != 0:
            raise InstallFailed(_line(done.stderr) or f"it ended with {done.returncode}")


def _is_settings(line: str) -> bool:
    """Of ``dpkg --verify``: checks, then ``c`` for a file that people may change."""
    return line.split()[1:2] == ["c"]


def _line(text: str) -> str:
    """All that was said in one line; the last words matter most, so the beginning may go."""
    return " ".join(text.split())[-500:]
