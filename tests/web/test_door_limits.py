"""The door: nobody holds it open, by being slow, by being many, or by sending much."""

from __future__ import annotations

import asyncio
import http.client
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from edge_runtime.app.connection import LARGEST_HEAD, Connection, Limits
from edge_runtime.web.watch import LARGEST_BODY
from tests.web.conftest import LiveService
from tests.web.guarded import Guarded
from tests.web.served import Served

HEAD = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n"
LONG_POST = POST.replace(b"100", b"9999999")


class FakeTransport(asyncio.Transport):
    """The far end takes what it is told to take."""

    def __init__(self, host: str) -> None:
        super().__init__()
        self.host = host
        self.unsent = 0
        self.aborted = self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": (self.host, 1), "sockname": ("10.0.0.1", 80)}.get(name, default)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.unsent += len(data) if self.unsent else 0

    def is_closing(self) -> bool:
        return self.closed or self.aborted

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Desk:
    """Connections to an app that answers at once, or after ``answer`` is set."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.state = ServerState()
        self.config = uvicorn.Config(
            self._app, log_config=None, lifespan="off", ws="none", interface="asgi3"
        )
        self.config.load()
        self.answer = asyncio.Event()
        self.reads_body = False

    def connect(self, host: str = "192.168.1.7") -> tuple[Connection, FakeTransport]:
        connection = Connection(
            config=self.config, server_state=self.state, app_state={}, limits=self.limits
        )
        transport = FakeTransport(host)
        connection.connection_made(transport)
        return connection, transport

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        if self.reads_body:
            while (await receive()).get("more_body"):
                pass
        await self.answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})


def at_a_desk(test: Callable[[Desk], Any], limits: Limits = Limits()) -> None:  # noqa: B008
    async def run() -> None:
        await test(Desk(limits))

    asyncio.run(run())


def dropped(connection: Connection, after_s: float) -> str | None:
    """What is found wrong with it after so many seconds without a word."""
    return connection.overdue(connection.loop.time() + after_s)


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_who_says_nothing_is_dropped() -> None:
    async def test(desk: Desk) -> None:
        connection, transport = desk.connect()
        assert dropped(connection, 9.9) is None
        assert dropped(connection, 10.1) == "is slow with a request"
        connection.end_if_overdue(connection.loop.time() + 10.1)
        assert transport.aborted
        assert connection not in desk.state.connections

    at_a_desk(test)


def test_a_head_that_trickles_in_is_dropped_all_the_same() -> None:
    async def test(desk: Desk) -> None:
        connection, _ = desk.connect()
        began = connection.loop.time()
        for byte in HEAD[:-1]:
            connection.data_received(bytes([byte]))
        assert connection.overdue(began + 10.1) == "is slow with a request"

    at_a_desk(test)


def test_so_is_the_second_head_of_a_connection() -> None:
    async def test(desk: Desk) -> None:
        desk.answer.set()
        connection, _ = desk.connect()
        connection.data_received(HEAD)
        await turns()
        assert connection.is_waiting
        connection.data_received(HEAD[:9])
        assert connection.timeout_keep_alive_task is None
        assert dropped(connection, 10.1) == "is slow with a request"

    at_a_desk(test)


def test_who_waits_for_an_answer_is_not() -> None:
    async def test(desk: Desk) -> None:
        connection, _ = desk.connect()
        connection.data_received(HEAD)
        await turns()
        assert dropped(connection, 1000) is None
        desk.answer.set()
        await turns()

    at_a_desk(test)


def test_an_answer_gives_time_for_the_next_request() -> None:
    async def test(desk: Desk) -> None:
        desk.answer.set()
        connection, _ = desk.connect()
        connection._free_at -= 1000
        connection.data_received(HEAD)
        await turns()
        assert dropped(connection, 9.9) is None
        assert dropped(connection, 10.1) == "is slow with a request"

    at_a_desk(test)


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def test(desk: Desk) -> None:
        desk.reads_body = True
        connection, _ = desk.connect()
        connection.data_received(POST + b"x")
        await turns()
        assert dropped(connection, 9.9) is None
        assert dropped(connection, 10.1) == "is slow with a body"

    at_a_desk(test)


def sent_for(connection: Connection, seconds: int, chunk: bytes) -> str | None:
    """What is found wrong with it while a chunk of a body comes every second."""
    began = connection.loop.time()
    for second in range(1, seconds + 1):
        connection.data_received(chunk)
        connection._heard_at = began + second
        if reason := connection.overdue(began + second):
            return reason
    return None


def test_a_body_that_dribbles_is_bounded() -> None:
    async def test(desk: Desk) -> None:
        desk.reads_body = True
        dribbling, _ = desk.connect("192.168.1.7")
        dribbling.data_received(LONG_POST)
        assert sent_for(dribbling, 120, b"x") == "dribbles a body"
        fast_enough, _ = desk.connect("192.168.1.8")
        fast_enough.data_received(LONG_POST)
        assert sent_for(fast_enough, 120, b"x" * 9000) is None

    at_a_desk(test)


def test_time_in_which_we_do_not_read_counts_against_nobody() -> None:
    async def test(desk: Desk) -> None:
        connection, _ = desk.connect()
        connection.data_received(LONG_POST + b"x")
        connection.flow.pause_reading()
        now = connection.loop.time()
        assert [connection.overdue(now + second) for second in (1, 100, 200)] == [None] * 3
        connection.flow.resume_reading()
        connection._heard_at = now + 200
        assert connection.overdue(now + 201) is None
        desk.answer.set()
        await turns()

    at_a_desk(test)


def test_a_kept_connection_begins_each_body_anew() -> None:
    async def test(desk: Desk) -> None:
        desk.reads_body = True
        desk.answer.set()
        connection, _ = desk.connect()
        now = connection.loop.time()
        for start in (0, 25):  # two requests that take 20 s each are within the grace
            connection.data_received(POST)
            connection._heard_at = now + start
            connection.overdue(now + start)
            connection._heard_at = now + start + 20
            assert connection.overdue(now + start + 20) is None
            connection.data_received(b"x" * 100)
            await turns()
            connection.overdue(now + start + 21)

    at_a_desk(test)


def test_we_may_be_slow_with_a_body_ourselves() -> None:
    async def test(desk: Desk) -> None:
        connection, _ = desk.connect()
        connection.data_received(POST + b"x")
        connection.flow.pause_reading()
        assert dropped(connection, 1000) is None
        desk.answer.set()
        await turns()

    at_a_desk(test)


def test_a_body_that_was_answered_unread_may_not_go_on() -> None:
    async def test(desk: Desk) -> None:
        desk.answer.set()
        connection, _ = desk.connect()
        connection.data_received(POST)
        await turns()
        connection.data_received(b"x")
        assert dropped(connection, 1.9) is None
        assert dropped(connection, 2.1) == "goes on sending what nobody reads"

    at_a_desk(test)


def test_who_takes_nothing_of_an_answer_is_dropped() -> None:
    async def test(desk: Desk) -> None:
        connection, transport = desk.connect()
        connection.data_received(HEAD)
        await turns()
        transport.unsent = 5000
        now = connection.loop.time()
        assert connection.overdue(now) is None
        transport.unsent = 4000
        assert connection.overdue(now + 14) is None
        assert connection.overdue(now + 28) is None
        assert connection.overdue(now + 30) == "takes nothing"
        desk.answer.set()
        await turns()

    at_a_desk(test)


def test_the_oldest_that_asked_for_nothing_makes_room() -> None:
    async def test(desk: Desk) -> None:
        asking, transport = desk.connect("10.0.0.2")
        asking.data_received(HEAD)
        await turns()
        idle = [desk.connect(f"10.0.1.{number}") for number in range(3)]
        late, _ = desk.connect("10.0.0.3")
        assert [each.aborted for _, each in idle] == [True, False, False]
        assert not transport.aborted
        assert late in desk.state.connections
        assert len(desk.state.connections) == 4
        desk.answer.set()
        await turns()

    at_a_desk(test, Limits(connections=4))


def test_who_is_served_makes_no_room() -> None:
    async def test(desk: Desk) -> None:
        served = [desk.connect(f"10.0.0.{number}") for number in range(3)]
        for connection, _ in served:
            connection.data_received(HEAD)
        await turns()
        _, late = desk.connect("10.0.1.1")
        assert late.aborted
        assert not any(transport.aborted for _, transport in served)
        desk.answer.set()
        await turns()

    at_a_desk(test, Limits(connections=3))


def test_one_address_takes_its_own_places_only() -> None:
    async def test(desk: Desk) -> None:
        _, other = desk.connect("10.0.0.9")
        mine = [desk.connect("10.0.0.1")[1] for _ in range(3)]
        assert [each.aborted for each in mine] == [True, False, False]
        assert not other.aborted
        for host in ("127.0.0.1", "::1", "10.0.0.254"):
            many = [desk.connect(host)[1] for _ in range(3)]
            assert not any(each.aborted for each in many)

    at_a_desk(test, Limits(per_address=2, shared_addresses=frozenset({"10.0.0.254"})))


def told(line: socket.socket) -> bytes:
    line.settimeout(5)
    data = b""
    try:
        while chunk := line.recv(65536):
            data += chunk
    except ConnectionResetError:
        return data
    return data


@pytest.fixture
def short(tmp_path: Path) -> Iterator[LiveService]:
    limits = Limits(head_s=0.3, body_s=0.3, linger_s=0.3, stall_s=0.3, connections=40)
    with LiveService(tmp_path, limits=limits) as service:
        yield service


def connect(service: LiveService) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=5)


def test_a_real_slow_head_and_a_real_slow_body_are_dropped(short: LiveService) -> None:
    with connect(short) as silent, connect(short) as slow_head, connect(short) as slow_body:
        slow_head.sendall(b"GET / HTTP/1.1\r\nhost: ")
        slow_body.sendall(b"PUT /api/v1/models?name=a.zip HTTP/1.1\r\nhost: 127.0.0.1\r\n")
        slow_body.sendall(b"content-length: 100\r\n\r\nx")
        assert told(silent) == told(slow_head) == b""
        assert b"201" not in told(slow_body)
        short.wait_for(
            lambda: [upload.closed for upload in short.counter.uploads] == [True],
            "the upload that broke off was not closed",
        )


@pytest.mark.slow
def test_slow_clients_keep_nobody_out_and_disturb_no_frame(short: LiveService) -> None:
    lines = []
    for number in range(120):
        line = connect(short)
        line.sendall(b"GET / HTTP/1.1\r\nx-" + str(number).encode())
        lines.append(line)
        if number % 20 == 0:
            assert asked(short, "/healthz") == 200
    assert len(short.server.server_state.connections) <= 40
    with connect(short) as viewer:
        viewer.sendall(b"GET /api/v1/stream.mjpg HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        short.wait_for(lambda: short.preview.viewers == 1, "the viewer did not come in")
        assert asked(short, "/api/v1/snapshot.jpg") == 200
        assert short.slowest_offer_s < 0.25
    for line in lines:
        line.close()
    short.wait_for(lambda: not short.server.server_state.connections, "they are gone")


def asked(service: LiveService, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=5)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_head_that_is_too_long_is_refused(live: LiveService) -> None:
    with connect(live) as line:
        line.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"x" * (LARGEST_HEAD + 1))
        answer = told(line)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"frame-ancestors 'none'" in answer
    assert b"too long" in answer


def test_nonsense_in_a_body_breaks_into_no_answer() -> None:
    async def test(desk: Desk) -> None:
        connection, transport = desk.connect()
        connection.data_received(
            b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        await turns()
        connection.cycle.response_started = True
        connection.data_received(b"no size\r\n")
        assert transport.aborted
        connection.cycle.response_started = False
        desk.answer.set()

    at_a_desk(test)


def test_nonsense_fills_no_log(live: LiveService, caplog: pytest.LogCaptureFixture) -> None:
    for sent in (b"\x16\x03\x01 nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nupgrade: websocket\r\n"
                 b"connection: upgrade\r\nhost: 127.0.0.1\r\n\r\n"):  # fmt: skip
        with connect(live) as line:
            line.sendall(sent)
            assert line.recv(12).startswith(b"HTTP/1.1 ")
    assert caplog.records == []


def chunks(size: int) -> Iterator[bytes]:
    for _ in range(0, size, 1024):
        yield b"x" * 1024


@pytest.mark.parametrize("path", ["/api/v1/models/smile/activate", "/api/v1/status"])
def test_no_body_is_read_beyond_its_limit(path: str) -> None:
    async def body():  # type: ignore[no-untyped-def]
        for chunk in chunks(LARGEST_BODY * 4):
            taken.append(len(chunk))
            yield chunk

    taken: list[int] = []
    served = Served()
    answer = served.request("POST", path, content=body())
    assert answer.status_code in {405, 413}
    assert served.counter.asked == []
    assert sum(taken) <= LARGEST_BODY * 2


def test_an_upload_may_be_larger_but_not_than_the_settings_say() -> None:
    served = Served()
    assert served.counter.largest_bytes > LARGEST_BODY
    path = "/api/v1/models?name=a.zip"
    large = b"x" * (LARGEST_BODY * 2)
    assert served.request("POST", path, content=large).status_code == 201
    too_large = b"x" * (served.counter.largest_bytes + 1)
    assert served.request("POST", path, content=too_large).status_code == 413


def test_who_may_not_upload_is_refused_before_his_file_is_read(tmp_path: Path) -> None:
    async def body():  # type: ignore[no-untyped-def]
        taken.append(1)
        yield b"x"

    taken: list[int] = []
    served = Guarded(tmp_path)
    answer = served.ask("/api/v1/models?name=a.zip", method="POST", content=body())
    assert answer.status_code == 401
    assert taken == []


def test_stopping_waits_for_no_slow_client(live: LiveService) -> None:
    with connect(live) as line:
        line.sendall(b"GET / HTTP/1.1\r\nhost")
        live.wait_for(lambda: len(live.server.server_state.connections) == 1, "not connected")
        began = time.monotonic()
        live.stop()
        assert time.monotonic() - began < 2
