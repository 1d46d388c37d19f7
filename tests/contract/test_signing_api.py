"""The signing and verification routes over HTTP, on both databases."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator

import httpx
import jwt
import nacl.signing
import pytest

from api.schemas import signing as schemas
from api.services import ApiOptions, ApiServices
from attendance.domain.ids import UserId
from attendance.ids import SystemIds
from attendance.ports.directory import GuildPresence
from attendance.ports.panel_roles import PanelRoles
from attendance.services.access import Access
from tests.api_world import app_over
from tests.export_world import ExportWorld
from tests.signing_world import (
    GUILD,
    NEXT_PASSPHRASE,
    OTHER_GUILD,
    PASSPHRASE,
    SigningProcess,
    a_session,
    an_unknown_session,
    chain_of,
    period_over,
    put_sessions,
)

SECRET = b"a secret of thirty-two bytes, 1.."
MANAGER, MEMBER = 7, 8
SIGNING = f"/api/v1/guilds/{GUILD}/signing"


class Managers:
    async def may_manage(self, _guild_id: int, user_id: int) -> bool:
        return user_id == MANAGER


class NoPanel:
    async def panel_roles(self, _guild_id: int) -> PanelRoles:
        return PanelRoles()


class Everywhere:
    async def presence(self, _guild_id: int) -> GuildPresence:
        return GuildPresence("a guild", present=True)


@pytest.fixture
async def process(database) -> SigningProcess:
    return SigningProcess(database)


@pytest.fixture
async def client(process, tmp_path) -> AsyncIterator[httpx.AsyncClient]:
    services = object.__new__(ApiServices)  # only what these routes use
    parts = {
        "options": ApiOptions(secrets=(SECRET,)),
        "clock": process.clock,
        "ids": SystemIds(),
        "access": Access(Managers(), Everywhere(), frozenset[UserId](), NoPanel(), None),
        "directory": Everywhere(),
        "keyring": process.keyring,
        "succession": process.succession,
        "verification": process.verification,
        "exports": ExportWorld(process.database, tmp_path).exports,
    }
    for name, part in parts.items():
        object.__setattr__(services, name, part)
    # In the test's own loop: a client that runs the app in another would bring another loop's connections.
    transport = httpx.ASGITransport(app_over(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://rollcall") as test_client:
        yield test_client


def bearer(process: SigningProcess, user: int = MANAGER, guild: int = GUILD) -> dict[str, str]:
    claims = {"user_id": str(user), "guild_id": str(guild), "exp": process.clock.now_ms() // 1000 + 30}
    return {"Authorization": f"Bearer {jwt.encode(claims, SECRET, 'HS256')}"}


async def test_a_key_is_made_once_and_its_public_half_is_shown(client, process):
    auth = bearer(process)
    assert (await client.get(f"{SIGNING}/public-key", headers=auth)).status_code == 404
    made = await client.post(f"{SIGNING}/generate-keys", json={"passphrase": PASSPHRASE}, headers=auth)
    assert made.status_code == 201
    assert set(made.json()) == {"kid", "public_key", "created_at"}
    assert made.json()["created_at"].endswith("Z")
    shown = await client.get(f"{SIGNING}/public-key", headers=auth)
    assert (shown.status_code, shown.json()) == (200, made.json())
    again = await client.post(f"{SIGNING}/generate-keys", json={"passphrase": PASSPHRASE}, headers=auth)
    assert again.status_code == 409
    assert set(again.json()) == {"error"}


@pytest.mark.parametrize(
    ("route", "body", "member"),
    [
        ("generate-keys", {"passphrase": "short"}, "passphrase"),
        ("generate-keys", {}, "body"),
        ("generate-keys", {"passphrase": PASSPHRASE, "extra": 1}, "body"),
        ("generate-keys", {"passphrase": PASSPHRASE, "auto_unlock": "yes"}, "auto_unlock"),
        ("generate-keys", {"passphrase": 12}, "passphrase"),
        ("unlock", {}, "body"),
        ("rotate", {"passphrase": "short"}, "passphrase"),
        ("revoke", {"reason": "", "last_good_guild_seq": 0}, "reason"),
        ("revoke", {"reason": "r", "last_good_guild_seq": -2}, "last_good_guild_seq"),
        ("change-passphrase", {"passphrase": PASSPHRASE, "new_passphrase": "short"}, "new_passphrase"),
    ],
)
async def test_bodies_that_do_not_fit_are_422_and_name_the_member(client, process, route, body, member):
    answer = await client.post(f"{SIGNING}/{route}", json=body, headers=bearer(process))
    assert answer.status_code == 422
    assert member in answer.json()["details"]


async def test_a_passphrase_with_half_a_surrogate_pair_is_422(client, process):
    for route in ("generate-keys", "unlock"):
        content = b'{"passphrase": "\\ud800 and twelve more"}'
        headers = bearer(process) | {"Content-Type": "application/json"}
        assert (await client.post(f"{SIGNING}/{route}", content=content, headers=headers)).status_code == 422


async def test_locking_and_unlocking_show_in_the_status(client, process):
    auth = bearer(process)
    status = (await client.get(f"{SIGNING}/status", headers=auth)).json()
    assert status == {
        "configured": False,
        "unlocked": False,
        "auto_unlock": False,
        "kid": None,
        "pending": 0,
        "oldest_pending_at": None,
        "period": None,
    }
    await client.post(f"{SIGNING}/generate-keys", json={"passphrase": PASSPHRASE}, headers=auth)
    locked = await client.post(f"{SIGNING}/lock", headers=auth)
    assert (locked.status_code, locked.json()["unlocked"], locked.json()["configured"]) == (200, False, True)
    await put_sessions(process.database, [a_session(0)])
    wrong = await client.post(f"{SIGNING}/unlock", json={"passphrase": "not the passphrase"}, headers=auth)
    assert wrong.status_code == 422
    assert "not the passphrase" not in wrong.text
    unlocked = await client.post(f"{SIGNING}/unlock", json={"passphrase": PASSPHRASE}, headers=auth)
    assert (unlocked.status_code, unlocked.json()["unlocked"], unlocked.json()["pending"]) == (200, True, 1)
    assert unlocked.json()["oldest_pending_at"].endswith("Z")


async def test_guessing_is_answered_with_429_and_when_to_come_back(client, process):
    auth = bearer(process)
    await client.post(f"{SIGNING}/generate-keys", json={"passphrase": PASSPHRASE}, headers=auth)
    codes = []
    for _ in range(6):
        answer = await client.post(f"{SIGNING}/unlock", json={"passphrase": "a guess, a guess"}, headers=auth)
        codes.append(answer.status_code)
    assert codes == [422] * 5 + [429]
    assert int(answer.headers["Retry-After"]) >= 1


async def test_rotating_and_revoking_answer_with_the_key_that_signs_now(client, process):
    auth = bearer(process)
    assert (await client.post(f"{SIGNING}/rotate", json={"passphrase": PASSPHRASE}, headers=auth)).status_code == 404
    first = (await client.post(f"{SIGNING}/generate-keys", json={"passphrase": PASSPHRASE}, headers=auth)).json()
    changed = {"passphrase": PASSPHRASE, "new_passphrase": NEXT_PASSPHRASE}
    answer = await client.post(f"{SIGNING}/change-passphrase", json=changed, headers=auth)
    assert (answer.status_code, answer.json()) == (200, first)
    rotated = await client.post(f"{SIGNING}/rotate", json={"passphrase": PASSPHRASE}, headers=auth)
    assert rotated.status_code == 201
    lost = await client.post(f"{SIGNING}/rotate", json={"passphrase": PASSPHRASE, "lost": True}, headers=auth)
    assert lost.status_code == 201
    body = {"reason": "stolen", "last_good_guild_seq": 1, "kid": first["kid"]}
    revoked = await client.post(f"{SIGNING}/revoke", json=body, headers=auth)
    assert (revoked.status_code, revoked.json()) == (200, lost.json())
    types = [record["type"] for record in await chain_of(process.database)]
    assert types == ["key.activate", "key.retire", "key.activate", "key.activate", "key.revoke"]
    jwks = (await client.get("/.well-known/jwks.json")).json()
    assert {key["kid"] for key in jwks["keys"]} == {key["kid"] for key in (first, rotated.json(), lost.json())}
    listed = (await client.get(f"{SIGNING}/keys", headers=auth)).json()
    assert listed == {
        "items": [
            {**lost.json(), "state": "active", "first_guild_seq": 3, "last_guild_seq": None},
            {**rotated.json(), "state": "lost", "first_guild_seq": 2, "last_guild_seq": 2},
            {**first, "state": "revoked", "first_guild_seq": 0, "last_guild_seq": 1},
        ],
        "total": 3,
    }
    page = (await client.get(f"{SIGNING}/keys?limit=1&offset=1", headers=auth)).json()
    assert (page["items"], page["total"]) == (listed["items"][1:2], 3)


async def test_only_managers_touch_keys_and_only_of_their_guild(client, process):
    for headers, code in (
        ({}, 401),
        (bearer(process, MEMBER), 403),
        (bearer(process, guild=OTHER_GUILD), 403),
    ):
        for route in ("generate-keys", "unlock", "lock", "change-passphrase", "rotate", "revoke"):
            answer = await client.post(f"{SIGNING}/{route}", json={"passphrase": PASSPHRASE}, headers=headers)
            assert answer.status_code == code, route
        for route in ("status", "public-key", "keys", "history"):
            assert (await client.get(f"{SIGNING}/{route}", headers=headers)).status_code == code, route


async def test_the_history_lists_archived_periods(client, process):
    auth = bearer(process)
    await client.post(f"{SIGNING}/generate-keys", json={"passphrase": PASSPHRASE}, headers=auth)
    for index in range(2):
        await period_over(process.database, index)
    page = (await client.get(f"{SIGNING}/history?limit=1", headers=auth)).json()
    assert page["total"] == 2
    (item,) = page["items"]
    assert set(item) == {"period_index", "started_at", "ended_at", "state", "entry_count", "kid"}
    assert (item["period_index"], item["kid"]) == (1, None)
    assert (await client.get(f"{SIGNING}/history?limit=201", headers=auth)).status_code == 422


async def test_verdicts_are_public_and_say_no_more_than_they_know(client, process):
    auth = bearer(process)
    made = (await client.post(f"{SIGNING}/generate-keys", json={"passphrase": PASSPHRASE}, headers=auth)).json()
    session = a_session(0)
    await put_sessions(process.database, [session])
    await period_over(process.database, sessions=1)
    paths = (f"/verify/session/{session.session_id}", f"/verify/period/{GUILD}/0")
    for path in paths:
        answer = await client.get(path)
        assert (answer.status_code, answer.json()) == (
            200,
            {"valid": False, "state": "pending", "reason": "the record waits for a signature"},
        )
    await process.sign_all()
    for path in paths:
        verdict = (await client.get(path)).json()
        assert set(verdict) == {"valid", "state", "kid", "signed_at"}
        assert (verdict["valid"], verdict["state"], verdict["kid"]) == (True, "signed", made["kid"])
    assert (await client.get(paths[0].upper().replace("/VERIFY/SESSION", "/verify/session"))).json()["valid"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/verify/session/{an_unknown_session()}", 404),
        ("/verify/session/nonsense", 400),
        (f"/verify/session/{{{an_unknown_session()}}}", 400),
        (f"/verify/session/urn:uuid:{an_unknown_session()}", 400),
        (f"/verify/session/{an_unknown_session().hex}", 400),
        (f"/verify/session/{an_unknown_session()}%0A", 400),
        (f"/verify/period/{GUILD}/0", 404),
        (f"/verify/period/{GUILD}/-1", 404),
        (f"/verify/period/{GUILD}/9999999999", 404),
        (f"/verify/period/{2**63}/0", 404),
        (f"/verify/period/{'9' * 5000}/0", 404),
        (f"/verify/period/{GUILD}/x", 400),
        (f"/verify/period/{GUILD}/+1", 400),
        (f"/verify/period/{GUILD}/1_0", 400),
        (f"/verify/period/{GUILD}/1.0", 400),
        (f"/verify/period/{GUILD}/%D9%A1", 400),
        ("/verify/period/guild/0", 400),
    ],
)
async def test_addresses_that_cannot_be_are_400_and_unknown_ones_404(client, path, code):
    answer = await client.get(path)
    assert answer.status_code == code
    assert set(answer.json()) == {"error"}


async def test_published_keys_verify_the_records(client, process):
    auth = bearer(process)
    await client.post(f"{SIGNING}/generate-keys", json={"passphrase": PASSPHRASE}, headers=auth)
    answer = await client.get("/.well-known/jwks.json")
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "use"}
    assert (key["kty"], key["crv"], key["use"]) == ("OKP", "Ed25519", "sig")
    nacl.signing.VerifyKey(base64.urlsafe_b64decode(key["x"] + "="))
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    (activate,) = await chain_of(process.database)
    assert (activate["x"], activate["kid"]) == (key["x"], key["kid"])


def test_no_body_with_a_passphrase_prints_it():
    bodies = [
        schemas.GenerateKeysBody(passphrase=PASSPHRASE),
        schemas.UnlockBody(passphrase=PASSPHRASE),
        schemas.ChangePassphraseBody(passphrase=PASSPHRASE, new_passphrase=NEXT_PASSPHRASE),
        schemas.RotateBody(passphrase=PASSPHRASE, current_passphrase=NEXT_PASSPHRASE),
        schemas.RevokeBody(reason="r", last_good_guild_seq=0, passphrase=PASSPHRASE),
    ]
    for body in bodies:
        shown = f"{body} {body!r}"
        assert PASSPHRASE not in shown
        assert NEXT_PASSPHRASE not in shown


async def test_every_operation_has_an_id_a_summary_and_its_errors(client):
    paths = (await client.get("/openapi.json")).json()["paths"]
    ours = {path: item for path, item in paths.items() if "/signing/" in path or "/verify/" in path or "jwks" in path}
    assert len(ours) == 15
    for item in ours.values():
        for operation in item.values():
            assert operation["operationId"]
            assert operation["summary"]
            assert "500" in operation["responses"]
    assert json.dumps(ours).count("attentive") == 4, "what `valid` does not mean is said where it is served"


async def test_a_guild_s_own_sessions_and_periods_are_verified_for_those_who_may_read(client, process):
    await process.succession.generate(GUILD, PASSPHRASE)
    facts = a_session(1)
    await put_sessions(process.database, [facts])
    await period_over(process.database, sessions=1)
    asked = {"verify-session": {"session_id": str(facts.session_id)}, "verify-period": {"period_index": 0}}
    await process.sign_all()
    for name, body in asked.items():
        answer = await client.post(f"{SIGNING}/{name}", headers=bearer(process), json=body)
        assert (answer.status_code, answer.json()["valid"], answer.json()["state"]) == (200, True, "signed")
        assert (await client.post(f"{SIGNING}/{name}", headers=bearer(process, MEMBER), json=body)).status_code == 403
        other = SIGNING.replace(str(GUILD), str(OTHER_GUILD))
        foreign = await client.post(f"{other}/{name}", headers=bearer(process, guild=OTHER_GUILD), json=body)
        assert foreign.status_code == 404
    for name, body in (("verify-session", {"session_id": str(an_unknown_session())}), ("verify-period", {"period_index": 9})):
        assert (await client.post(f"{SIGNING}/{name}", headers=bearer(process), json=body)).status_code == 404
    for name, body in (("verify-session", {"session_id": "x"}), ("verify-period", {"period_index": -1}), ("verify-period", {})):
        assert (await client.post(f"{SIGNING}/{name}", headers=bearer(process), json=body)).status_code == 422
