"""The API's description of itself: OpenAPI with tags, examples, problems and who may ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from edge_runtime.web.examples import examples
from edge_runtime.web.problem import MEDIA_TYPE
from edge_runtime.web.report import Problem, Report

API: Final = "/api/v1"

TAGS: Final = {
    "status": "How it is going, now and as it changes.",
    "pictures": "What the cameras see, faces marked and pixelated.",
    "events": "What happened: who came, what was lost, which rules acted.",
    "models": "Which models there are, and which are active.",
    "session": "Who asks, and how to leave.",
    "health": "For supervisors and monitoring.",
}

_WORDS: Final = (
    "What this runtime sees and how it is doing. Unknown values are null, never 0; units are in "
    "names or descriptions. Below `/api/v1/` fields may be added, and nothing else changes while "
    "that number stays. Every error is `application/problem+json` with one sentence in `detail`."
)

_TOKEN: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token of this runtime. On a loopback address nobody is asked for one.",
}

_PROBLEM: Final = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def add_route(
    router: APIRouter,
    method: str,
    path: str,
    answer: Callable[..., Any],
    *,
    tag: str,
    summary: str,
    says: type[Report] | str,
    refused: Mapping[int, str] | None = None,
    **more: Any,
) -> None:
    """A route with its description; the function's docstring is the longer part of it.

    ``says`` is the model of its JSON, or the media type of what is no JSON. ``refused`` tells when
    it answers which problem. ``more`` goes to FastAPI.
    """
    told: dict[int | str, Any] = {
        status: {"description": words, "content": _PROBLEM}
        for status, words in (refused or {}).items()
    }
    told |= {"default": {"description": "Any other problem", "content": _PROBLEM}}
    told |= more.pop("responses", {})
    if isinstance(says, str):
        content = {says: {"schema": {"type": "string"}}}
        more["response_class"], told[200] = Response, {"content": content}
    else:
        more["response_model"] = says
    name = answer.__name__ if method != "PUT" else f"{answer.__name__}_by_put"
    router.add_api_route(
        path,
        answer,
        methods=[method],
        tags=[tag],
        summary=summary,
        operation_id=name,
        responses=told,
        **more,
    )


def describe(app: FastAPI) -> None:
    """Let ``app`` describe itself with all that FastAPI cannot know; made when first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way


def _described(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=_WORDS,
        routes=app.routes,
        tags=[{"name": name, "description": words} for name, words in TAGS.items()],
    )
    parts = made["components"]
    parts["schemas"]["Problem"] = Problem.model_json_schema()
    for example in examples():
        schema = parts["schemas"][type(example).__name__]
        sparse = isinstance(example, Problem)  # as problems are sent
        schema["examples"] = [example.model_dump(mode="json", exclude_none=sparse)]
    parts["securitySchemes"] = {"token": _TOKEN}
    made["security"] = [{}, {"token": []}]
    return made
