"""A socket that somebody else opened is served, if it is one that can be."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime.errors import WebUnavailable
from edge_runtime.service.activation import inherited_socket

ONE = {"LISTEN_PID": "7", "LISTEN_FDS": "1"}


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def test_the_socket_handed_over_is_the_very_same(listening: socket.socket) -> None:
    with socket.socket() as client:
        found = inherited_socket(ONE, pid=7, first=listening.fileno())
        assert found is not None
        with found:
            client.connect(listening.getsockname())
            accepted, _ = found.accept()
            accepted.close()


@pytest.mark.parametrize("environ", [{}, {"LISTEN_PID": "8", "LISTEN_FDS": "1"}])
def test_nothing_is_taken_that_is_not_meant_for_us(environ: dict[str, str]) -> None:
    assert inherited_socket(environ, pid=7) is None


@pytest.mark.parametrize("count", ["2", "0", "many"])
def test_it_is_one_socket_or_a_mistake(count: str) -> None:
    with pytest.raises(WebUnavailable, match="single ListenStream="):
        inherited_socket({"LISTEN_PID": "7", "LISTEN_FDS": count}, pid=7)


def test_a_unix_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "page"))
        unix.listen()
        with pytest.raises(WebUnavailable, match="does not listen for TCP"):
            inherited_socket(ONE, pid=7, first=unix.fileno())


def test_a_descriptor_that_is_no_socket_is_refused(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(WebUnavailable, match="is no socket"):
            inherited_socket(ONE, pid=7, first=descriptor)
    finally:
        os.close(descriptor)
