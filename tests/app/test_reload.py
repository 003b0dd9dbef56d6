"""Settings read again: all of them or none, at once or named for later."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_runtime.app.reload import Reloader, change
from edge_runtime.config import Config, load_config
from edge_runtime.errors import ConfigError, ModelMissing
from edge_runtime.service.heartbeat import Heartbeat
from tests.app.test_activator import SMILE, House, admitted, house


def config_of(**settings: object) -> Config:
    return load_config(None, {}, {key.replace("__", "."): v for key, v in settings.items()})


def reloader(config: Config, read: Callable[[], Config]) -> Reloader:
    return Reloader(config, read, threading.Event(), Heartbeat())


def test_what_can_takes_effect_and_the_rest_is_named(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    new = config_of(detector__threshold=0.7, governor__max_temperature_c=60.0, web__port=9000)
    applied: list[Config] = []
    made = reloader(config_of(), lambda: new)
    made.reload([applied.append])
    assert applied[0].detector.threshold == 0.7
    assert applied[0].web.port == 8000  # still in force
    assert "in force now: detector.threshold, governor.max_temperature_c" in caplog.text
    assert "needs a restart to take effect: web.port" in caplog.text


def test_what_waits_for_a_restart_is_named_again_the_next_time() -> None:
    new = config_of(web__port=9000)
    first = change(config_of(), new)
    assert change(first.config, new).at_restart == ("web.port",)


def test_other_cameras_wait_for_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[[camera]]\nname = "yard"\nuri = "demo://"\n')
    assert "camera" in change(config_of(), load_config(path, {}, {})).at_restart


def test_other_rules_take_effect_at_once(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[[rule]]\nname = "note"\nwhen = "face_came"\nthen = { command = ["/bin/true"] }\n'
    )
    found = change(config_of(), load_config(path, {}, {}))
    assert (found.at_once, found.at_restart) == (("rule",), ())
    assert [each.name for each in found.config.rule] == ["note"]


def test_a_bad_file_changes_nothing_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def read() -> Config:
        raise ConfigError("config.toml line 3: unknown key")

    applied: list[Config] = []
    old = config_of()
    made = reloader(old, read)
    made.reload([applied.append])
    assert made.config is old
    assert applied == []
    assert "the settings stay as they were: config.toml line 3" in caplog.text


def test_a_model_that_is_missing_keeps_all_the_old_ones() -> None:
    def refuse(_: Config) -> None:
        raise ModelMissing("no model mood")

    later: list[Config] = []
    made = reloader(config_of(), lambda: config_of(classify__models=["mood"]))
    made.reload([refuse, later.append])
    assert made.config.classify.models == ("smile",)
    assert later == []


def test_nothing_new_disturbs_nobody() -> None:
    applied: list[Config] = []
    reloader(config_of(), config_of).reload([applied.append])
    assert applied == []


def settle(at: House, **settings: object) -> None:
    keys = {key.replace("__", "."): value for key, value in settings.items()}
    config = load_config(None, {}, {"state_dir": str(at.here)} | keys)
    at.during_frames(lambda: at.activator.settle(config))


def test_other_classifiers_play_from_the_next_frame_on(tmp_path: Path) -> None:
    at = house(tmp_path)
    detector, smile = at.versions()
    settle(at, classify__models=["mask"])
    assert [each.split()[0] for each in at.versions()] == [detector.split()[0], "mask"]
    settle(at, classify__models=["smile", "mask@3"])
    assert at.versions()[1] == smile
    at.activator.close()
    at.assembly.close()


def test_a_threshold_takes_effect_and_faces_keep_their_numbers(tmp_path: Path) -> None:
    at = house(tmp_path)
    settle(at, detector__threshold=0.9, detector__budget="full")
    assert at.assembly.threshold == 0.9
    at.activator.close()
    at.assembly.close()


def test_an_activated_model_stays_whatever_the_settings_name(tmp_path: Path) -> None:
    at = house(tmp_path)
    version = admitted(at.shelf, tmp_path, "9.9")
    at.during_frames(lambda: at.activator.activate(SMILE, version, who="test", why="test"))
    settle(at, classify__every_n_frames=3)
    assert "smile 9.9" in at.versions()
    at.activator.close()
    at.assembly.close()


def test_a_model_that_is_not_there_leaves_all_that_play(tmp_path: Path) -> None:
    at = house(tmp_path)
    before = at.versions()
    with pytest.raises(ModelMissing):
        settle(at, classify__models=["mask", "nobody"], detector__threshold=0.9)
    assert at.versions() == before
    assert at.assembly.threshold != 0.9
    at.activator.close()
    at.assembly.close()
