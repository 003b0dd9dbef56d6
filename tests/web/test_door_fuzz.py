"""The door: nonsense gets a short answer or none, and the rest goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.conftest import LiveService
from tests.web.fuzz import bombard, flaw, requests, slow_clients, status

TOKEN = "ert_a-token-of-the-test-00"


@pytest.mark.slow
def test_nonsense_is_answered_or_not_and_the_rest_goes_on(tmp_path: Path) -> None:
    with LiveService(tmp_path, token=TOKEN) as live:
        statuses, flaws = bombard(live.port, TOKEN, count=300, seed=1, patience_s=0.05)
        assert flaws == []
        assert {"200", "400", "401", "421"} <= set(statuses)
        assert status(live.port, TOKEN)["rates"]["processed"] > 0
        assert live.slowest_offer_s < 0.25


@pytest.mark.slow
def test_slow_clients_do_not_keep_the_others_out(tmp_path: Path) -> None:
    with LiveService(tmp_path, token=TOKEN) as live, slow_clients(live.port, 500) as trickle:
        for _ in range(3):
            trickle()
            assert status(live.port, TOKEN)["rates"]["processed"] > 0
        assert live.slowest_offer_s < 0.25


HEAD = b"HTTP/1.1 200 OK\r\ncontent-security-policy: frame-ancestors 'none'\r\n"


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (b"", None),
        (HEAD + b"\r\nhello", None),
        (HEAD + b"\r\n\xff\xd8\xff", "holds"),
        (HEAD + b"\r\nTraceback (most", "holds"),
        (HEAD + b"server: uvicorn\r\n\r\n", "banner"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "no security headers"),
        (b"HTTP/1.1 500 Oh\r\n\r\n", "status 500"),
        (b"hello", "no answer of HTTP"),
    ],
)
def test_what_would_be_found_wrong(answer: bytes, wrong: str | None) -> None:
    found = flaw(b"GET / HTTP/1.1\r\n\r\n", answer, TOKEN)
    assert found is None if wrong is None else wrong in (found or "")


def test_every_address_is_tried_with_and_without_a_token() -> None:
    made = requests(1, TOKEN)
    assert len(made) > 40
    assert sum(TOKEN.encode() in request for request in made) == len(made) // 2
