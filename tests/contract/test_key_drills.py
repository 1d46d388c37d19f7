"""The drills of docs/keys.md, walked through the API and judged by `rollcall verify`: the page is true."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from sqlalchemy import insert, select
from typer.testing import CliRunner

from api.services import ApiOptions, ApiServices
from attendance import metrics
from attendance.cli import verification  # noqa: F401  # registers the command
from attendance.cli.app import app
from attendance.core import SigningKey
from attendance.domain.ids import UserId
from attendance.domain.records import SessionFacts, b64url
from attendance.errors import KeyOpenError
from attendance.ids import SystemIds
from attendance.ports.directory import GuildPresence
from attendance.ports.panel_roles import PanelRoles
from attendance.services.access import Access
from attendance.services.log_reading import PublicLog
from attendance.services.receipts import Receipts
from attendance.store import schema
from attendance.store.log_folder import LogFolder
from attendance.store.receipts import SqlReceiptStore
from tests.api_world import app_over
from tests.export_world import RULE_SET, ExportWorld, _sha
from tests.receipt_world import ruled_session
from tests.signing_world import GUILD, MASTER_KEY, NEXT_PASSPHRASE, PASSPHRASE, SigningProcess, chain_of, put_sessions

SECRET = b"a secret of thirty-two bytes, 1.."
THIRD_PASSPHRASE = "and yet another passphrase"
ROOT = Path(__file__).parents[2]


class Managers:
    async def may_manage(self, _guild_id: int, _user_id: int) -> bool:
        return True

    async def panel_roles(self, _guild_id: int) -> PanelRoles:
        return PanelRoles()

    async def presence(self, _guild_id: int) -> GuildPresence:
        return GuildPresence("a guild", present=True)


@dataclass
class Deployment:
    """A process that signs and logs, its API, and the command line of an auditor who has only files."""

    world: ExportWorld
    folder: Path
    client: httpx.AsyncClient = field(init=False)
    process: SigningProcess = field(init=False)
    _number: int = 0

    def __post_init__(self) -> None:
        self.started(MASTER_KEY)

    def started(self, master_key: bytes) -> None:
        """A start of the process: what was open is closed, and only the master key opens it again."""
        database, clock = self.world.database, self.world.clock
        self.process = SigningProcess(database, clock, master_key)
        self.world.log._key, self.world.log.master_key = None, master_key
        services = object.__new__(ApiServices)  # only what these routes use
        managers = Managers()
        parts = {
            "options": ApiOptions(secrets=(SECRET,)),
            "clock": clock,
            "ids": SystemIds(),
            "access": Access(managers, managers, frozenset[UserId](), managers, None),
            "directory": managers,
            "keyring": self.process.keyring,
            "succession": self.process.succession,
            "verification": self.process.verification,
            "exports": self.world.exports,
            "receipts": Receipts(SqlReceiptStore(database), PublicLog(LogFolder(self.world.folder / "log"))),
        }
        for name, part in parts.items():
            object.__setattr__(services, name, part)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app_over(services)), base_url="http://rollcall")

    async def ask(self, method: str, path: str, body: object = None, *, expect: int = 200) -> Any:
        claims = {"user_id": "7", "guild_id": str(GUILD), "exp": self.world.clock.now_ms() // 1000 + 30}
        headers = {"Authorization": f"Bearer {jwt.encode(claims, SECRET, 'HS256')}"}
        url = path if path.startswith("/") else f"/api/v1/guilds/{GUILD}/{path}"
        answer = await self.client.request(method, url, json=body, headers=headers)
        assert answer.status_code == expect, answer.text
        return answer

    async def key(self, route: str, expect: int = 200, **body: object) -> Any:
        return (await self.ask("POST", f"signing/{route}", body or None, expect=expect)).json()

    async def status(self) -> dict[str, Any]:
        return (await self.ask("GET", "signing/status")).json()

    async def recorded(self) -> SessionFacts:
        """A session, closed, signed and logged as far as keys allow."""
        self._number += 1
        facts = ruled_session(self._number)._replace(rules_sha256=_sha(RULE_SET))
        await put_sessions(self.world.database, [facts])
        await self.signed()
        return facts

    async def signed(self) -> None:
        await self.process.sign_all()
        while await self.world.log.publish_batch():
            pass

    async def receipt(self, facts: SessionFacts) -> Path:
        path = self.folder / f"{facts.session_id}.json"
        path.write_bytes((await self.ask("GET", f"receipts/{facts.session_id}")).content)
        return path

    async def verify(self, path: Path, *options: str) -> tuple[int, dict[str, Any]]:
        """`rollcall verify --json`: its exit code and what it says."""
        result = await asyncio.to_thread(CliRunner().invoke, app, ["verify", "--json", str(path), *options])
        return result.exit_code, json.loads(result.output)


@pytest.fixture
async def deployment(sqlite_database, tmp_path) -> Deployment:
    world = ExportWorld(sqlite_database, tmp_path / "data")
    values = {"guild_id": GUILD, "version": 1, "from_ms": 0, "rules": RULE_SET, "rules_sha256": _sha(RULE_SET)}
    async with sqlite_database.transaction() as connection:
        await connection.execute(insert(schema.guild).values(guild_id=GUILD, name="g", owner_id=1, first_seen_at_ms=0))
        await connection.execute(insert(schema.rules_version).values(**values))
    files = tmp_path / "files"
    files.mkdir()
    return Deployment(world, files)


def failed(told: dict[str, Any]) -> list[str]:
    return [check["name"] for check in told["checks"] if check["outcome"] == "failed"]


async def test_from_day_to_day(deployment: Deployment) -> None:
    waiting = await deployment.recorded()
    made = await deployment.key("generate-keys", 201, passphrase=PASSPHRASE)
    await deployment.signed()
    early = await deployment.receipt(waiting)
    assert [one["type"] for one in await chain_of(deployment.world.database)] == ["key.activate", "voice.session"]

    await deployment.key("lock")
    locked = await deployment.recorded()
    deployment.started(MASTER_KEY)
    await deployment.signed()
    status = await deployment.status()
    assert (status["unlocked"], status["pending"]) == (False, 1), "a lock outlasts a restart"
    await deployment.ask("GET", f"receipts/{locked.session_id}", expect=409)

    changed = await deployment.key("change-passphrase", passphrase=PASSPHRASE, new_passphrase=NEXT_PASSPHRASE)
    assert changed["kid"] == made["kid"], "the key stays the same"
    await deployment.key("unlock", 422, passphrase=PASSPHRASE)
    await deployment.key("unlock", passphrase=NEXT_PASSPHRASE)
    await deployment.signed()
    log_key = await deployment.world.log.vkey()
    for path in (early, await deployment.receipt(waiting), await deployment.receipt(locked)):
        code, told = await deployment.verify(path, "--key", made["public_key"], "--log-key", log_key)
        assert (code, [one["pinned"] for one in told["trust"]]) == (0, [True, True])


async def test_rotation(deployment: Deployment) -> None:
    old = await deployment.key("generate-keys", 201, passphrase=PASSPHRASE)
    before = await deployment.recorded()
    early = await deployment.receipt(before)
    await deployment.key("lock")
    await deployment.key("rotate", 409, passphrase=NEXT_PASSPHRASE)
    new = await deployment.key("rotate", 201, passphrase=NEXT_PASSPHRASE, current_passphrase=PASSPHRASE)
    after = await deployment.recorded()
    kinds = [(one["type"], one["kid"]) for one in await chain_of(deployment.world.database)]
    assert kinds[2:] == [("key.retire", old["kid"]), ("key.activate", new["kid"]), ("voice.session", new["kid"])]

    files = {"early": early, "before": await deployment.receipt(before), "after": await deployment.receipt(after)}
    log_key = await deployment.world.log.vkey()
    for path in files.values():
        assert (await deployment.verify(path, "--log-key", log_key))[0] == 0
        assert (await deployment.verify(path, "--key", old["public_key"], "--key", new["public_key"]))[0] == 0
    code, told = await deployment.verify(files["after"], "--key", old["public_key"])
    assert (code, failed(told)) == (1, ["pinned-key"])
    assert (await deployment.verify(files["before"], "--key", old["public_key"]))[0] == 0

    keys = deployment.folder / "jwks.json"
    keys.write_bytes((await deployment.ask("GET", "/.well-known/jwks.json")).content)
    assert {old["kid"], new["kid"]} <= {one["kid"] for one in json.loads(keys.read_bytes())["keys"]}
    for path in files.values():
        assert (await deployment.verify(path, "--key", str(keys)))[0] == 0


async def test_loss_of_a_passphrase(deployment: Deployment) -> None:
    old = await deployment.key("generate-keys", 201, passphrase=PASSPHRASE, auto_unlock=False)
    before = await deployment.recorded()
    deployment.started(MASTER_KEY)
    deployment.world.clock.advance(120_000)
    waiting = await deployment.recorded()
    status = await deployment.status()
    assert (status["unlocked"], status["auto_unlock"], status["pending"]) == (False, False, 1)
    await deployment.key("unlock", 422, passphrase="not the passphrase")
    await deployment.key("rotate", 409, passphrase=NEXT_PASSPHRASE)
    new = await deployment.key("rotate", 201, passphrase=NEXT_PASSPHRASE, lost=True)
    await deployment.signed()
    chain = await chain_of(deployment.world.database)
    assert [(one["type"], one["kid"], one.get("replaces")) for one in chain[2:]] == [
        ("key.activate", new["kid"], old["kid"]),
        ("voice.session", new["kid"], None),
    ]
    log_key = await deployment.world.log.vkey()
    for facts, key in ((before, old), (waiting, new)):
        code, told = await deployment.verify(await deployment.receipt(facts), "--key", key["public_key"], "--log-key", log_key)
        assert code == 0, told
    (window,) = (one["found"] for one in told["checks"] if one["name"] == "key-window")
    assert window == "guild_seq 3 in guild_seq 2 on (this file names no end)"


async def test_loss_of_the_master_key(deployment: Deployment) -> None:
    made = await deployment.key("generate-keys", 201, passphrase=PASSPHRASE)
    before = await deployment.recorded()
    receipt = await deployment.receipt(before)
    deployment.started(bytes(32))
    waiting = ruled_session(40)._replace(rules_sha256=_sha(RULE_SET))
    await put_sessions(deployment.world.database, [waiting])
    await deployment.process.sign_all()
    assert (await deployment.status())["pending"] == 1
    await deployment.key("unlock", passphrase=PASSPHRASE)
    assert await deployment.world.log.may_sign(), "records go on being signed"
    assert await deployment.process.sign_all() == 1
    with pytest.raises(KeyOpenError):
        await deployment.world.log.publish_batch()
    async with deployment.world.database.snapshot() as connection:
        assert len((await connection.execute(select(schema.log_entry))).all()) == 2, (
            "nothing is sequenced that nobody publishes"
        )
    await deployment.ask("GET", f"receipts/{waiting.session_id}", expect=409)
    assert (await deployment.verify(receipt, "--key", made["public_key"], "--log-key", await deployment.world.log.vkey()))[
        0
    ] == 0

    deployment.started(bytes(32))  # the new master key holds the seal that unlocking made
    assert (await deployment.status())["unlocked"]
    deployment.started(MASTER_KEY)  # and with the copy of the old one the log goes on
    await deployment.key("unlock", passphrase=PASSPHRASE)
    await deployment.signed()
    assert (await deployment.verify(await deployment.receipt(waiting)))[0] == 0


async def test_a_log_whose_key_does_not_open_waits_and_stops_nothing(deployment: Deployment) -> None:
    await deployment.key("generate-keys", 201, passphrase=PASSPHRASE)
    await deployment.recorded()
    deployment.started(bytes(32))
    await deployment.key("unlock", passphrase=PASSPHRASE)
    await put_sessions(deployment.world.database, [ruled_session(40)])
    await deployment.process.sign_all()
    metrics.LOG_REFUSED.set(0)
    running = asyncio.create_task(deployment.world.log.run())
    async with asyncio.timeout(30):
        while metrics.LOG_REFUSED._value.get() != 1 and not running.done():
            await deployment.status()  # asking is what passes the time
    assert not running.done()
    assert await deployment.world.log.may_sign()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_theft(deployment: Deployment) -> None:
    stolen_key = await deployment.key("generate-keys", 201, passphrase=PASSPHRASE)
    good, doubtful = await deployment.recorded(), await deployment.recorded()
    early = await deployment.receipt(doubtful)
    last_good = json.loads(json.loads((await deployment.receipt(good)).read_bytes())["record"])["guild_seq"]
    body = {"reason": "the laptop was stolen", "last_good_guild_seq": last_good}
    await deployment.key("revoke", 422, **body)  # the active key needs a successor
    new = await deployment.key("revoke", passphrase=NEXT_PASSPHRASE, **body)
    after = await deployment.recorded()
    chain = await chain_of(deployment.world.database)
    assert [(one["type"], one["kid"]) for one in chain[3:]] == [
        (kind, new["kid"]) for kind in ("key.activate", "key.revoke", "voice.session")
    ]
    assert (chain[3]["replaces"], chain[4]["revokes"]) == (stolen_key["kid"], stolen_key["kid"])
    logged = json.loads((await deployment.receipt(good)).read_bytes())["proof"]
    assert f"\nindex {chain[4]['last_good_leaf_index']}\n" in logged

    log_key = await deployment.world.log.vkey()
    for facts in (good, after):
        assert (await deployment.verify(await deployment.receipt(facts), "--log-key", log_key))[0] == 0
    await deployment.ask("GET", f"receipts/{doubtful.session_id}", expect=409)
    judged = (await deployment.ask("GET", f"/verify/session/{doubtful.session_id}")).json()
    assert judged["valid"] is False
    assert judged["reason"] == "the key was not good for the record's position"

    # A receipt from before the revocation cannot know of it; with the revocation beside it, it fails.
    assert (await deployment.verify(early, "--log-key", log_key))[0] == 0
    held, newer = json.loads(early.read_bytes()), json.loads((await deployment.receipt(good)).read_bytes())
    early.write_text(json.dumps({**held, "key_records": newer["key_records"]}))
    code, told = await deployment.verify(early, "--log-key", log_key)
    assert code == 1
    assert "key-window" in failed(told)

    # Revoking again moves the end back only.
    await deployment.key("revoke", 409, kid=stolen_key["kid"], reason="worse", last_good_guild_seq=last_good)
    await deployment.key("revoke", kid=stolen_key["kid"], reason="worse", last_good_guild_seq=-1)
    await deployment.signed()
    await deployment.ask("GET", f"receipts/{good.session_id}", expect=409)


async def test_who_makes_up_a_key_is_found_by_the_log_s_key(deployment: Deployment) -> None:
    await deployment.key("generate-keys", 201, passphrase=PASSPHRASE)
    path = await deployment.receipt(await deployment.recorded())
    held = json.loads(path.read_bytes())
    forger = SigningKey.generate()
    record = json.loads(held["record"]) | {"kid": forger.kid, "counted_ms": 60_000, "credited_ms": 60_000}
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    forged = {"record": text, "signature": b64url(forger.sign(text.encode())), "public_key": forger.x}
    path.write_text(json.dumps({**held, **forged}))
    code, told = await deployment.verify(path, "--log-key", await deployment.world.log.vkey())
    assert code == 1
    assert {"inclusion", "key-records"} <= set(failed(told))


async def test_the_page_s_own_example_of_what_to_write_down_verifies(deployment: Deployment) -> None:
    text = (ROOT / "docs/keys.md").read_text(encoding="utf-8")  # a page
    command = text.partition("    rollcall verify receipt.json ")[2].partition("\n\n")[0].replace("\\\n", " ").split()
    code, told = await deployment.verify(ROOT / "docs/examples/receipt.json", *command)
    assert (code, [one["pinned"] for one in told["trust"]]) == (0, [True, True])
