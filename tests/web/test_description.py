"""The API's description: whole, with examples that are true, and errors that are problems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from edge_runtime.web.description import TAGS
from edge_runtime.web.examples import examples
from edge_runtime.web.report import Report
from tests.web.served import Served


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    described: dict[str, Any] = Served().get("/openapi.json").json()
    return described


def operations(api: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_every_operation_says_what_it_is_for(api: dict[str, Any]) -> None:
    wanting = [
        name
        for name, operation in operations(api)
        if not operation.get("summary")
        or not operation.get("description")
        or len(operation["tags"]) != 1
        or operation["tags"][0] not in TAGS
    ]
    assert wanting == []


def test_no_two_operations_have_one_name(api: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(api)]
    assert len(names) == len(set(names))


def test_every_error_is_a_problem(api: dict[str, Any]) -> None:
    others = [
        f"{name} {status}"
        for name, operation in operations(api)
        for status, told in operation["responses"].items()
        # A probe's 503 is its answer, not an error.
        if status not in ("200", "201", "304") and name != "get /readyz"
        if list(told["content"]) != ["application/problem+json"]
    ]
    assert others == []


def test_every_json_answer_has_a_model_with_an_example(api: dict[str, Any]) -> None:
    schemas = api["components"]["schemas"]
    for name, operation in operations(api):
        for status, told in operation["responses"].items():
            for media, content in told.get("content", {}).items():
                if media.endswith("json"):
                    model = content["schema"]["$ref"].rpartition("/")[2]
                    assert schemas[model]["examples"], f"{name} {status}"


def test_every_parameter_and_model_says_what_it_is(api: dict[str, Any]) -> None:
    silent = [
        f"{name} {parameter['name']}"
        for name, operation in operations(api)
        for parameter in operation.get("parameters", ())
        if not parameter.get("description")
    ]
    assert silent == []
    assert [
        n for n, schema in api["components"]["schemas"].items() if not schema["description"]
    ] == []


@pytest.mark.parametrize("example", [pytest.param(e, id=type(e).__name__) for e in examples()])
def test_examples_are_what_would_be_sent(example: Report) -> None:
    assert type(example).model_validate_json(example.model_dump_json()) == example
