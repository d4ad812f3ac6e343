"""The action server: rasa_sdk's own application, bound to this machine, quiet about what residents say."""

from __future__ import annotations

import gc
import importlib
import logging
import pkgutil
import warnings
from typing import Any

from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor

import actions
from actions import base, model, questions
from actions.base import ACTIONS
from service import db

# rasa_sdk speaks of every version but its own; that 3.21 serves Rasa 3.6.21 is tested (docs/adr/0001-slim-rasa.md).
OTHER_VERSION = "Your versions of rasa and rasa_sdk might not be compatible"


class Executor(ActionExecutor):  # type: ignore[misc] # published without types
    """Needs no domain, so Rasa need not send 90 KB with every call (`enable_selective_domain` in endpoints.yml)."""

    def update_and_return_domain(self, payload: dict[str, Any], action_name: str) -> dict[str, Any]:
        """Take whatever domain came along; the original refuses a call without one."""
        del action_name
        return payload.get("domain") or {}


def executor() -> Executor:
    """Every action of this package, found by importing its files."""
    for module in pkgutil.iter_modules(actions.__path__):
        importlib.import_module(f"{actions.__name__}.{module.name}")
    found = Executor()
    for name, run in ACTIONS.items():
        found.register_function(name, run)
    return found


def make_app() -> Any:
    """Make the Sanic application; without CORS, because no browser has business here."""
    warnings.filterwarnings("ignore", message=OTHER_VERSION)
    app = create_app(executor(), cors_origins=None)
    app.config.ACCESS_LOG = False
    app.config.MOTD = False
    model.add_route(app)
    return app


def serve(host: str, port: int) -> None:
    """Serve until stopped: one process, one event loop, the transactions beside it in threads.

    Args:
        host: 127.0.0.1 unless containers need another; there is no authentication.
        port: where Rasa's endpoints.yml looks.
    """
    logging.getLogger("rasa_sdk.executor").setLevel(logging.WARNING)
    app = make_app()
    with db.transaction(base.sessions()) as session:
        questions.SHELF.fill(session)
    gc.freeze()  # it stays for good: looked through for garbage, it held whoever opened a case, and the counter, 200 ms
    app.run(host=host, port=port, single_process=True, access_log=False, motd=False)
