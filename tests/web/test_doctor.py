"""The doctor over the API."""

from __future__ import annotations

from dataclasses import asdict

from edge_runtime.web.doctor import FRESH_S
from tests.web.fake_doctor import FINDINGS
from tests.web.served import Served


def test_it_says_what_was_found_and_what_to_do() -> None:
    answer = Served().get("/api/v1/doctor")
    assert answer.status_code == 200
    assert answer.json() == {"findings": [asdict(finding) for finding in FINDINGS]}


def test_an_examination_serves_all_who_ask_for_a_while() -> None:
    served = Served()
    for _ in range(3):
        served.get("/api/v1/doctor")
    assert served.doctor.asked == 1
    served.clock.now += FRESH_S
    served.get("/api/v1/doctor")
    assert served.doctor.asked == 2
