"""The page in a real Chromium, as somebody sees it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

T = TypeVar("T")

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
)


@contextmanager
def open_chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser with a profile of its own, which calls nobody."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver") or "chromedriver")
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


class Page:
    """The page as somebody sees it."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver = driver
        driver.get_log("browser")
        driver.get_log("performance")
        driver.get(url)
        self.until(lambda: "frames a second" in self.text("#sentence"))

    def requests(self) -> list[str]:
        """The address of everything the browser asked the network for."""
        events = [json.loads(entry["message"]) for entry in self.driver.get_log("performance")]
        messages = [event["message"] for event in events]
        sent = [each for each in messages if each["method"] == "Network.requestWillBeSent"]
        urls = [each["params"]["request"]["url"] for each in sent]
        return [url for url in urls if not url.startswith(("chrome:", "data:"))]

    def text(self, selector: str) -> str:
        return str(self.driver.find_element(By.CSS_SELECTOR, selector).text)

    def shown(self, name: str) -> str:
        return self.text(f'[data-show="{name}"]')

    def press(self, name: str) -> None:
        """The button of this name, as soon as it is there."""
        found = f'button[aria-label="{name}"]'
        self.until(lambda: self.driver.find_elements(By.CSS_SELECTOR, found))
        self.run(f"document.querySelector('{found}').click()")

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def until(self, true: Callable[[], T], seconds: float = 10) -> T:
        return WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(lambda _: true())

    def picture(self) -> str:
        """The live view's pixels, as text that can be compared."""
        return str(
            self.run(
                """
                const image = document.getElementById('live');
                if (image.hidden || !image.naturalWidth) return '';
                const small = document.createElement('canvas');
                small.width = small.height = 32;
                small.getContext('2d').drawImage(image, 0, 0, 32, 32);
                return small.toDataURL();
                """
            )
        )

    def resize(self, width: int, height: int = 800, scheme: str = "light") -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
