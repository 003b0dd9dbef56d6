"""The machine under examination: every question about the outside world, each replaceable."""

from __future__ import annotations

import getpass
import grp
import os
import platform
import shutil
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from edge_runtime.doctor.library import Library, find_library
from edge_runtime.telemetry.command import Command, run_command
from edge_runtime.telemetry.kernel_files import KernelFiles


class CameraNode(Protocol):
    """What ``capture.devices.list_cameras`` says of one /dev/video node."""

    @property
    def path(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def is_capture(self) -> bool | None: ...
    @property
    def held_by(self) -> Sequence[object]: ...
    @property
    def readable(self) -> bool: ...


class Python(NamedTuple):
    """The interpreter that runs us."""

    version: tuple[int, int, int]
    bits: int
    architecture: str
    """Of the kernel: ``aarch64``, ``x86_64``."""
    prefix: Path
    base_prefix: Path

    @property
    def in_venv(self) -> bool:
        return self.prefix != self.base_prefix


class User(NamedTuple):
    """Who runs us."""

    name: str
    is_root: bool
    groups: frozenset[str]
    known_groups: frozenset[str]
    """All groups this machine has."""


class Disk(NamedTuple):
    """A file system's size and what this user may still write, bytes."""

    total: int
    free: int


def this_python() -> Python:
    """The interpreter that runs us."""
    bits = 64 if sys.maxsize > 2**32 else 32
    return Python(
        sys.version_info[:3], bits, platform.machine(), Path(sys.prefix), Path(sys.base_prefix)
    )


def this_user() -> User:
    """Who runs us, by effective ids."""
    known = {group.gr_gid: group.gr_name for group in grp.getgrall()}
    ours = {os.getegid(), *os.getgroups()}
    names = frozenset(known[gid] for gid in ours if gid in known)
    return User(_user_name(), os.geteuid() == 0, names, frozenset(known.values()))


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without an entry, as in containers
        return f"user {os.geteuid()}"


def ask(argv: Sequence[str]) -> str | None:
    """A program's answer; a camera may take seconds to give its own."""
    return run_command(argv, timeout_s=10)


def disk_at(path: Path) -> Disk:
    """The file system that holds ``path``. Raises OSError."""
    total, _, free = shutil.disk_usage(path)
    return Disk(total, free)


def is_writable(folder: Path) -> bool:
    """Whether this user may make files in ``folder``."""
    return os.access(folder, os.W_OK | os.X_OK)


def bind(host: str, port: int) -> None:
    """Take an address for a moment. Raises OSError when nothing can listen there."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Facts and questions; the defaults ask this machine."""

    files: KernelFiles = field(default_factory=KernelFiles)
    run: Command = ask
    python: Python = field(default_factory=this_python)
    user: User = field(default_factory=this_user)
    library: Callable[..., Library | None] = find_library
    cameras: Callable[[], Sequence[CameraNode]]
    wall_clock: Callable[[], float] = time.time
    disk: Callable[[Path], Disk] = disk_at
    writable: Callable[[Path], bool] = is_writable
    bind: Callable[[str, int], None] = bind

    @property
    def is_raspberry_pi(self) -> bool:
        model = self.files.text("proc/device-tree/model") or ""
        return model.startswith("Raspberry Pi")
