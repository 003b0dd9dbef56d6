"""Events as the HTML standard has them read."""

from __future__ import annotations

import pytest

from edge_runtime.client.event_stream import LONGEST_EVENT, Event, events_of


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("data: a\n\n", [Event("message", "a", "", None)]),
        ("event: status\ndata:{}\n\n", [Event("status", "{}", "", None)]),
        ("data: a\ndata: b\n\n", [Event("message", "a\nb", "", None)]),
        ("data:  a\r\n\r\n", [Event("message", " a", "", None)]),
        (": still here\n\ndata: a\n\n", [Event("message", "a", "", None)]),
        (
            "retry: 3000\nid: 7\ndata: a\n\nevent: b\ndata: b\n\n",
            [Event("message", "a", "7", 3000), Event("b", "b", "7", 3000)],
        ),
        ("event: nothing\n\ndata\n\n", [Event("message", "", "", None)]),
        ("retry: soon\nid: 1\0\nelse: x\ndata: a\n\n", [Event("message", "a", "", None)]),
        ("data: cut off", []),
        ("event: cut\ndata: off\n", []),
    ],
)
def test_events(text: str, events: list[Event]) -> None:
    assert list(events_of(text.encode().splitlines(keepends=True))) == events


def test_an_event_without_an_end_is_not_gathered_for_ever() -> None:
    with pytest.raises(ValueError, match="4 MiB"):
        list(events_of(b"data: %s\n" % (b"x" * 1024) for _ in range(LONGEST_EVENT // 1024)))
