"""Refuse requests with query parameters that their route does not know: a mistyped name would do nothing."""

from __future__ import annotations

from fastapi import HTTPException, WebSocketException
from starlette.requests import HTTPConnection

from .sockets import REFUSED


def check_query(request: HTTPConnection) -> None:
    """Check the names of the query parameters of a request; a dependency of routes.

    Raises:
        HTTPException: 422, one is unknown.
        WebSocketException: one of a WebSocket's is unknown.
    """
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    unknown = next((name for name in request.query_params if name not in known), None)
    if unknown is None:
        return
    takes = f"takes {', '.join(known)}" if known else "takes none"
    sentence = f"There is no query parameter '{unknown[:40]}': {request.url.path} {takes}."
    if request.scope["type"] == "websocket":
        raise WebSocketException(REFUSED, sentence)
    raise HTTPException(422, sentence)
