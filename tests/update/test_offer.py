"""A package from a file or from the web, over a real connection where there is one."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime.errors import UpdateRefused
from edge_runtime.update.offer import PIECE, pieces_of
from edge_runtime.update.page import why_not_ready

CONTENT = bytes(range(256)) * 8192
"""Two pieces."""


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        place = self.path.strip("/")
        if place == "whole":
            self._answer(200, CONTENT)
        elif place == "half":
            self._answer(200, CONTENT[: PIECE // 2], length=len(CONTENT))
        elif place == "elsewhere":
            self.send_response(302)
            self.send_header("Location", "http://example.org/package.deb")
            self.end_headers()
        elif place == "camera/readyz":
            self._answer(503, b'{"ready": false, "reason": "the camera is away"}')
        elif place == "door/readyz":
            self._answer(401, b"{}")
        elif place == "other/readyz":
            self._answer(500, b"<html>")
        else:
            self._answer(404, b"")

    def _answer(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Not wanted in the tests' output."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def all_of(offered: str, *, allow_http: bool = False) -> bytes:
    return b"".join(pieces_of(offered, allow_http=allow_http))


def test_a_file_comes_in_pieces(tmp_path: Path) -> None:
    file = tmp_path / "new.deb"
    file.write_bytes(CONTENT)
    pieces = list(pieces_of(str(file), allow_http=False))
    assert [len(piece) for piece in pieces] == [PIECE, PIECE]
    assert b"".join(pieces) == CONTENT


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UpdateRefused, match=r"new\.deb cannot be read: No such file"):
        all_of(str(tmp_path / "new.deb"))


def test_from_this_machine_http_will_do(site: str) -> None:
    assert all_of(f"{site}/whole") == CONTENT


@pytest.mark.parametrize("url", ["http://example.org/x.deb", "ftp://127.0.0.1/x.deb", "file:///x"])
def test_what_others_could_exchange_is_refused(url: str) -> None:
    with pytest.raises(UpdateRefused, match=r"expected https://…, or --allow-http"):
        all_of(url)


def test_only_http_is_ever_allowed() -> None:
    with pytest.raises(UpdateRefused, match="is refused"):
        all_of("ftp://example.org/x.deb", allow_http=True)


def test_being_sent_elsewhere_is_refused_as_well(site: str) -> None:
    with pytest.raises(UpdateRefused, match=r"http://example\.org/package\.deb is refused"):
        all_of(f"{site}/elsewhere")


def test_a_connection_that_breaks_off(site: str) -> None:
    with pytest.raises(UpdateRefused, match=f"of {len(CONTENT)} bytes; try again"):
        all_of(f"{site}/half")


def test_what_is_not_there(site: str) -> None:
    with pytest.raises(UpdateRefused, match="/nothing answered 404 Not Found"):
        all_of(f"{site}/nothing")


def test_nobody_there() -> None:
    with pytest.raises(UpdateRefused, match=r"cannot be fetched: .*refused"):
        all_of("http://127.0.0.1:1/x.deb")


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("camera", "the camera is away"),
        ("door", None),
        ("other", "its page answers 500"),
    ],
)
def test_what_the_page_says(site: str, place: str, why: str | None) -> None:
    assert why_not_ready(f"{site}/{place}") == why


def test_a_page_that_does_not_answer() -> None:
    said = why_not_ready("http://127.0.0.1:1")
    assert said is not None
    assert said.startswith("its page does not answer at http://127.0.0.1:1 (")
