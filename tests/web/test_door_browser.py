"""The door as a person meets it, in a real browser."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from edge_runtime.web.tokens import TOKEN_FILE, TokenFile, TokenScope
from tests.web.conftest import LiveService

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOKEN = "ert_a-token-of-the-test-00"


def test_the_link_opens_the_page_and_keeps_the_token_to_itself(
    chromium: webdriver.Chrome, tmp_path: Path
) -> None:
    wait = WebDriverWait(chromium, 10)
    with LiveService(tmp_path, token=TOKEN) as service:
        chromium.get(f"{service.url}login#{TOKEN}")
        wait.until(lambda driver: "frames a second" in driver.page_source)
        assert chromium.current_url == service.url
        assert TOKEN not in chromium.page_source
        # Scripts of the page can neither read the cookie nor find the token.
        assert chromium.execute_script("return document.cookie") == ""
        cookies = chromium.get_cookies()
        assert [(each["httpOnly"], each["sameSite"]) for each in cookies] == [(True, "Strict")]
        assert TOKEN not in str(cookies)
        # The policy let everything of our own through, the login's script too.
        blocked = [each for each in chromium.get_log("browser") if "Content Security" in str(each)]
        assert blocked == []
        chromium.get("about:blank")
        chromium.delete_all_cookies()


def test_a_token_for_figures_shows_figures_and_says_why_nothing_more(
    chromium: webdriver.Chrome, tmp_path: Path
) -> None:
    wait = WebDriverWait(chromium, 10)
    with LiveService(tmp_path, token=TOKEN) as service:
        token = TokenFile(tmp_path / TOKEN_FILE).make(TokenScope.STATS, "figures")[1]
        chromium.get("about:blank")
        wait.until(lambda _: _opens(service, token))
        chromium.get(f"{service.url}login#{token}")
        wait.until(lambda driver: "frames a second" in driver.page_source)
        wait.until(lambda driver: "for figures, not for pictures" in driver.page_source)
        assert service.preview.viewers == 0
        chromium.get("about:blank")


def _opens(service: LiveService, token: str) -> bool:
    """A running service notices a new token within a second."""
    headers = {"authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{service.url}api/v1/status", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False


def test_a_revoked_token_leads_back_to_the_login(
    chromium: webdriver.Chrome, tmp_path: Path
) -> None:
    wait = WebDriverWait(chromium, 15)
    with LiveService(tmp_path, token=TOKEN) as service:
        chromium.get(f"{service.url}login#{TOKEN}")
        wait.until(lambda driver: "frames a second" in driver.page_source)
        TokenFile(tmp_path / TOKEN_FILE).revoke("known")
        wait.until(lambda driver: driver.find_elements(By.ID, "token"))
        chromium.get("about:blank")


def test_whoever_logs_out_is_asked_again(chromium: webdriver.Chrome, tmp_path: Path) -> None:
    wait = WebDriverWait(chromium, 10)
    with LiveService(tmp_path, token=TOKEN) as service:
        chromium.get(f"{service.url}login#{TOKEN}")
        wait.until(lambda driver: driver.find_element(By.ID, "log-out").is_displayed())
        assert "known (admin)" in chromium.find_element(By.ID, "session").text
        chromium.find_element(By.ID, "log-out").click()
        wait.until(lambda driver: driver.current_url.endswith("/login"))
        kept = [cookie["name"] for cookie in chromium.get_cookies()]
        assert f"edge_runtime_{urlsplit(service.url).port}" not in kept
        chromium.get(service.url)
        wait.until(lambda driver: driver.find_elements(By.ID, "token"))
        chromium.get("about:blank")


def test_what_a_token_may_not_do_is_not_offered(chromium: webdriver.Chrome, tmp_path: Path) -> None:
    wait = WebDriverWait(chromium, 10)
    with LiveService(tmp_path, token=TOKEN) as service:
        token = TokenFile(tmp_path / TOKEN_FILE).make(TokenScope.VIEW, "guest")[1]
        chromium.get("about:blank")
        wait.until(lambda _: _opens(service, token))
        chromium.get(f"{service.url}login#{token}")
        wait.until(lambda driver: driver.find_element(By.ID, "log-out").is_displayed())
        assert not chromium.find_element(By.ID, "drop").is_displayed()
        assert not chromium.find_element(By.ID, "examine").is_displayed()
        assert "needs one with the scope admin" in chromium.page_source
        chromium.get("about:blank")
        chromium.delete_all_cookies()
