"""A virtual machine that this process starts, asks and ends; it is reached over loopback alone."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TypeVar

from tests.proof import Unmet, expect
from tests.vm.agent import PORT as AGENT_PORT

Found = TypeVar("Found")
PAGE_PORT = 8000
ANSWER_S = 300
"""On the host's clock, which is far faster than the machine's."""


class Done(NamedTuple):
    """What came of a command inside."""

    code: int
    text: str


class Answer(NamedTuple):
    """What the page said."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Boot:
    """What is started. Writes go to a throw-away layer: every start begins with the same disks."""

    kernel: Path
    initrd: Path
    disks: tuple[Path, ...]
    console: Path
    """Everything the machine's console said goes here."""
    root: str = "/dev/vda"
    memory_mb: int = 1024
    # A virtual second has so many instructions on a busy host, too: what is timed inside is timed
    # by the work it takes. Two nanoseconds each are the speed of a Pi 3.
    instruction_shift: int = 1


class Emulator:
    """A process that is ended where its context is left."""

    _process: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def ended(self) -> bool:
        """By itself, or never started."""
        return self._process is None or self._process.poll() is not None


class Machine(Emulator):
    """Use as a context; leaving it ends the emulator."""

    def __init__(
        self,
        boot: Boot,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.boot = boot
        self._clock, self._sleep = clock, sleep
        self._agent, self._page = free_port(), free_port()

    def __enter__(self) -> Machine:
        self.start(command_line(self.boot, agent=self._agent, page=self._page))
        return self

    def run(self, command: str, *, timeout_s: float = 1800) -> Done:
        """A shell command inside, as root."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._agent}/", data=command.encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            said = json.load(answer)
        return Done(said["code"], said["text"].strip())

    def must(self, command: str, *, timeout_s: float = 1800) -> str:
        """What the command printed; Unmet when it failed."""
        done = self.run(command, timeout_s=timeout_s)
        expect(done.code == 0, f"`{command}` ended with {done.code}: {done.text[-600:]}")
        return done.text

    def get(self, path: str, token: str | None = None) -> Answer:
        """The page's answer to somebody outside; refusals are answers, too."""
        try:
            with self.opened(path, token) as answer:
                return Answer(answer.status, answer.read())
        except urllib.error.HTTPError as refusal:
            return Answer(refusal.code, refusal.read())

    def opened(self, path: str, token: str | None = None) -> HTTPResponse:
        """An answer that may go on for ever. Raises HTTPError where it is refused."""
        request = urllib.request.Request(f"http://127.0.0.1:{self._page}{path}")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        answer: HTTPResponse = urllib.request.urlopen(request, timeout=ANSWER_S)
        return answer

    def uptime_s(self) -> float:
        """Of the machine's own clock."""
        return float(self.must("cut -d' ' -f1 /proc/uptime"))

    def until(self, probe: Callable[[], Found], what: str, *, within_s: float) -> Found:
        """The first answer of ``probe`` that holds, within so many seconds of the machine's clock.

        What does not answer yet (OSError, Unmet) is asked again.
        """
        patience = Patience(within_s, inside=self._uptime_or_none, outside=self._clock)
        last = "it does not hold"
        while not patience.is_over():
            expect(not self.ended, f"the emulator ended; {self.boot.console} says why")
            try:
                found = probe()
                if found:
                    return found
            except (OSError, Unmet) as error:
                last = str(error)
            self._sleep(0.5)
        raise Unmet(f"{what}: not within {within_s:.0f} s; last: {last}")

    def _uptime_or_none(self) -> float | None:
        try:
            return self.uptime_s()
        except (OSError, Unmet):
            return None


class Patience:
    """So long by the clock inside, from when it is first told; far longer by ours.

    The clock inside stands still with the machine, and tells nothing before it has booted.
    """

    def __init__(
        self, seconds: float, *, inside: Callable[[], float | None], outside: Callable[[], float]
    ) -> None:
        self._seconds, self._inside, self._outside = seconds, inside, outside
        self._began: float | None = None
        self._gives_up_at = outside() + 900 + 10 * seconds

    def is_over(self) -> bool:
        now = self._inside()
        if now is not None and self._began is None:
            self._began = now
        spent = now is not None and self._began is not None and now - self._began > self._seconds
        return spent or self._outside() > self._gives_up_at


def command_line(boot: Boot, *, agent: int, page: int) -> list[str]:
    """The emulator's arguments; both ports are of this machine's loopback."""
    forwards = "".join(
        f",hostfwd=tcp:127.0.0.1:{outside}-:{inside}"
        for outside, inside in ((agent, AGENT_PORT), (page, PAGE_PORT))
    )
    disks = [
        word
        for number, disk in enumerate(boot.disks)
        for word in (
            "-drive",
            f"file={disk},format=raw,if=none,id=disk{number},snapshot=on,cache=unsafe",
            "-device",
            f"virtio-blk-pci,drive=disk{number}",
        )
    ]
    # The service is not started before a check asks for it.
    to_basics = "systemd.unit=basic.target systemd.show_status=0 audit=0"
    shown = f"console=ttyAMA0 root={boot.root} rw net.ifnames=0 {to_basics}"
    return [
        *("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72"),
        *("-accel", "tcg,thread=single", "-icount", f"shift={boot.instruction_shift},sleep=on"),
        *("-smp", "2", "-m", str(boot.memory_mb)),
        *("-kernel", str(boot.kernel), "-initrd", str(boot.initrd), "-append", shown),
        *("-netdev", f"user,id=net{forwards}", "-device", "virtio-net-pci,netdev=net,romfile="),
        *disks,
        *("-device", "virtio-rng-pci"),
        *("-display", "none", "-serial", f"file:{boot.console}"),
    ]


def free_port() -> int:
    """One that nobody on this machine's loopback listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
