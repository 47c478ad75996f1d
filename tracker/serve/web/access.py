"""Who may use the web app: the check of every request, and the headers of every answer."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import SplitResult, urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "posetrack_token"
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=()",
    "Cache-Control": "no-store",
}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY_VIOLATION = 1008  # code of RFC 6455


class Access:
    """ASGI middleware that refuses what comes from elsewhere, and adds the headers that protect a browser.

    Refused are a Host that is not among `hosts`, a request without the token, and a WebSocket or a change that a page
    of another site asks for (its Origin differs from the Host).

    Args:
        app: of the requests that are accepted.
        token: in `Authorization: Bearer TOKEN` or in the cookie that the link `/?token=TOKEN` sets; None needs none.
        hosts: accepted names of this server; None accepts all.
    """

    def __init__(self, app: ASGIApp, *, token: str | None, hosts: frozenset[str] | None) -> None:
        self._app, self._token, self._hosts = app, token, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        answer = self._answer(HTTPConnection(scope), scope.get("method"))
        if answer is None:
            return await self._app(scope, receive, _with_headers(send))
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        return await answer(scope, receive, _with_headers(send))

    def _answer(self, request: HTTPConnection, method: str | None) -> Response | None:
        """Return the answer to a request that does not reach the app; None if it does."""
        host = request.headers.get("host", "")
        if self._hosts is not None and _split(f"//{host}").hostname not in self._hosts:
            return PlainTextResponse(f"This server does not answer to the name '{host}'.", 403)
        origin = request.headers.get("origin")
        if origin is not None and method not in _SAFE and _split(origin).netloc != host:
            return PlainTextResponse(f"A page of '{origin}' may not use this server.", 403)
        if self._token is None:
            return None
        if method in _SAFE and self._is_token(request.query_params.get("token")):
            return self._visit(request)
        if self._presented(request):
            return None
        hint = "Open the link that posetrack printed at its start, or send the header Authorization: Bearer TOKEN."
        return PlainTextResponse(f"A token is needed. {hint}", 401, {"WWW-Authenticate": "Bearer"})

    def _presented(self, request: HTTPConnection) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        bearer = given.strip() if scheme.lower() == "bearer" else None
        return self._is_token(bearer) or self._is_token(request.cookies.get(COOKIE))

    def _is_token(self, given: str | None) -> bool:
        """Compare in constant time."""
        return given is not None and secrets.compare_digest(given.encode(), (self._token or "").encode())

    def _visit(self, request: HTTPConnection) -> Response:
        """Keep the token in a cookie, and out of the address."""
        rest = urlencode([(key, value) for key, value in request.query_params.multi_items() if key != "token"])
        answer = RedirectResponse(request.url.path.replace("//", "/") + (f"?{rest}" if rest else ""), 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, self._token or "", httponly=True, samesite="lax", secure=secure)
        return answer


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # such as http://[
        return urlsplit("")


def _with_headers(send: Send) -> Send:
    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return add
