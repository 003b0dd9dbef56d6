"""What a terminal of any width shows of a status."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from edge_runtime.top import figures
from edge_runtime.top.screen import Screen
from edge_runtime.web.examples import STATUS
from edge_runtime.web.report import GovernorReport, StateReport, StatusReport


def shown(status: StatusReport = STATUS, *, width: int = 100, problem: str | None = None) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False, _environ={})
    console.print(Screen(status, url="http://pi:8000/", problem=problem))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def changed(**more: Any) -> StatusReport:
    return STATUS.model_copy(update=more)


def test_the_numbers_of_the_page() -> None:
    text = shown()
    for words in (
        "FINE  Fine: 29.8 frames a second, 1 face",
        "Raspberry Pi 4 Model B Rev 1.2 · up 1 h 2 min · edge-runtime 0.1.0 · http://pi:8000/",
        "29.8 fps of 30.0, 0.2 dropped",
        "#3 smile 93%",
        "54.2 °C of 80",
        "3.41 ±0.80 W, model of a Pi 4B (board)",
        "114.5 mJ a frame",
        "41 % of a core, 18 % of all, 1500 MHz",
        "96 MiB, 2750 free",
        "gives nothing up",
        "43 KiB",
    ):
        assert words in text


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = shown(width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert any("FINE" in line for line in lines)


def test_a_narrow_terminal_shows_the_most_needed_whole() -> None:
    text = shown(width=40)
    assert "stage p50 ms p95 detect 6.25 7.10" in " ".join(text.split())
    assert "p99" not in text
    assert "54.2 °C of 80" in text


def test_what_is_wrong_comes_with_what_to_do() -> None:
    state = StateReport(level="act", sentence="Under-voltage", advice="Use another", others=())
    assert "ACT   Under-voltage\n      Use another" in shown(changed(state=state))


def test_what_is_unknown_is_said_to_be_and_is_no_zero() -> None:
    assert STATUS.machine is not None
    fields = type(STATUS.machine).model_fields
    bare = {**dict.fromkeys(fields), "board": "some board", "uptime_s": 5}
    machine = STATUS.machine.model_copy(update=bare)
    text = shown(changed(machine=machine, rates=None, latency_ms={}))
    for name in ("rate", "heat", "power", "energy", "processor", "memory"):
        line = next(line for line in text.splitlines() if line.startswith(f"{name} "))
        assert line.split() == [name, "unknown"]
    assert "stage" not in text


def test_before_the_first_reading() -> None:
    assert "edge-runtime 0.1.0" in shown(changed(machine=None, frame=None, models=()))


def test_what_the_governor_gives_up() -> None:
    governor = GovernorReport(level=5, looks=1, detect_every=3, fps=15, reasons=("Hot", "Late"))
    assert "level 5: Hot; Late" in shown(changed(governor=governor))


def test_several_cameras_have_a_table() -> None:
    front = STATUS.cameras[0]
    yard = front.model_copy(update={"name": "yard", "matter": "Camera lost 12 s ago, retrying"})
    text = shown(changed(cameras=(front, yard)))
    assert "front-door streaming 29.8 fps" in " ".join(text.split())
    assert "Camera lost 12 s ago, retrying" in text
    assert max(map(len, shown(changed(cameras=(front, yard)), width=30).splitlines())) <= 30


def test_a_lost_line_is_said_on_top_of_what_is_old() -> None:
    text = shown(problem="the runtime has ended the connection")
    assert text.startswith("LOST  the runtime has ended the connection. What follows is old.\n")
    assert "FINE" in text


def test_names_cannot_command_the_terminal() -> None:
    evil = STATUS.cameras[0].model_copy(update={"name": "\x1b]0;owned\x07[red]x"})
    state = STATUS.state.model_copy(update={"sentence": "\x1b[2J[bold]gone"})
    text = shown(changed(state=state, cameras=(evil, evil)))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "?[2J[bold]gone" in text


def test_a_terminal_without_unicode() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, "ascii", errors="replace")
    Console(file=file, width=80).print(Screen(STATUS, url="http://pi:8000/"))
    file.flush()
    assert b"54.2 ?C" in raw.getvalue()
    assert b"####" in raw.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "5 s"), (119, "119 s"), (240, "4 min"), (11100, "3 h 5 min"), (183600, "2 d 3 h")],
)
def test_spans(seconds: float, words: str) -> None:
    assert figures.span(seconds) == words
