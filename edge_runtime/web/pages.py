"""What a browser loads: the page, its files, and the description of the API."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from edge_runtime.web.assets import Asset

FOR_EVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"


class Pages:
    """Serves the files of the page."""

    def __init__(self, assets: dict[str, Asset]) -> None:
        self._assets = assets

    def router(self) -> APIRouter:
        """The pages' routes; they are no part of the API's description."""
        router = APIRouter(include_in_schema=False)
        for path, serve in (
            ("/", self.page),
            ("/docs", self.docs),
            ("/favicon.ico", self.icon),
            ("/static/{name}", self.static),
        ):
            router.add_api_route(path, serve, methods=["GET", "HEAD"])
        return router

    async def page(self, request: Request) -> Response:
        return _served(self._assets["index.html"], request, ASK_FIRST)

    async def docs(self, request: Request) -> Response:
        return _served(self._assets["docs.html"], request, ASK_FIRST)

    async def icon(self, request: Request) -> Response:
        return _served(self._assets["icon.svg"], request, ASK_FIRST)

    async def static(self, name: str, request: Request) -> Response:
        asset = self._assets.get(name)
        if asset is None or name.endswith(".html"):
            raise HTTPException(404, "The page has no such file.")
        return _served(asset, request, FOR_EVER if "v" in request.query_params else ASK_FIRST)


def _served(asset: Asset, request: Request, cache: str) -> Response:
    headers = {"etag": asset.etag, "cache-control": cache, "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == asset.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(asset.data, media_type=asset.media_type, headers=headers)
    headers["content-encoding"] = "gzip"
    return Response(asset.packed, media_type=asset.media_type, headers=headers)
