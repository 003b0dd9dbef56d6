"""A copy of the memory card image with an edge.conf on it, started in an emulator.

    python -m tests.vm.card --image build/edge-runtime_0.1.0_arm64.img
    python -m tests.vm.card --image FILE --board raspi3b   # the card behind a Pi 3's controller

Needs, from Debian, ``apt-get install --no-install-recommends qemu-system-arm mtools
openssh-client``. There is nothing in the image but what people get: the checks come in over the
page and SSH, with the token and the key of edge.conf. Prints a line for each check and ends with 1
when one failed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.proof import Check, Unmet, exit_code_of, expect, prove, write_junit
from tests.vm.machine import Answer, Done, Emulator, free_port

BOARDS: Final = ("virt", "raspi3b")
BOOT_OFFSET: Final = "4M"
"""Where the boot partition begins, as deploy/image/build lays it out."""
CARD_GIB: Final = 4
"""More than the image has, and a power of two, as the emulated Pi's controller wants it."""
PATIENCE_S: Final = 2400

TOKEN: Final = "ert_card-of-the-emulator-0123456789ab"
WIFI_PASSWORD: Final = 'back\\slash "and" blanks '
CONF: Final = """\
# Written by tests/vm/card.py.
hostname = cam7
wifi_name = Nachbars Käse
wifi_password = "{password}"
wifi_country = DE
ssh_key = {key}
camera = demo://
token = {token}
model = dropped/smile
speed = 9
"""


class Card(Emulator):
    """Use as a context: entering starts the emulator, leaving ends it."""

    def __init__(self, image: Path, work: Path, board: str) -> None:
        self.image, self.work, self.board = work / "card.img", work, board
        self.console = work / "console.log"
        self._key = work / "key"
        self._page, self._ssh = free_port(), free_port()
        work.mkdir(parents=True, exist_ok=True)
        run("cp", "--sparse=always", image, self.image)
        run("truncate", f"--size={CARD_GIB}G", self.image)

    def prepare(self, models: Path) -> None:
        """What a person does with the card in a computer."""
        self._key.unlink(missing_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self._key)
        key = self._key.with_suffix(".pub").read_text().strip()
        conf = self.work / "edge.conf"
        conf.write_text(CONF.format(password=WIFI_PASSWORD, key=key, token=TOKEN))
        self._mtool("mmd", "::dropped")
        self._mtool("mcopy", "-s", models / "smile", "::dropped")
        self._mtool("mcopy", "-o", conf, "::edge.conf")

    def __enter__(self) -> Card:
        self.start(self._command())
        return self

    def run(self, command: str) -> Done:
        """A command inside, as root, by way of the account that edge.conf opened."""
        words = ["ssh", "-q", "-i", str(self._key), "-p", str(self._ssh)]
        for option in (
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "IdentitiesOnly=yes",
            "BatchMode=yes",
            "ConnectTimeout=60",
        ):
            words += ["-o", option]
        done = subprocess.run(
            [*words, "pi@127.0.0.1", "sudo", "sh"],
            input=command,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return Done(done.returncode, (done.stdout + done.stderr).strip())

    def must(self, command: str) -> str:
        """What the command printed; Unmet when it failed."""
        done = self.run(command)
        expect(done.code == 0, f"`{command}` ended with {done.code}: {done.text[-600:]}")
        return done.text

    def get(self, path: str, token: str | None = None) -> Answer:
        """The page's answer to somebody outside."""
        request = urllib.request.Request(f"http://127.0.0.1:{self._page}{path}")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.read())
        except urllib.error.HTTPError as refusal:
            return Answer(refusal.code, refusal.read())

    def until(self, probe: Callable[[], bool], what: str) -> None:
        """Ask again until it holds; a busy host takes its time, so there is plenty of it."""
        gives_up_at = time.monotonic() + PATIENCE_S
        why = "the answer is no"
        while time.monotonic() < gives_up_at:
            expect(not self.ended, f"the emulator ended; {self.console} says why")
            try:
                if probe():
                    return
                why = "the answer is no"
            except (OSError, Unmet, subprocess.TimeoutExpired) as error:
                why = str(error)  # it does not answer yet
            time.sleep(2)
        raise Unmet(f"{what}: not within {PATIENCE_S} s, {why}; {self.console} says the rest")

    def read(self, name: str) -> str:
        """A file of the boot partition, with the board switched off."""
        return self._mtool("mtype", f"::{name}")

    def _command(self) -> list[str]:
        for name in self._boot_files():
            self._mtool("mcopy", "-n", "-o", f"::{name}", self.work)
        forwards = "".join(
            f",hostfwd=tcp:127.0.0.1:{outside}-:{inside}"
            for outside, inside in ((self._page, 8000), (self._ssh, 22))
        )
        # The board's own command line, and the serial port so that it can be read here.
        shown = f"{self.read('cmdline.txt').strip()} {self._consoles()} systemd.show_status=1"
        return [
            *("qemu-system-aarch64", *self._machine()),
            *(
                "-kernel",
                str(self._found("vmlinuz-*")),
                "-initrd",
                str(self._found("initrd.img-*")),
            ),
            *("-append", shown, "-netdev", f"user,id=net{forwards}"),
            *("-display", "none", "-no-reboot", "-serial", f"file:{self.console}"),
        ]

    def _boot_files(self) -> list[str]:
        names = self._mtool("mdir", "-b", "::").split()
        wanted = re.compile(r"::/(vmlinuz-.*|initrd\.img-.*|bcm2837-rpi-3-b\.dtb)")
        return [found[1] for name in names if (found := wanted.fullmatch(name))]

    def _found(self, pattern: str) -> Path:
        return sorted(self.work.glob(pattern))[-1]

    def _consoles(self) -> str:
        return "console=ttyAMA0" if self.board == "virt" else "console=ttyAMA0 console=ttyS1,115200"

    def _machine(self) -> list[str]:
        if self.board == "raspi3b":
            return [
                *("-M", "raspi3b", "-dtb", str(self.work / "bcm2837-rpi-3-b.dtb")),
                *("-drive", f"file={self.image},format=raw,if=sd,cache=unsafe"),
                *("-device", "usb-net,netdev=net"),
            ]
        return [
            *("-M", "virt", "-cpu", "cortex-a53", "-smp", "2", "-m", "1024"),
            # The clock inside counts instructions, so that no time limit ends on a busy host.
            *("-accel", "tcg,thread=single", "-icount", "shift=1,sleep=on"),
            *("-drive", f"file={self.image},format=raw,if=none,id=card,cache=unsafe"),
            *("-device", "virtio-blk-pci,drive=card"),
            *("-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"),
        ]

    def _mtool(self, tool: str, *words: str | Path) -> str:
        return run(tool, "-i", f"{self.image}@@{BOOT_OFFSET}", *words)


def run(*words: str | Path) -> str:
    """A program of this machine; Unmet with its words when it fails."""
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "MTOOLS_SKIP_CHECK": "1",
            "LC_ALL": "C.UTF-8",
        },
    )
    expect(done.returncode == 0, f"{words[0]} failed: {done.stderr.strip()}")
    return done.stdout


def page_opens(card: Card) -> str:
    """The page answers from outside with the token of edge.conf, and refuses without"""
    began = time.monotonic()
    card.until(lambda: card.get("/healthz").status == 200, "/healthz answers")
    status = card.get("/api/v1/status", TOKEN)
    expect(status.status == 200, f"with the token it answered {status.status}")
    refused = card.get("/api/v1/status").status
    expect(refused == 401, f"without a token it answered {refused}")
    return f"{time.monotonic() - began:.0f} s after the start of the emulator"


def key_opens(card: Card) -> str:
    """The SSH key of edge.conf opens the account pi, which may become root"""
    card.until(lambda: card.run("true").code == 0, "ssh pi@… sudo")
    keys = card.must("cat /etc/ssh/ssh_host_*_key.pub | wc -l")
    expect(int(keys) >= 1, "no host keys")
    return f"{card.must('id')}; {keys} host keys made on the board"


def passwords_do_not(card: Card) -> str:
    """Nobody comes in with a password"""
    said = card.must("sshd -T | grep -i -E '^(passwordauthentication|permitrootlogin)'")
    expect("passwordauthentication no" in said, said)
    shadow = card.must("getent shadow pi | cut -d: -f2")
    expect(shadow.startswith(("!", "*")), "pi has a password")
    return said.replace("\n", ", ")


def is_named(card: Card) -> str:
    """It has the name of edge.conf, and announces the page by mDNS"""
    expect(card.must("hostname") == "cam7", card.must("hostname"))
    card.until(
        # An emulator's network echoes what is announced, so avahi may add a number.
        lambda: "edge-runtime on cam7" in card.must("journalctl -b -o cat -u avahi-daemon"),
        "avahi announces the page",
    )
    return card.must("getent hosts cam7.local || getent hosts cam7-2.local")


def joins_wifi(card: Card) -> str:
    """NetworkManager read the Wi-Fi as it was written"""
    name = card.must("nmcli -g 802-11-wireless.ssid connection show edge-runtime-wifi")
    expect(name == "Nachbars Käse", f"the name became {name!r}")
    said = card.must(
        "nmcli -s -m multiline -e no -f 802-11-wireless-security.psk connection show "
        "edge-runtime-wifi"
    )
    expect(WIFI_PASSWORD.strip() in said, "the password became another")
    country = card.must("cat /etc/modprobe.d/edge-runtime-wifi.conf")
    return f"{name}; {country}"


def takes_camera(card: Card) -> str:
    """The camera of edge.conf is the one in use"""
    said = card.must("edge-runtime config show --config /etc/edge-runtime/config.toml")
    expect('uri = "demo://"' in said, "source.uri is not demo://")
    frames = card.get("/metrics", TOKEN).body.decode()
    found = re.search(r"(?m)^edge_runtime_frames\w*total\S* ([0-9.e+]+)", frames)
    return f"source.uri = demo://, {found[1] if found else 'no'} frames"


def hands_model_in(card: Card) -> str:
    """The model of the card was handed in"""
    admitted = "/var/lib/edge-runtime/models/admitted"  # a refused one lies in models/rejected
    said = card.must(f"find {admitted} -name 'model.tflite' -size +1k | head -3")
    expect(said, f"no model below {admitted}")
    return said


def keeps_wrong_line(card: Card) -> str:
    """The wrong line stays with a sentence, secrets went, and the start went on"""
    said = card.must("cat /boot/firmware/edge.conf").replace("\r", "")
    lines = said.splitlines()
    at = lines.index("speed = 9")
    expect(lines[at - 1].startswith("# PROBLEM: there is no key 'speed'"), lines[at - 1])
    expect("# applied: token = ***" in lines, "the token was not applied")
    for secret in (TOKEN, WIFI_PASSWORD.strip()):
        expect(secret not in said, "a secret stayed in edge.conf")
    journal = card.must("journalctl -b --no-pager")
    expect(TOKEN not in journal, "the token stands in the journal")
    expect("edge.conf line" in journal, "the journal does not say what was wrong")
    return lines[at - 1]


def grows(card: Card) -> str:
    """The root partition has the size of the card"""
    megabytes = int(card.must("df --output=size -m / | tail -1"))
    expect(megabytes > (CARD_GIB * 1024 - 520) * 0.9, f"{megabytes} MiB of {CARD_GIB} GiB")
    return f"{megabytes} MiB of a card of {CARD_GIB} GiB"


def is_whole(card: Card) -> str:
    """Debian's own tools find nothing amiss, and no other unit failed"""
    expect(not card.must("dpkg --audit"), "dpkg --audit complains")
    failed = card.must("systemctl --failed --no-legend --plain | cut -d' ' -f1 | xargs").split()
    expect(set(failed) <= {"edge-runtime-setup.service"}, f"failed: {' '.join(failed)}")
    active = card.must("systemctl is-active edge-runtime")
    return f"{active}; {card.must('uname -r')}, {card.must('dpkg -l | grep -c ^ii')} packages"


def says_where_it_is(card: Card) -> str:
    """`edge-runtime info` knows the page's addresses"""
    said = card.must("edge-runtime info --no-qr")
    expect("cam7.local:8000" in said, said)
    return " ".join(said.split())[:200]


CHECKS: tuple[Check[Card], ...] = (
    page_opens,
    key_opens,
    passwords_do_not,
    is_named,
    joins_wifi,
    takes_camera,
    hands_model_in,
    keeps_wrong_line,
    grows,
    is_whole,
    says_where_it_is,
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument("--board", choices=BOARDS, default="virt")
    parser.add_argument("--work", type=Path, default=Path("build/card"))
    parser.add_argument("--junit", type=Path)
    given = parser.parse_args(arguments)
    card = Card(given.image, given.work.resolve(), given.board)
    card.prepare(Path(__file__).resolve().parents[2] / "models")
    with card:
        outcomes = prove(CHECKS, card)
    if given.junit:
        write_junit(given.junit, f"card on {given.board}", outcomes)
    card.image.unlink()
    sys.stdout.write(f"{sum(each.passed for each in outcomes)} of {len(outcomes)} passed\n")
    return exit_code_of(outcomes)


if __name__ == "__main__":
    sys.exit(main())
