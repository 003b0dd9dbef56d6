"""A worker stops when asked, keeps its error, and says when it will not end."""

import logging
import threading

import pytest

from edge_runtime.service.worker import Worker


def test_stop_ends_a_worker_that_sleeps() -> None:
    worker = Worker("sleeper", lambda me: void(me.wait(60))).start()
    assert worker.stop(5)
    assert not worker.alive


def void(_: object) -> None:
    """Work returns nothing."""


def test_an_error_is_kept_and_handed_on() -> None:
    caught: list[BaseException] = []

    def fail(_: Worker) -> None:
        raise OSError("no such thing")

    worker = Worker("failing", fail, on_error=caught.append).start()
    worker.stop(5)
    assert isinstance(worker.error, OSError)
    assert caught == [worker.error]


def test_an_error_nobody_asked_for_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Worker) -> None:
        raise OSError("no such thing")

    with caplog.at_level(logging.ERROR):
        Worker("failing", fail).start().stop(5)
    assert "the failing thread failed" in caplog.text


def test_work_that_will_not_end_is_said(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    worker = Worker("stubborn", lambda _: void(release.wait(10))).start()
    with caplog.at_level(logging.ERROR):
        assert not worker.stop(0)
    assert "the stubborn thread did not end" in caplog.text
    release.set()
    assert worker.stop(5)


def test_leaving_the_with_block_stops_the_worker() -> None:
    with Worker("sleeper", lambda me: void(me.wait(60))) as worker:
        assert worker.alive
    assert not worker.alive


def test_a_worker_never_started_stops_at_once() -> None:
    assert Worker("idle", lambda _: None).stop(0)
