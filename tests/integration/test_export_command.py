"""`rollcall export`: beside a running service or without one, whole or not at all."""

from __future__ import annotations

import asyncio
import base64
import hashlib

from typer.testing import CliRunner

import attendance.cli.exporting
from attendance.cli.app import app
from tests.export_world import ExportWorld
from tests.signing_world import GUILD, MASTER_KEY

assert attendance.cli.exporting


async def _run(*arguments: str):
    return await asyncio.to_thread(CliRunner().invoke, app, ["export", "--guild", str(GUILD), *arguments])


async def test_the_command_writes_the_bytes_that_the_api_sends(sqlite_database, tmp_path, monkeypatch):
    data = tmp_path / "data"
    data.mkdir()
    world = ExportWorld(sqlite_database, data)
    await world.period(7)
    key = data / "key"
    key.write_text(base64.b64encode(MASTER_KEY).decode() + "\n")
    key.chmod(0o600)
    monkeypatch.setenv("ROLLCALL_DATA_DIR", str(data))
    monkeypatch.setenv("ROLLCALL_MASTER_KEY_FILE", str(key))
    monkeypatch.setenv("DATABASE_URL", sqlite_database.url.render_as_string(hide_password=False))
    file = tmp_path / "period.tar.gz"
    file.write_bytes(b"an older one")
    result = await _run("--period", "0", str(file))
    assert result.exit_code == 0, result.output
    assert file.read_bytes() == await world.bytes_of()
    assert hashlib.sha256(file.read_bytes()).hexdigest() in result.output
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["data", "period.tar.gz"]
    missing = await _run("--period", "1", str(tmp_path / "other"))
    assert (missing.exit_code, str(missing.exception)) == (1, "there is no such period")
    nowhere = await _run("--period", "0", str(tmp_path / "no" / "folder"))
    assert nowhere.exit_code == 1
    assert "cannot be written" in str(nowhere.exception)
