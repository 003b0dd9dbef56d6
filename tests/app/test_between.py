"""Jobs of other threads are done between two frames, or their owners are told why not."""

from __future__ import annotations

import threading

import pytest

from edge_runtime.app.between import Between
from edge_runtime.errors import ExchangeFailed, ModelRejected


def handed_in(between: Between, call: object) -> tuple[threading.Thread, list[BaseException]]:
    """A thread that waits for its job, once the job has arrived."""
    errors: list[BaseException] = []

    def wait() -> None:
        try:
            between.do(call)  # type: ignore[arg-type]
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread, errors


def until_done(between: Between, thread: threading.Thread) -> None:
    while thread.is_alive():
        between.run_waiting()
        thread.join(0.001)


def test_a_job_is_done_by_the_thread_of_the_frames() -> None:
    between, done_by = Between(), list[int]()
    thread, errors = handed_in(between, lambda: done_by.append(threading.get_ident()))
    until_done(between, thread)
    assert done_by == [threading.get_ident()]
    assert errors == []


def test_an_error_is_raised_where_the_job_came_from() -> None:
    between = Between()

    def fail() -> None:
        raise ModelRejected("no")

    thread, errors = handed_in(between, fail)
    until_done(between, thread)
    assert [str(error) for error in errors] == ["no"]


def test_when_no_frame_ends_in_time_the_job_is_taken_back() -> None:
    between, done = Between(), list[int]()
    with pytest.raises(ExchangeFailed, match=r"no frame ended within 0\.001 s"):
        between.do(lambda: done.append(1), wait_s=0.001)
    between.run_waiting()
    assert done == []


def test_at_the_end_everybody_is_told() -> None:
    between = Between()
    thread, errors = handed_in(between, lambda: None)
    while not between.waiting:
        thread.join(0.001)
    between.end()
    thread.join()
    assert isinstance(errors[0], ExchangeFailed)
    with pytest.raises(ExchangeFailed):
        between.do(lambda: None)
