"""The folders of versions: placed at once, never changed, taken off at once."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from edge_runtime.store.shelf.disk import Disk, discard, ensure_folder, part_of
from edge_runtime.store.shelf.version import DIGEST_LETTERS, Shelved, Version

logger = logging.getLogger(__name__)

VERDICT: Final = "verdict.json"
_DIGEST: Final = re.compile(rf"[0-9a-f]{{{DIGEST_LETTERS}}}")
_PART: Final = re.compile(rf"\.{_DIGEST.pattern}\.part")


class Versions:
    """``root/name/digest/``. Methods that write raise OSError; whoever calls them holds the shelf.

    What else lies in ``root`` and in the folders of models is left alone.
    """

    def __init__(self, root: Path, disk: Disk) -> None:
        self._root, self._disk = root, disk

    def names(self) -> Iterator[str]:
        """Of the models that have versions."""
        for name in self._disk.names(self._root):
            if any(map(_DIGEST.fullmatch, self._disk.names(self._root / name))):
                yield name

    def of(self, name: str) -> list[Shelved]:
        """Every version of a model, the latest first."""
        digests = filter(_DIGEST.fullmatch, self._disk.names(self._root / name))
        found = (self._read(Version(name, digest)) for digest in digests)
        return sorted(found, key=lambda shelved: -shelved.order)

    def stands(self, version: Version) -> bool:
        return str(version.digest) in self._disk.names(self._root / version.name)

    def path(self, version: Version) -> Path:
        return self._root / version.name / str(version.digest)

    def place(
        self, version: Version, files: Mapping[str, bytes], verdict: Mapping[str, Any], now: float
    ) -> None:
        """Write all files, then show them under their name."""
        folder = self.path(version)
        ensure_folder(self._disk, folder.parent)
        discard(self._disk, part_of(folder))
        order = 1 + max((each.order for each in self.of(version.name)), default=0)
        record = json.dumps({"order": order, "admitted_at": now, **verdict}, indent=1)
        try:
            self._write(part_of(folder), {**files, VERDICT: record.encode() + b"\n"})
            self._disk.rename(part_of(folder), folder)
        except OSError:
            discard(self._disk, part_of(folder))
            raise

    def keep(self, version: Version) -> None:
        """See to it that a version that stands outlasts a power cut."""
        self._disk.sync(self.path(version).parent)

    def take_off(self, version: Version) -> None:
        """Hide it first: half removed it must never be seen."""
        folder = self.path(version)
        self._disk.rename(folder, part_of(folder))
        self._disk.sync(folder.parent)
        self._disk.remove(part_of(folder))
        if not self._disk.names(folder.parent):
            self._disk.remove(folder.parent)

    def leftovers(self) -> Iterator[Path]:
        """What a power cut left of versions that were being placed or taken off."""
        for name in self._disk.names(self._root):
            for inside in self._disk.names(self._root / name):
                if _PART.fullmatch(inside):
                    yield self._root / name / inside

    def _write(self, folder: Path, files: Mapping[str, bytes]) -> None:
        self._disk.make_folder(folder)
        for name, content in files.items():
            self._disk.write(folder / name, content)
            self._disk.sync(folder / name)
        self._disk.sync(folder)

    def _read(self, version: Version) -> Shelved:
        folder = self.path(version)
        try:
            record = json.loads(self._disk.read(folder / VERDICT))
            order, admitted_at = int(record.pop("order")), float(record.pop("admitted_at"))
            return Shelved(version, folder, order, admitted_at, record)
        except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
            logger.warning("when %s was admitted cannot be read: %s", version, error)
            return Shelved(version, folder, 0, 0.0)
