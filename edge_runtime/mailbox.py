"""One slot between capture and inference: the newest frame wins, what was dropped is counted."""

from __future__ import annotations

import threading
import time

from edge_runtime.telemetry.meters import RateMeter
from edge_runtime.types import Clock, Frame, Rates


class Mailbox:
    """Hands frames from one thread to another without ever queueing more than one.

    A frame that waits when a newer one comes is closed and counted as dropped, unless the sender
    can wait (``patient``): files lose nothing.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._changed = threading.Condition()
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
            frame, self._slot = self._slot, None
            if frame is None and self._error is not None:
                raise self._error
            self._changed.notify_all()
        return frame

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
