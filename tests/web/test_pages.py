"""The page's files: small, self-contained, cached well."""

from __future__ import annotations

import re

import pytest

from edge_runtime.web.assets import load_assets
from tests.web.served import Served

LARGEST_PAGE = 150_000


@pytest.fixture(scope="module")
def served() -> Served:
    return Served()


def test_the_whole_page_is_small() -> None:
    assert sum(len(asset.data) for asset in load_assets().values()) < LARGEST_PAGE


@pytest.mark.parametrize("name", sorted(load_assets()))
def test_nothing_is_fetched_from_elsewhere(name: str) -> None:
    text = load_assets()[name].text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"(https?:)?//[a-z]", re.sub(r"(^|\s)//[^\n]*", "", text))


@pytest.mark.parametrize("name", [name for name in load_assets() if name.endswith(".html")])
def test_no_script_and_no_style_is_inline(name: str) -> None:
    text = load_assets()[name].text
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", text)
    assert '<html lang="en">' in text
    assert 'name="viewport"' in text


def test_files_named_with_their_hash_are_kept_for_ever(served: Served) -> None:
    links = re.findall(r'"(/static/[^"]+)"', served.get("/").text)
    assert len(links) >= 3
    for link in links:
        assert "?v=" in link
        answer = served.get(link)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


def test_the_page_itself_is_asked_for_again_and_costs_nothing_unchanged(served: Served) -> None:
    first = served.get("/")
    assert first.headers["cache-control"] == "no-cache"
    again = served.get("/", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_what_can_be_packed_is(served: Served) -> None:
    packed = served.get("/", headers={"accept-encoding": "gzip"})
    plain = served.get("/", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.text == plain.text


@pytest.mark.parametrize("path", ["/static/index.html", "/static/none.js", "/static/__init__.py"])
def test_other_files_are_not_there(served: Served, path: str) -> None:
    assert served.get(path).status_code == 404


def test_head_answers_without_a_body(served: Served) -> None:
    answer = served.request("HEAD", "/")
    assert (answer.status_code, answer.content) == (200, b"")


def test_module_files_that_scripts_import_are_there() -> None:
    assets = load_assets()
    for name, asset in assets.items():
        if name.endswith(".js"):
            for imported in re.findall(r'from "\./([^"?]+)', asset.text):
                assert imported in assets


def test_no_module_waits_for_another_one_to_ask_for_it() -> None:
    assets = load_assets()
    page = assets["index.html"].text
    fetched = set(re.findall(r'rel="modulepreload" href="/static/([^"]+)"', page))
    scripts = [asset.text for name, asset in assets.items() if name.endswith(".js")]
    imported = {each for text in scripts for each in re.findall(r'from "\./([^"]+)"', text)}
    # By the same address, or the browser would fetch it twice.
    assert fetched == {each for each in imported if f'"/static/{each}"' in page}
    named = {each.partition("?")[0] for each in fetched}
    unused = {"page.js", "docs.js", "login.js"}
    assert {name for name in assets if name.endswith(".js")} - named == unused
    assert all("?v=" in each for each in imported)
