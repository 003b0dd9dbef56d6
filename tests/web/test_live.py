"""Events: one piece of work per tick for everybody, the whole after a gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from pydantic import BaseModel

from edge_runtime.web.live import LiveFeed
from tests.web.fake_status import FakeClock


class Report(BaseModel):
    a: int
    b: str = "same"


class Feed:
    """A LiveFeed whose ticks come when the test says."""

    def __init__(self) -> None:
        self.clock = FakeClock(0.0)
        self.made = 0
        self.value = 0
        self.live = LiveFeed(
            self._report, run="run", tick_s=1, heartbeat_s=10, clock=self.clock, sleep=self._sleep
        )

    def _report(self) -> Report:
        self.made += 1
        return Report(a=self.value)

    async def _sleep(self, seconds: float) -> None:
        self.clock.now += seconds


def test_work_is_done_once_per_tick_for_all() -> None:
    feed = Feed()

    async def follow() -> None:
        streams = [feed.live.events() for _ in range(50)]
        first = [await anext(stream) for stream in streams]
        assert set(first) == {
            b'retry: 3000\nid: run-1\nevent: status\ndata: {"a":0,"b":"same"}\n\n'
        }
        assert first[0] is first[-1]
        assert feed.made == 1
        assert feed.live.subscribers == 50
        for stream in streams:
            await stream.aclose()

    asyncio.run(follow())
    assert feed.live.subscribers == 0


def test_only_what_changed_is_sent() -> None:
    feed = Feed()

    async def follow() -> None:
        stream = feed.live.events()
        await anext(stream)
        feed.value = 1
        assert await anext(stream) == b'id: run-2\nevent: change\ndata: {"a":1}\n\n'

    asyncio.run(follow())


def test_silence_is_broken_by_a_heartbeat() -> None:
    feed = Feed()

    async def follow() -> None:
        stream = feed.live.events()
        await anext(stream)
        assert await anext(stream) == b": still here\n\n"
        assert feed.clock.now == 10

    asyncio.run(follow())


def test_who_missed_a_change_gets_the_whole() -> None:
    feed = Feed()

    async def follow() -> None:
        slow, quick = feed.live.events(), feed.live.events()
        await anext(slow)
        await anext(quick)
        for feed.value in (1, 2):
            assert b"event: change" in await anext(quick)
        assert (await anext(slow)).endswith(b'event: status\ndata: {"a":2,"b":"same"}\n\n')

    asyncio.run(follow())


def test_who_comes_again_hears_only_what_he_missed() -> None:
    feed = Feed()

    async def first_of(last_id: str | None) -> bytes:
        stream = feed.live.events(last_id)
        first = await anext(stream)
        await stream.aclose()
        return first

    async def follow() -> None:
        await first_of(None)
        assert await first_of("run-1") == b": still here\n\n"
        feed.value = 1
        assert b"event: change" in await first_of("run-1")
        feed.clock.now, feed.value = feed.clock.now + 1, 2
        assert b"event: status" in await first_of("run-1")

    asyncio.run(follow())


@pytest.mark.parametrize(
    "last_id",
    ["", "run", "run-", "-1", "other-1", "run-99", "run-x", "run-\u0661", "run-" + "9" * 5000],
)
def test_an_id_that_is_none_of_ours_gets_the_whole(last_id: str) -> None:
    async def follow() -> None:
        assert b"event: status" in await anext(Feed().live.events(last_id))

    asyncio.run(follow())


def test_full_is_full() -> None:
    feed = LiveFeed(lambda: Report(a=1), max_subscribers=1)

    async def follow() -> AsyncGenerator[bytes, None]:
        stream = feed.events()
        await anext(stream)
        assert feed.full
        await stream.aclose()
        assert not feed.full
        return stream

    asyncio.run(follow())


def test_an_error_reaches_the_subscriber() -> None:
    def broken() -> Report:
        raise ValueError("broken")

    async def follow() -> None:
        with pytest.raises(ValueError, match="broken"):
            await anext(LiveFeed(broken).events())

    asyncio.run(follow())
