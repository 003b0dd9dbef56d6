"""One line of text says where frames come from; here it is read, and refused where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from edge_runtime.errors import ConfigError
from edge_runtime.masking import masked_uri

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SourceUri:
    """A source's URI, taken apart. None: the source chooses."""

    scheme: str
    """``auto``, ``picamera``, ``v4l2``, ``file``, ``rtsp``, ``pictures`` or ``demo``."""
    target: str
    """Camera number, device, path, or the whole RTSP address with its secrets: never log it."""
    shown: str
    """The URI as people may see it: secrets are masked."""
    size: Size | None = None
    """Width and height of the full picture."""
    lores: Size | None = None
    """Width and height of the small luma plane."""
    fps: float | None = None
    buffer_count: int | None = None
    hflip: bool = False
    vflip: bool = False
    loop: bool = False
    realtime: bool = False
    faces: int | None = None
    seed: int | None = None
    frames: int | None = None


def parse(text: str) -> SourceUri:
    """Take a URI apart; the bare path of a video, picture, folder or camera device is one too.

    Raises ConfigError, which names what is wrong, what is known and what was probably meant.
    """
    text = text.strip()
    if text == "auto":
        return SourceUri("auto", "", "auto")
    scheme, separator, rest = text.partition("://")
    if not separator:
        return _bare_path(text)
    if scheme.lower() in ("rtsp", "rtsps"):
        # The query belongs to the camera at the other end, so it is not ours to read.
        return SourceUri("rtsp", text, masked_uri(text))
    return _with_parameters(scheme.lower(), rest)


def _bare_path(text: str) -> SourceUri:
    path = _expanded(text)
    if re.fullmatch(r"/dev/video\d+", text):
        return SourceUri("v4l2", text, f"v4l2://{text}")
    if path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES:
        return SourceUri("pictures", str(path), f"pictures://{path}")
    if path.exists() or path.suffix or "/" in text:
        return SourceUri("file", str(path), f"file://{path}")
    raise ConfigError(f"source {text!r} is no existing path and {_unknown('name', text, SCHEMES)}")


def _with_parameters(scheme: str, rest: str) -> SourceUri:
    shown = masked_uri(f"{scheme}://{rest}")
    if scheme not in _PARAMETERS:
        raise ConfigError(f"source {shown!r}: {_unknown('scheme', scheme, SCHEMES)}")
    path, _, query = rest.partition("?")
    target = _target(scheme, unquote(path), shown)
    return SourceUri(scheme, target, shown, **_values(_PARAMETERS[scheme], query, shown))


def _target(scheme: str, target: str, shown: str) -> str:
    if scheme == "picamera":
        return _camera_number(target or "0", shown)
    if scheme == "v4l2":
        return f"/dev/video{target}" if target.isdecimal() else target or "/dev/video0"
    if scheme == "demo":
        return _nothing(target, shown)
    if not target:
        raise ConfigError(f"source {shown!r}: a path is missing, as in {scheme}:///home/me/there")
    return str(_expanded(target.removeprefix("localhost")))


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # ~name, and there is nobody of that name: then it is a file's own name
        return Path(path)


def _camera_number(target: str, shown: str) -> str:
    if target.isdecimal():
        return target
    raise ConfigError(
        f"source {shown!r}: {target!r} is no camera number, the first camera is picamera://0"
    )


def _nothing(target: str, shown: str) -> str:
    if target:
        raise ConfigError(
            f"source {shown!r}: {target!r} is no part of a demo, write demo://?faces=3"
        )
    return target


def _values(known: Mapping[str, Kind], query: str, shown: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            raise ConfigError(f"source {shown!r}: {_unknown('parameter', name, known)}")
        if name in values:
            raise ConfigError(f"source {shown!r}: parameter {name!r} is given twice")
        values[name] = _value(name, text, known[name], shown)
    return values


def _value(name: str, text: str, kind: Kind, shown: str) -> Any:
    try:
        return kind.read(text)
    except ValueError as error:
        raise ConfigError(
            f"source {shown!r}: {name}={text} is wrong, expected {kind.expected}"
        ) from error


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    meant = f", did you mean {close[0]!r}?" if close else ""
    return f"unknown {what} {name!r}{meant} (known: {', '.join(names) or 'none'})"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a parameter's text becomes a value (ValueError: not one), and what was expected."""

    read: Callable[[str], Any]
    expected: str


def _size(text: str) -> Size:
    found = re.fullmatch(r"([0-9]{2,5})x([0-9]{2,5})", text)
    if not found or not all(16 <= int(side) <= 16384 for side in found.groups()):
        raise ValueError(text)
    return int(found[1]), int(found[2])


def _flag(text: str) -> bool:
    if text.lower() not in ("0", "1", "no", "yes", "false", "true"):
        raise ValueError(text)
    return text.lower() in ("1", "yes", "true")


def _between(low: float, high: float, number: type[int] | type[float]) -> Callable[[str], float]:
    def read(text: str) -> float:
        if not low <= number(text) <= high:
            raise ValueError(text)
        return number(text)

    return read


_SIZE = Kind(_size, "WIDTHxHEIGHT, such as 640x480")
_FLAG = Kind(_flag, "0 or 1")
_FPS = Kind(_between(0.1, 1000, float), "frames per second, 0.1 to 1000")

_PARAMETERS: Mapping[str, Mapping[str, Kind]] = {
    "picamera": {
        "size": _SIZE,
        "lores": _SIZE,
        "fps": _FPS,
        "buffer_count": Kind(_between(2, 16, int), "a whole number, 2 to 16"),
        "hflip": _FLAG,
        "vflip": _FLAG,
    },
    "v4l2": {"size": _SIZE, "fps": _FPS},
    "file": {"loop": _FLAG, "realtime": _FLAG},
    "pictures": {},
    "demo": {
        "faces": Kind(_between(0, 12, int), "a whole number, 0 to 12"),
        "seed": Kind(_between(0, 2**32 - 1, int), "a whole number, 0 or more"),
        "size": _SIZE,
        "fps": _FPS,
        "frames": Kind(_between(1, 10**9, int), "a whole number, 1 or more"),
    },
}

SCHEMES = ("auto", "rtsp", *_PARAMETERS)
