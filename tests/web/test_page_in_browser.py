"""The page in a real Chromium, over a real server whose program the test steers."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from edge_runtime.app.runtime import Runtime
from edge_runtime.config import load_config
from edge_runtime.errors import ManifestIncomplete
from edge_runtime.store.catalogue import packaged_models
from tests.web.browser import Page
from tests.web.conftest import LiveService
from tests.web.fake_counter import mood
from tests.web.fake_status import CAMERA, HEALTH, LOST, QUIET, FakeCamera, FakeStatus, snapshot
from tests.web.test_on_a_socket import ask

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_it_loads_without_errors_and_asks_nobody_else(page: Page, live: LiveService) -> None:
    page.until(page.picture)
    asked = page.requests()
    assert any("page.js" in url for url in asked)
    assert [url for url in asked if not url.startswith(live.url)] == []
    assert page.driver.get_log("browser") == []


def test_numbers_move_with_their_units(page: Page, live: LiveService) -> None:
    assert page.shown("processed") == "29.8 fps"
    assert page.shown("temperature") == "54.2 °C"
    assert page.shown("power") == "3.41 W ± 0.8"
    assert page.shown("power-sub").startswith("model of a Pi 4B")
    assert page.shown("alarms") == "none"
    assert page.shown("alarms-boot") == "under-voltage"
    assert "detect" in page.text("#stages")
    page.until(lambda: "smile" in page.text("#models"))
    live.status.well = replace(HEALTH, temperature_c=61.5)
    page.until(lambda: page.shown("temperature") == "61.5 °C")


def test_what_is_unknown_is_called_unknown(page: Page, live: LiveService) -> None:
    live.status.well = replace(
        HEALTH, temperature_c=None, temperature_limit_c=None, power=None, throttling=None
    )
    page.until(lambda: page.shown("power") == "unknown")
    for name in ("temperature", "alarms", "alarms-boot"):
        assert page.shown(name) == "unknown"
    assert page.shown("limit") == "limit unknown"


def test_the_live_view_moves(page: Page, live: LiveService) -> None:
    first = page.until(page.picture)
    page.until(lambda: page.picture() not in ("", first))
    assert live.preview.viewers == 1


def test_the_live_view_stops_out_of_sight_and_comes_back(page: Page, live: LiveService) -> None:
    page.resize(390, 500)
    page.until(page.picture)
    page.run("window.scrollTo(0, document.body.scrollHeight)")
    live.wait_for(lambda: live.preview.viewers == 0, "it is still watched")
    page.run("window.scrollTo(0, 0)")
    live.wait_for(lambda: live.preview.viewers == 1, "it did not come back")
    page.until(page.picture)


def test_one_too_many_is_told_why_and_comes_in_when_there_is_room(
    chromium: webdriver.Chrome, tmp_path: Path
) -> None:
    with LiveService(tmp_path, idle_s=3600) as live:
        lines = [ask(live, "/api/v1/stream.mjpg") for _ in range(8)]
        live.wait_for(lambda: live.preview.viewers == 8, "all eight should watch")
        page = Page(chromium, live.url)
        page.until(lambda: "8 watch already, which is the limit" in page.text("#over"))
        lines.pop().close()
        page.until(page.picture)
        assert page.text("#over") == ""
        for line in lines:
            line.close()
        chromium.get("about:blank")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_width_needs_sideways_scrolling(page: Page, width: int, scheme: str) -> None:
    page.resize(width, scheme=scheme)
    page.until(lambda: page.run("return innerWidth") == width)
    assert page.run("return document.documentElement.scrollWidth") <= width
    cut = page.run(
        """
        return [...document.querySelectorAll('.figure b, dd, h1, td')]
          .filter((each) => each.getBoundingClientRect().right > innerWidth)
          .map((each) => each.textContent);
        """
    )
    assert cut == []


def test_a_lost_camera_is_said_and_recovers(page: Page, live: LiveService) -> None:
    page.until(page.picture)
    live.flowing, live.status.where = False, LOST
    page.until(lambda: "Camera lost" in page.text("#sentence"))
    assert "delivered nothing for 5 s" in page.text("#advice")
    assert page.run("return document.getElementById('state').dataset.level") == "act"
    page.until(lambda: "Camera lost" in page.text("#over"))
    assert "Camera lost" in page.run("return document.getElementById('spoken').textContent")
    live.flowing, live.status.where = True, replace(CAMERA, reopened=1)
    page.until(lambda: page.text("#sentence").startswith("Fine"))
    page.until(lambda: page.text("#over") == "")
    assert page.shown("reopened") == "once"


def test_one_camera_has_no_choice(page: Page, live: LiveService) -> None:
    assert not page.driver.find_element(By.ID, "cameras").is_displayed()
    page.until(page.picture)
    assert [url for url in page.requests() if "camera=" in url] == []


def test_one_of_several_cameras_is_chosen_with_the_keyboard(
    chromium: webdriver.Chrome, tmp_path: Path
) -> None:
    well = replace(snapshot().rates, processed_fps=7.5)
    back = FakeCamera("back", snapshot(rates=well, faces=()), CAMERA)
    status = FakeStatus(name="front", others=(back,))
    with LiveService(tmp_path, status=status) as live:
        page = Page(chromium, live.url)
        assert page.text("#cameras label").startswith("front\n29.8 fps")
        page.until(page.picture)
        page.driver.find_element(By.CSS_SELECTOR, "#cameras input").send_keys(Keys.ARROW_DOWN)
        page.until(lambda: page.shown("processed") == "7.5 fps")
        page.until(lambda: any("camera=back" in url for url in page.requests()))
        page.until(lambda: page.text("#faces") == "None in view")
        page.until(page.picture)
        live.wait_for(lambda: live.previews["back"].viewers == 1, "the other view was not opened")
        live.wait_for(lambda: live.previews["front"].viewers == 0, "the first view stayed open")
        back.where = LOST
        page.until(lambda: "Camera lost" in page.text("#over"))
        chromium.get("about:blank")


def test_under_voltage_says_what_to_do(page: Page, live: LiveService) -> None:
    live.status.well = replace(HEALTH, throttling=replace(QUIET, under_voltage=True))
    page.until(lambda: "Under-voltage" in page.text("#sentence"))
    assert "power supply" in page.text("#advice")
    assert page.shown("alarms") == "under-voltage"


def test_a_stopped_runtime_is_shown_as_reconnecting(page: Page, live: LiveService) -> None:
    assert page.text("#link") == "live"
    live.stop()
    page.until(lambda: page.text("#link") == "reconnecting")


def test_words_from_a_camera_stay_words(page: Page, live: LiveService) -> None:
    live.status.where = replace(CAMERA, description="<img src=x onerror=document.title='bad'>")
    page.until(lambda: page.shown("camera").startswith("<img"))
    assert "bad" not in page.driver.title


def test_every_part_has_a_name_for_those_who_do_not_see(page: Page) -> None:
    nameless = page.run(
        """
        return [...document.querySelectorAll('section, nav, svg, img, input')]
          .filter((each) => !(each.getAttribute('aria-label') || each.hasAttribute('alt')
            || document.getElementById(each.getAttribute('aria-labelledby'))?.textContent))
          .map((each) => each.outerHTML.slice(0, 80));
        """
    )
    assert nameless == []
    assert page.run("return document.querySelectorAll('main').length") == 1
    assert page.run("return document.querySelectorAll('h1').length") == 1


def test_the_api_is_described_offline(page: Page, live: LiveService) -> None:
    page.driver.get(live.url + "docs")
    page.until(lambda: "GET /api/v1/status" in page.text("#api"))
    assert "MachineReport" in page.text("#api")
    assert page.driver.get_log("browser") == []


def test_the_token_is_asked_for_and_opens(chromium: webdriver.Chrome, tmp_path: Path) -> None:
    with LiveService(tmp_path, token="a-token-of-the-test-00") as service:
        chromium.get(service.url)
        field = chromium.find_element(By.ID, "token")
        field.send_keys("wrong")
        field.submit()
        wait = WebDriverWait(chromium, 5)
        wait.until(lambda driver: "no token of this runtime" in driver.page_source)
        field = chromium.find_element(By.ID, "token")
        field.send_keys("a-token-of-the-test-00")
        field.submit()
        wait.until(lambda driver: "frames a second" in driver.page_source)
        chromium.get("about:blank")


def test_faces_are_listed_and_leave(page: Page, live: LiveService) -> None:
    assert "#3" in page.text("#faces")
    assert "93 %" in page.text("#faces")
    live.flowing = False
    live.status.last = snapshot(7, live.status.last.taken_at if live.status.last else 0, faces=())
    page.until(lambda: page.text("#faces") == "None in view")


def test_where_it_looked_is_drawn_for_who_asks(page: Page, live: LiveService) -> None:
    shown = "return getComputedStyle(document.getElementById('looks')).display !== 'none'"
    boxes = "return [...document.querySelectorAll('#looks rect')].map((r) => r.className.baseVal)"
    size = "return document.getElementById('looks').getAttribute('viewBox')"
    page.until(page.picture)
    assert page.run(shown) is False
    page.run("document.getElementById('show-looks').click()")
    assert page.run(shown) is True
    page.until(lambda: page.run(boxes) == ["glance", "tile"])
    assert page.run(size) == "0 0 640 480"
    page.run("document.getElementById('show-looks').click()")
    assert page.run(shown) is False


def test_a_model_without_a_role_in_the_loop_is_not_offered_for_one(
    page: Page, live: LiveService
) -> None:
    live.counter.kept.append(mood("0123456789ab", name="face-id", kind="embedding"))
    live.status.fates = {"admitted": 1}
    page.until(lambda: "face-id 0123456789ab" in page.text("#models"))
    assert "Activate" not in page.text("#models")
    assert "Remove" in page.text("#models")


def test_models_are_listed_sent_rolled_back_and_removed(page: Page, live: LiveService) -> None:
    page.until(lambda: "smile shipped" in page.text("#models"))
    listed = page.text("#models")
    assert "30.9 KiB, not measured here (edge-runtime tune)" in listed
    assert "balanced accuracy 0.93 on held-back portraits, as classifier/smile" in listed
    live.counter.kept.append(mood("0123456789ab"))
    live.status.fates = {"admitted": 1}
    page.until(lambda: "mood 0123456789ab" in page.text("#models"))
    assert "0.42 ms here" in page.text("#models")
    page.press("Activate mood 0123456789ab")
    page.until(lambda: page.text("#model-answer") == "mood is active")
    page.press("Roll back mood 0123456789ab")
    page.until(lambda: "rolled back" in page.text("#model-answer"))
    page.press("Remove mood 0123456789ab")
    page.driver.switch_to.alert.accept()
    page.until(lambda: "off the shelf" in page.text("#model-answer"))
    page.until(lambda: "mood" not in page.text("#models"))


def test_a_file_is_sent_and_why_it_is_refused_is_said(
    page: Page, live: LiveService, tmp_path: Path
) -> None:
    file = tmp_path / "mood.tflite"
    file.write_bytes(b"TFL3" * 5000)
    live.counter.error = ManifestIncomplete("labels are missing", '{"labels": "?"}')
    page.driver.find_element(By.ID, "model-file").send_keys(str(file))
    page.until(lambda: "labels are missing" in page.text("#model-answer"))
    assert page.text("#model-form") == '{"labels": "?"}'
    live.counter.error = None
    page.driver.find_element(By.ID, "model-file").send_keys(str(file))
    page.until(lambda: page.text("#model-answer") == "mood/3f9c01d2a4be is on the shelf")
    assert live.counter.uploads[-1].content == file.read_bytes()
    page.until(lambda: "mood 3f9c01d2a4be" in page.text("#models"))


@contextmanager
def running(settings: dict[str, object]) -> Iterator[str]:
    """A real run of the demo with these settings; gives its page's address."""
    stop = threading.Event()
    with Runtime(load_config(None, {}, {"web.port": 0, **settings})) as runtime:
        assert runtime.page is not None
        thread = threading.Thread(target=runtime.run, args=(stop,), daemon=True)
        thread.start()
        try:
            yield runtime.page.url
        finally:
            stop.set()
            thread.join(10)
    assert not thread.is_alive()


def test_a_candidate_is_compared_then_active_and_rolled_back_through_the_page(
    chromium: webdriver.Chrome, tmp_path: Path
) -> None:
    smile = (packaged_models() or Path()) / "smile"
    export, broken = tmp_path / "smile.zip", tmp_path / "broken.tflite"
    with zipfile.ZipFile(export, "w") as archive:
        archive.write(smile / "model.tflite", "model.tflite")
        archive.write(smile / "manifest.json", "manifest.json")
    broken.write_bytes((smile / "model.tflite").read_bytes()[:9000])
    settings: dict[str, object] = {
        "source.uri": "demo://?faces=3",
        "state_dir": str(tmp_path / "state"),
        "classify.every_n_frames": 1,
        "models.canary_crops": 60,
    }
    with running(settings) as url:
        chromium.get(url)
        wait = WebDriverWait(chromium, 60, poll_frequency=0.05)
        models = chromium.find_element(By.ID, "models")
        answer = chromium.find_element(By.ID, "model-answer")
        lately = chromium.find_element(By.ID, "model-events")
        file = chromium.find_element(By.ID, "model-file")
        wait.until(lambda _: "smile shipped" in models.text)
        assert "balanced accuracy 0.93" in models.text
        file.send_keys(str(broken))
        wait.until(lambda _: answer.get_attribute("data-level") == "act")
        assert "broken.tflite" in answer.text
        wait.until(lambda _: "broken.tflite" in lately.text)
        file.send_keys(str(export))
        wait.until(lambda _: "canary" in models.text)
        wait.until(lambda _: "Roll back" in models.text)
        assert "ms here" in models.text
        chromium.execute_script(
            "document.querySelector('button[data-act^=\"Roll back smile\"]').click()"
        )
        wait.until(lambda _: answer.text.startswith("what the settings name is active"))
        wait.until(lambda _: "smile shipped active" in models.text.replace("\n", " "))
        chromium.get("about:blank")


def test_a_model_in_a_zip_is_active_in_the_running_program(
    chromium: webdriver.Chrome, tmp_path: Path
) -> None:
    export = tmp_path / "mood.zip"
    with zipfile.ZipFile(export, "w") as archive:
        archive.write((packaged_models() or Path()) / "smile" / "model.tflite", "model.tflite")
        archive.writestr("labels.txt", "0 calm\n1 happy\n")
    with running({"source.uri": "demo://", "state_dir": str(tmp_path / "state")}) as url:
        chromium.get(url)
        wait = WebDriverWait(chromium, 30, poll_frequency=0.1)
        models = chromium.find_element(By.ID, "models")
        wait.until(lambda _: "face-glance shipped" in models.text)
        chromium.find_element(By.ID, "model-file").send_keys(str(export))
        wait.until(lambda _: "as classifier/mood" in models.text)
        answer = chromium.find_element(By.ID, "model-answer").text
        assert answer.endswith("is active as classifier/mood")
        chromium.get("about:blank")
