"""One rule fired by hand: what it does is really done, with an event that is made up."""

from __future__ import annotations

import threading
import time
from typing import Final

from edge_runtime.app.reactions import open_action
from edge_runtime.config.rule import RuleTable
from edge_runtime.event import Event, Value
from edge_runtime.events.action import Firing
from edge_runtime.events.gpio import Pins

_FIELDS: Final[dict[str, dict[str, Value]]] = {
    "face_came": {"score": 0.9, "box": (200, 120, 120, 160), "faces": 1},
    "face_stayed": {"seconds": 10.0},
    "face_left": {"seconds": 12.3, "faces": 0},
    "label_changed": {"model": "smile", "label": "smile", "before": None, "score": 0.9},
    "person_known": {"person": "Ann", "score": 0.71, "evidence": 9.4},
    "person_turned": {"person": "Ann", "score": 0.71, "evidence": 9.4},
    "person_unknown": {"person": None, "score": 0.18, "evidence": -12.1},
    "person_stayed_unknown": {"person": None, "score": 0.18, "evidence": -12.1, "seconds": 10.0},
    "person_left": {"person": "Ann", "score": 0.71, "evidence": 9.4},
    "camera_lost": {"problem": "delivered nothing for 5 s"},
    "camera_back": {"seconds": 12.3},
    "camera_ended": {"problem": None},
    "under_voltage": {"alarm": "under_voltage"},
    "under_voltage_over": {"alarm": "under_voltage", "seconds": 12.3},
    "throttled": {"alarm": "throttled"},
    "throttled_over": {"alarm": "throttled", "seconds": 12.3},
    "governor_gave_up": {"level": 1, "before": 0, "reason": "At most 1 look a frame"},
    "governor_gave_back": {"level": 0, "before": 1, "reason": None},
    "action_failed": {"rule": "another", "problem": "nobody answers"},
    "action_recovered": {"rule": "another", "failures": 2},
}


def try_rule(table: RuleTable, camera: str) -> Firing:
    """Do what a rule says, now. Raises ActionUnavailable, ActionFailed or LibraryMissing.

    ``camera`` is named where the rule names none.
    """
    firing = Firing(table.name, _event(table, camera), test=True)
    with Pins() as pins, open_action(table, pins) as action:
        action.run(firing, threading.Event().wait)
    return firing


def _event(table: RuleTable, camera: str) -> Event:
    """As the rule would get it."""
    kind, now = table.when[0], time.time()
    fields = dict(_FIELDS.get(kind, {"model": "mood"}))  # else it is about a model
    wanted = {
        "person": table.person,
        "model": table.model,
        "label": table.label,
        "score": table.min_score,
    }
    fields |= {name: value for name, value in wanted.items() if value is not None}
    of_face = kind.startswith(("face_", "person_")) or kind == "label_changed"
    return Event(
        int(now * 1000), now, time.monotonic(), kind, f"Only a try: {kind}",
        camera=(table.camera or camera) if of_face or kind.startswith("camera_") else None,
        track=1 if of_face else None,
        fields=fields,
    )  # fmt: skip
