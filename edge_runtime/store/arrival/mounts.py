"""Whether a folder lies where the kernel does not tell of changes: another machine makes them."""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import Final

REMOTE: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "ncpfs", "virtiofs", "vboxsf"}
)
"""File systems in whose folders inotify sees only what this machine writes itself."""

_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def needs_polling(folder: Path, mounts: str) -> bool:
    """Whether ``folder`` is on a network mount; ``mounts`` is the text of /proc/mounts.

    Of FUSE only ``fuseblk`` (a local disk) counts as local: the others may be sshfs and its like.
    """
    kind = _kind(folder, mounts)
    return kind in REMOTE or kind == "fuse" or kind.startswith("fuse.")


def _kind(folder: Path, mounts: str) -> str:
    """Of the mount that lies deepest above the folder; of two on one point the later is seen."""
    deepest, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = PurePath(_OCTAL.sub(lambda octal: chr(int(octal[1], 8)), fields[1]))
        depth = len(point.parts)
        if folder.is_relative_to(point) and depth >= deepest:
            deepest, kind = depth, fields[2]
    return kind
