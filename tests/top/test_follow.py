"""``top`` over a real service: live, interrupted, lost and back."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from rich.console import Console

from edge_runtime.client import Client
from edge_runtime.errors import ServiceRefused, ServiceUnreachable
from edge_runtime.top.follow import follow, show_once
from tests.web.conftest import LiveService

TOKEN = "ert_" + "t" * 28
ENOUGH = object()


class Terminal(io.StringIO):
    """Where ``top`` draws to; ``seen`` is told all of it at each write, and may interrupt once."""

    def __init__(self, seen: Callable[[str], object] = bool) -> None:
        super().__init__()
        self._seen: Callable[[str], object] | None = seen

    def write(self, text: str) -> int:
        written = super().write(text)
        if self._seen and self._seen(self.getvalue()) is ENOUGH:
            self._seen = None
            raise KeyboardInterrupt
        return written

    def console(self) -> Console:
        return Console(file=self, width=80, height=40, force_terminal=True, _environ={})


def drawn_until_interrupted(
    client: Client, terminal: Terminal, wait: Callable[[float], object]
) -> str:
    with pytest.raises(KeyboardInterrupt):
        follow(client, terminal.console(), wait)
    return terminal.getvalue()


def no_wait(seconds: float) -> None:
    pytest.fail(f"the line broke: {seconds} s are waited")


def test_once(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=80)
    with LiveService(tmp_path) as live:
        show_once(Client(live.url), console)
    assert isinstance(console.file, io.StringIO)
    assert "54.2 °C of 80" in console.file.getvalue()


def test_it_is_drawn_anew_as_numbers_change(tmp_path: Path) -> None:
    terminal = Terminal(lambda drawn: ENOUGH if drawn.count("FINE") >= 3 else None)
    with LiveService(tmp_path) as live:
        drawn = drawn_until_interrupted(Client(live.url), terminal, no_wait)
    # The alternate screen is left again, so that the shell looks as before.
    assert "\x1b[?1049h" in drawn
    assert drawn.rindex("\x1b[?1049l") > drawn.rindex("FINE")


def test_a_line_that_breaks_is_said_and_taken_up_again(tmp_path: Path) -> None:
    waits: list[float] = []
    with ExitStack() as services:
        first = services.enter_context(LiveService(tmp_path))
        stop = iter([first.stop])

        def seen(drawn: str) -> object:
            if "LOST" in drawn:
                newest = drawn.rpartition("\x1b[H")[2]
                return ENOUGH if "FINE" in newest and "LOST" not in newest else None
            if drawn.count("FINE") >= 3:
                for each in stop:
                    each()
            return None

        def wait(seconds: float) -> None:
            waits.append(seconds)
            services.enter_context(LiveService(tmp_path, port=first.port))

        client = Client(first.url)
        drawn = drawn_until_interrupted(client, Terminal(seen), wait)
    assert "What follows is old" in drawn
    assert waits == [3.0]


def test_who_is_not_there_at_first_is_an_error(tmp_path: Path) -> None:
    with LiveService(tmp_path) as live:
        live.stop()
    with pytest.raises(ServiceUnreachable):
        follow(Client(live.url), Terminal().console(), no_wait)


def test_a_wrong_token_ends_it(tmp_path: Path) -> None:
    with LiveService(tmp_path, token=TOKEN) as live, pytest.raises(ServiceRefused):
        follow(Client(live.url, token="wrong" * 5), Terminal().console(), no_wait)
