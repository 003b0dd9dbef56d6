"""One slot between a camera and inference: the newest frame wins, what was dropped is counted.

Several cameras have a slot each, and one reader who waits for all of them.
"""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.telemetry.meters import RateMeter
from edge_runtime.types import Clock, Frame, Rates


class Mailbox:
    """Hands frames from one thread to another without ever queueing more than one.

    A frame that waits when a newer one comes is closed and counted as dropped, unless the sender
    can wait (``patient``): files lose nothing.
    """

    def __init__(
        self, clock: Clock = time.monotonic, *, changed: threading.Condition | None = None
    ) -> None:
        """``changed``: what a reader of several mailboxes waits on."""
        self._changed = changed or threading.Condition()
        self._slot: Frame | None = None
        self._ended = False
        self._error: BaseException | None = None
        self._captured = RateMeter(clock=clock)
        self._dropped = RateMeter(clock=clock)

    def put(self, frame: Frame, *, patient: bool = False) -> bool:
        """Leave a frame for the reader; False, and the frame closed, once the mailbox is shut."""
        with self._changed:
            while patient and self._slot is not None and not self._ended:
                self._changed.wait()
            if self._ended:
                frame.close()
                return False
            self._drop_waiting()
            self._slot = frame
            self._captured.add()
            self._changed.notify_all()
        return True

    def take(self, timeout_s: float) -> Frame | None:
        """The waiting frame, or None after ``timeout_s`` or at the end (see ``ended``).

        The caller closes the frame. Raises the error the sender ended with, after its last frame.
        """
        with self._changed:
            if self._slot is None and not self._ended:
                self._changed.wait(timeout_s)
            frame = self.poll()
            if frame is None and self._error is not None:
                raise self._error
        return frame

    def poll(self) -> Frame | None:
        """The waiting frame, if one waits now. The caller closes it."""
        with self._changed:
            frame, self._slot = self._slot, None
            if frame is not None:
                self._changed.notify_all()
        return frame

    @property
    def full(self) -> bool:
        """Whether a frame waits."""
        return self._slot is not None

    @property
    def error(self) -> BaseException | None:
        """What the sender ended with."""
        return self._error

    @property
    def ended(self) -> bool:
        """No frame waits and none will come."""
        with self._changed:
            return self._ended and self._slot is None

    def rates(self, processed: RateMeter) -> Rates:
        """What came, what the reader ``processed`` of it and what was dropped, as of now."""
        captured_fps = self._captured.per_second()
        # A meter knows no rate before two events; few drops among known frames are a rate of 0.
        dropped_fps = self._dropped.per_second() or (None if captured_fps is None else 0.0)
        return Rates(
            captured_fps,
            processed.per_second(),
            dropped_fps,
            self._captured.total,
            processed.total,
            self._dropped.total,
        )

    def end(self, error: BaseException | None = None) -> None:
        """The sender is done; a frame that waits can still be taken."""
        with self._changed:
            self._ended = True
            self._error = self._error or error
            self._changed.notify_all()

    def close(self) -> None:
        """The reader is done: give back the frame that waits and refuse further ones."""
        with self._changed:
            self._ended = True
            if self._slot is not None:
                self._slot.close()
            self._slot = None
            self._changed.notify_all()

    def _drop_waiting(self) -> None:
        if self._slot is not None:
            self._slot.close()
            self._dropped.add()


class Delivery(NamedTuple):
    """A frame, and the number of the mailbox it lay in."""

    number: int
    frame: Frame


class Mailboxes:
    """A mailbox for each of several senders, emptied in turn: none of them starves."""

    def __init__(self, count: int, clock: Clock = time.monotonic) -> None:
        self._changed = threading.Condition()
        self.boxes = tuple(Mailbox(clock, changed=self._changed) for _ in range(count))
        self._first = 0
        """Whose turn it is: the one after the last that was emptied."""

    def take(self, timeout_s: float) -> Delivery | None:
        """A frame that waits, or None after ``timeout_s`` or when something else happened.

        The caller closes the frame. A sender that ended with an error leaves the others alone: it
        is raised when all have failed, the first one's then; but a defect of ours at once.
        """
        with self._changed:
            if not any(box.full for box in self.boxes) and not self.ended:
                self._changed.wait(timeout_s)
            self._raise_what_failed()
            return self._in_turn()

    @property
    def ended(self) -> bool:
        """No frame waits and none will come."""
        return all(box.ended for box in self.boxes)

    def close(self) -> None:
        """The reader is done with all of them."""
        for box in self.boxes:
            box.close()

    def _in_turn(self) -> Delivery | None:
        count = len(self.boxes)
        for number in (*range(self._first, count), *range(self._first)):
            frame = self.boxes[number].poll()
            if frame is not None:
                self._first = (number + 1) % count
                return Delivery(number, frame)
        return None

    def _raise_what_failed(self) -> None:
        failed = [box.error for box in self.boxes if box.error is not None and box.ended]
        for error in failed:
            if not isinstance(error, EdgeRuntimeError):
                raise error
        if len(failed) == len(self.boxes):
            raise failed[0]
