"""The file of people, through accidents and mischief."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import (
    ConfigError,
    EnrolmentRefused,
    PersonMissing,
    TemplatesInvalid,
    TemplatesUnwritable,
)
from edge_runtime.people.register import FILE, Register
from edge_runtime.people.seal import CREDENTIAL, Seal, seal_of
from edge_runtime.people.template import MOST_TEMPLATES, Template
from tests.people.faces import MODEL, somebody, views

KEY = b"0123456789abcdef0123456789abcdef"


def person(rest: str) -> str:
    return f'{{"people": [{{"name": "A", "added": "", {rest}}}]}}'


def now() -> datetime:
    return datetime(2026, 11, 25, 11, 2, 3, tzinfo=UTC)


def register(folder: Path, *, key: bytes | None = None) -> Register:
    return Register(folder / FILE, seal=Seal(key) if key else None, now=now)


def templates(seed: int, count: int = 3, model: str = MODEL) -> list[Template]:
    return [Template(vector, model) for vector in views(somebody(seed), count)]


@pytest.fixture(params=[None, KEY], ids=["plain", "sealed"])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Register:
    people = register(tmp_path, key=request.param)
    people.add("Ann", templates(1))
    people.add("Björn", templates(2))
    return people


def test_what_was_added_is_there_after_a_restart(filled: Register) -> None:
    again = Register(filled.path, seal=filled._seal).people()
    assert [(each.name, each.added) for each in again] == [
        ("Ann", "2026-11-25T11:02:03Z"),
        ("Björn", "2026-11-25T11:02:03Z"),
    ]
    for kept, made in zip(again[0].templates, templates(1), strict=True):
        assert kept.model == MODEL
        assert float(kept.vector @ made.vector) > 0.99999


def test_nobody_else_can_read_it(filled: Register) -> None:
    assert stat.S_IMODE(filled.path.stat().st_mode) == 0o600
    filled.path.chmod(0o644)
    filled.people()
    assert stat.S_IMODE(filled.path.stat().st_mode) == 0o600


def test_a_sealed_file_tells_nothing_and_opens_with_its_key_only(tmp_path: Path) -> None:
    register(tmp_path, key=KEY).add("Ann", templates(1))
    assert b"Ann" not in (tmp_path / FILE).read_bytes()
    with pytest.raises(TemplatesInvalid, match="sealed and there is no key"):
        register(tmp_path).people()
    with pytest.raises(TemplatesInvalid, match="another key"):
        register(tmp_path, key=KEY[::-1]).people()


def test_more_views_of_somebody_push_out_the_oldest(filled: Register) -> None:
    person = filled.add("ann", templates(3, count=MOST_TEMPLATES - 1))
    assert person.name == "Ann"
    assert len(person.templates) == MOST_TEMPLATES
    assert [each.name for each in filled.people()] == ["Björn", "Ann"]


def test_views_of_another_model_take_the_place_of_the_old_ones(filled: Register) -> None:
    person = filled.add("Ann", templates(1, model="b" * 64))
    assert {each.model for each in person.templates} == {"b" * 64}
    assert not person.outdated("b" * 64)
    assert person.outdated(MODEL)
    assert person.vectors(MODEL).shape == (0, 0)


def test_renaming_and_removing(filled: Register) -> None:
    filled.rename("ann", "Anna")
    with pytest.raises(EnrolmentRefused, match="enrolled as björn already"):
        filled.rename("Anna", "björn")
    filled.remove("Björn")
    assert [each.name for each in filled.people()] == ["Anna"]
    with pytest.raises(PersonMissing, match="nobody is enrolled as Björn; enrolled: Anna"):
        filled.remove("Björn")


def test_a_name_may_change_its_capitals(filled: Register) -> None:
    filled.rename("Ann", "ANN")
    assert filled.people()[0].name == "ANN"


@pytest.mark.parametrize("name", ["", "  ", "a\nb\x00", "x" * 65, "\u202e"])
def test_what_is_no_name_is_refused(filled: Register, name: str) -> None:
    with pytest.raises(EnrolmentRefused, match="is no name"):
        filled.add(name, templates(4))


def test_the_old_file_is_overwritten_when_somebody_is_removed(filled: Register) -> None:
    before = os.open(filled.path, os.O_RDONLY)
    size = filled.path.stat().st_size
    filled.remove("Ann")
    assert os.pread(before, size + 1, 0) == bytes(size)
    os.close(before)


Damage = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda content: content[: len(content) // 2], "damaged"),
        (lambda content: b"", "does not begin"),
        (lambda content: b"\x89PNG\r\n" + content, "does not begin"),
        (lambda content: content.replace(b"people 1 ", b"people 2 ", 1), "version 2"),
        (lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:], "damaged"),
    ],
    ids=["cut off", "empty", "foreign", "from the future", "one bit"],
)
def test_a_file_that_cannot_be_used_is_refused_and_left_alone(
    filled: Register, damage: Damage, sentence: str
) -> None:
    harmed = damage(filled.path.read_bytes())
    filled.path.write_bytes(harmed)
    for action in (
        filled.people,
        lambda: filled.add("Cleo", templates(3)),
        lambda: filled.remove("Ann"),
    ):
        with pytest.raises(TemplatesInvalid, match=sentence):
            action()
    assert filled.path.read_bytes() == harmed
    assert sorted(each.name for each in filled.path.parent.iterdir()) == [FILE]


def test_every_cut_of_a_file_is_refused(tmp_path: Path) -> None:
    people = register(tmp_path)
    people.add("Ann", templates(1, count=1))
    whole = people.path.read_bytes()
    for length in range(len(whole)):
        people.path.write_bytes(whole[:length])
        with pytest.raises(TemplatesInvalid):
            people.people()


NONSENSE = {
    "no object": "[]",
    "no people": "{}",
    "a number": '{"people": 3}',
    "nobody": '{"people": [{}]}',
    "no base64": person('"templates": [{"vector": "%%", "model": ""}]'),
    "no direction": person('"templates": [{"vector": "AAAAAA==", "model": ""}]'),
    "twice": person('"templates": []}, {"name": "a", "added": "", "templates": []'),
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
def test_a_body_with_a_right_checksum_that_is_nonsense_is_refused(
    body: str, tmp_path: Path
) -> None:
    digest = hashlib.sha256(body.encode()).hexdigest()
    (tmp_path / FILE).write_text(f"edge-runtime people 1 sha256:{digest}\n{body}")
    with pytest.raises(TemplatesInvalid, match="no file of people"):
        register(tmp_path).people()


def test_a_crash_before_the_file_is_in_place_leaves_the_old_one(
    filled: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = filled.path.read_bytes()

    def fail(old: Path, new: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(filled._disk, "rename", fail)
    with pytest.raises(TemplatesUnwritable, match="No space left"):
        filled.add("Cleo", templates(3))
    assert filled.path.read_bytes() == before
    monkeypatch.undo()
    filled.add("Cleo", templates(3))
    assert len(filled.people()) == 3


def test_an_export_is_taken_in_elsewhere_whole_or_not_at_all(
    filled: Register, tmp_path: Path
) -> None:
    elsewhere = register(tmp_path / "other")
    assert elsewhere.take_in(filled.exported(), MODEL, source="a.people") == ("Ann", "Björn")
    assert [each.name for each in elsewhere.people()] == ["Ann", "Björn"]
    with pytest.raises(EnrolmentRefused, match=r"Ann, Björn of a\.people is enrolled here already"):
        elsewhere.take_in(filled.exported(), MODEL, source="a.people")
    third = register(tmp_path / "third")
    with pytest.raises(TemplatesInvalid, match="made with another model"):
        third.take_in(filled.exported(), "c" * 64, source="a.people")
    assert not third.path.exists()


def test_nothing_seen_is_nobody(tmp_path: Path) -> None:
    with pytest.raises(EnrolmentRefused, match="nothing was seen of Ann"):
        register(tmp_path).add("Ann", [])


def test_the_key_is_the_services_credential_or_the_file_of_the_settings(tmp_path: Path) -> None:
    assert seal_of(None) is None
    (tmp_path / CREDENTIAL).write_bytes(KEY + b"\n")
    from_credential = seal_of(tmp_path, tmp_path / "missing")
    assert from_credential is not None
    (tmp_path / "key").write_bytes(KEY)
    from_file = seal_of(tmp_path / "none", tmp_path / "key")
    assert from_file is not None
    header = b"edge"
    assert from_file.open(from_credential.close(b"secret", header), header) == b"secret"
    with pytest.raises(ConfigError, match="cannot be read"):
        seal_of(None, tmp_path / "missing")
    (tmp_path / "short").write_bytes(b"password")
    with pytest.raises(ConfigError, match="has 8 bytes; expected 32 and more"):
        seal_of(None, tmp_path / "short")


def test_vectors_survive_being_kept_in_two_bytes(tmp_path: Path) -> None:
    people = register(tmp_path)
    people.add("Ann", templates(1, count=1))
    (person,) = people.people()
    assert np.abs(person.templates[0].vector - templates(1, count=1)[0].vector).max() < 1e-3
