"""The page on a desk and on a phone, by keyboard and by ear, in a real Chromium."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from edge_runtime.types import Allowance, Percentiles, Snapshot
from tests.web.browser import Page
from tests.web.conftest import LiveService
from tests.web.fake_status import CAMERA, HEALTH, LOST, QUIET, FakeClock, snapshot

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = Path(__file__).with_name("node_modules") / "axe-core" / "axe.min.js"
SIZES = {"desk": (1280, 1000), "phone": (360, 740)}
SERIOUS = ("serious", "critical")


@pytest.fixture(params=sorted(SIZES))
def sized(page: Page, request: pytest.FixtureRequest) -> Page:
    """The page on a desk, and on a phone."""
    page.resize(*SIZES[request.param])
    return page


def badge(page: Page, name: str) -> str:
    return page.text(f'[data-about="{name}"] .badge')


def advice(page: Page, name: str) -> str:
    """What stands beside a number's name about what to do."""
    title = f"document.querySelector('[data-about=\"{name}\"]')"
    return str(
        page.run(f"return {title}.parentElement.querySelector('.todo:not([hidden])').textContent")
    )


def test_a_number_says_whether_it_is_fine_and_what_to_do(sized: Page, live: LiveService) -> None:
    sized.until(lambda: badge(sized, "temperature") == "fine")
    assert badge(sized, "power") == "fine"
    low = replace(QUIET, under_voltage=True)
    live.status.well = replace(HEALTH, temperature_c=76.0, throttling=low)
    sized.until(lambda: badge(sized, "temperature") == "watch")
    assert badge(sized, "power") == "act"
    assert "Under-voltage: use the 15 W supply" in advice(sized, "power")
    live.status.well = replace(HEALTH, temperature_c=None, power=None)
    sized.until(lambda: badge(sized, "temperature") == "unknown")


def test_advice_pushes_no_number_out_of_sight(sized: Page, live: LiveService) -> None:
    low = replace(QUIET, under_voltage=True, throttled=True)
    live.status.well = replace(HEALTH, temperature_c=81.0, throttling=low)
    sized.until(lambda: badge(sized, "temperature") == "act")
    lost = sized.run(
        """
        const inside = (a, b) => a.top >= b.top && a.bottom <= b.bottom;
        return [...document.querySelectorAll('.tile')].filter((tile) =>
          ![...tile.querySelectorAll('.figure, .todo:not([hidden])')].every((each) =>
            inside(each.getBoundingClientRect(), tile.getBoundingClientRect())
            && each.offsetHeight < 200)).map((tile) => tile.textContent);
        """
    )
    assert lost == []


def test_a_number_is_explained_by_keyboard(sized: Page) -> None:
    button = sized.driver.find_element(By.CSS_SELECTOR, '[data-about="temperature"] button')
    assert button.get_attribute("aria-expanded") == "false"
    button.send_keys(Keys.ENTER)
    assert button.get_attribute("aria-expanded") == "true"
    assert "slows itself down" in sized.text("#about-temperature")
    button.send_keys(Keys.ENTER)
    assert not sized.driver.find_element(By.ID, "about-temperature").is_displayed()


def test_every_number_is_explained_and_judged(page: Page) -> None:
    unsaid = page.run(
        """
        return [...document.querySelectorAll('[data-about]')].filter((title) =>
          !document.getElementById(`about-${title.dataset.about}`)?.textContent
          || !title.querySelector('.badge').dataset.level).map((title) => title.dataset.about);
        """
    )
    assert unsaid == []


@pytest.mark.parametrize(
    ("changes", "name", "level"),
    [
        ("rates: {captured_fps: 30, dropped_fps: 1, processed_fps: 29}", "processed", "fine"),
        ("rates: {captured_fps: 30, dropped_fps: 16, processed_fps: 14}", "processed", "watch"),
        ("rates: null", "processed", "unknown"),
        ("camera: {state: 'lost', problem: null}", "processed", "act"),
        ("camera: {state: 'lost', problem: null}", "camera", "act"),
        ("camera: {state: 'ended', problem: null}", "camera", "watch"),
        ("frame: {age_s: 3.5}", "camera", "act"),
        ("frame: null", "camera", "watch"),
        ("latency_ms: {frame: {p50: 33, p95: 60}}", "latency", "fine"),
        ("latency_ms: {frame: {p50: 66, p95: 90}}", "latency", "fine"),
        ("latency_ms: {frame: {p50: 67, p95: 90}}", "latency", "watch"),
        ("latency_ms: {}", "latency", "unknown"),
        ("limits: {...status.limits, hot_c: 54.2, low_memory_mb: 48}", "temperature", "watch"),
        ("limits: {...status.limits, hot_c: 54.3, low_memory_mb: 48}", "temperature", "fine"),
        ("limits: {...status.limits, hot_c: null, low_memory_mb: 2750}", "available", "fine"),
        ("limits: {...status.limits, hot_c: null, low_memory_mb: 2751}", "available", "watch"),
        ("models: []", "models", "watch"),
        ("machine: null", "power", "unknown"),
        ("machine: null", "alarms", "unknown"),
    ],
)
def test_where_a_number_stops_being_fine(page: Page, changes: str, name: str, level: str) -> None:
    said = page.run(
        f"""
        return import('/static/judge.js').then(async ({{ judge }}) => {{
          const status = await (await fetch('/api/v1/status')).json();
          return judge({{ ...status, {changes} }})['{name}'].level;
        }});
        """
    )
    assert said == level


SPOILT: dict[str, dict[str, Any]] = {
    "well": {},
    "busy": {"well": replace(HEALTH, system_cpu_percent=100.0)},
    "does less": {"allowed": Allowance(level=2, reasons=("Quiet hours",))},
    "hot": {"well": replace(HEALTH, temperature_c=76.0)},
    "too hot": {"well": replace(HEALTH, temperature_c=80.0)},
    "no memory": {"well": replace(HEALTH, memory_available_mb=20.0)},
    "under-voltage": {"well": replace(HEALTH, throttling=replace(QUIET, under_voltage=True))},
    "capped": {"well": replace(HEALTH, throttling=replace(QUIET, frequency_capped=True))},
    "dropping": {"last": snapshot(rates=replace(snapshot().rates, dropped_fps=16.0))},
    "slow": {"last": snapshot(latency={"frame": Percentiles(70.0, 80.0, 90.0)})},
    "lost": {"where": LOST},
    "ended": {"where": replace(CAMERA, state="ended")},
    "not begun": {"last": None, "where": replace(CAMERA, state="opening")},
}


@pytest.mark.parametrize("what", SPOILT)
def test_the_headline_is_the_worst_of_the_numbers(page: Page, live: LiveService, what: str) -> None:
    live.flowing = False
    for name, value in SPOILT[what].items():
        fresh = isinstance(value, Snapshot)
        setattr(live.status, name, replace(value, taken_at=time.monotonic()) if fresh else value)
    worst, headline = page.run(
        """
        return import('/static/judge.js').then(async ({ judge }) => {
          const status = await (await fetch('/api/v1/status')).json();
          const levels = Object.values(judge(status)).map(({ level }) => level);
          const worst = ['act', 'watch', 'fine'].find((each) => levels.includes(each));
          return [worst, status.state.level];
        });
        """
    )
    assert worst == headline


def test_stages_are_stacked_against_the_time_between_frames(sized: Page) -> None:
    spent, budget = sized.run(
        """
        const bar = document.getElementById('bar-p50');
        const spent = [...bar.children].reduce((sum, part) => sum + part.offsetWidth, 0);
        return [spent, document.getElementById('budget-line').offsetLeft];
        """
    )
    # 9.45 of 33.3 ms, to a pixel for each stage.
    assert spent / budget == pytest.approx(9.45 / 33.3, abs=5 / budget)
    named = sized.driver.find_element(By.ID, "bar-p95").get_attribute("aria-label") or ""
    assert "detect 7.10 ms" in named


def test_numbers_move(sized: Page, live: LiveService) -> None:
    live.status.well = replace(HEALTH, temperature_c=61.5)
    sized.until(lambda: sized.shown("temperature") == "61.5 °C")


@pytest.fixture
def past(live: LiveService) -> None:
    """Twenty minutes that are already over."""
    clock = FakeClock(10_000.0)
    live.status.figures = type(live.status.figures)(clock=clock)
    for second in range(1200):
        clock.now = 10_000.0 + second
        live.status.figures.add([snapshot()], HEALTH)


@pytest.mark.usefixtures("past")
def test_the_last_hour_is_drawn_and_survives_a_reload(sized: Page) -> None:
    for _ in range(2):
        sized.driver.refresh()
        sized.until(lambda: "54.2" in sized.text("#timelines"))
        assert "From 20 min ago" in sized.text("#history-since")
        drawn = "return document.querySelectorAll('.plot .line0')[2].getAttribute('d').length"
        assert sized.run(drawn) > 200
    sized.run("document.querySelector('#span input[value=day]').click()")
    sized.until(lambda: "every 1 min" in sized.text("#history-since"))


def test_an_event_is_shown_filtered_and_exported(sized: Page, live: LiveService) -> None:
    live.status.log.tell("face_came", "A face came", camera="camera", track=3)
    live.status.log.tell("camera_lost", "The camera was lost", camera="camera")
    sized.until(lambda: "A face came" in sized.text("#events"))
    first = sized.driver.find_element(By.CSS_SELECTOR, "#events li")
    assert "The camera was lost" in first.text
    sized.run(
        """
        const kinds = document.getElementById('event-kinds');
        kinds.value = 'faces';
        kinds.dispatchEvent(new Event('change'));
        """
    )
    sized.until(lambda: "lost" not in sized.text("#events"))
    assert "A face came" in sized.text("#events")
    link = sized.driver.find_element(By.ID, "events-csv").get_attribute("href") or ""
    lines = sized.run(f"return fetch('{link}').then((answer) => answer.text())")
    assert "A face came" in lines
    assert "lost" not in lines


def test_the_doctor_says_what_to_do_when_asked(sized: Page, live: LiveService) -> None:
    assert live.doctor.asked == 0
    sized.run("document.getElementById('examine').click()")
    sized.until(lambda: "1 to act on" in sized.text("#doctor-answer"))
    assert "To do: use the official supply" in sized.text("#findings")
    assert "Raspberry Pi 4" not in sized.text("#findings")
    sized.driver.find_element(By.CSS_SELECTOR, "#fine-ones summary").click()
    assert "Raspberry Pi 4" in sized.text("#findings-fine")


def test_a_camera_that_is_lost_and_back_is_said(sized: Page, live: LiveService) -> None:
    live.flowing, live.status.where = False, LOST
    sized.until(lambda: badge(sized, "camera") == "act")
    assert "Camera lost" in sized.text("#sentence")
    assert "delivered nothing for 5 s" in advice(sized, "camera")
    live.flowing, live.status.where = True, replace(CAMERA, reopened=1)
    sized.until(lambda: badge(sized, "camera") == "fine")


def test_what_the_governor_gives_up_is_said(page: Page, live: LiveService) -> None:
    live.status.allowed = Allowance(level=2, reasons=("It is 79 °C",))
    page.until(lambda: "It is 79 °C" in page.text("#given-up"))
    assert page.shown("governor") == "level 2: does less"


def test_offline_is_said_in_words(sized: Page, live: LiveService) -> None:
    assert not sized.driver.find_element(By.ID, "offline").is_displayed()
    live.stop()
    sized.until(lambda: "The runtime does not answer" in sized.text("#offline"))
    assert "What you see is from" in sized.text("#offline")


def test_the_first_paint_comes_within_a_second(page: Page) -> None:
    page.driver.refresh()
    paint = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    assert page.until(lambda: page.run(paint)) < 1000


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", sorted(SIZES))
def test_axe_finds_nothing_serious(page: Page, live: LiveService, size: str, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("needs axe-core: npm ci --prefix tests/web")
    low = replace(QUIET, under_voltage=True)
    live.status.well = replace(HEALTH, temperature_c=76.0, throttling=low)
    live.status.log.tell("camera_lost", "The camera was lost", camera="camera")
    page.resize(*SIZES[size], scheme=scheme)
    page.until(lambda: badge(page, "power") == "act")
    page.run("document.getElementById('examine').click()")
    page.run("document.querySelectorAll('.about').forEach((button) => button.click())")
    page.until(lambda: "To do" in page.text("#findings"))
    page.until(lambda: "was lost" in page.text("#events"))
    page.run(AXE.read_text())
    found = page.run("return axe.run().then(({ violations }) => violations)")
    serious = [
        f"{each['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]
    assert serious == []
