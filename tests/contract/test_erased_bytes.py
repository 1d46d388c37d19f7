"""What is erased is gone from SQLite's files, not only from its tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.privacy_world import MEMBERS, PrivacyWorld, salts_of


@pytest.mark.slow
async def test_the_files_hold_no_salt_of_a_member_after_the_erasure(sqlite_database):
    world = PrivacyWorld(sqlite_database)
    await world.live()
    salts = await salts_of(sqlite_database, MEMBERS[3])
    path = Path(str(sqlite_database.url.database))

    def found() -> set[bytes]:
        raw = b"".join(file.read_bytes() for file in (path, path.with_name(path.name + "-wal")) if file.exists())
        return {salt for salt in salts if salt in raw}

    assert found() == set(salts) != set()
    await world.erase(MEMBERS[3])
    assert found() == set()
