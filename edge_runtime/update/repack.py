"""A package file of what is installed, so that the first update, too, has a way back.

dpkg keeps no package files, and what `apt install ./FILE` installed may be gone from where it was.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge_runtime.errors import UpdateRefused
from edge_runtime.service.systemctl import Run
from edge_runtime.update.dpkg import NAME

SHIPPED: Final = Path("usr/share/edge-runtime/config.toml")
"""The settings as the package brought them, whatever became of those in ``/etc``."""

# What dpkg adds to a package's own fields when it is installed.
_NOT_OF_THE_PACKAGE: Final = ("Status", "Conffiles", "Config-Version")


class Repack:
    """Makes the package again from dpkg's database and the files."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(self, out: Path) -> None:
        """Write it to ``out``. Raises UpdateRefused when that does not succeed."""
        try:
            self._pack(out)
        except OSError as error:
            raise UpdateRefused(_refusal(f"{error.filename}: {error.strerror}")) from error

    def _pack(self, out: Path) -> None:
        staged = out.with_name(".repack.part")
        shutil.rmtree(staged, ignore_errors=True)
        try:
            self._stage_control(staged / "DEBIAN", self._stage_files(staged))
            # Quickly: a board's card is slower than zstd at its fastest.
            words = ("dpkg-deb", "--root-owner-group", "-Zzstd", "-z1", "--build")
            self._asked(*words, str(staged), str(out))
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def _stage_files(self, staged: Path) -> list[str]:
        """All files as links to those installed, which takes no space; the conffiles among them."""
        staged.mkdir(mode=0o755)
        root = self._root()
        pristine = dict(self._conffiles())
        settings = []
        for listed in self._asked("dpkg-query", "--listfiles", NAME).splitlines():
            name = listed.lstrip("/")
            if name in ("", "."):
                continue
            source: Path | None = root / name
            if name in pristine:
                source = _as_shipped((root / name, root / SHIPPED), pristine[name])
                if source is not None:
                    settings.append(f"/{name}")
            if source is not None:
                _link(source, staged / name)
        return settings

    def _root(self) -> Path:
        """Below which the files lie: that of the database, ``ROOT/var/lib/dpkg/info/…``."""
        return Path(self._asked("dpkg-query", "--control-path", NAME, "md5sums").strip()).parents[4]

    def _conffiles(self) -> Iterator[tuple[str, str]]:
        """Name without the slash in front, and MD5 as shipped."""
        shown = self._asked("dpkg-query", "--show", "--showformat=${Conffiles}", NAME)
        for line in shown.splitlines():
            if line.split():
                name, md5 = line.split()[:2]
                yield name.lstrip("/"), md5

    def _stage_control(self, folder: Path, settings: list[str]) -> None:
        folder.mkdir(mode=0o755)
        (folder / "control").write_text(self._control(), "utf-8")
        if settings:
            (folder / "conffiles").write_text("".join(f"{name}\n" for name in settings), "utf-8")
        for name in self._asked("dpkg-query", "--control-list", NAME).split():
            if name == "conffiles":
                continue
            path = Path(self._asked("dpkg-query", "--control-path", NAME, name).strip())
            shutil.copy(path, folder / name)

    def _control(self) -> str:
        """The fields of the package, in the words of dpkg's database."""
        kept, keeps = [], True
        for line in self._asked("dpkg-query", "--status", NAME).splitlines():
            if not line.startswith(" "):
                keeps = line.partition(":")[0] not in _NOT_OF_THE_PACKAGE
            if keeps:
                kept.append(line)
        return "\n".join(kept).strip() + "\n"

    def _asked(self, *words: str) -> str:
        done = self._run(words)
        if done.returncode != 0:
            reason = " ".join(done.stderr.split())
            raise UpdateRefused(_refusal(f"{words[0]}: {reason}"))
        return done.stdout


def _refusal(reason: str) -> str:
    return f"the installed version cannot be packed as a way back ({reason}); nothing was changed"


def _as_shipped(places: tuple[Path, ...], md5: str) -> Path | None:
    """Where a conffile lies as it was shipped; None: nowhere.

    Somebody's settings must not be packed as the shipped ones: dpkg would believe that nobody
    changed them, and a later version would replace them without a word.
    """
    return next((each for each in places if each.is_file() and _md5(each) == md5), None)


def _link(source: Path, target: Path) -> None:
    if source.is_symlink():
        target.symlink_to(source.readlink())
    elif source.is_dir():
        target.mkdir()
        target.chmod(source.stat().st_mode & 0o7777)
    else:
        try:
            os.link(source, target)
        except OSError:  # Another file system.
            shutil.copy2(source, target)


def _md5(file: Path) -> str:
    # What dpkg has; no secret hangs on it.
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
