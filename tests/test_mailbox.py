"""Newest wins for cameras, nothing is lost for files, and no frame is forgotten open."""

import threading

import numpy as np
import pytest

from edge_runtime.errors import SourceLost
from edge_runtime.mailbox import Mailbox
from edge_runtime.telemetry.meters import RateMeter
from edge_runtime.types import Frame


class Frames:
    """Frames that note when they are closed."""

    def __init__(self) -> None:
        self.closed: list[int] = []

    def make(self, index: int) -> Frame:
        luma = np.zeros((2, 2), np.uint8)
        return Frame(index, 0.0, luma, None, release=lambda: self.closed.append(index))  # type: ignore[arg-type]


def test_the_newest_frame_wins_and_the_dropped_one_is_closed_and_counted() -> None:
    frames, mailbox = Frames(), Mailbox()
    mailbox.put(frames.make(0))
    mailbox.put(frames.make(1))
    taken = mailbox.take(0)
    assert taken is not None
    assert taken.index == 1
    assert frames.closed == [0]
    rates = mailbox.rates(RateMeter())
    assert (rates.captured, rates.dropped) == (2, 1)


def test_a_patient_sender_loses_nothing() -> None:
    frames, mailbox = Frames(), Mailbox()

    def send() -> None:
        for index in range(100):
            mailbox.put(frames.make(index), patient=True)
        mailbox.end()

    sender = threading.Thread(target=send)
    sender.start()
    taken = []
    while not mailbox.ended:
        if (frame := mailbox.take(5)) is not None:
            taken.append(frame.index)
    sender.join(5)
    assert taken == list(range(100))
    assert mailbox.rates(RateMeter()).dropped == 0


def test_an_empty_mailbox_gives_none() -> None:
    assert Mailbox().take(0) is None


def test_the_last_frame_comes_before_the_senders_error() -> None:
    mailbox = Mailbox()
    mailbox.put(Frames().make(0))
    mailbox.end(SourceLost("gone"))
    assert not mailbox.ended
    assert mailbox.take(0) is not None
    with pytest.raises(SourceLost, match="gone"):
        mailbox.take(0)


def test_closing_returns_the_waiting_frame_and_refuses_more() -> None:
    frames, mailbox = Frames(), Mailbox()
    mailbox.put(frames.make(0))
    mailbox.close()
    assert not mailbox.put(frames.make(1))
    assert frames.closed == [0, 1]
    assert mailbox.ended


def test_closing_frees_a_patient_sender() -> None:
    frames, mailbox = Frames(), Mailbox()
    mailbox.put(frames.make(0))
    accepted: list[bool] = []
    sender = threading.Thread(
        target=lambda: accepted.append(mailbox.put(frames.make(1), patient=True))
    )
    sender.start()
    mailbox.close()
    sender.join(5)
    assert accepted == [False]
    assert sorted(frames.closed) == [0, 1]
