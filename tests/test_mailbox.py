"""Newest wins for cameras, nothing is lost for files, and no frame is forgotten open."""

import threading

import numpy as np
import pytest

from edge_runtime.errors import SourceLost
from edge_runtime.mailbox import Mailbox, Mailboxes
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


class TestSeveral:
    """One reader for several senders."""

    def test_each_sender_has_its_turn_however_fast_another_is(self) -> None:
        frames, mailboxes = Frames(), Mailboxes(3)
        taken = []
        for round_ in range(6):
            # The first sender puts three frames for one of the others.
            for index in range(3):
                mailboxes.boxes[0].put(frames.make(10 * round_ + index))
            mailboxes.boxes[1].put(frames.make(10 * round_ + 5))
            mailboxes.boxes[2].put(frames.make(10 * round_ + 6))
            for _ in range(2):  # one less than there are
                delivery = mailboxes.take(0)
                assert delivery is not None
                taken.append(delivery.number)
        assert taken == [0, 1, 2] * 4

    def test_the_newest_of_each_wins(self) -> None:
        frames, mailboxes = Frames(), Mailboxes(2)
        for index in range(4):
            mailboxes.boxes[index % 2].put(frames.make(index))
        deliveries = [mailboxes.take(0), mailboxes.take(0), mailboxes.take(0)]
        assert [each and each.frame.index for each in deliveries] == [2, 3, None]
        assert frames.closed == [0, 1]
        assert [box.rates(RateMeter()).dropped for box in mailboxes.boxes] == [1, 1]

    def test_a_reader_who_waits_is_woken_by_any_of_them(self) -> None:
        frames, mailboxes = Frames(), Mailboxes(2)
        taken: list[int | None] = []

        def read() -> None:
            delivery = mailboxes.take(30)
            taken.append(delivery and delivery.frame.index)

        reader = threading.Thread(target=read)
        reader.start()
        mailboxes.boxes[1].put(frames.make(7))
        reader.join(5)
        assert taken == [7]

    def test_patient_senders_lose_nothing(self) -> None:
        frames, mailboxes = Frames(), Mailboxes(2)

        def send(number: int) -> None:
            for index in range(50):
                mailboxes.boxes[number].put(frames.make(index), patient=True)
            mailboxes.boxes[number].end()

        senders = [threading.Thread(target=send, args=(number,)) for number in range(2)]
        for sender in senders:
            sender.start()
        taken: list[list[int]] = [[], []]
        while not mailboxes.ended:
            if (delivery := mailboxes.take(5)) is not None:
                taken[delivery.number].append(delivery.frame.index)
        for sender in senders:
            sender.join(5)
        assert taken == [list(range(50))] * 2

    def test_one_that_failed_leaves_the_others_alone_until_all_have(self) -> None:
        frames, mailboxes = Frames(), Mailboxes(2)
        mailboxes.boxes[1].end(SourceLost("second"))
        mailboxes.boxes[0].put(frames.make(0))
        assert mailboxes.take(0) is not None
        assert mailboxes.take(0) is None
        mailboxes.boxes[0].put(frames.make(1))
        mailboxes.boxes[0].end(SourceLost("first"))
        assert mailboxes.take(0) is not None  # its last frame comes before its error
        with pytest.raises(SourceLost, match="first"):
            mailboxes.take(0)

    def test_one_that_failed_beside_one_that_ended_well_is_no_error(self) -> None:
        mailboxes = Mailboxes(2)
        mailboxes.boxes[0].end()
        mailboxes.boxes[1].end(SourceLost("gone"))
        assert mailboxes.take(0) is None
        assert mailboxes.ended

    def test_a_defect_is_raised_though_others_deliver(self) -> None:
        frames, mailboxes = Frames(), Mailboxes(2)
        mailboxes.boxes[0].put(frames.make(0))
        mailboxes.boxes[1].end(ZeroDivisionError())
        with pytest.raises(ZeroDivisionError):
            mailboxes.take(0)

    def test_closing_frees_all(self) -> None:
        frames, mailboxes = Frames(), Mailboxes(2)
        for index, box in enumerate(mailboxes.boxes):
            box.put(frames.make(index))
        mailboxes.close()
        assert frames.closed == [0, 1]
        assert mailboxes.ended
