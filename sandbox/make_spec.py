"""Derive ``spec.json`` from the machine-readable Bot API specification.

Run as ``python -m sandbox.make_spec path/to/api-10.0.json``. The specification is
github:PaulSonOfLars/telegram-bot-api-spec (MIT); only the supported methods and the types they reach are kept,
so the package needs nothing else at run time.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from sandbox.spec import SPEC_FILE, SUPPORTED

Spec = dict[str, Any]

LENGTH = re.compile(r"(\d+)-(\d+) (characters|bytes|items)")
COUNTED_LIST = re.compile(r"(?:list of|include) (\d+)-(\d+) ")
CONSTANT = re.compile(r"(?:always|must be) [\"“]?([a-z_]+)[\"”]?\.?$")
CHOICES = re.compile(r"Currently, it can be one of ((?:\"[^\"]+\"(?:,? (?:or )?)?)+)")
AT_MOST = re.compile(r"at most (\d+) commands")


def derive(full: Spec) -> Spec:
    """Keep what the sandbox speaks of the full specification."""
    methods = {name: _derive_method(full["methods"][name]) for name in SUPPORTED}
    types: Spec = {}
    for method in methods.values():
        for field in method["fields"].values():
            _collect(field["types"], full["types"], types)
        _collect(method["returns"], full["types"], types)
    _collect(["Update"], full["types"], types)
    return {"version": full["version"], "methods": methods, "types": dict(sorted(types.items()))}


def derive_fields(fields: list[Spec]) -> Spec:
    """Name the fields and read the lengths and constants out of their descriptions."""
    return {field["name"]: _derive_field(field) for field in fields}


def _derive_method(method: Spec) -> Spec:
    return {"returns": method["returns"], "fields": derive_fields(method.get("fields", []))}


def _derive_field(field: Spec) -> Spec:
    about: str = field["description"]
    derived: Spec = {"types": field["types"]}
    if field["required"]:
        derived["required"] = True
    if found := LENGTH.search(about) or COUNTED_LIST.search(about):
        derived["length"] = [int(found[1]), int(found[2]), found[3] if found.re is LENGTH else "items"]
    elif found := AT_MOST.search(about):
        derived["length"] = [0, int(found[1]), "items"]
    if found := CHOICES.search(about):
        derived["choices"] = re.findall(r'"([^"]+)"', found[1])
    if field["types"] == ["String"] and (found := CONSTANT.search(about)):
        derived["constant"] = found[1]
    return derived


def _collect(names: list[str], known: Spec, types: Spec) -> None:
    for name in names:
        bare = name.replace("Array of ", "")
        if bare not in known or bare in types:
            continue
        types[bare] = kept = derive_type(known[bare])
        _collect(kept.get("subtypes", []), known, types)
        for field in kept["fields"].values():
            _collect(field["types"], known, types)


def derive_type(described: Spec) -> Spec:
    """One type: its fields, or the types it stands for."""
    derived: Spec = {"fields": derive_fields(described.get("fields", []))}
    if "subtypes" in described:
        derived["subtypes"] = described["subtypes"]
    return derived


def _write(derived: Spec) -> str:
    """One line per method and type, so that a change of the specification reads well in a diff."""
    parts = [f'{{\n"version": {json.dumps(derived["version"])}']
    for section in ("methods", "types"):
        lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in derived[section].items()]
        parts.append(f'"{section}": {{\n' + ",\n".join(lines) + "\n}")
    return ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    source = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    SPEC_FILE.write_text(_write(derive(source)), encoding="utf-8")
