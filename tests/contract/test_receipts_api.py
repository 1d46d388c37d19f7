"""``/receipts`` over HTTP: who may, what comes, and what is said where there is none."""

from __future__ import annotations

import pytest

from attendance.core import verify_receipt
from tests.api_world import GUILD, MANAGER, MEMBER, OPERATOR, OTHER_GUILD, START_MS, World, http_client
from tests.receipt_world import ReceiptWorld, ruled_session
from tests.signing_world import SigningProcess, an_unknown_session

STRANGER = 4711
MINE = ruled_session(1, user_id=MEMBER)


@pytest.fixture
async def asked(world, tmp_path):
    world.log_folder = tmp_path
    receipts = ReceiptWorld(SigningProcess(world.database), tmp_path)
    await receipts.settle()
    await receipts.recorded([MINE])
    async with http_client(world.app()) as client:

        async def ask(user: int, session_id: object = MINE.session_id, guild: int = GUILD):
            return await client.get(f"/api/v1/guilds/{guild}/receipts/{session_id}", headers=world.auth(user, guild))

        yield ask


@pytest.mark.parametrize("user", [MEMBER, MANAGER, OPERATOR])
async def test_the_member_and_admins_get_the_file(asked, user):
    answer = await asked(user)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["content-disposition"] == f'attachment; filename="rollcall-receipt-{MINE.session_id}.json"'
    assert verify_receipt(answer.content).verdict == "valid"


async def test_nobody_else_learns_even_whether_there_is_such_a_session(asked):
    answers = [await asked(STRANGER), await asked(STRANGER, an_unknown_session()), await asked(MEMBER, an_unknown_session())]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert len({answer.text for answer in answers}) == 1


async def test_an_unknown_session_and_another_guilds_are_404_for_admins(asked):
    for answer in (await asked(MANAGER, an_unknown_session()), await asked(MANAGER, guild=OTHER_GUILD)):
        assert (answer.status_code, answer.json()) == (404, {"error": "there is no such session"})


async def test_what_is_no_sessions_id_is_422(asked):
    assert (await asked(MANAGER, "one")).status_code == 422
    assert (await asked(MEMBER, "one")).status_code == 403


async def test_a_session_that_waits_is_409_with_the_seconds_to_wait(world: World, tmp_path):
    world.log_folder = tmp_path
    receipts = ReceiptWorld(SigningProcess(world.database), tmp_path)
    await receipts.settle()
    await receipts.recorded([MINE], logged=False)
    async with http_client(world.app()) as client:
        url = f"/api/v1/guilds/{GUILD}/receipts/{MINE.session_id}"
        answer = await client.get(url, headers=world.auth(MEMBER))
        assert (answer.status_code, answer.headers["retry-after"]) == (409, "5")
        assert "log" in answer.json()["error"]
        assert MINE.joined_at_ms > START_MS
