"""The folder of updates: package files, the record, and the program that mends after a power cut.

It belongs to root alone, unlike the state of the service: what lies here is installed by root.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edge_runtime.errors import EdgeRuntimeError, UpdateRefused
from edge_runtime.store.shelf.disk import PART, Disk, discard, ensure_folder, replace_file
from edge_runtime.update.record import Kept, Record, record_of

FOLDER: Final = Path("/var/lib/edge-runtime-update")
RECORD: Final = "record.json"
RESCUE: Final = "rescue.pyz"
"""There while an update is under way; edge-runtime-update.service runs it at the next boot."""

MOST_BYTES: Final = 1 << 29
"""Five times the size of a package: somebody's wrong file ends early, not on a full card."""

SUFFIX: Final = ".deb"
_INCOMING: Final = f".incoming{PART}"


class Keep:
    """All that changes something here is on disk, or not at all, after a power cut."""

    def __init__(self, disk: Disk, folder: Path = FOLDER) -> None:
        self._disk, self._folder = disk, folder

    @contextmanager
    def held(self) -> Iterator[None]:
        """One update at a time. Raises UpdateRefused where another one is under way."""
        try:
            ensure_folder(self._disk, self._folder)
            with self._disk.held(self._folder):
                yield
        except EdgeRuntimeError:
            raise  # some of them are OSErrors, too
        except OSError as error:
            busy = error.errno == errno.EBUSY
            raise UpdateRefused(
                "another update is under way; edge-runtime update --status says how far"
                if busy
                else f"{self._folder} cannot be written ({error.strerror or error}), and without "
                "it there would be no way back"
            ) from error

    def record(self) -> Record:
        """Raises UpdateStuck when it cannot be read."""
        place = self._folder / RECORD
        if RECORD not in self._disk.names(self._folder):
            return Record()
        return record_of(self._disk.read(place), str(place))

    def write(self, record: Record) -> None:
        replace_file(self._disk, self._folder / RECORD, record.to_json())

    def put_rescue(self, program: bytes) -> None:
        replace_file(self._disk, self._folder / RESCUE, program)

    def path(self, kept: Kept) -> Path:
        return self._folder / kept.file

    @property
    def incoming(self) -> Path:
        """Where a package lies until it is known to be one."""
        return self._folder / _INCOMING

    def receive(self, pieces: Iterable[bytes], most_bytes: int = MOST_BYTES) -> str:
        """Write what arrives to ``incoming``; its SHA-256. Raises UpdateRefused."""
        discard(self._disk, self.incoming)
        digest, size = hashlib.sha256(), 0
        for piece in pieces:
            size += len(piece)
            if size > most_bytes:
                raise UpdateRefused(
                    f"that file is larger than {most_bytes >> 20} MiB, which no package of "
                    "edge-runtime is"
                )
            digest.update(piece)
            self._disk.append(self.incoming, piece)
        if size == 0:
            raise UpdateRefused("that file is empty; expected a package such as edge-runtime_*.deb")
        return digest.hexdigest()

    def admit(self, version: str, sha256: str) -> Kept:
        """Keep what is in ``incoming`` under a name of its own."""
        return self._named(Kept(f"{sha256[:16]}{SUFFIX}", version))

    def pack(self, version: str, make: Callable[[Path], None]) -> Kept:
        """Keep what ``make`` writes: the installed ``version`` as a package."""
        discard(self._disk, self.incoming)
        make(self.incoming)
        return self._named(Kept(f"packed-{version}{SUFFIX}", version))

    def _named(self, kept: Kept) -> Kept:
        self._disk.sync(self.incoming)
        self._disk.rename(self.incoming, self.path(kept))
        self._disk.sync(self._folder)
        return kept

    def has(self, kept: Kept) -> bool:
        """Whether the file is here; that it is whole, dpkg says."""
        return kept.file in self._disk.names(self._folder)

    def sweep(self, record: Record) -> None:
        """Remove packages that nobody needs and, when idle, what would run at the next boot."""
        unneeded = {RESCUE} if record.trial is None else set()
        for name in self._disk.names(self._folder):
            is_old = name.endswith((SUFFIX, PART)) and name not in record.files
            if is_old or name in unneeded:
                discard(self._disk, self._folder / name)
