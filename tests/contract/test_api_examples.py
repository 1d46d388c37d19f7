"""The description's examples: every operation has one, and each fits its schema."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest

from attendance.store.database import open_database
from tests.api_world import World

DESCRIPTION = json.loads(World(open_database("sqlite:///never-opened.sqlite3")).app().state.openapi_json)
OPERATIONS = [
    pytest.param(operation, id=operation["operationId"])
    for item in DESCRIPTION["paths"].values()
    for method, operation in item.items()
    if method in {"get", "post", "patch", "put", "delete"}
]


def bodies(operation):
    holders = {"body": operation.get("requestBody", {}), **operation["responses"]}
    for name, holder in holders.items():
        for media, content in (holder.get("content") or {}).items():
            yield f"{name} {media}", media, content


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_body_has_an_example_that_fits_its_schema(operation):
    shown = list(bodies(operation))
    assert shown
    for name, media, content in shown:
        assert "example" in content, f"{name}: give the handler a text_example"
        if media == "application/json":
            schema = {**content["schema"], "components": DESCRIPTION["components"]}
            problems = [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(content["example"])]
            assert not problems, f"{name}: {problems}: give the member an example of its own by msgspec.Meta(examples=[…])"
        else:
            assert isinstance(content["example"], str)
            assert content["example"]


def test_a_list_s_table_shows_the_same_line_as_its_json():
    answer = DESCRIPTION["paths"]["/api/v1/guilds/{guild_id}/sessions"]["get"]["responses"]["200"]["content"]
    header, line, _ = answer["text/csv"]["example"].split("\r\n")
    item = answer["application/json"]["example"]["items"][0]
    assert dict(zip(header.split(","), line.split(","), strict=True))["user_id"] == item["user_id"]
