"""The server knows every action that domain.yml names, and nothing else."""

import gc
from pathlib import Path

import pytest
import yaml
from sanic import Sanic

from actions import server
from actions.server import executor
from service import db
from tests.actions.turns import message

ROOT = Path(__file__).resolve().parents[2]


def domain() -> dict[str, list[str]]:
    loaded: dict[str, list[str]] = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))
    return loaded


def test_every_action_of_the_domain_is_served():
    assert set(executor().actions) == set(domain()["actions"])


def test_every_form_has_its_validation():
    """Without it Rasa would fill slots by itself and a turn would cost more calls."""
    assert {f"validate_{form}" for form in domain()["forms"]} <= set(executor().actions)


async def test_a_call_without_the_domain_is_served():
    """Rasa would serialise 90 KB for every call."""
    latest = message("/inquiry", "inquiry")
    events = [{"event": "user"}, {"event": "active_loop", "name": "inquiry_form"}]
    tracker = {"sender_id": "1", "slots": {}, "latest_message": latest, "events": events}

    result = await executor().run({"next_action": "validate_inquiry_form", "tracker": tracker})

    assert result is not None
    assert {"event": "slot", "timestamp": None, "name": "requested_slot", "value": "matter"} in result.events


def test_what_it_is_made_of_is_not_looked_through_for_garbage(monkeypatch: pytest.MonkeyPatch, sessions: db.Sessions):
    """It took Python a fifth of a second, in which whoever opened a case held the counter that all others needed."""
    kept = []
    monkeypatch.setattr(Sanic, "_app_registry", {})
    monkeypatch.setattr("actions.base.sessions", lambda: sessions)
    monkeypatch.setattr(Sanic, "run", lambda *_, **__: kept.append(gc.get_freeze_count()))

    server.serve("127.0.0.1", 0)
    gc.unfreeze()

    assert kept[0] > 100_000
