"""The contract that existing dashboards speak: every row of the reference document's tables, against our own description."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from attendance.store.database import open_database
from tests.api_world import World

_SHARED = Path(__file__).resolve().parents[3] / "shared" / "reference"
_GUILD = "/api/v1/guilds/{guild_id}"
_ROW = re.compile(r"^(GET|POST|PATCH|PUT|DELETE) \| (/\S*) \| .+ \|$", re.MULTILINE)
_HEADING = re.compile(r"(?:^|[\s}])(GET|POST) (/(?:health|verify|webhooks)\S*)$", re.MULTILINE)

# Beyond the reference.
FURTHER = {
    f"{_GUILD}/analytics/channels": {"get"},
    f"{_GUILD}/analytics/distribution": {"get"},
    f"{_GUILD}/analytics/trend": {"get"},
    f"{_GUILD}/audit": {"get"},
    f"{_GUILD}/blind": {"get"},
    f"{_GUILD}/corrections": {"get", "post"},
    f"{_GUILD}/erasures": {"get"},
    f"{_GUILD}/events": {"get"},
    f"{_GUILD}/fairness/preview": {"post"},
    f"{_GUILD}/opt-outs": {"get"},
    f"{_GUILD}/reset-interval": {"get"},
    f"{_GUILD}/rules": {"get"},
    f"{_GUILD}/rules/{{rules_sha256}}": {"get"},
    f"{_GUILD}/sessions": {"get"},
    f"{_GUILD}/settings": {"get", "patch"},
    f"{_GUILD}/signing/change-passphrase": {"post"},
    f"{_GUILD}/signing/keys": {"get"},
    f"{_GUILD}/signing/lock": {"post"},
    f"{_GUILD}/signing/revoke": {"post"},
    f"{_GUILD}/signing/rotate": {"post"},
    f"{_GUILD}/stats/days": {"get"},
    f"{_GUILD}/stats/explain": {"get"},
    f"{_GUILD}/tokens": {"get", "post"},
    f"{_GUILD}/tokens/{{token_id}}": {"delete"},
    f"{_GUILD}/verified-roles/{{rule_id}}/dry-run": {"post"},
    f"{_GUILD}/webhooks/deliveries": {"get"},
    f"{_GUILD}/webhooks/deliveries/{{delivery_id}}/replay": {"post"},
    f"{_GUILD}/webhooks/test": {"post"},
    "/health/live": {"get"},
    "/.well-known/jwks.json": {"get"},
}
# A POST that makes something answers 201.
CREATES = {
    f"{_GUILD}/{name}"
    for name in (
        "corrections",
        "log-destinations",
        "signing/generate-keys",
        "signing/rotate",
        "tokens",
        "tracked-channels",
        "verified-roles",
        "webhooks/test",
    )
}


@pytest.fixture(scope="module")
def paths() -> dict:
    app = World(open_database("sqlite:///never-opened.sqlite3")).app()
    return json.loads(app.state.openapi_json)


@pytest.fixture(scope="module")
def reference() -> str:
    found = sorted(_SHARED.glob("003*.txt"))
    if not found:
        pytest.skip("the reference document is not here")
    return found[0].read_text()


def _operations(text: str) -> list[tuple[str, str]]:
    rows = [(method, _GUILD + path) for method, path in _ROW.findall(text)]
    return [*rows, *dict.fromkeys(_HEADING.findall(text))]


def test_every_row_of_the_reference_is_served_under_its_method_path_and_parameters(paths, reference):
    rows = _operations(reference)
    assert len(rows) == 40, "the tables are read wrongly"
    problems = []
    for method, address in rows:
        path, _, query = address.partition("?")
        operation = paths["paths"].get(path, {}).get(method.lower())
        if operation is None:
            problems.append(f"{method} {path} is missing")
            continue
        parameters = {(one["in"], one["name"]): one for one in operation.get("parameters", [])}
        asked = [("path", name) for name in re.findall(r"{(\w+)}", path)]
        asked += [("query", name) for name in re.findall(r"(\w+)=", query)]
        problems += [f"{method} {path} needs {one}" for one in asked if not parameters.get(one, {}).get("required")]
        problems += [
            f"{method} {path} demands {name}, which dashboards do not send"
            for (place, name), one in parameters.items()
            if one.get("required") and (place, name) not in asked
        ]
    assert not problems, "\n".join(problems)


def test_every_route_beyond_the_reference_is_served(paths):
    missing = [
        f"{method} {path}"
        for path, methods in FURTHER.items()
        for method in methods
        if method not in paths["paths"].get(path, {})
    ]
    assert not missing


def test_the_statuses_are_those_of_the_contract(paths):
    problems = []
    for path, item in paths["paths"].items():
        for method, operation in item.items():
            answers = set(operation["responses"])
            wanted = {"get": "200", "patch": "200", "delete": "204"}.get(method, "201" if path in CREATES else "200")
            if wanted not in answers and path != "/webhooks/attendance":
                problems.append(f"{method} {path}: {wanted} is not among {sorted(answers)}")
            if path.startswith("/api/") and not {"401", "403", "404", "422", "500"} <= answers:
                problems.append(f"{method} {path}: an error of the contract is not declared")
            if path.startswith("/verify/") and "400" not in answers:
                problems.append(f"{method} {path}: 400 is not declared")
            if path.startswith("/api/") and operation.get("security", paths["security"]) != [{"bearer": []}]:
                problems.append(f"{method} {path}: it must ask for a bearer token")
            if not path.startswith("/api/") and operation.get("security") != [{}]:
                problems.append(f"{method} {path}: it must be public")
    assert {"401", "501"} <= set(paths["paths"]["/webhooks/attendance"]["post"]["responses"])
    assert not problems, "\n".join(problems)


def _members(paths: dict, schema: dict) -> dict:
    while "$ref" in schema:
        schema = paths["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema["properties"]


def test_the_fairness_settings_have_the_reference_s_members(paths, reference):
    text = re.search(r"Fairness settings body:\s*(\{.*?\})", reference, re.DOTALL)
    assert text is not None
    operations = paths["paths"][f"{_GUILD}/fairness"]
    shown = _members(paths, operations["get"]["responses"]["200"]["content"]["application/json"]["schema"])
    taken = _members(paths, operations["patch"]["requestBody"]["content"]["application/json"]["schema"])
    for name, value in json.loads(text[1]).items():
        kind = "boolean" if isinstance(value, bool) else "integer"
        assert shown[name]["type"] == taken[name]["type"] == kind


def test_errors_look_as_the_reference_says(paths):
    error = paths["components"]["schemas"]["ErrorBody"]
    assert error["properties"]["error"]["type"] == "string"
    assert error["required"] == ["error"]
