"""Below HTTP: a protocol that lets an application break its own TCP connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Any

from starlette.types import Receive, Scope
from uvicorn.protocols.http.auto import AutoHTTPProtocol

TRANSPORT = "sandbox.transport"


class BreakableProtocol(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """Uvicorn's protocol that hands its transport to the application in ``scope["state"]``."""

    def connection_made(self, transport: Any) -> None:
        """Remember the transport for every request of this connection."""
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**getattr(self, "app_state", {}), TRANSPORT: transport}


async def abort(scope: Scope, receive: Receive) -> None:
    """Reset the connection: the client sees neither an answer nor an orderly end."""
    transport = scope["state"][TRANSPORT]
    sock = transport.get_extra_info("socket")
    if sock is not None:
        # Linger zero turns the close into a TCP reset.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _disconnected(receive)


async def hold(receive: Receive, seconds: float) -> None:
    """Say nothing for so long, or until the client gives up."""
    with suppress(TimeoutError):
        await asyncio.wait_for(_disconnected(receive), seconds)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
