"""The checks of a card, without one: what is wrong makes them fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from edge_runtime.setup.setup import check
from tests.proof import expect, prove
from tests.vm.card import CONF, TOKEN, WIFI_PASSWORD, Card, grows, keeps_wrong_line, page_opens
from tests.vm.machine import Answer, Done

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@home"
LEFT = "# applied: token = ***\n# PROBLEM: there is no key 'speed': known are …\nspeed = 9\n"


class ToldCard(Card):
    """Answers what a test says, and is never started."""

    def __init__(self, *, said: str = "", status: int = 200, without: int = 401) -> None:
        self.said, self.status, self.without = said, status, without

    def until(self, probe: Callable[[], bool], what: str) -> None:
        expect(probe(), what)

    def run(self, command: str) -> Done:
        return Done(0, "edge-runtime: edge.conf line 9" if "journal" in command else self.said)

    def get(self, path: str, token: str | None = None) -> Answer:
        public = path == "/healthz"
        return Answer(self.status if token or public else self.without, b"")


def test_all_but_one_line_of_its_edge_conf_are_right(tmp_path: Path) -> None:
    file = tmp_path / "edge.conf"
    file.write_text(CONF.format(password=WIFI_PASSWORD, key=KEY, token=TOKEN))
    wrong = [each.problem for each in check(file) if each.problem]
    assert len(wrong) == 1
    assert "no key 'speed'" in wrong[0]


@pytest.mark.parametrize(
    ("card", "verdict"),
    [
        (ToldCard(), True),
        (ToldCard(without=200), False),
    ],
)
def test_a_page_open_to_everybody_is_noticed(card: ToldCard, verdict: bool) -> None:
    (outcome,) = prove((page_opens,), cast(Card, card), say=lambda line: None)
    assert outcome.passed is verdict


@pytest.mark.parametrize(
    ("left", "verdict"),
    [
        (LEFT, True),
        (LEFT.replace("***", TOKEN), False),
        (LEFT.replace("# PROBLEM: there", "# there"), False),
        (LEFT.replace("speed = 9\n", ""), False),
    ],
)
def test_what_became_of_the_lines_is_noticed(left: str, verdict: bool) -> None:
    (outcome,) = prove((keeps_wrong_line,), cast(Card, ToldCard(said=left)), say=lambda line: None)
    assert outcome.passed is verdict


@pytest.mark.parametrize(("megabytes", "verdict"), [("3400", True), ("1900", False)])
def test_a_partition_that_did_not_grow_is_noticed(megabytes: str, verdict: bool) -> None:
    (outcome,) = prove((grows,), cast(Card, ToldCard(said=megabytes)), say=lambda line: None)
    assert outcome.passed is verdict
