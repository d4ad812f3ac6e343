"""Check requests and objects against the machine-readable Bot API specification.

``check_request(method, params)`` and ``check_object(type_name, obj)`` return what is wrong, in words; an empty list is
a clean bill. The full specification beside the repository is used where it exists, else the sandbox's own table,
which was derived from it.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from sandbox import spec
from sandbox.make_spec import derive_fields, derive_type

JSON = dict[str, Any]
ROOT = Path(__file__).resolve().parents[1]
FULL_SPEC = Path(os.environ.get("BOTAPI_SPEC", ROOT.parent / "shared" / "botapi" / "api-10.0.json"))

SCALARS: dict[str, tuple[type, ...]] = {
    "Integer": (int,),
    "Float": (int, float),
    "String": (str,),
    "Boolean": (bool,),
    "True": (bool,),
}
MEASURES = {"characters": len, "items": len, "bytes": lambda text: len(text.encode())}


@cache
def table() -> JSON:
    """Methods and types with their fields; the whole Bot API if the specification is at hand."""
    if not FULL_SPEC.exists():
        return spec.load()
    full = json.loads(FULL_SPEC.read_text(encoding="utf-8"))
    methods = {
        name: {"returns": method["returns"], "fields": derive_fields(method.get("fields", []))}
        for name, method in full["methods"].items()
    }
    types = {name: derive_type(described) for name, described in full["types"].items()}
    return {"version": full["version"], "methods": methods, "types": types}


def check_request(method: str, params: JSON) -> list[str]:
    """Say what Telegram would not understand in a request.

    Args:
        method: as the Bot API spells it.
        params: as sent; a structure may still be the JSON string that goes over the wire.
    """
    known = table()["methods"].get(method)
    if known is None:
        return [f"{method}: no such method"]
    given = {name: _decoded(value, known["fields"].get(name)) for name, value in params.items() if value is not None}
    return _check_fields(known["fields"], given, method)


def check_result(method: str, result: Any) -> list[str]:
    """Say where a result differs from what the method returns."""
    return _check_any(table()["methods"][method]["returns"], result, method)


def check_object(type_name: str, obj: Any) -> list[str]:
    """Say where an object differs from its type: missing, unknown, of a wrong type, too long."""
    return _check_any([type_name], obj, type_name)


def _decoded(value: Any, field: JSON | None) -> Any:
    """A form field brings everything as text."""
    if field is None or not isinstance(value, str) or "String" in field["types"]:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _check_any(types: list[str], value: Any, path: str) -> list[str]:
    """A value must fit one of the types, of a list each item; the best fit says what is wrong."""
    items = [name.removeprefix("Array of ") for name in types if name.startswith("Array of ")]
    if items and isinstance(value, list):
        return [problem for index, item in enumerate(value) for problem in _check_any(items, item, f"{path}[{index}]")]
    return min((_check_one(name, value, path) for name in types), key=len)


def _check_one(name: str, value: Any, path: str) -> list[str]:
    if name.startswith("Array of "):
        return [f"{path}: {value!r} is no list"]
    if name in SCALARS:
        return _check_scalar(name, value, path)
    if name == "InputFile":
        return [] if not isinstance(value, int | float | bool) else [f"{path}: not a file"]
    return _check_structure(name, value, path)


def _check_structure(name: str, value: Any, path: str) -> list[str]:
    described = table()["types"].get(name)
    if described is None:
        return [f"{path}: unknown type {name}"]
    if "subtypes" in described:
        return _check_any(described["subtypes"], value, path)
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is no {name}"]
    return _check_fields(described["fields"], value, path)


def _check_scalar(name: str, value: Any, path: str) -> list[str]:
    fits = isinstance(value, SCALARS[name]) and (isinstance(value, bool) is (bool in SCALARS[name]))
    return [] if fits else [f"{path}: {value!r} is no {name}"]


def _check_fields(fields: JSON, value: JSON, path: str) -> list[str]:
    problems = [f"{path}.{name}: unknown" for name in value if name not in fields and not _attached(value, name)]
    for name, field in fields.items():
        if name in value:
            problems += _check_field(field, value[name], f"{path}.{name}")
        elif field.get("required"):
            problems.append(f"{path}.{name}: missing")
    return problems


def _attached(value: JSON, name: str) -> bool:
    """Files travel under a name of the client's own that some field mentions as ``attach://name``."""
    return f"attach://{name}" in json.dumps(value, default=str)


def _check_field(field: JSON, value: Any, path: str) -> list[str]:
    problems = _check_any(field["types"], value, path)
    if problems:
        return problems
    if "constant" in field and value != field["constant"]:
        return [f"{path}: {value!r} instead of {field['constant']!r}"]
    if "length" in field and isinstance(value, str | list):
        shortest, longest, unit = field["length"]
        size = MEASURES[unit](value)
        if not shortest <= size <= longest:
            return [f"{path}: {size} {unit}, allowed are {shortest}-{longest}"]
    return []
