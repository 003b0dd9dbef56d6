"""Commands: real processes, with what they get, what they say and how they are ended."""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_runtime.errors import ActionFailed, ActionUnavailable
from edge_runtime.events.action import Firing
from edge_runtime.events.command import LISTENS_TO, CommandAction
from tests.events.told import event
from tests.events.waits import Waits

FIRING = Firing(
    "bell",
    event("label_changed", number=42, model="smile", label="$(reboot); `id` \"'", before=None),
)

Script = Callable[..., CommandAction]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """An action that runs lines of shell: as a program, never through our own shell."""

    def written(text: str, *words: str, timeout_s: float = 10.0) -> CommandAction:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return CommandAction([str(path), *words], timeout_s=timeout_s)

    return written


def run(action: CommandAction) -> None:
    with action:
        action.run(FIRING, Waits().wait)


def gone(pid: int) -> bool:
    """Whether a process has ended, within 5 s: whoever inherits it reaps it."""
    for _ in range(500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_it_gets_its_words_the_event_and_nothing_of_our_environment(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "x")
    out = tmp_path / "out"
    out.mkdir()
    run(
        script(
            f'cat > {out}/event; env -0 > {out}/env; printf "%s|" "$@" > {out}/words; '
            f"pwd > {out}/folder",
            "a b",
            "$HOME;id",
        )
    )
    assert json.loads((out / "event").read_text()) == FIRING.as_json()
    assert (out / "words").read_text() == "a b|$HOME;id|"
    assert (out / "folder").read_text() == "/\n"
    found = dict(line.split("=", 1) for line in (out / "env").read_text().split("\0") if line)
    assert found["EVENT_RULE"] == "bell"
    assert found["EVENT_KIND"] == "label_changed"
    assert found["EVENT_FIELD_LABEL"] == "$(reboot); `id` \"'"
    assert found["EVENT_FIELD_BEFORE"] == ""
    assert found["EVENT_TEST"] == "0"
    assert "SECRET_OF_OURS" not in found
    assert "HOME" not in found


def test_what_it_says_goes_to_the_log(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    run(script("echo opened; echo and a warning >&2"))
    assert [each.message.partition(" says: ")[2] for each in caplog.records] == [
        "opened",
        "and a warning",
    ]


def test_an_exit_code_is_a_failure_with_its_last_words(script: Script) -> None:
    with pytest.raises(ActionFailed, match=r"program ended with exit code 3: the relay is stuck"):
        run(script("echo trying; echo the relay is stuck >&2; exit 3"))
    with pytest.raises(ActionFailed, match="ended with signal SIGTERM"):
        run(script("kill -TERM $$"))


def test_a_flood_is_read_to_its_end_and_cut_off_in_the_log(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    run(script("head -c 3000000 /dev/zero | tr '\\0' 'x'"))
    assert len(caplog.records) == 1
    assert caplog.records[0].message.count("x") == LISTENS_TO


def test_what_takes_too_long_is_ended_with_all_it_started(script: Script, tmp_path: Path) -> None:
    child = tmp_path / "child"
    with pytest.raises(ActionFailed, match=r"did not end within 0\.3 s"):
        run(script(f"sleep 60 & echo $! > {child}; wait", timeout_s=0.3))
    assert gone(int(child.read_text()))


def test_what_it_leaves_in_the_background_does_not_hold_us_up(
    script: Script, tmp_path: Path
) -> None:
    child = tmp_path / "child"
    began = time.monotonic()
    run(script(f"sleep 60 & echo $! > {child}; echo started"))
    assert time.monotonic() - began < 5
    os.kill(int(child.read_text()), 9)


def test_stopping_ends_it(script: Script, tmp_path: Path) -> None:
    started = tmp_path / "started"
    action = script(f"touch {started}; exec sleep 60", timeout_s=60.0)
    failed: list[str] = []

    def work() -> None:
        try:
            action.run(FIRING, Waits().wait)
        except ActionFailed as error:
            failed.append(str(error))

    running = threading.Thread(target=work)
    running.start()
    while not started.exists():
        running.join(0.005)
    action.cancel()
    running.join(5)
    assert not running.is_alive()
    assert "was ended because the rule ends" in failed[0]
    action.close()


def test_a_program_that_reads_nothing_is_no_failure(script: Script) -> None:
    run(script("exec true"))


def test_no_file_descriptor_is_left(script: Script) -> None:
    action = script("echo hello")
    action.run(FIRING, Waits().wait)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        action.run(FIRING, Waits().wait)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    action.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before - 1
    action.close()


@pytest.mark.parametrize("name", ["no-such-program-anywhere", "/nowhere/program", "/etc/passwd"])
def test_a_program_that_is_none_is_known_when_the_program_starts(name: str) -> None:
    with pytest.raises(ActionUnavailable, match="is no program that may be started"):
        CommandAction([name])


def test_a_program_that_vanished_or_cannot_be_run_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_text("neither binary nor script")
    path.chmod(0o755)
    with pytest.raises(ActionFailed, match="could not be started: Exec format error"):
        run(CommandAction([str(path)]))
    action = CommandAction([str(path)])
    path.unlink()
    with pytest.raises(ActionFailed, match="could not be started: No such file"):
        run(action)
