"""The page's life: bound at once, served when there is something to see, ended in any case."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from edge_runtime.app.page import Page
from edge_runtime.app.server import make_server
from edge_runtime.app.status import CameraStatus, Status
from edge_runtime.config import load_config
from tests.web.fake_counter import FakeCounter
from tests.web.guarded import make_token


def test_a_stop_while_the_libraries_still_load_ends_the_page_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(None, {}, {"web.port": 0, "state_dir": str(tmp_path)})
    making, ended = threading.Event(), threading.Event()

    def make_late(*arguments: object, **settings: object) -> object:
        making.set()
        assert ended.wait(5)
        return make_server(*arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr("edge_runtime.app.page.make_server", make_late)
    page = Page(config, Status(CameraStatus("camera", "demo://")))
    end_server = page._end_server

    def end_before_it_is_made() -> None:
        assert making.wait(5)
        end_server()
        ended.set()
        # The worker is told to stop only after this: the server must not start in between.
        served.join(5)

    monkeypatch.setattr(page, "_end_server", end_before_it_is_made)
    with page:
        page.open(FakeCounter())
        served = next(each for each in threading.enumerate() if each.name == "page")
    assert not served.is_alive()


def test_a_socket_of_another_opener_is_served_and_decides_about_the_token(tmp_path: Path) -> None:
    make_token(tmp_path)
    config = load_config(None, {}, {"state_dir": str(tmp_path), "web.port": 1})
    with (
        socket.create_server(("0.0.0.0", 0)) as listening,
        Page(config, Status(CameraStatus("camera", "demo://")), listening=listening) as page,
    ):
        assert page.door.address == "0.0.0.0"
        assert f":{listening.getsockname()[1]}/" in page.url
