"""SIGKILL at any instant of signing, on both databases, with a second process at the same chain."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import pytest

from tests.signing_world import GUILD, PASSPHRASE, SigningProcess, chain_of, put_drafts, queue_length

ROOT = Path(__file__).parents[2]
ROUNDS = 3
DRAFTS = 150


async def start(url: str) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "tests.faults.signing_child", url)
    child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    assert await child.stdout.readline() == b"ready\n"
    return child


async def end(child: asyncio.subprocess.Process) -> None:
    child.kill()
    await child.communicate()


@pytest.mark.slow
async def test_signers_that_are_killed_leave_one_whole_chain(database):
    chance = random.Random(1)
    url = database.url.render_as_string(hide_password=False)
    await SigningProcess(database).succession.generate(GUILD, PASSPHRASE)
    children = [await start(url), await start(url)]
    try:
        for _ in range(ROUNDS):
            await put_drafts(database, DRAFTS)
            goal = chance.randrange(DRAFTS)
            while await queue_length(database) > goal:
                pass  # the reads are what passes the time
            await end(children.pop(chance.randrange(2)))
            children.append(await start(url))
        while await queue_length(database):
            pass
    finally:
        for child in children:
            await end(child)
    chain = await chain_of(database)
    assert [record["redacts"][0][0] for record in chain[1:]] == list(range(DRAFTS)) * ROUNDS
