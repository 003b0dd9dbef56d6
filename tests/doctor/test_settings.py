from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_runtime.doctor.machine import Disk, bind
from edge_runtime.doctor.settings import (
    SETUP_REPORT,
    check_clock,
    check_config,
    check_edge_conf,
    check_models,
    check_port,
)
from edge_runtime.doctor.storage import check_disk, check_root, check_state_dir
from edge_runtime.errors import ConfigError, ModelMissing
from tests.doctor.conftest import GIB, Bench, plan_of

MakeBench = Callable[[str], Bench]


def test_a_broken_config_is_repeated(bench: MakeBench) -> None:
    finding = check_config(plan_of(), ConfigError("config.toml line 3: unknown key web.prot"))
    assert finding.state == "act"
    assert "web.prot" in finding.text


def test_the_config_in_force_is_named() -> None:
    finding = check_config(plan_of(config_file=Path("/etc/edge-runtime/config.toml")), None)
    assert (finding.state, finding.text) == ("fine", "/etc/edge-runtime/config.toml")


def test_a_line_of_edge_conf_that_could_not_be_used_is_told(bench: MakeBench) -> None:
    made = bench("pi4b")
    assert check_edge_conf(made.machine()) is None
    made.board.write(SETUP_REPORT, "")
    finding = check_edge_conf(made.machine())
    assert finding is not None
    assert finding.state == "fine"
    made.board.write(SETUP_REPORT, "edge.conf line 3: no.\nedge.conf line 5: nor this.\n")
    finding = check_edge_conf(made.machine())
    assert finding is not None
    assert (finding.state, finding.text) == ("act", "edge.conf line 3: no. (and 1 more)")


def test_every_model_is_loaded() -> None:
    def load(name: str) -> str:
        if name == "smile":
            raise ModelMissing("there is no model smile in /models")
        return "face-detector 0.1.0, 48 KiB"

    found = list(check_models(plan_of(load=load, models=("face-glance", "smile"))))
    assert [finding.state for finding in found] == ["fine", "act"]
    assert "48 KiB" in found[0].text
    assert "no model smile" in found[1].text


def test_a_free_port(bench: MakeBench) -> None:
    finding = check_port(bench("pi4b").machine(), plan_of())
    assert finding is not None
    assert finding.state == "fine"


@pytest.mark.parametrize(
    ("number", "state"),
    [(errno.EADDRINUSE, "watch"), (errno.EACCES, "act"), (errno.EADDRNOTAVAIL, "act")],
)
def test_a_port_that_cannot_be_had(bench: MakeBench, number: int, state: str) -> None:
    made = bench("pi4b")
    made.bound = OSError(number, "no")
    finding = check_port(made.machine(), plan_of())
    assert finding is not None
    assert finding.state == state


def test_no_page_needs_no_port(bench: MakeBench) -> None:
    assert check_port(bench("pi4b").machine(), plan_of(web_address=None)) is None


def test_a_busy_port_is_really_noticed() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(OSError) as caught:
            bind("127.0.0.1", port)
    assert caught.value.errno == errno.EADDRINUSE
    bind("127.0.0.1", 0)


@pytest.mark.parametrize(
    ("board", "state"), [("pi4b", "fine"), ("x86-laptop", "fine"), ("zero2w", "watch")]
)
def test_a_clock_kept_by_a_time_server(bench: MakeBench, board: str, state: str) -> None:
    assert check_clock(bench(board).machine()).state == state


def test_a_clock_that_nobody_vouches_for_is_unknown(bench: MakeBench) -> None:
    made = bench("x86-laptop")
    made.board.uninstall("timedatectl")
    assert check_clock(made.machine()).state == "unknown"


def test_a_clock_in_the_past_has_to_be_acted_on(bench: MakeBench) -> None:
    finding = check_clock(bench("pi4b").machine(now=0.0))
    assert finding.state == "act"
    assert "1970" in finding.text


@pytest.mark.parametrize(
    ("free", "state"), [(20 * GIB, "fine"), (GIB // 2, "watch"), (GIB // 100, "act")]
)
def test_room_on_the_disk(bench: MakeBench, free: int, state: str) -> None:
    machine = bench("pi4b").machine(disk=Disk(32 * GIB, free))
    assert check_disk(machine, plan_of()).state == state


def test_a_disk_that_cannot_be_asked_is_unknown(bench: MakeBench) -> None:
    machine = bench("pi4b").machine(disk=OSError(errno.EIO, "input/output error"))
    assert check_disk(machine, plan_of()).state == "unknown"


@pytest.mark.parametrize(("board", "word"), [("pi4b", "writable"), ("zero2w", "overlay")])
def test_a_root_that_is_as_it_was_meant(bench: MakeBench, board: str, word: str) -> None:
    finding = check_root(bench(board).machine())
    assert finding.state == "fine"
    assert word in finding.text


def test_a_card_that_went_read_only_is_to_be_watched(bench: MakeBench) -> None:
    made = bench("pi4b")
    made.board.write("proc/self/mounts", "/dev/mmcblk0p2 / ext4 ro,noatime 0 0\n")
    assert check_root(made.machine()).state == "watch"


def test_a_root_that_nobody_tells_of_is_unknown(bench: MakeBench) -> None:
    made = bench("pi4b")
    made.board.remove("proc/self/mounts")
    assert check_root(made.machine()).state == "unknown"


def test_the_state_folder_may_still_have_to_be_made(bench: MakeBench, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "edge-runtime"
    finding = check_state_dir(bench("pi4b").machine(), plan_of(state_dir=folder))
    assert finding.state == "fine"
    assert "made at the first start" in finding.text
    assert not folder.exists()


def test_a_state_folder_that_may_not_be_written(bench: MakeBench, tmp_path: Path) -> None:
    machine = bench("pi4b").machine(writable=False)
    finding = check_state_dir(machine, plan_of(state_dir=tmp_path))
    assert finding.state == "act"
    assert str(tmp_path) in finding.text


def test_a_file_in_place_of_the_state_folder(bench: MakeBench, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    plan = plan_of(state_dir=tmp_path / "state")
    assert check_state_dir(bench("pi4b").machine(), plan).state == "act"
