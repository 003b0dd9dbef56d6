"""A small initial file system for the virtual machine: busybox, drivers of its disk, a script."""

from __future__ import annotations

import lzma
import shutil
import subprocess
from pathlib import Path

DRIVERS = ("virtio_mmio", "virtio_pci", "virtio_blk", "virtio_net", "ext4", "crc32c_generic")

INIT = """\
#!/bin/busybox sh
# Loads the drivers of the disk, mounts it and hands over to its systemd.
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
for driver in /drivers/*; do /bin/busybox insmod "$driver"; done
for word in $(/bin/busybox cat /proc/cmdline); do
    case $word in root=*) disk=${word#root=} ;; esac
done
tries=0
while [ ! -b "$disk" ] && [ $tries -lt 300 ]; do /bin/busybox sleep 0.1; tries=$((tries + 1)); done
/bin/busybox mount -o ro -t ext4 "$disk" /root || exec /bin/busybox sh
/bin/busybox umount /proc /sys
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
"""


def make_initrd(root: Path, output: Path, work: Path) -> None:
    """From the Debian in ``root``, with the host's tools only; ``work`` is scratch space."""
    shutil.rmtree(work, ignore_errors=True)
    for folder in ("bin", "drivers", "dev", "proc", "sys", "root"):
        (work / folder).mkdir(parents=True)
    shutil.copy(root / "usr/bin/busybox", work / "bin/busybox")
    for number, driver in enumerate(_drivers(root)):
        (work / f"drivers/{number:02}-{driver.name.removesuffix('.xz')}").write_bytes(
            lzma.decompress(driver.read_bytes())
        )
    (work / "init").write_text(INIT)
    (work / "init").chmod(0o755)
    pack = f"find . | cpio --create --format=newc --quiet | gzip -1 >'{output.resolve()}'"
    subprocess.run(["sh", "-ec", pack], cwd=work, check=True)


def _drivers(root: Path) -> list[Path]:
    """Files of ``DRIVERS`` and of what they need, in the order in which they load."""
    release = next((root / "usr/lib/modules").iterdir()).name
    asked = ["modprobe", f"--set-version={release}", f"--dirname={root}", "--show-depends"]
    files: dict[Path, None] = {}
    for name in DRIVERS:
        # A driver built into the kernel has no file, and modprobe says so with another code.
        done = subprocess.run([*asked, name], capture_output=True, text=True, check=False)
        files |= {
            Path(line.split()[1]): None
            for line in done.stdout.splitlines()
            if line.startswith("insmod ")
        }
    return list(files)
