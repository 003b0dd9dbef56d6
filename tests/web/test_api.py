"""Every address of the API: what it says, and that it never invents what it does not know."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edge_runtime import jpeg
from edge_runtime.types import Allowance, Health
from tests.web.fake_status import CAMERA, HEALTH, LOST, FakeCamera, FakeStatus, snapshot
from tests.web.served import Served, listening

UNKNOWN = Health(
    read_at=100.0,
    board="some board",
    uptime_s=1.0,
    cpu_percent=None,
    system_cpu_percent=None,
    memory_mb=None,
    peak_memory_mb=None,
    memory_available_mb=None,
    temperature_c=None,
    throttling=None,
    power=None,
    energy_per_frame_mj=None,
    energy_per_inference_mj=None,
)


@pytest.fixture
def served() -> Served:
    return Served()


async def until(true: Callable[[], bool]) -> None:
    """Let the loop turn until something is true, a second at most."""
    for _ in range(200):
        if true():
            return
        await asyncio.sleep(0.005)
    pytest.fail("it never came true")


def test_status_says_what_the_program_knows(served: Served) -> None:
    served.clock.now = 100.26
    status = served.get("/api/v1/status").json()
    assert status["version"] == "1.2.3"
    assert status["state"]["sentence"] == "Fine: 29.8 frames a second, 2 faces"
    assert status["frame"]["age_s"] == 0.3
    assert status["frame"]["faces"][0] == {
        "track": 3,
        "box": [200, 120, 120, 160],
        "score": 0.91,
        "labels": {"smile": {"neutral": 0.07, "smile": 0.93}},
        "person": None,
    }
    assert status["rates"]["processed_fps"] == 29.8
    assert status["rates"]["frames_with_face"] == 4000
    assert list(status["latency_ms"])[-2:] == ["frame", "age"]
    assert status["latency_ms"]["detect"] == {"p50": 6.25, "p95": 7.1, "p99": 9.3}
    assert status["machine"]["power"]["plus_minus"] == 0.8
    assert status["machine"]["throttling"]["under_voltage"] is False
    assert status["machine"]["throttling"]["under_voltage_since_boot"] is True
    assert status["models"][0]["bytes"] == 43584
    assert status["preview"] == {"viewers": 0, "max_viewers": 8, "pixelated": True}


def test_where_the_detector_looked(served: Served) -> None:
    assert served.get("/api/v1/status").json()["frame"]["looks"] == [
        {"window": [0, 0, 640, 480], "reason": "glance"},
        {"window": [160, 60, 320, 240], "reason": "tile"},
    ]


def test_what_is_given_up_and_why(served: Served) -> None:
    nothing = {"level": 0, "looks": None, "detect_every": 1, "fps": None, "reasons": list[str]()}
    assert served.get("/api/v1/status").json()["governor"] == nothing
    why = "Takes at most 15 frames a second: 74 °C and rising, max_temperature_c is 75"
    served.status.allowed, served.status.left = Allowance(1, 3, 15.0, (why,), 5), 77
    status = served.get("/api/v1/status").json()
    assert status["governor"] == {
        "level": 5,
        "looks": 1,
        "detect_every": 3,
        "fps": 15.0,
        "reasons": [why],
    }
    assert status["rates"]["skipped"] == 77
    assert status["state"]["level"] == "fine"


def test_before_the_first_frame_nothing_is_zero() -> None:
    opening = replace(CAMERA, state="opening", width=None, height=None)
    status = Served(FakeStatus(None, None, opening)).get("/api/v1/status").json()
    assert status["frame"] is status["rates"] is status["machine"] is None
    assert status["latency_ms"] == {}
    assert status["state"]["level"] == "watch"


def test_what_is_unknown_is_null(served: Served) -> None:
    served.status.well = UNKNOWN
    machine = served.get("/api/v1/status").json()["machine"]
    known = {name for name, value in machine.items() if value is not None}
    assert known == {"board", "uptime_s"}


def test_the_cameras_address_is_not_told(served: Served) -> None:
    served.status.where = replace(CAMERA, uri="rtsp://me:secret@camera/1")
    assert "secret" not in served.get("/api/v1/status").text


def test_healthz_answers_even_while_the_camera_is_lost(served: Served) -> None:
    served.status.where = LOST
    assert served.get("/healthz").json() == {"alive": True, "version": "1.2.3"}


def test_readyz_follows_the_frames(served: Served) -> None:
    assert served.get("/readyz").json() == {"ready": True, "reason": None}
    served.clock.now = 112.4
    late = served.get("/readyz")
    assert late.status_code == 503
    assert late.json()["reason"] == "No new picture for 12 s"
    served.status.where = LOST
    assert served.get("/readyz").json()["reason"] == "Camera lost 12 s ago, retrying"
    served.status.last, served.status.where = snapshot(1, 112.0), CAMERA
    assert served.get("/readyz").status_code == 200


def test_openapi_describes_every_field_with_its_unit(served: Served) -> None:
    api = served.get("/openapi.json").json()
    assert set(api["paths"]) == {
        "/api/v1/session",
        "/api/v1/status",
        "/api/v1/doctor",
        "/api/v1/live",
        "/api/v1/stream.mjpg",
        "/api/v1/snapshot.jpg",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/v1/events",
        "/api/v1/events.jsonl",
        "/api/v1/events.csv",
        "/api/v1/events/live",
        "/api/v1/rules",
        "/api/v1/history",
        "/api/v1/models",
        "/api/v1/models/history",
        "/api/v1/models/{name}/activate",
        "/api/v1/models/{name}/rollback",
        "/api/v1/models/{name}/versions/{version}",
    }
    machine = api["components"]["schemas"]["MachineReport"]["properties"]
    assert "MiB" in machine["memory_mb"]["description"]
    assert api["paths"]["/api/v1/live"]["get"]["responses"]["200"]["content"].keys() == {
        "text/event-stream"
    }


def test_the_stream_sends_each_picture_as_a_part_and_counts_its_viewer(served: Served) -> None:
    async def watch() -> None:
        async with listening(served.app, "/api/v1/stream.mjpg") as (listener, _):
            assert await listener.next() == b"--edge-runtime-picture\r\n"
            assert served.preview.viewers == 1
            for index in range(3):
                served.show(index)
                part = await listener.next()
                head, _, rest = part.partition(b"\r\n\r\n")
                length = int(head.rpartition(b": ")[2])
                assert jpeg.size(rest[:length]) == (640, 480)
                assert rest[length:] == b"\r\n--edge-runtime-picture\r\n"
            assert listener.headers["content-type"].startswith("multipart/x-mixed-replace")
        assert served.preview.viewers == 0

    asyncio.run(watch())


def test_no_request_shows_a_face() -> None:
    """Whether faces are pixelated is the settings' word alone."""
    served = Served(preview_options={"quality": 95})

    async def watch() -> bytes:
        odd = "pixelate=false&pixelated=0&raw=1&quality=100"
        async with listening(served.app, f"/api/v1/stream.mjpg?{odd}") as (listener, _):
            await listener.next()
            served.show()
            return await listener.next()

    part = asyncio.run(watch())
    picture = jpeg.decode_bgr(part[part.index(b"\xff\xd8") :])
    face = picture[135:265, 215:305].astype(int)  # well inside the first face
    beside = picture[300:400, 20:120].astype(int)
    assert np.abs(np.diff(face, axis=1)).mean() < np.abs(np.diff(beside, axis=1)).mean() / 4


def test_too_many_viewers_hear_so() -> None:
    served = Served(preview_options={"max_viewers": 1})

    async def watch() -> None:
        async with listening(served.app, "/api/v1/stream.mjpg") as (listener, _):
            await listener.next()
            async with listening(served.app, "/api/v1/stream.mjpg") as (late, task):
                await task
            assert late.status == 503
            assert late.headers["content-type"] == "application/problem+json"
            assert late.headers["retry-after"] == "10"
            assert "1 is the limit" in json.loads(await late.next())["detail"]
        async with listening(served.app, "/api/v1/stream.mjpg") as (again, _):
            await again.next()
            assert again.status == 200

    asyncio.run(watch())


def test_a_stuck_viewer_is_dropped_and_delays_nobody(served: Served) -> None:
    async def watch() -> None:
        async with (
            listening(served.app, "/api/v1/stream.mjpg") as (stuck, _),
            listening(served.app, "/api/v1/stream.mjpg") as (well, _),
        ):
            await stuck.next()
            await well.next()
            stuck.takes.clear()
            served.show(0)
            assert b"image/jpeg" in await well.next()
            await until(lambda: served.preview.viewers == 1)
            assert not stuck.ended
            served.show(1)
            assert b"image/jpeg" in await well.next()
            stuck.takes.set()
        assert stuck.ended

    asyncio.run(watch())


@pytest.mark.parametrize("path", ["/api/v1/stream.mjpg", "/api/v1/live"])
def test_closing_ends_every_stream(served: Served, path: str) -> None:
    async def watch() -> None:
        async with listening(served.app, path) as (listener, task):
            await listener.next()
            served.streams.close()
            await asyncio.wait_for(task, 1)
            assert listener.ended
            assert len(served.streams) == 0
        async with listening(served.app, path) as (late, task):
            await asyncio.wait_for(task, 1)
            assert late.ended

    asyncio.run(watch())


def test_snapshot_waits_for_the_next_picture(served: Served) -> None:
    async def watch() -> bytes:
        async with listening(served.app, "/api/v1/snapshot.jpg") as (listener, task):
            await until(lambda: served.preview.viewers == 1)
            served.show()
            await asyncio.wait_for(task, 1)
            assert listener.headers["content-type"] == "image/jpeg"
            return await listener.next()

    picture = jpeg.decode_bgr(asyncio.run(watch()))
    assert picture.shape == (480, 640, 3)
    assert np.std(picture) > 10
    assert served.preview.viewers == 0


def test_snapshot_without_pictures_says_why(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_runtime.web.api.SNAPSHOT_S", 0.01)
    served.status.where = LOST
    answer = served.get("/api/v1/snapshot.jpg")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "Camera lost 0 s ago, retrying"
    assert served.preview.viewers == 0


def test_live_sends_the_whole_first_and_then_only_what_changed(served: Served) -> None:
    before = served.get("/api/v1/status").json()

    async def watch() -> None:
        async with listening(served.app, "/api/v1/live") as (listener, _):
            first = (await listener.next()).decode()
            assert "\nevent: status\ndata: {" in first
            whole = json.loads(first.partition("data: ")[2])
            assert whole == before
            served.clock.now += 0.35
            served.status.well = replace(HEALTH, temperature_c=61.0)
            event = (await listener.next()).decode()
            assert "event: change\n" in event
            change = json.loads(event.partition("data: ")[2])
            assert change.keys() == {"frame", "machine", "cameras"}
            assert change["machine"]["temperature_c"] == 61.0

    asyncio.run(watch())


def test_too_many_subscribers_hear_so() -> None:
    answer = Served(options={"max_subscribers": 0}).get("/api/v1/live")
    assert answer.status_code == 503


def two_cameras() -> Served:
    seen = snapshot(7, 100.0, width=320, height=240, faces=())
    return Served(FakeStatus(name="front", others=(FakeCamera("back", seen, LOST),)))


def test_every_camera_is_listed_and_the_first_is_told_as_ever() -> None:
    status = two_cameras().get("/api/v1/status").json()
    front, back = status["cameras"]
    assert (front["name"], back["name"]) == ("front", "back")
    assert {key: status[key] for key in ("camera", "frame", "rates", "latency_ms")} == {
        key: front[key] for key in ("camera", "frame", "rates", "latency_ms")
    }
    assert (back["frame"]["number"], back["frame"]["width"], back["frame"]["faces"]) == (7, 320, [])
    assert (front["matter"], back["matter"]) == (None, "Camera lost 0 s ago, retrying")
    assert status["state"]["sentence"] == "back: Camera lost 0 s ago, retrying"


def test_one_camera_is_listed_too(served: Served) -> None:
    status = served.get("/api/v1/status").json()
    assert [camera["frame"] for camera in status["cameras"]] == [status["frame"]]


@pytest.mark.parametrize("path", ["/api/v1/stream.mjpg", "/api/v1/snapshot.jpg"])
def test_an_unknown_camera_is_not_found(path: str) -> None:
    answer = two_cameras().get(f"{path}?camera=yard")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no camera 'yard': expected one of front, back."


def test_each_camera_has_a_live_view_of_its_own() -> None:
    served = two_cameras()
    front, back = served.previews["front"], served.previews["back"]

    async def watch() -> None:
        async with listening(served.app, "/api/v1/stream.mjpg?camera=back") as (listener, _):
            await listener.next()
            assert (front.viewers, back.viewers) == (0, 1)
            assert not front.wanted(served.clock())
            served.show(preview=back)
            assert b"image/jpeg" in await listener.next()
        async with listening(served.app, "/api/v1/stream.mjpg") as (listener, _):
            await listener.next()
            assert (front.viewers, back.viewers) == (1, 0)

    asyncio.run(watch())


def test_viewers_of_all_cameras_are_counted_together() -> None:
    served = Served(two_cameras().status, preview_options={"max_viewers": 1})

    async def watch() -> None:
        async with listening(served.app, "/api/v1/stream.mjpg?camera=back") as (listener, _):
            await listener.next()
            async with listening(served.app, "/api/v1/stream.mjpg?camera=front") as (late, task):
                await task
            assert late.status == 503

    asyncio.run(watch())


def test_a_snapshot_that_does_not_come_says_what_is_the_matter_with_its_camera(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge_runtime.web.api.SNAPSHOT_S", 0.01)
    answer = two_cameras().get("/api/v1/snapshot.jpg?camera=back")
    assert answer.json()["detail"] == "Camera lost 0 s ago, retrying"
    assert answer.status_code == 503


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/models", "/api/v1/models/history"])
def test_who_has_the_newest_is_told_only_that(served: Served, path: str) -> None:
    first = served.get(path)
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for known in (etag, f'"other", W/{etag}', "*"):
        again = served.get(path, headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    for unknown in ("", '"other"', etag.strip('"')):
        assert served.get(path, headers={"if-none-match": unknown}).content == first.content


def test_news_have_another_etag(served: Served) -> None:
    etag = served.get("/api/v1/status").headers["etag"]
    served.status.well = replace(HEALTH, temperature_c=61.0)
    assert served.get("/api/v1/status", headers={"if-none-match": etag}).status_code == 200


def test_live_goes_on_where_a_line_broke(served: Served) -> None:
    async def watch() -> None:
        async with listening(served.app, "/api/v1/live") as (listener, _):
            head = (await listener.next()).decode().splitlines()
        assert head[0] == "retry: 3000"
        served.clock.now += 0.35
        served.status.well = replace(HEALTH, temperature_c=61.0)
        known = {"last-event-id": head[1].removeprefix("id: ")}
        async with listening(served.app, "/api/v1/live", known) as (listener, _):
            assert b"event: change\n" in await listener.next()

    asyncio.run(watch())
