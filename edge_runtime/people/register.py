"""The file of people: read as a whole, replaced as a whole, never half written.

One line that names the format, its version and the checksum of the rest, then JSON; or, sealed, a
line that names format and version, then what ``seal.py`` makes of the JSON::

    edge-runtime people 1 sha256:DIGITS
    {"people": [{"name": ..., "added": ..., "templates": [{"model": ..., "vector": ...}]}]}

Vectors are little-endian float16 in base64. Nothing else is kept: no picture, no time of a visit.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from edge_runtime.errors import (
    EnrolmentRefused,
    PersonMissing,
    TemplatesInvalid,
    TemplatesUnwritable,
)
from edge_runtime.people.encoder import unit
from edge_runtime.people.seal import Seal
from edge_runtime.people.template import (
    MOST_PEOPLE,
    MOST_TEMPLATES,
    Person,
    Template,
    checked_name,
    same_name,
)
from edge_runtime.store.shelf.disk import SystemDisk, ensure_folder, part_of

log = logging.getLogger(__name__)

FILE: Final = "people.templates"
MAGIC: Final = "edge-runtime people"
VERSION: Final = 1
LARGEST: Final = 64 * 2**20
"""Bytes of a file that is read at all: a thousand people with eight templates are 6 MiB."""

LARGEST_VECTOR: Final = 4096


class Register:
    """The people of one file. Every change is on the disk, or did not happen, when it returns.

    Raises TemplatesInvalid when the file is not to be understood, which leaves it as it is, and
    TemplatesUnwritable when it cannot be read or replaced.
    """

    def __init__(
        self,
        path: Path,
        *,
        seal: Seal | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``seal``: writes are sealed with it; None: they are not. Sealed files need theirs."""
        self.path = path
        self._seal = seal
        self._now = now
        self._disk = SystemDisk()

    def people(self) -> tuple[Person, ...]:
        """In the order in which they were enrolled; none where there is no file."""
        try:
            if self.path.stat().st_mode & 0o077:
                log.warning("%s could be read by others; now only its owner can", self.path)
                self.path.chmod(0o600)
            content = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise TemplatesUnwritable(
                f"the templates of people in {self.path} cannot be read ({error.strerror}): run "
                "this as the service's user"
            ) from error
        return self._read(content, str(self.path))

    def add(self, name: str, templates: Sequence[Template]) -> Person:
        """Somebody new, or more templates of somebody who is there. Returns what is kept."""
        if not templates:
            raise EnrolmentRefused(f"nothing was seen of {name} that could be kept")
        kept: list[Person] = []

        def added(people: tuple[Person, ...]) -> tuple[Person, ...]:
            old = next((each for each in people if same_name(each.name, checked_name(name))), None)
            if old is None and len(people) >= MOST_PEOPLE:
                raise EnrolmentRefused(f"{MOST_PEOPLE} people are enrolled, which is the most")
            old = old or Person(checked_name(name), f"{self._now():%Y-%m-%dT%H:%M:%SZ}", ())
            fresh = [each for each in old.templates if each.model == templates[0].model]
            person = Person(old.name, old.added, (*fresh, *templates)[-MOST_TEMPLATES:])
            kept.append(person)
            return (*(each for each in people if each.name != old.name), person)

        self._change(added)
        return kept[0]

    def rename(self, name: str, new: str) -> None:
        """Raises PersonMissing, or EnrolmentRefused when the new name is taken or is none."""
        new = checked_name(new)

        def renamed(people: tuple[Person, ...]) -> tuple[Person, ...]:
            person = self._one(people, name)
            if any(same_name(each.name, new) for each in people if each is not person):
                raise EnrolmentRefused(f"somebody is enrolled as {new} already")
            return tuple(each.renamed(new) if each is person else each for each in people)

        self._change(renamed)

    def remove(self, name: str) -> None:
        """Forget somebody: the file is written anew and the old one overwritten."""

        def without(people: tuple[Person, ...]) -> tuple[Person, ...]:
            person = self._one(people, name)
            return tuple(each for each in people if each is not person)

        self._change(without)

    def exported(self) -> bytes:
        """Everybody, unsealed, for another device with the same model."""
        return _plain(self.people())

    def take_in(self, content: bytes, model: str, *, source: str) -> tuple[str, ...]:
        """People of an export of another device; returns their names. All of them or none.

        Raises TemplatesInvalid, also for templates of another model than ``model``, and
        EnrolmentRefused when somebody of that name is here.
        """
        fresh = self._read(content, source)
        foreign = [each.name for each in fresh if each.outdated(model)]
        if foreign:
            raise TemplatesInvalid(
                f"{source} was made with another model than this device's ({', '.join(foreign)}): "
                "enrol them here, vectors of two models cannot be compared"
            )

        def joined(people: tuple[Person, ...]) -> tuple[Person, ...]:
            taken = [
                each.name for each in fresh for old in people if same_name(each.name, old.name)
            ]
            if taken:
                raise EnrolmentRefused(
                    f"{', '.join(taken)} of {source} is enrolled here already: rename or remove one"
                )
            if len(people) + len(fresh) > MOST_PEOPLE:
                raise EnrolmentRefused(
                    f"{source} holds {len(fresh)} people and {len(people)} are enrolled; "
                    f"{MOST_PEOPLE} are the most"
                )
            return (*people, *fresh)

        self._change(joined)
        return tuple(each.name for each in fresh)

    def _one(self, people: Sequence[Person], name: str) -> Person:
        for person in people:
            if same_name(person.name, checked_name(name)):
                return person
        there = ", ".join(each.name for each in people) or "nobody"
        raise PersonMissing(f"nobody is enrolled as {name}; enrolled: {there}")

    def _change(self, change: Callable[[tuple[Person, ...]], tuple[Person, ...]]) -> None:
        folder = self.path.parent
        try:
            ensure_folder(self._disk, folder)
            with self._disk.held(folder):
                self._write(change(self.people()))
        except TemplatesUnwritable:
            raise
        except OSError as error:
            raise TemplatesUnwritable(
                f"the templates of people cannot be kept in {self.path} ({error.strerror}): make "
                "that folder writable, run this as the service's user, or set state_dir"
            ) from error

    def _write(self, people: tuple[Person, ...]) -> None:
        content = _plain(people) if self._seal is None else _sealed(people, self._seal)
        part = part_of(self.path)
        part.unlink(missing_ok=True)
        # Made with its mode: it is at no moment readable by others.
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            if os.geteuid() == 0:
                # Made with sudo, but the service, whose folder it is, has to read it.
                owner = self.path.parent.stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        before = _opened(self.path)
        self._disk.rename(part, self.path)
        self._disk.sync(self.path.parent)
        if before is not None:
            _wipe(before)

    def _read(self, content: bytes, source: str) -> tuple[Person, ...]:
        try:
            return _people(self._body(content))
        except (ValueError, KeyError, TypeError) as error:
            reason = str(error) if isinstance(error, TemplatesInvalid) else f"it says {error!r}"
            raise TemplatesInvalid(
                f"{source} is no file of people that can be used here: {reason}; it was left as "
                "it is. Restore a copy, or move it away and enrol anew"
            ) from error

    def _body(self, content: bytes) -> bytes:
        if len(content) > LARGEST:
            raise TemplatesInvalid(f"it has {len(content)} bytes, {LARGEST} are the most")
        header, line_end, body = content.partition(b"\n")
        words = header.decode("ascii", "replace").split(" ")
        if not line_end or " ".join(words[:2]) != MAGIC or len(words) != 4:
            raise TemplatesInvalid(f"it does not begin with the line '{MAGIC} {VERSION} ...'")
        if words[2] != str(VERSION):
            raise TemplatesInvalid(
                f"its format is version {words[2]}, this program reads {VERSION}: a newer "
                "edge-runtime may be able to read it"
            )
        if words[3] == "sealed":
            if self._seal is None:
                raise TemplatesInvalid("it is sealed and there is no key to open it")
            return self._seal.open(body, header)
        if words[3] != _checksum(body):
            raise TemplatesInvalid("its checksum does not fit, so it was damaged or cut off")
        return body


def _opened(path: Path) -> int | None:
    try:
        return os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        return None


def _wipe(descriptor: int) -> None:
    """Overwrite a file that has no name any more. A card may keep old blocks all the same, which
    is why templates can be sealed.
    """
    try:
        os.pwrite(descriptor, bytes(os.fstat(descriptor).st_size), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checksum(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _plain(people: Sequence[Person]) -> bytes:
    body = _json(people)
    return f"{MAGIC} {VERSION} {_checksum(body)}\n".encode() + body


def _sealed(people: Sequence[Person], seal: Seal) -> bytes:
    header = f"{MAGIC} {VERSION} sealed".encode()
    return header + b"\n" + seal.close(_json(people), header)


def _json(people: Sequence[Person]) -> bytes:
    described = [
        {
            "name": person.name,
            "added": person.added,
            "templates": [
                {"model": each.model, "vector": _written(each)} for each in person.templates
            ],
        }
        for person in people
    ]
    return json.dumps({"people": described}, ensure_ascii=False, indent=1).encode()


def _written(template: Template) -> str:
    return base64.b64encode(template.vector.astype("<f2").tobytes()).decode()


def _people(body: bytes) -> tuple[Person, ...]:
    described: list[dict[str, Any]] = json.loads(body)["people"]
    if len(described) > MOST_PEOPLE:
        raise TemplatesInvalid(f"it holds {len(described)} people, {MOST_PEOPLE} are the most")
    people = tuple(
        Person(
            checked_name(each["name"]),
            str(each["added"]),
            tuple(_template(kept) for kept in each["templates"]),
        )
        for each in described
    )
    names = {each.name.casefold() for each in people}
    if len(names) < len(people):
        raise TemplatesInvalid("it names somebody twice")
    return people


def _template(described: dict[str, str]) -> Template:
    try:
        content = base64.b64decode(described["vector"], validate=True)
    except binascii.Error as error:
        raise TemplatesInvalid(f"a vector is no base64 ({error})") from error
    numbers = np.frombuffer(content, "<f2").astype(np.float32)
    vector = unit(numbers) if 1 < numbers.size <= LARGEST_VECTOR else None
    if vector is None:
        raise TemplatesInvalid("a template has no direction, so it fits nobody")
    return Template(vector, str(described["model"]))
