"""``/openapi.json`` and ``/docs``: the page is plain HTML made here, so that it needs no script and nobody's CDN."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import msgspec
from litestar import Litestar, MediaType, Request, Response, Router, get
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import (
    Components,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Parameter,
    Schema,
    SecurityScheme,
)
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler

from api.examples import add_examples
from api.schemas.wire import Body
from attendance import __version__
from attendance.errors import NotFoundError

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}"
    "h2{margin-top:2.5rem;border-bottom:1px solid #d0d7de}summary{cursor:pointer;padding:.4rem 0}"
    "code,pre{font:14px/1.45 ui-monospace,monospace;background:#f3f5f7;border-radius:4px;padding:.1rem .3rem}"
    "pre{padding:.8rem;overflow:auto}table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .8rem .2rem 0;"
    "vertical-align:top}.m{display:inline-block;min-width:4.5rem;font-weight:600}"
    "@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}code,pre{background:#161b22}}"
)


def openapi_config() -> OpenAPIConfig:
    """What the description says of the whole, and how callers sign in.

    Litestar insists on a router of its own, whose answers are HTML 404s: it is closed, and `ROUTES` serve instead.
    """
    return OpenAPIConfig(
        title="Rollcall",
        version=__version__,
        description="Voice attendance for Discord that can be trusted.",
        openapi_router=Router(path="/openapi", route_handlers=[], guards=[_nothing_here], include_in_schema=False),
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(
                    type="http",
                    scheme="bearer",
                    bearer_format="JWT",
                    description="HS256; claims `user_id`, `guild_id` and `exp`, at most 60 seconds ahead",
                )
            }
        ),
        security=[{"bearer": []}],
    )


async def _nothing_here(_connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    raise NotFoundError("there is nothing here")


def describe(app: Litestar) -> None:
    """Finish the description, once, and render both forms.

    Litestar declares 400 by itself where we answer 422, and can say only one media type for an answer.
    """
    for item in (app.openapi_schema.paths or {}).values():
        for operation in (item.get, item.post, item.patch, item.put, item.delete):
            if operation is None or not operation.responses:
                continue
            undeclared = operation.responses.get("400")
            if undeclared is not None and undeclared.description == "Bad request syntax or unsupported method":
                del operation.responses["400"]
            answer = operation.responses.get("200")
            names = {parameter.name for parameter in operation.parameters or [] if isinstance(parameter, Parameter)}
            if "format" in names and isinstance(answer, OpenAPIResponse):
                table = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
                answer.content = {**(answer.content or {}), "text/csv": table}
    schema = app.openapi_schema.to_schema()
    _describe_bodies(app, schema["components"]["schemas"])
    add_examples(schema, _texts(app))
    app.state.openapi_json = json.dumps(schema, ensure_ascii=False).encode()
    app.state.docs_html = docs_page(schema)


def _texts(app: Litestar) -> dict[str, str]:
    """What operations that answer other than JSON say of themselves, by operation id."""
    return {
        str(handler.operation_id): handler.opt["text_example"]
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if "text_example" in handler.opt
    }


def _describe_bodies(app: Litestar, schemas: dict[str, Any]) -> None:
    """Let msgspec, which reads the bodies, describe them: Litestar forgets minimums of zero and forbidden members."""
    bodies = {
        field.annotation
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if (field := handler.parsed_data_field) is not None and issubclass(field.annotation, Body)
    }
    _, exact = msgspec.json.schema_components(bodies, ref_template="#/components/schemas/{name}")
    for name, described in exact.items():
        described.pop("default", None)
        for member in described.get("properties", {}).values():
            member.pop("default", None)
        schemas[name] = described


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def get_openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The machine-readable description."""
    return Response(request.app.state.openapi_json, media_type=MediaType.JSON)


@get("/docs", include_in_schema=False, sync_to_thread=False)
def get_docs(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The description to read."""
    return Response(
        request.app.state.docs_html,
        media_type=MediaType.HTML,
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )


ROUTES: list[ControllerRouterHandler] = [get_openapi, get_docs]


def docs_page(schema: dict[str, Any]) -> bytes:
    """The operations, their parameters, bodies and answers as one page of HTML."""
    by_tag: dict[str, list[str]] = {}
    for path, item in schema["paths"].items():
        for method in ("get", "post", "patch", "put", "delete"):
            if method in item:
                operation = item[method]
                tag = (operation.get("tags") or ["other"])[0]
                by_tag.setdefault(tag, []).append(_operation(method, path, operation))
    sections = "".join(f"<h2>{escape(tag)}</h2>{''.join(parts)}" for tag, parts in sorted(by_tag.items()))
    shapes = "".join(
        f"<details><summary><code>{escape(name)}</code></summary><pre>{_json(shape)}</pre></details>"
        for name, shape in sorted(schema.get("components", {}).get("schemas", {}).items())
    )
    info = schema["info"]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info.get('description', ''))} "
        f'The machine-readable description is <a href="/openapi.json">/openapi.json</a>.</p>{sections}'
        f"<h2>Shapes</h2>{shapes}</body></html>"
    ).encode()


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(parameter['in'])}"
        f"{', required' if parameter.get('required') else ''}</td><td>{escape(parameter.get('description') or '')}</td></tr>"
        for parameter in operation.get("parameters", [])
    )
    answers = "".join(
        f"<tr><td><code>{escape(status)}</code></td><td>{escape(answer.get('description') or '')}</td>"
        f"<td>{_shape(answer)}</td></tr>"
        for status, answer in sorted(operation.get("responses", {}).items())
    )
    body = operation.get("requestBody")
    return (
        f'<details><summary><span class="m">{method.upper()}</span> <code>{escape(path)}</code> '
        f"{escape(operation.get('summary') or '')}</summary><p>{escape(operation.get('description') or '')}</p>"
        + (f"<table>{parameters}</table>" if parameters else "")
        + (f"<p>Body: {_shape(body)}</p>{_example(body)}" if body else "")
        + f"<table>{answers}</table>{_example(_success(operation))}</details>"
    )


def _success(operation: dict[str, Any]) -> dict[str, Any]:
    answers = operation.get("responses", {})
    return next((answer for status, answer in sorted(answers.items()) if status.startswith("2")), {})


def _example(holder: dict[str, Any]) -> str:
    examples = [content["example"] for content in (holder.get("content") or {}).values() if "example" in content]
    if not examples:
        return ""
    first = examples[0]
    return f"<pre>{escape(first) if isinstance(first, str) else _json(first)}</pre>"


def _shape(holder: dict[str, Any]) -> str:
    parts = [
        f"{escape(media)} <code>{escape(str(content.get('schema', {}).get('$ref', '')).rpartition('/')[2])}</code>"
        for media, content in (holder.get("content") or {}).items()
    ]
    return ", ".join(parts)


def _json(value: object) -> str:
    return escape(json.dumps(value, indent=2, ensure_ascii=False))
