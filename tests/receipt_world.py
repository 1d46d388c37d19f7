"""A guild whose sessions have rules, are signed and logged: everything that receipts are made of."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import insert

from attendance.domain.records import SessionFacts
from attendance.services.log_reading import PublicLog
from attendance.services.receipts import Receipts
from attendance.services.transparency_log import TransparencyLog
from attendance.store import schema
from attendance.store.log_folder import LogFolder
from attendance.store.receipts import SqlReceiptStore
from attendance.store.transparency_log import SqlLogStore
from tests.signing_world import GUILD, MASTER_KEY, PASSPHRASE, START_MS, SigningProcess, a_session, put_sessions

RULES_TEXT = (
    b'{"bridge_gap_seconds":120,"channels":[],"min_session_seconds":0,"mode":"all",'
    b'"pause_on_deafen":false,"pause_on_mute":true,"pause_when_solo":false}'
)


def ruled_session(number: int, *, user_id: int | None = None) -> SessionFacts:
    """A session whose rules are in the database: ten seconds muted, which they pause."""
    return a_session(number, user_id=user_id)._replace(rules_sha256=hashlib.sha256(RULES_TEXT).digest())


@dataclass
class ReceiptWorld:
    """One process that signs and logs, and its receipts."""

    process: SigningProcess
    folder: Path
    log: TransparencyLog = field(init=False)
    receipts: Receipts = field(init=False)

    def __post_init__(self) -> None:
        database, files = self.process.database, LogFolder(self.folder)
        url = "https://attendance.example.org"
        self.log = TransparencyLog(SqlLogStore(database), files, self.process.clock, MASTER_KEY, url, asyncio.Event())
        self.receipts = Receipts(SqlReceiptStore(database), PublicLog(files))

    async def settle(self) -> None:
        """The guild's rules and its first key."""
        values = {"guild_id": GUILD, "version": 1, "from_ms": START_MS, "rules": RULES_TEXT}
        async with self.process.database.transaction() as connection:
            await connection.execute(
                insert(schema.rules_version).values(rules_sha256=hashlib.sha256(RULES_TEXT).digest(), **values)
            )
        await self.process.succession.generate(GUILD, PASSPHRASE)

    async def recorded(self, sessions: Sequence[SessionFacts], *, logged: bool = True) -> None:
        """Close, sign and log."""
        await put_sessions(self.process.database, list(sessions))
        await self.process.sign_all()
        if logged:
            await self.log.publish_batch()
