"""Lists as CSV (RFC 4180), safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec
from litestar import Response
from litestar.params import QueryParameter

from api.schemas.wire import Page

Item = TypeVar("Item", bound=msgspec.Struct)

Format: TypeAlias = Annotated[
    Literal["json", "csv"], QueryParameter(name="format", description="`csv`: a table; the total is in `X-Total-Count`")
]

# What makes a spreadsheet take a cell for a formula (records specification, section 5).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def cell(value: object) -> str:
    """A cell's text: nothing for None, lists with spaces between; what a spreadsheet would run is led by an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return cell(" ".join(map(str, value)))
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA_STARTS) else text


def listing(
    name: str, items: list[Item], kind: type[Item], total: int, format_: Literal["json", "csv"]
) -> Response[Page[Item]]:
    """A list as the caller wants it: a page of JSON, or a table with the same lines."""
    return table(name, items, kind, total) if format_ == "csv" else Response(Page(items=items, total=total))


def table(name: str, items: Sequence[msgspec.Struct], kind: type[msgspec.Struct], total: int) -> Response[Any]:
    """A downloadable table: one column a member, nested ones joined by an underscore."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_columns(kind))
    writer.writerows([cell(value) for value in _values(item)] for item in items)
    return Response(
        text.getvalue(),
        media_type="text/csv; header=present",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "X-Total-Count": str(total)},
    )


def _columns(kind: type[msgspec.Struct]) -> list[str]:
    columns: list[str] = []
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            columns += [f"{field.encode_name}_{inner}" for inner in _columns(field.type)]
        else:
            columns.append(field.encode_name)
    return columns


def _values(item: msgspec.Struct) -> Iterator[object]:
    for value in msgspec.structs.astuple(item):
        if isinstance(value, msgspec.Struct):
            yield from _values(value)
        else:
            yield value
