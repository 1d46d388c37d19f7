"""An example for every body of the description, made from its schema.

A member's own ``examples`` come first (``msgspec.Meta(examples=[…])``), then its default or its first allowed value, then what
a member of that name is everywhere. So a new route has examples by itself; `tests/contract/test_api_examples.py` holds each to
its schema and says where one of its own is needed. What is not JSON takes the handler's ``text_example``; a table, the first
list of objects beside it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

Schema = dict[str, Any]

_METHODS = ("get", "post", "patch", "put", "delete")
_REF = "#/components/schemas/"

_BY_NAME: Mapping[str, Any] = {
    "action": "fairness.update",
    "address": "203.0.113.9",
    "at": "2027-01-15T08:00:00.000Z",
    "cause": "disconnected",
    "channel_name": "Lobby",
    "database": "ok",
    "date": "2027-01-15",
    "display_name": "Ada",
    "ended_by": "resumed",
    "entry_count": 120,
    "error": "there is no such period",
    "gateway": "connected",
    "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    "leaf_index": 17,
    "limit": 50,
    "members": 12,
    "name": "Lobby",
    "note": "was in the room, but muted by mistake",
    "passphrase": "correct horse battery staple",
    "peak": 7,
    "period_index": 3,
    "position": 0,
    "public_key": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "rank": 1,
    "reason": "leave",
    "seconds": 5400,
    "sessions": 3,
    "session_id": "01972f3c-7c00-7000-8000-0123456789ab",
    "state": "signed",
    "status": "counted",
    "tier": "pro",
    "timezone": "Europe/Berlin",
    "total": 1,
    "tracking_mode": "All",
    "url": "https://example.org/rollcall",
    "version": "1.0.0",
}
_BY_FORMAT: Mapping[str, str] = {
    "date": "2027-01-15",
    "date-time": "2027-01-15T08:00:00.000Z",
    "uri": "https://example.org/rollcall",
    "uuid": "01972f3c-7c00-7000-8000-0123456789ab",
}
_ERRORS: Mapping[str, Schema] = {
    "400": {"error": "the address is malformed"},
    "401": {"error": "a bearer token is needed"},
    "403": {"error": "this needs the Manage Server permission"},
    "404": {"error": "the bot is not in this guild"},
    "405": {"error": "this path has no such method"},
    "409": {"error": "this Idempotency-Key was used for another request"},
    "413": {"error": "the body is over 256 KiB"},
    "422": {"error": "the request is not valid", "details": {"limit": "at least 1"}},
    "429": {"error": "too many requests"},
    "500": {"error": "internal error"},
    "501": {"error": "not implemented"},
    "503": {"error": "the database is not available: it does not answer in time"},
}


def add_examples(description: Schema, texts: Mapping[str, str]) -> None:
    """Put an ``example`` beside each body's schema that has none.

    ``texts``: what an operation (by its id) answers where that is not JSON.
    """
    schemas = description["components"]["schemas"]
    for item in description["paths"].values():
        for operation in (item[method] for method in _METHODS if method in item):
            for media, content in (operation.get("requestBody", {}).get("content") or {}).items():
                if _is_json(media) and not _has_example(content):
                    content["example"] = sample(content["schema"], schemas)
            for status, answer in operation.get("responses", {}).items():
                _exemplify(status, answer.get("content") or {}, schemas, texts.get(operation.get("operationId")))


def _exemplify(status: str, contents: Schema, schemas: Schema, text: str | None) -> None:
    rows: list[Schema] = []
    for media, content in contents.items():
        if _has_example(content):
            continue
        if _is_json(media):
            schema = content["schema"]
            is_error = schema.get("$ref") == f"{_REF}ErrorBody" and status in _ERRORS
            content["example"] = _ERRORS[status] if is_error else sample(schema, schemas)
            rows = _rows(content["example"])
        elif text is not None:
            content["example"] = text
        elif media == "text/csv" and rows:
            content["example"] = _table(rows)


def sample(schema: Schema, schemas: Schema, name: str = "") -> Any:
    """A value that fits a schema; ``name`` is the member that it is the value of."""
    if "$ref" in schema:
        return sample(schemas[schema["$ref"].removeprefix(_REF)], schemas, name)
    for own in ("example", "const", "default"):
        if schema.get(own) is not None:
            return schema[own]
    for several in ("examples", "enum"):
        if schema.get(several):
            return schema[several][0]
    for choice in ("oneOf", "anyOf", "allOf"):
        if schema.get(choice):
            real = next((option for option in schema[choice] if option.get("type") != "null"), schema[choice][0])
            rest = {key: value for key, value in schema.items() if key != choice}
            return sample({**rest, **real}, schemas, name)
    return _typed(schema, schemas, name)


def _typed(schema: Schema, schemas: Schema, name: str) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), None)
    if kind == "object" or "properties" in schema:
        members = {member: sample(inner, schemas, member) for member, inner in schema.get("properties", {}).items()}
        return members or _mapping(schema, schemas)
    if kind == "array":
        return [sample(schema.get("items", {}), schemas, name.removesuffix("s"))] * max(1, schema.get("minItems", 1))
    if kind in {"integer", "number"}:
        value = _BY_NAME.get(name, 300 if name.endswith("_seconds") else 1)
        value = value if isinstance(value, int) else 1
        return int(min(max(value, schema.get("minimum", value)), schema.get("maximum", value)))
    if kind == "boolean":
        return True
    return _text(schema, name) if kind == "string" else None


def _mapping(schema: Schema, schemas: Schema) -> Schema:
    values = schema.get("additionalProperties")
    return {"name": sample(values, schemas)} if isinstance(values, dict) else {}


def _text(schema: Schema, name: str) -> str:
    value = _BY_NAME.get(name)
    if not isinstance(value, str):
        is_instant = name.endswith("_at")
        value = _BY_FORMAT.get(schema.get("format") or ("date-time" if is_instant else ""), name.replace("_", " ") or "text")
    return value.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength", len(value) + 1)]


def _rows(example: Any) -> list[Schema]:
    """The lines that a table would show: the first list of objects."""
    values = example.values() if isinstance(example, dict) else ()
    return next((value for value in values if isinstance(value, list) and value and isinstance(value[0], dict)), [])


def _table(rows: list[Schema]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    flat = [dict(_cells(row)) for row in rows]
    writer.writerow(flat[0])
    writer.writerows(row.values() for row in flat)
    return text.getvalue()


def _cells(row: Schema, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _cells(value, f"{prefix}{name}_")
        else:
            yield f"{prefix}{name}", str(value).lower() if isinstance(value, bool) else value


def _has_example(content: Schema) -> bool:
    return "example" in content or "examples" in content


def _is_json(media: str) -> bool:
    return media == "application/json" or media.endswith("+json")
