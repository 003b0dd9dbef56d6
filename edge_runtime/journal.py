"""Where log lines go: one readable line each on a terminal, native entries in systemd's journal.

Secrets never get there: whatever looks like a token, a password in a URI or an Authorization
header is masked in the finished text, tracebacks included.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Final, Protocol

JOURNAL: Final = Path("/run/systemd/journal/socket")

# The journal refuses datagrams above the socket's buffer, 208 KiB by default.
_LONGEST_MESSAGE: Final = 32_000

_PRIORITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4))
"""syslog's numbers; below a warning it is 6 (info) or 7 (debug)."""

_SECRETS: Final = (
    # Passwords may hold any character, also those a URI would have escaped: rather too much.
    re.compile(r"(?P<before>://)(?:[^/?#\s@:]*:[^\s'\"<>]*|[^/?#\s]*)(?P<after>@)"),
    re.compile(r"(?i)(?P<before>authorization['\"]?\s*[:=]\s*['\"]?(?:\w+\s+)?)[^\s'\",]+"),
    re.compile(
        r"(?i)(?P<before>\b(?:\w*[-_])?(?:token|password|passwd|secret)['\"]?\s*[:=]\s*['\"]?)"
        r"[^\s'\"&,;]+"
    ),
    re.compile(r"(?P<before>\bert_)[\w-]+"),  # the page's tokens, see web/tokens.py
)

# What these say below a warning is about themselves, not about the main job.
_TALKATIVE: Final = (
    "uvicorn", "asyncio", "multipart", "picamera2", "urllib3", "PIL", "watchfiles",
)  # fmt: skip

_QUIET_LIBRARIES: Final = {
    "OPENCV_LOG_LEVEL": "ERROR",
    "OPENCV_FFMPEG_LOGLEVEL": "8",  # AV_LOG_FATAL: a lost stream is told by our own line
    "LIBCAMERA_LOG_LEVELS": "*:WARN",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


class Stream(Protocol):
    """What a stream handler writes to."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


def set_up_logging(
    level: str,
    environ: MutableMapping[str, str] | None = None,
    stream: Stream | None = None,
    *,
    journal: Path = JOURNAL,
) -> None:
    """Send all loggers of this process to ``stream`` or, under systemd, to the journal.

    Calling it again replaces what it set up.
    """
    environ = os.environ if environ is None else environ
    stream = sys.stderr if stream is None else stream
    root = logging.getLogger()
    for handler in [h for h in root.handlers if getattr(h, "of_edge_runtime", False)]:
        root.removeHandler(handler)
        handler.close()
    root.addHandler(_handler(environ, stream, journal))
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    quieten_libraries(environ)


def quieten_libraries(environ: MutableMapping[str, str]) -> None:
    """Tell native libraries to keep their own lines to themselves; what is set already is kept.

    OpenCV looks when it is imported, so this comes before anything that imports it.
    """
    for name, value in _QUIET_LIBRARIES.items():
        environ.setdefault(name, value)


def mask_secrets(text: str) -> str:
    """``text`` with tokens, passwords and URIs' user names and passwords replaced by ``***``."""
    for pattern in _SECRETS:
        text = pattern.sub(_masked, text)
    return text


def under_journal(environ: Mapping[str, str], stream: Stream) -> bool:
    """True when ``stream`` is the one systemd connected to its journal (JOURNAL_STREAM)."""
    connected = environ.get("JOURNAL_STREAM")
    fileno = getattr(stream, "fileno", None)
    if not connected or fileno is None:
        return False
    # Streams of tests and notebooks have a fileno that raises.
    with contextlib.suppress(OSError, ValueError):
        ours = os.fstat(fileno())
        return connected == f"{ours.st_dev}:{ours.st_ino}"
    return False


class LineFormatter(logging.Formatter):
    """``12:03:44 WARNING capture: the camera is gone``, secrets masked."""

    def __init__(self, *, dated: bool = False) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(room)s: %(message)s")
        self.datefmt = "%Y-%m-%d %H:%M:%S" if dated else "%H:%M:%S"

    def format(self, record: logging.LogRecord) -> str:
        record.room = room_of(record.name)
        return mask_secrets(super().format(record))


class JournalHandler(logging.Handler):
    """Native journal entries: MESSAGE, PRIORITY, where in the code, and fields of our own.

    Besides EDGE_RUNTIME_ROOM, whatever is logged with ``extra={"EDGE_RUNTIME_CAMERA": …}`` becomes
    a field, so ``journalctl EDGE_RUNTIME_ROOM=capture`` finds it.
    """

    def __init__(self, address: Path = JOURNAL) -> None:
        """Raises OSError when nobody listens at ``address``."""
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            self._socket.connect(str(address))
        except OSError:
            self._socket.close()
            raise
        # A journal that hangs must not hang the frame loop with it.
        self._socket.settimeout(0.2)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._socket.send(journal_entry(record))
        except (OSError, TypeError, ValueError):
            self.handleError(record)

    def close(self) -> None:
        self._socket.close()
        super().close()


def journal_entry(record: logging.LogRecord) -> bytes:
    """A datagram of systemd's native protocol: ``KEY=value`` lines, or length-prefixed values."""
    message = _MESSAGE_ONLY.format(record)[:_LONGEST_MESSAGE]
    fields = {
        "MESSAGE": message,
        "PRIORITY": str(_priority(record.levelno)),
        "SYSLOG_IDENTIFIER": "edge-runtime",
        "LOGGER": record.name,
        "THREAD_NAME": record.threadName or "",
        "CODE_FILE": record.pathname,
        "CODE_LINE": str(record.lineno),
        "CODE_FUNC": record.funcName or "",
        "EDGE_RUNTIME_ROOM": room_of(record.name),
    }
    own = {k: v for k, v in record.__dict__.items() if re.fullmatch(r"EDGE_RUNTIME_[A-Z0-9_]+", k)}
    return b"".join(_field(k, mask_secrets(str(v))) for k, v in (fields | own).items())


def room_of(logger: str) -> str:
    """The room a logger belongs to: ``capture`` for ``edge_runtime.capture.v4l2``."""
    ours, _, inside = logger.partition("edge_runtime.")
    return inside.partition(".")[0] if not ours and inside else logger


_MESSAGE_ONLY: Final = logging.Formatter("%(message)s")


def _handler(environ: Mapping[str, str], stream: Stream, journal: Path) -> logging.Handler:
    handler: logging.Handler = logging.StreamHandler(stream)
    if under_journal(environ, stream):
        # A sandbox may hide the socket; stderr still leads to the journal then.
        with contextlib.suppress(OSError):
            handler = JournalHandler(journal)
    isatty = getattr(stream, "isatty", None)
    handler.setFormatter(LineFormatter(dated=isatty is None or not isatty()))
    handler.of_edge_runtime = True  # type: ignore[attr-defined]
    return handler


def _masked(found: re.Match[str]) -> str:
    groups = found.groupdict()
    return f"{groups['before']}***{groups.get('after', '')}"


def _priority(level: int) -> int:
    return next((p for least, p in _PRIORITIES if level >= least), 6 if level >= 20 else 7)


def _field(name: str, value: str) -> bytes:
    raw = value.encode("utf-8", "replace")
    if b"\n" not in raw:
        return b"%s=%s\n" % (name.encode(), raw)
    return b"%s\n%s%s\n" % (name.encode(), len(raw).to_bytes(8, "little"), raw)
