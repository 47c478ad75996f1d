"""Read the body of a request within limits of size and time, and describe it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

IDLE = 30.0  # seconds without a byte after which a client is given up


async def chunks(request: Request, *, limit: int) -> AsyncIterator[bytes]:
    """Yield the body of a request.

    Args:
        request: its body has not been read.
        limit: bytes.

    Raises:
        HTTPException: 413 if the body is larger, 408 if the client is silent for too long, 400 if it has gone.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    parts, size = aiter(request.stream()), 0
    while True:
        try:
            part = await asyncio.wait_for(anext(parts), IDLE)
        except StopAsyncIteration:
            return
        except ClientDisconnect:
            raise HTTPException(400, "The client has gone.") from None
        except TimeoutError:
            raise HTTPException(408, f"No data came for {IDLE:g} s. Send it again.") from None
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        yield part


def body_schema(kind: str) -> dict[str, Any]:
    """Return what the API's description says of a route whose body is a file of a kind, such as `video/*`."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": {"type": "string", "format": "binary"}}}}}


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"The limit is {limit / 1e6:,.1f} MB. Send less, or raise the server's limit.")
