"""From an HTTP request to the typed parameters of a method."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.types import Receive, Scope

from sandbox import spec
from sandbox.errors import bad_request
from sandbox.files import Upload
from sandbox.models import JSON
from sandbox.shapes import fits

PART_MAX = 4 * 1024 * 1024  # bytes of one text part
TRUE = frozenset({"true", "1", "yes", "y"})
CHECKED_LATER = frozenset({"reply_markup"})  # its refusals have words of their own
MISSING = {
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "callback_query_id": "query is too old and response timeout expired or query ID is invalid",
}


async def read_params(scope: Scope, receive: Receive) -> JSON:
    """All parameters of a request, wherever they stand: query, form, JSON or multipart."""
    query: JSON = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
    if scope["method"] == "GET":
        return query
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    if kind.startswith(b"multipart/form-data"):
        return query | await _read_multipart(scope, receive)
    body = await _read_body(receive)
    if kind.startswith(b"application/json"):
        return query | _read_json(body)
    return query | dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


def _read_json(body: bytes) -> JSON:
    try:
        found = json.loads(body or b"{}")
    except ValueError as error:
        raise bad_request("can't parse JSON object") from error
    if not isinstance(found, dict):
        raise bad_request("expected a JSON object")
    return found


async def _read_multipart(scope: Scope, receive: Receive) -> JSON:
    form = await Request(scope, receive).form(max_part_size=PART_MAX)
    params: JSON = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            params[name] = Upload(value.filename or "", value.content_type or "", await value.read())
        else:
            params[name] = value
    return params


def typed(method: str, raw: JSON) -> JSON:
    """Convert what the method knows to its types; what it does not know is left as it came.

    Raises:
        ApiError: something required is missing or cannot be read.
    """
    fields = spec.fields_of(method)
    params = {name: _convert(name, value, fields.get(name)) for name, value in raw.items() if value is not None}
    for name, field in fields.items():
        if field.get("required") and name not in params:
            raise bad_request(MISSING.get(name, f"{name} is empty"))
    return params


def _convert(name: str, value: Any, field: JSON | None) -> Any:
    if field is None or isinstance(value, Upload):
        return value
    types: list[str] = field["types"]
    scalar = SCALARS.get(types[0])
    try:
        if scalar is not None:
            return scalar(value, types)
        found = json.loads(value) if isinstance(value, str) and "InputFile" not in types else value
    except (ValueError, TypeError) as error:
        raise bad_request(f"can't parse {name}" if scalar is None else f"invalid {name}") from error
    if not fits(types, found) and name not in CHECKED_LATER:
        raise bad_request(f"can't parse {name}: wrong structure")
    return found


def _integer(value: Any, types: list[str]) -> Any:
    if "String" in types and isinstance(value, str) and not value.lstrip("-").isdigit():
        return value
    return int(value)


def _boolean(value: Any, _: list[str]) -> bool:
    return value.lower() in TRUE if isinstance(value, str) else bool(value)


def _string(value: Any, _: list[str]) -> str:
    return value if isinstance(value, str) else json.dumps(value)


SCALARS = {
    "Integer": _integer,
    "Boolean": _boolean,
    "Float": lambda value, _: float(value),
    "String": _string,
}
