"""The door: every address needs a scope that is written down, and no scope reaches further."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from edge_runtime.web.rights import rules
from edge_runtime.web.tokens import TokenScope
from tests.web.guarded import Guarded
from tests.web.served import Served

OF_THE_GUARD = {("GET", "/login"), ("POST", "/login")}
"""Answered before the app is asked."""

JPEG = b"\xff\xd8\xff"


def routes_of(app: Any) -> Iterator[tuple[str, str]]:
    """Method and path of every route, whether FastAPI keeps included routers whole or not."""
    for route in app.routes:
        if inside := getattr(route, "original_router", None):
            yield from routes_of(inside)
            continue
        assert hasattr(route, "methods"), f"{route} takes any method: name its methods"
        for method in route.methods - {"HEAD"}:
            yield method, route.path


def test_every_route_has_a_scope_and_every_scope_a_route() -> None:
    app: FastAPI = Served().app
    there = set(routes_of(app))
    assert len(there) > 15
    written = {(rule.method, rule.path) for rule in rules()}
    assert there - written == set(), "say in edge_runtime/web/rights.py what these need"
    assert written - there - OF_THE_GUARD == set(), "edge_runtime/web/rights.py names no routes"


def test_the_walk_misses_no_route_that_is_described() -> None:
    app = Served().app
    described = {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    # The description writes {name:path} as {name}.
    there = {(method, path.replace(":path", "")) for method, path in routes_of(app)}
    assert described <= there


def test_each_rule_stands_once() -> None:
    lines = [(rule.method, rule.path) for rule in rules()]
    assert len(lines) == len(set(lines))


def filled(path: str) -> str:
    return path.replace("{name:path}", "smile").replace("{version}", "cd").replace("{name}", "x")


RULES = [pytest.param(rule, id=f"{rule.method} {rule.path}") for rule in rules()]


ANSWERS = [
    pytest.param(rule, scope, id=f"{scope.word} {rule.method} {rule.path}")
    for rule in rules()
    for scope in TokenScope
    # What is let in and has no end is tested beside.
    if rule.needs and not (rule.path.endswith(("live", "mjpg")) and scope >= rule.needs)
]


@pytest.mark.parametrize(("rule", "scope"), ANSWERS)
def test_a_scope_reaches_as_far_as_written(tmp_path: Path, rule: Any, scope: TokenScope) -> None:
    served = Guarded(tmp_path)
    answer = served.ask(filled(rule.path), served.make(scope, "kitchen"), method=rule.method)
    if scope >= rule.needs:
        assert answer.status_code not in {401, 403}
    else:
        assert answer.status_code == 403
        assert f"needs one with the scope {rule.needs.word}" in answer.json()["detail"]
        assert served.counter.asked == []
        assert served.counter.uploads == []


@pytest.mark.parametrize("rule", RULES)
def test_without_a_token_only_the_public_answers(tmp_path: Path, rule: Any) -> None:
    status = Guarded(tmp_path).ask(filled(rule.path), method=rule.method).status_code
    # A login without a token is refused by itself.
    assert (status == 401) == (
        rule.needs is not None or (rule.method, rule.path) == ("POST", "/login")
    )


@pytest.mark.parametrize("path", ["/forgotten", "/api/v1/forgotten"])
def test_a_route_that_nobody_wrote_down_is_closed(tmp_path: Path, path: str) -> None:
    served = Guarded(tmp_path)
    served.app.add_api_route(path, lambda: "open")
    assert served.ask(path, served.make(TokenScope.VIEW)).status_code == 403
    assert served.ask(path, served.token).status_code == 200


def test_head_needs_what_get_needs(tmp_path: Path) -> None:
    served = Guarded(tmp_path)
    token = served.make(TokenScope.STATS)
    assert served.ask("/", token, method="HEAD").status_code == 200
    assert served.ask("/api/v1/snapshot.jpg", token, method="HEAD").status_code == 403


def test_no_picture_reaches_who_may_see_figures_only(tmp_path: Path) -> None:
    served = Guarded(tmp_path)
    token = served.make(TokenScope.STATS)
    for rule in rules():
        if rule.method == "GET" and not rule.path.endswith("live"):
            answer = served.ask(filled(rule.path), token)
            assert JPEG not in answer.content, rule.path
            if rule.needs is TokenScope.VIEW:
                assert answer.status_code == 403


def test_whatever_is_described_as_a_picture_needs_the_view() -> None:
    needs = {(rule.method, rule.path): rule.needs for rule in rules()}
    pictures = [
        (method.upper(), path)
        for path, methods in Served().app.openapi()["paths"].items()
        for method, told in methods.items()
        for kind in told["responses"]["200" if "200" in told["responses"] else "201"]["content"]
        if kind.startswith(("image/", "multipart/"))
    ]
    assert len(pictures) >= 2
    assert {needs[each] for each in pictures} == {TokenScope.VIEW}


def test_a_web_socket_is_no_way_around(tmp_path: Path) -> None:
    import asyncio

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/api/v1/live", "headers": [], "query_string": b""}
    asyncio.run(Guarded(tmp_path).app(scope, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]
