"""When and with which codes the WebSockets of the server are ended."""

from __future__ import annotations

SLOW = 10.0  # seconds in which a client must take a message
UNREADABLE, REFUSED, TOO_SLOW, TRY_AGAIN_LATER = 1007, 1008, 1008, 1013  # codes of RFC 6455
