"""Rules of the settings, for real: a server on loopback, a program, gpiozero's mock pin."""

from __future__ import annotations

import datetime
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from edge_runtime.app.reactions import Reactions, pace_of
from edge_runtime.app.runtime import Runtime
from edge_runtime.config import Config, load_config
from edge_runtime.errors import ActionUnavailable
from edge_runtime.events.log import EventLog
from edge_runtime.events.watcher import Watcher
from edge_runtime.types import Face
from tests.events.receiver import Receiver
from tests.events.test_camera_watch import EMPTY
from tests.events.told import Moment, face

DOCS = Path(__file__).resolve().parents[2] / "docs" / "events.md"
FPS = 8
NOON = datetime.time(12)
SMILING = {"smile": {"neutral": 0.05, "smile": 0.95}}


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockFactory]:
    factory = MockFactory()
    monkeypatch.setattr(Device, "pin_factory", factory)
    yield factory
    factory.close()


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


class Door:
    """Reactions to what a camera shows, at a time the test moves; what they do is done for real."""

    def __init__(self, config: Config, *, at: datetime.time = NOON) -> None:
        self.clock = Moment()
        self.log = EventLog(clock=self.clock, wall=self.clock.wall)
        watcher = Watcher(["camera"], self.log, pace_of(config), clock=self.clock)
        self._camera = watcher.cameras["camera"]
        self.reactions = Reactions(config, watcher, clock=self.clock, time_of_day=lambda: at)

    def __enter__(self) -> Door:
        self.reactions.start_acting()
        return self

    def __exit__(self, *_: object) -> None:
        self.reactions.close()

    def show(self, seconds: float, *faces: Face) -> None:
        for _ in range(round(seconds * FPS)):
            self._camera.look(replace(EMPTY, faces=faces))
            self.reactions.rules.look()
            self.clock.now += 1 / FPS


def the_example(tmp_path: Path, url: str) -> tuple[Config, Path]:
    """The config that docs/events.md begins with, but for the address and the program's place."""
    text = re.findall(r"(?s)<!-- example.*?-->\n```toml\n(.*?)```", DOCS.read_text())[0]
    out = tmp_path / "noted"
    note = program(tmp_path / "note", f'printf "%s|" "$@" > {out}; cat >> {out}')
    for there, here in (
        ("https://ntfy.example.org/front-door", url),
        ("/usr/local/bin/note", str(note)),
    ):
        assert text.count(there) == 1
        text = text.replace(there, here)
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load_config(path, {}, {}), out


def test_the_example_of_the_docs_notifies_opens_the_gate_and_notes_it_down(
    tmp_path: Path, board: MockFactory
) -> None:
    with Receiver() as receiver:
        config, out = the_example(tmp_path, f"{receiver.url}/front-door")
        with Door(config) as door:
            door.show(2, face(5))
            door.show(1.5, face(5, labels=SMILING))
            assert len(board.pin(17).states) == 1, "the smile has not lasted yet"
            door.show(3, face(5, labels=SMILING))
            door.show(3)
            assert receiver.came.acquire(timeout=5)
    (got,) = receiver.got
    assert (got.path, got.body["rule"], got.body["kind"]) == (
        "/front-door", "notify-me", "face_came",
    )  # fmt: skip
    assert [each.state for each in board.pin(17).states][-3:] == [False, True, False]
    words, _, event = out.read_text().rpartition("|")
    assert words == "--who|front door"
    assert json.loads(event)["kind"] == "face_left"


def test_the_gate_of_the_example_stays_shut_at_night_and_for_a_short_smile(
    tmp_path: Path, board: MockFactory
) -> None:
    with Receiver() as receiver:
        config, _ = the_example(tmp_path, receiver.url)
        with Door(config, at=datetime.time(23)) as night:
            night.show(6, face(5, labels=SMILING))
            night.show(3)
        with Door(config) as short:
            short.show(2.5, face(5, labels=SMILING))
            short.show(6)
    assert not any(each.state for each in board.pin(17).states)


def test_without_rules_there_is_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    watcher = Watcher(["camera"], EventLog())
    with Reactions(load_config(None, {}, {}), watcher) as reactions:
        reactions.start()
        assert threading.active_count() == before


def rules_of(path: Path, *rules: str) -> Config:
    """Settings with rules that switch pins, one of ``name pin`` each."""
    lines = [
        f'[[rule]]\nname = "{name}"\nwhen = "face_came"\ndebounce_s = 0.0\n'
        f"then = {{ gpio = {pin}, pulse_s = 0.01 }}\n"
        for name, pin in map(str.split, rules)
    ]
    path.write_text("".join(lines))
    return load_config(path, {}, {})


def done(door: Door, rule: str, times: int) -> bool:
    """Whether a rule has acted so often, within a few seconds."""
    for _ in range(500):
        states = {state.rule.name: state.tally for state in door.reactions.rules.states()}
        if states[rule].done >= times:
            return states[rule].done == times
        threading.Event().wait(0.01)
    return False


def test_other_rules_follow_and_what_stays_goes_on_where_it_was(
    tmp_path: Path, board: MockFactory
) -> None:
    path = tmp_path / "config.toml"
    with Door(rules_of(path, "gate 17", "bell 22")) as door:
        door.show(1, face(1))
        assert done(door, "gate", 1)
        assert done(door, "bell", 1)
        with door.reactions.prepared(rules_of(path, "gate 17", "lamp 27")) as follow:
            follow()
        door.show(1, face(2, x=600))
        assert done(door, "gate", 2), "a rule that stays keeps its counts"
        assert done(door, "lamp", 1), "a new one does not hear of what was before it"
        assert [state.rule.name for state in door.reactions.rules.states()] == ["gate", "lamp"]
        names = {thread.name for thread in threading.enumerate()}
        assert "rule-bell" not in names
        assert board.pin(22).function == "input", "a pin that no rule switches is given back"


def test_rules_that_cannot_work_leave_the_old_ones(tmp_path: Path, board: MockFactory) -> None:
    path = tmp_path / "config.toml"
    with Door(rules_of(path, "gate 17")) as door:
        rules_of(path, "lamp 27", "gate 17")
        text = path.read_text() + (
            '[[rule]]\nname = "note"\nwhen = "face_came"\nthen = { command = ["/nowhere/note"] }\n'
        )
        path.write_text(text)
        bad = load_config(path, {}, {})
        with pytest.raises(ActionUnavailable, match="rule note"), door.reactions.prepared(bad):
            pytest.fail("these rules cannot be opened")
        assert board.pin(27).function == "input"
        with door.reactions.prepared(rules_of(path, "lamp 27")):
            pass  # what comes with them was refused
        assert board.pin(27).function == "input"
        door.show(1, face(1))
        assert done(door, "gate", 1)


def test_the_first_rules_of_a_run_begin_with_what_happens_then(
    tmp_path: Path, board: MockFactory
) -> None:
    path = tmp_path / "config.toml"
    with Door(load_config(None, {}, {})) as door:
        door.show(1, face(1))
        with door.reactions.prepared(rules_of(path, "gate 17")) as follow:
            follow()
        door.show(1, face(2, x=600))
        assert done(door, "gate", 1)
        door.show(1)
    assert not any(thread.name.startswith("rule") for thread in threading.enumerate())


def test_a_dead_webhook_delays_neither_frames_nor_other_rules_nor_the_end(
    tmp_path: Path, board: MockFactory
) -> None:
    path = tmp_path / "config.toml"
    with Receiver((0,)) as receiver:
        path.write_text(
            '[[rule]]\nname = "dead"\nwhen = "face_came"\ndebounce_s = 0.0\n'
            f'then = {{ webhook = "{receiver.url}", timeout_s = 60 }}\n'
            '[[rule]]\nname = "gate"\nwhen = "face_came"\nthen = { gpio = 17, pulse_s = 0.01 }\n'
        )
        with Door(load_config(path, {}, {})) as door:
            for track in range(40):
                door.show(1, face(track, x=300 * track))
            assert receiver.came.acquire(timeout=5)
            gate = door.reactions.rules.runners[1]
            for _ in range(500):
                if gate.tally().done:
                    break
                threading.Event().wait(0.01)
            assert gate.tally().done == 1
            workers = list(door.reactions._acting.values())
    assert not any(worker.alive for worker in workers)
    assert not any(thread.name.startswith("rule") for thread in threading.enumerate())
    dead, _ = door.reactions.rules.states()
    assert dead.tally.failed == 1
    assert dead.tally.dropped == 39


def test_a_whole_run_tells_who_came_and_a_program_hears_of_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    path = tmp_path / "config.toml"
    path.write_text(
        f'state_dir = "{tmp_path}"\n'
        '[source]\nuri = "demo://?faces=1&frames=40&seed=7"\n[web]\nenabled = false\n'
        "[classify]\nmodels = []\n[events]\ncame_after_s = 0.0\n"
        '[[rule]]\nname = "note"\nwhen = "face_came"\n'
        f'then = {{ command = ["{program(tmp_path / "note", f"cat > {out}")}"] }}\n'
    )
    with Runtime(load_config(path, {}, {})) as runtime:
        runtime.run(threading.Event())
    told = [each.kind for each in runtime.status.events().after(0)]
    assert told[0] == "face_came"
    assert "camera_ended" in told
    assert json.loads(out.read_text())["rule"] == "note"
    (state,) = runtime.status.rules()
    assert (state.tally.done, state.tally.failed) == (1, 0)
    assert runtime.status.history().stretch("hour").mean[:, -1].any()


def test_a_rule_that_cannot_work_is_known_before_a_camera_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[[rule]]\nname = "note"\nwhen = "face_came"\nthen = { command = ["/nowhere/note"] }\n'
    )
    with pytest.raises(ActionUnavailable, match="rule note: /nowhere/note is no program"):
        Runtime(load_config(path, {}, {})).__enter__()
