"""A network camera in a hundred lines: RTSP (RFC 2326) over TCP, motion JPEG in RTP (RFC 2435)."""

from __future__ import annotations

import re
import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from edge_runtime import jpeg
from tests.capture.recordings import scene

SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 26\r\na=control:track\r\n"
)


class RtspServer:
    """Serves one client at a time, sends ``frames`` pictures, then hangs up."""

    def __init__(self, *, frames: int, refuses: bool = False) -> None:
        self._frames, self._refuses = frames, refuses
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = False
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over = True
        # A connection of our own wakes it up: closing a socket does not end an accept.
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while not self._over:
            client, _ = self._listener.accept()
            client.settimeout(10)
            with client, suppress(ConnectionError):  # a client may hang up whenever it likes
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        heard = b""
        while b"\r\n\r\n" in heard or (more := client.recv(4096)):
            heard = heard if b"\r\n\r\n" in heard else heard + more
            request, end, rest = heard.partition(b"\r\n\r\n")
            if not end:
                continue
            heard = rest
            client.sendall(self._answer(request.decode()))
            if request.startswith(b"PLAY"):
                self._play(client)
                return

    def _answer(self, request: str) -> bytes:
        method, number = request.split(" ", 1)[0], re.search(r"CSeq: *(\d+)", request)
        assert number
        status = "404 Not Found" if self._refuses and method == "DESCRIBE" else "200 OK"
        headers = [f"RTSP/1.0 {status}", f"CSeq: {number[1]}", "Session: 1"]
        if method == "OPTIONS":
            headers.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        if method == "SETUP":
            headers.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        body = SDP if method == "DESCRIBE" and not self._refuses else ""
        if body:
            headers += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        return ("\r\n".join(headers) + "\r\n\r\n" + body).encode()

    def _play(self, client: socket.socket) -> None:
        sequence = 0
        for frame in range(self._frames):
            for packet in packets(jpeg.encode(scene(320, 240, frame)), frame, sequence):
                client.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)
                sequence += 1


def packets(data: bytes, frame: int, sequence: int) -> list[bytes]:
    """One JPEG as RTP packets: tables first, then the scan in pieces of a kilobyte."""
    tables = b"".join(segment[1:] for segment in quantization(data))
    scan = data[scan_start(data) : -2]
    pieces = range(0, len(scan), 1024)
    made = []
    for count, offset in enumerate(pieces):
        last = offset == pieces[-1]
        rtp = struct.pack(
            ">BBHII", 0x80, 26 | last << 7, sequence + count & 0xFFFF, frame * 9000, 7
        )
        # Type 1 is 4:2:0; Q 255: the tables travel along, in the first packet.
        main = struct.pack(">II", offset, 1 << 24 | 255 << 16 | 320 // 8 << 8 | 240 // 8)
        head = struct.pack(">BBH", 0, 0, len(tables)) + tables if offset == 0 else b""
        made.append(rtp + main + head + scan[offset : offset + 1024])
    return made


def segments(data: bytes) -> list[tuple[int, int, bytes]]:
    found, at = [], 2
    while data[at + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", data, at + 2)
        found.append((data[at + 1], at, data[at + 4 : at + 2 + length]))
        at += 2 + length
    return [*found, (0xDA, at, b"")]


def quantization(data: bytes) -> list[bytes]:
    joined = b"".join(body for marker, _, body in segments(data) if marker == 0xDB)
    return [joined[at : at + 65] for at in range(0, len(joined), 65)]


def scan_start(data: bytes) -> int:
    at = segments(data)[-1][1]
    return at + 2 + int(struct.unpack_from(">H", data, at + 2)[0])
