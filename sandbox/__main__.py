"""``python -m sandbox``."""

from __future__ import annotations

import argparse

from sandbox.server import DEFAULT_TOKEN, Options, serve


def read_options(arguments: list[str] | None = None) -> Options:
    """The command line as options."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A Telegram look-alike on this machine.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081, help="0 takes a free one; the first line says which")
    parser.add_argument("--token", action="append", help=f"a bot; may be repeated (default {DEFAULT_TOKEN})")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to every Bot API answer")
    parser.add_argument("--no-limits", action="store_true", help="switch all flood limits off")
    given = parser.parse_args(arguments)
    tokens = given.token or [DEFAULT_TOKEN]
    return Options(given.host, given.port, tokens, given.latency_ms, given.no_limits)


if __name__ == "__main__":
    serve(read_options())
