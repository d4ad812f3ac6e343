"""Whether a JSON parameter has the shape its type asks for; what a type does not know is let pass, as Telegram does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox import spec
from sandbox.models import JSON

# Older clients write these as bare strings.
ARRAY = "Array of "
PLAIN_STRINGS = frozenset({"KeyboardButton", "InputPollOption", "InputFile"})


def fits(types: list[str], value: Any) -> bool:
    """Whether the value is of one of the types; a list may mix the types of its items, as an album does."""
    items = [name.removeprefix(ARRAY) for name in types if name.startswith(ARRAY)]
    if items and isinstance(value, list):
        return all(fits(items, item) for item in value)
    return any(_fits_one(name, value) for name in types if not name.startswith(ARRAY))


def _fits_one(name: str, value: Any) -> bool:
    if name in SCALARS:
        return SCALARS[name](value)
    if name in PLAIN_STRINGS and isinstance(value, str):
        return True
    described = spec.load()["types"].get(name)
    if described is None or not isinstance(value, dict):
        return described is None
    if "subtypes" in described:
        return fits(described["subtypes"], value)
    return _fits_fields(described["fields"], value)


def _fits_fields(fields: JSON, value: JSON) -> bool:
    for name, field in fields.items():
        if value.get(name) is None:
            if field.get("required"):
                return False
        elif "constant" in field:
            if value[name] != field["constant"]:
                return False
        elif not fits(field["types"], value[name]):
            return False
    return True


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.lstrip("-").isdigit())


SCALARS: dict[str, Callable[[Any], bool]] = {
    "Integer": _is_integer,
    "Float": lambda value: isinstance(value, int | float),
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "True": lambda value: isinstance(value, bool),
}
