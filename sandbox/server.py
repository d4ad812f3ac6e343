"""Uvicorn around the application."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass, field

import uvicorn

from sandbox.app import make_app
from sandbox.connection import BreakableProtocol
from sandbox.world import World

BACKLOG = 4096
DEFAULT_TOKEN = "100001:TESTTOKEN"


@dataclass(slots=True)
class Options:
    """What the command line says."""

    host: str = "127.0.0.1"
    port: int = 8081
    tokens: list[str] = field(default_factory=lambda: [DEFAULT_TOKEN])
    latency_ms: float = 0.0
    no_limits: bool = False


def bind(options: Options) -> socket.socket:
    """Take the port before anything starts, so that the address can be told at once."""
    sock = socket.socket(socket.AF_INET6 if ":" in options.host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((options.host, options.port))
    return sock


def make_world(options: Options) -> World:
    """A world with the bots of the command line in it."""
    return World(options.tokens, latency=options.latency_ms / 1000, limited=not options.no_limits)


def make_server(world: World) -> uvicorn.Server:
    """The server, quiet, and quick to leave although streams and polls hang on it."""
    config = uvicorn.Config(
        make_app(world),
        http=BreakableProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="critical",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=0,
    )
    return uvicorn.Server(config)


def serve(options: Options) -> None:
    """Run until told to stop; the first line of output says where."""
    sock = bind(options)
    sock.listen(BACKLOG)
    host = f"[{options.host}]" if ":" in options.host else options.host
    sys.stdout.write(f"sandbox listening on http://{host}:{sock.getsockname()[1]}\n")
    sys.stdout.flush()
    make_server(make_world(options)).run(sockets=[sock])
