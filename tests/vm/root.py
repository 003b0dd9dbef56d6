"""A Debian that boots, made in a minute: unpacked for arm64, set up with this machine's own tools.

Running every package's script under emulation takes ten minutes. What the scripts of the few
packages here would have done is done instead by the functions below.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.arm.guest import register_emulator

SUITE = "trixie"
BOOTS = (
    "base-files base-passwd bash dash coreutils util-linux mount login passwd grep sed gawk "
    "hostname findutils libc-bin systemd systemd-sysv udev dbus kmod iproute2 procps netbase "
    "linux-image-arm64 busybox-static ca-certificates libpam-runtime curl"
)
INSTALLS = "apt dpkg tar diffutils xz-utils perl-base init-system-helpers python3"
SEES = "python3-libcamera libcamera-ipa"
"""Cameras as far as an emulator has them."""

# mmdebstrap only unpacks, so dpkg would know of no package and refuse ours for what it depends on.
TELL_DPKG = """\
for deb in "$1"/var/cache/apt/archives/*.deb; do
    dpkg-deb --field "$deb"
    printf 'Status: install ok installed\\n\\n'
    name=$(dpkg-deb --show --showformat='${Package}' "$deb")
    [ "$(dpkg-deb --field "$deb" Multi-Arch)" != same ] || name=$name:arm64
    : >"$1/var/lib/dpkg/info/$name.list"
done >"$1/var/lib/dpkg/status"
"""

AGENT_UNIT = """\
[Unit]
Description=Takes commands of the tests
DefaultDependencies=no
After=local-fs.target systemd-tmpfiles-setup.service
[Service]
# The address that the emulator forwards to.
ExecStartPre=-/usr/bin/ip address add 10.0.2.15/24 dev eth0
ExecStartPre=-/usr/bin/ip link set eth0 up
ExecStart=/usr/bin/python3 /opt/tests/agent.py
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
OOMScoreAdjust=-1000
# The hog of a check is one of its children: ended, it must not take the agent along.
OOMPolicy=continue
[Install]
WantedBy=basic.target
"""

# $1 root. The emulator's own default processor is slow.
INSTALL = """\
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmp "$1/tmp"
exec chroot "$1" env -i QEMU_CPU=cortex-a72 PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \\
    DEBIAN_FRONTEND=noninteractive dpkg --install /opt/package.deb
"""

MASKED = (
    "systemd-firstboot.service systemd-hwdb-update.service ldconfig.service "
    "systemd-journal-catalog-update.service systemd-networkd-wait-online.service "
    "systemd-timesyncd.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer "
    "e2scrub_all.timer e2scrub_reap.service fstrim.timer"
)
"""What a first boot does once takes minutes under emulation and proves nothing here."""


def make_root(root: Path) -> None:
    """A bootable root file system in ``root``, with the tests' agent in it."""
    _unpack(root)
    _add_accounts(root)
    _add_settings(root)
    _choose_units(root)
    release = next((root / "usr/lib/modules").iterdir()).name
    _run("depmod", "--basedir", root, release)
    _add_agent(root)


def install_package(root: Path, deb: Path) -> None:
    """As ``dpkg --install`` on the board: the real dpkg and the package's own scripts.

    Emulated program by program, which takes a fifth of the time that it takes in the machine.
    """
    register_emulator()
    shutil.copy(deb, root / "opt/package.deb")
    _run("unshare", "--mount", "--propagation=private", "sh", "-ec", INSTALL, "sh", root)
    (root / "opt/package.deb").unlink()


def make_disk(folder: Path, disk: Path, label: str, size_mb: int) -> None:
    """An ext4 disk image of ``folder``; holes stay holes."""
    disk.unlink(missing_ok=True)
    with disk.open("wb") as file:
        file.truncate(size_mb << 20)
    _run("mke2fs", "-q", "-t", "ext4", "-F", "-L", label, "-d", folder, disk)


def _unpack(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)  # mmdebstrap makes the last folder only
    packages = ",".join(f"{BOOTS} {INSTALLS} {SEES}".split())
    options = ["--quiet", "--arch=arm64", "--variant=extract", f"--include={packages}"]
    _run("mmdebstrap", *options, f"--extract-hook={TELL_DPKG}", SUITE, root)


def _add_accounts(root: Path) -> None:
    """As base-passwd and systemd-sysusers do; root has no password."""
    masters = root / "usr/share/base-passwd"
    users = (masters / "passwd.master").read_text().replace("root:*:", "root::")
    (root / "etc/passwd").write_text(users)
    shutil.copy(masters / "group.master", root / "etc/group")
    names = [line.partition(":")[0] for line in users.splitlines()]
    shadow = "".join(f"{n}:{'' if n == 'root' else '*'}:19000:0:99999:7:::\n" for n in names)
    (root / "etc/shadow").write_text(shadow)
    (root / "etc/shadow").chmod(0o600)
    wanted = root / "etc/sysusers.d"
    wanted.mkdir(exist_ok=True)
    for file in (root / "usr/lib/sysusers.d").glob("*.conf"):
        # An older host does not know the mark of a locked account, "u!".
        (wanted / file.name).write_text(file.read_text().replace("\nu! ", "\nu "))
    _run("systemd-sysusers", f"--root={root}")
    shutil.rmtree(wanted)


def _add_settings(root: Path) -> None:
    (root / "etc/hostname").write_text("edge\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 edge\n")
    (root / "etc/fstab").write_text(
        "/dev/vda / ext4 rw,noatime 0 0\n/dev/vdb /opt/packages ext4 ro,nofail 0 0\n"
    )
    (root / "opt/packages").mkdir(parents=True)
    (root / "etc/machine-id").write_text("")
    for stamp in ("etc/.updated", "var/.updated"):
        (root / stamp).touch()
    if not (root / "usr/bin/awk").exists():
        (root / "usr/bin/awk").symlink_to("gawk")
    for kind in ("account", "auth", "password", "session", "session-noninteractive"):
        permit = f"{kind.partition('-')[0]} required pam_permit.so\n"
        (root / f"etc/pam.d/common-{kind}").write_text(permit)


def _choose_units(root: Path) -> None:
    systemctl = ["systemctl", f"--root={root}", "--quiet"]
    _run(*systemctl, "preset-all")
    _run(*systemctl, "set-default", "multi-user.target")
    _run(*systemctl, "mask", *MASKED.split())


def _add_agent(root: Path) -> None:
    (root / "opt/tests").mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).parent / "agent.py", root / "opt/tests/agent.py")
    (root / "etc/systemd/system/tests-agent.service").write_text(AGENT_UNIT)
    _run("systemctl", f"--root={root}", "--quiet", "enable", "tests-agent.service")


def _run(*command: str | Path) -> None:
    words: Sequence[str] = list(map(str, command))
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        said = done.stdout.decode("utf-8", "replace")[-2000:]
        raise SystemExit(f"{words[0]} failed with {done.returncode}:\n{said}")
