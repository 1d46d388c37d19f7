"""Copies that make a lie visible: what is kept of a log, held against it and against other copies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import delete
from typer.testing import CliRunner

from attendance.cli.app import app
from attendance.cli.transparency import _MEANING  # noqa: F401  # registers the commands
from attendance.core import open_checkpoint, sign_checkpoint
from attendance.domain.kept_checkpoints import MAX_COPY_BYTES
from attendance.domain.log_contents import CheckpointTold
from attendance.domain.log_messages import text_of
from attendance.services.kept_checkpoints import Found, judge_copies
from attendance.services.log_reading import LogReader
from attendance.services.transparency_log import TransparencyLog
from attendance.store import schema
from attendance.store.log_folder import LogFolder
from attendance.store.transparency_log import SqlLogStore
from tests.signing_world import GUILD, MASTER_KEY, PASSPHRASE, SigningProcess, put_drafts


@dataclass
class Forked:
    """One log key, two histories: they agree on the first ``common`` entries and on nothing after them."""

    vkey: str
    told: TransparencyLog
    hidden: TransparencyLog
    notes: dict[str, bytes]

    def judge(self, *names: str, log: TransparencyLog | None = None) -> list[tuple[Found, str]]:
        copies = [(name, self.notes[name]) for name in names]
        return [tuple(one) for one in judge_copies(LogReader((log or self.told).files), self.vkey, copies)]


def a_log(process: SigningProcess, folder: Path) -> TransparencyLog:
    url = "https://attendance.example.org"
    return TransparencyLog(SqlLogStore(process.database), LogFolder(folder), process.clock, MASTER_KEY, url, asyncio.Event())


@pytest.fixture
async def forked(sqlite_database, tmp_path) -> Forked:
    """The operator publishes one log, takes back its newest entries, and publishes others in their places."""
    process = SigningProcess(sqlite_database)
    told, hidden = a_log(process, tmp_path / "told"), a_log(process, tmp_path / "hidden")
    notes: dict[str, bytes] = {}
    await process.succession.generate(GUILD, PASSPHRASE)

    async def grow(log: TransparencyLog, count: int) -> bytes:
        await put_drafts(sqlite_database, count, GUILD)
        await process.sign_all()
        await log.publish_batch()
        return log.files.checkpoint()

    notes["common"] = await grow(told, 300)
    origin, size, root = open_checkpoint(notes["common"], await told.vkey())
    notes["told small"] = await grow(told, 7)
    notes["told large"] = await grow(told, 9)
    head, entry, chain = schema.log_head, schema.log_entry, schema.chain_head
    async with sqlite_database.transaction() as connection:  # the lie: entries are taken out, later ones take their places
        await connection.execute(delete(entry).where(entry.c.leaf_index >= size))
        await connection.execute(head.update().values(size=size, root=root))
        await connection.execute(chain.update().values(logged_guild_seq=chain.c.next_guild_seq))
    notes["hidden small"] = await grow(hidden, 7)
    notes["hidden large"] = await grow(hidden, 9)
    assert (origin, size) == ("attendance.example.org/log", 301)
    return Forked(await told.vkey(), told, hidden, notes)


@pytest.mark.slow
async def test_a_fork_is_found_with_one_copy_smaller_than_the_log_or_of_its_size(forked):
    assert [found for found, _ in forked.judge("common", "told small", "told large")] == [Found.KEPT] * 3
    assert [found for found, _ in forked.judge("common", log=forked.hidden)] == [Found.KEPT]
    for name, size in [("told small", 308), ("told large", 317)]:
        ((found, words),) = forked.judge(name, log=forked.hidden)
        assert found is Found.FORK
        assert f"signed another log of {size} entries: expected root" in words
        assert "keep the file, it proves that" in words


@pytest.mark.slow
async def test_two_copies_prove_a_fork_whatever_the_log_shows_and_a_longer_copy_a_rollback(forked, tmp_path):
    found = forked.judge("told small", "hidden small", "common")
    assert [one for one, _ in found] == [Found.KEPT, Found.FORK, Found.KEPT, Found.FORK]
    assert "told small and hidden small: this log's key signed two different logs of 308 entries" in found[-1][1]
    empty = TransparencyLog(None, LogFolder(tmp_path / "empty"), None, MASTER_KEY, None, None)
    found = forked.judge("told large", "hidden large", log=empty)
    assert [one for one, _ in found] == [Found.ROLLED_BACK, Found.ROLLED_BACK, Found.FORK]
    assert "signed 317 entries, and the log has 0: what was published was taken back" in found[0][1]


@pytest.mark.slow
async def test_the_command_judges_all_copies_and_its_exit_code_is_the_worst(forked, tmp_path):
    files = {name: tmp_path / name.replace(" ", "-") for name in forked.notes}
    for name, path in files.items():
        path.write_bytes(forked.notes[name])
    (tmp_path / "other").write_bytes(b"something else\n")
    base = ["log", "check", "--folder", str(forked.told.files.folder), "--log-key", forked.vkey, "--against"]

    async def run(*arguments: object) -> tuple[int, str]:
        # In a thread, because the command has a loop of its own.
        result = await asyncio.to_thread(CliRunner().invoke, app, [*base, *map(str, arguments)])
        return result.exit_code, result.output

    code, output = await run(files["common"], files["told small"])
    assert (code, output.count("the log begins with these")) == (0, 2), output
    code, output = await run(files["hidden large"], files["common"], tmp_path / "other")
    assert (code, output.count("FORK"), output.count("KEPT"), output.count("UNUSABLE")) == (1, 1, 1, 1)
    assert (await run(files["common"], tmp_path / "other"))[0] == 2
    code, output = await run(files["common"], "--against", files["hidden small"])
    assert (code, output.count("FORK")) == (1, 1)


COPIES = {
    "as it is": lambda text: text,
    "with Windows' ends of lines": lambda text: text.replace("\n", "\r\n"),
    "with old ends of lines": lambda text: text.replace("\n", "\r"),
    "without its last newline": lambda text: text[:-1],
    "between empty lines": lambda text: f"\n \n{text}\n\n",
    "with blanks at the ends of lines": lambda text: text.replace("\n", " \t\n"),
    "with a byte order mark": lambda text: f"\ufeff{text}",
    "as Discord has it": lambda text: text_of([CheckpointTold(0, text, 1)]),
    "with the whole message": lambda text: f"Rollcall APP, 00:00\n```\n{text}```\nToday's checkpoint\n",
    "in a fence with a language": lambda text: f"```text\n{text}```\n",
    "in a fence that nobody closed": lambda text: f"```\n{text}",
    "in a fence that ends on its last line": lambda text: f"```\r\n{text[:-1]}```".replace("\n", "\r\n"),
}
OTHERS = {
    "another size": lambda text: text.replace("\n301\n", "\n302\n"),
    "a line less": lambda text: text.replace("\n\n", "\n", 1),
    "quoted": lambda text: "> " + text.replace("\n", "\n> "),
    "nothing": lambda _: "",
    "an empty fence": lambda _: "```\n```",
    "too much": lambda text: text + "\n" * MAX_COPY_BYTES,
    "a hyphen for the dash": lambda text: text.replace("—", "-"),
}


@pytest.mark.slow
async def test_what_copying_does_is_undone_and_nothing_else_is(forked):
    reader, text = LogReader(forked.told.files), forked.notes["common"].decode()
    for copies, expected in [(COPIES, Found.KEPT), (OTHERS, Found.UNUSABLE)]:
        for name, change in copies.items():
            (judgement,) = judge_copies(reader, forked.vkey, [(name, change(text).encode())])
            assert judgement.found is expected, judgement
    for data in [b"\xff\xfe", bytes(1000), b"```" * 1000]:
        assert judge_copies(reader, forked.vkey, [("bytes", data)])[0].found is Found.UNUSABLE


@pytest.mark.slow
async def test_a_checkpoint_of_another_key_says_nothing_about_this_log(forked):
    from attendance.core import SigningKey  # noqa: PLC0415  # only for a liar's key

    origin, size, root = open_checkpoint(forked.notes["common"], forked.vkey)
    note = sign_checkpoint(origin, size, root, SigningKey.generate())
    (judgement,) = judge_copies(LogReader(forked.told.files), forked.vkey, [("theirs", note)])
    assert judgement.found is Found.UNUSABLE
    assert "not signed by this log's key" in judgement.words
