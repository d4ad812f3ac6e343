"""Message content that is no text and no file, from the words of a bot or a person."""

from __future__ import annotations

import random
from typing import Any

from sandbox.errors import bad_request
from sandbox.models import JSON

LOCATION = ("latitude", "longitude", "horizontal_accuracy", "live_period", "heading", "proximity_alert_radius")
VENUE = ("title", "address", "foursquare_id", "foursquare_type", "google_place_id", "google_place_type")
CONTACT = ("phone_number", "first_name", "last_name", "user_id", "vcard")
SIDES = {"🎲": 6, "🎯": 6, "🎳": 6, "🏀": 5, "⚽": 5, "🎰": 64}


def _chosen(given: JSON, names: tuple[str, ...]) -> JSON:
    return {name: given[name] for name in names if given.get(name) is not None}


def location(given: JSON) -> JSON:
    """A point on the map."""
    return {"location": _chosen(given, LOCATION)}


def venue(given: JSON) -> JSON:
    """A point on the map with a name."""
    point = _chosen(given, ("latitude", "longitude"))
    return {"location": point, "venue": {"location": point, **_chosen(given, VENUE)}}


def contact(given: JSON) -> JSON:
    """A telephone number with its name."""
    return {"contact": _chosen(given, CONTACT)}


def dice(given: JSON, throw: random.Random) -> JSON:
    """A throw of a die, a dart, a ball."""
    emoji = given.get("emoji") or "🎲"
    if emoji not in SIDES:
        raise bad_request("wrong emoji specified")
    return {"dice": {"emoji": emoji, "value": given.get("value") or throw.randint(1, SIDES[emoji])}}


def poll(given: JSON, number: int) -> JSON:
    """A vote nobody has cast yet."""
    options = [option if isinstance(option, str) else option["text"] for option in given["options"]]
    if not options:
        raise bad_request("poll must have at least 1 option")
    if not given["question"]:
        raise bad_request("poll question must be non-empty")
    card: dict[str, Any] = {
        "id": str(5_000_000_000 + number),
        "question": given["question"],
        "options": [_option(index, text) for index, text in enumerate(options)],
        "total_voter_count": 0,
        "is_closed": bool(given.get("is_closed")),
        "is_anonymous": bool(given.get("is_anonymous", True)),
        "type": given.get("type") or "regular",
        "allows_multiple_answers": bool(given.get("allows_multiple_answers")),
        "allows_revoting": True,
        "members_only": False,
    }
    return {"poll": card}


def copied(content: JSON, throw: random.Random) -> JSON:
    """What a copy shows where it differs: dice are thrown again, and a live location stands still."""
    if "dice" in content:
        return content | dice({"emoji": content["dice"]["emoji"]}, throw)
    if "live_period" in content.get("location", ()):
        return content | {"location": _chosen(content["location"], LOCATION[:3])}
    return content


def _option(index: int, text: str) -> JSON:
    return {"persistent_id": str(index), "text": text, "voter_count": 0}
