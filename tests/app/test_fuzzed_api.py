"""Schemathesis asks the real API hundreds of odd things; every answer is as described.

uvicorn, the door with a token, the desk, the shelf and the trial are those of a run; frames come
from the test. Seeded, so that it finds today what it found yesterday.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from tests.app.test_intake import Home
from tests.web.conftest import LiveService
from tests.web.served import Served

TOKEN = "fuzz" * 5

# Those without an end have tests of their own: here nothing would ever be answered in full.
ENDLESS = r"/(live|stream\.mjpg)$"

schema = schemathesis.openapi.from_dict(Served().app.openapi()).exclude(path_regex=ENDLESS)
# A name may be drawn that no file can have, and a body that is no model: refusing them is right.
checks = schema.config.checks.positive_data_acceptance
checks.expected_statuses = [*checks.expected_statuses, "422"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """The service over a real supply of models, whose frames flow."""
    home, stop = Home(tmp_path_factory.mktemp("home")), threading.Event()

    def frames() -> None:
        while not stop.wait(0.005):
            home.supply.between_frames()
            home.frame()

    thread = threading.Thread(target=frames)
    thread.start()
    folder = tmp_path_factory.mktemp("state")
    with LiveService(folder, token=TOKEN, counter=home.supply.counter) as live:
        yield live
    stop.set()
    thread.join(10)
    home.close()


@pytest.mark.slow
@schema.parametrize()
@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_every_answer_is_as_described(case: schemathesis.Case[Any], service: LiveService) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    case.call_and_validate(base_url=service.url, headers=headers, timeout=20)
