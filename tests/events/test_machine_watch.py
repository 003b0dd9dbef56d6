"""The firmware's alarms and the governor's decisions."""

from __future__ import annotations

from dataclasses import replace

from edge_runtime.events.machine_watch import CALM_S, MachineWatch
from edge_runtime.types import Allowance, Throttling
from tests.events.told import Told
from tests.governor.readings import HEALTH

QUIET = Throttling(False, False, False, False, True, True, True, True)


class Watched(Told):
    def __init__(self) -> None:
        super().__init__()
        self.watch = MachineWatch(self.log, clock=self.clock)

    def read(self, throttling: Throttling | None, seconds: int = 1) -> None:
        for _ in range(seconds):
            self.clock.now += 1
            self.watch.reads(replace(HEALTH, throttling=throttling))


def test_an_alarm_begins_at_once_and_is_over_when_it_has_been_calm() -> None:
    watched = Watched()
    watched.read(QUIET, 5)
    watched.read(replace(QUIET, under_voltage=True), 20)
    watched.read(QUIET, int(CALM_S) - 1)
    assert watched.kinds == ["under_voltage"]
    watched.read(QUIET, 3)
    assert watched.kinds == ["under_voltage", "under_voltage_over"]
    began, over = watched.events
    assert began.fields == {"alarm": "under_voltage"}
    assert over.fields == {"alarm": "under_voltage", "seconds": 19.0}


def test_an_alarm_that_flickers_is_one() -> None:
    watched = Watched()
    for _ in range(100):
        watched.read(replace(QUIET, throttled=True))
        watched.read(QUIET, 5)
    assert watched.kinds == ["throttled"]


def test_alarms_since_boot_and_of_boards_that_cannot_tell_are_none() -> None:
    watched = Watched()
    watched.read(QUIET, 3)
    watched.read(None, 3)
    watched.read(Throttling(None, None, None, None, None, None, None, None), 3)
    assert watched.kinds == []


def test_alarms_beside_each_other_are_told_apart() -> None:
    watched = Watched()
    watched.read(replace(QUIET, throttled=True, soft_temperature_limit=True))
    assert [each.fields["alarm"] for each in watched.events] == [
        "throttled",
        "soft_temperature_limit",
    ]
    assert set(watched.kinds) == {"throttled"}


def test_what_the_governor_gives_up_and_back() -> None:
    watched = Watched()
    watched.watch.allows(Allowance())
    watched.watch.allows(Allowance(level=2, reasons=("At most 1 look a frame: 76 °C",)))
    watched.watch.allows(Allowance(level=2, reasons=("At most 1 look a frame: 77 °C",)))
    watched.watch.allows(Allowance())
    gave_up, gave_back = watched.events
    assert (gave_up.kind, gave_up.sentence) == (
        "governor_gave_up",
        "At most 1 look a frame: 76 °C",
    )
    assert gave_up.fields == {
        "level": 2, "before": 0, "reason": "At most 1 look a frame: 76 °C",
    }  # fmt: skip
    assert (gave_back.kind, gave_back.sentence) == (
        "governor_gave_back",
        "Nothing is given up any more",
    )
