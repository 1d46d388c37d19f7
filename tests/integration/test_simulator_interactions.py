"""The simulator's interactions are as strict as Discord's, with a bot that is nothing but HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, Simulator
from simulator import Settings as SimulatorSettings

MEMBER = DEMO_ADMIN_ID
OPTIONS = [
    {"type": 3, "name": "text", "description": "x", "required": True, "max_length": 5},
    {"type": 4, "name": "number", "description": "x", "min_value": 1, "max_value": 9},
    {"type": 4, "name": "typed", "description": "x", "autocomplete": True},
    {"type": 7, "name": "channel", "description": "x"},
]
CONTRADICTION = {"type": 3, "name": "a", "description": "x", "autocomplete": True, "choices": [{"name": "a", "value": "b"}]}
COMMAND = {"name": "test", "description": "x", "options": [{"type": 1, "name": "it", "description": "x", "options": OPTIONS}]}


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    simulator = Simulator(SimulatorSettings(guilds=1, members=3, speed=0, start_hour=0))
    await simulator.start()
    yield simulator
    await simulator.stop()


async def ask(
    sim: Simulator, method: str, path: str, json: Any = None, *, token: bool = False, data: Any = None
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bot {sim.token}"} if token else {}
    url = path if path.startswith("http") else sim.rest_url + path
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=json, data=data, headers=headers) as response,
    ):
        return response.status, await response.json() if response.content_type == "application/json" else None


async def registered(sim: Simulator, *commands: Any) -> tuple[int, Any]:
    return await ask(sim, "PUT", f"/applications/{sim.settings.bot_id}/commands", list(commands), token=True)


async def use(sim: Simulator, **members: Any) -> tuple[int, Any]:
    body = {"guild_id": str(DEMO_GUILD_ID), "user_id": str(MEMBER), "command": "test it", "options": {"text": "a"}} | members
    return await ask(sim, "POST", sim.control_url + "/interactions", body)


async def token_of(sim: Simulator, made: Any) -> str:
    found = sim.rest.interactions.get(int(made["id"]))
    assert found is not None
    return found.token


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"name": "Not Good"}, 50_035),
        ({"description": ""}, 50_035),
        ({"surprise": 1}, 50_035),
        ({"default_member_permissions": 32}, 50_035),
        ({"options": [OPTIONS[1], OPTIONS[0]]}, 50_035),
        ({"options": [OPTIONS[0], OPTIONS[0]]}, 50_035),
        ({"options": [CONTRADICTION]}, 50_035),
        ({"options": [{"type": 5, "name": "a", "description": "x", "autocomplete": True}]}, 50_035),
    ],
)
async def test_a_command_that_discord_would_refuse_is_refused(sim: Simulator, changed: dict[str, Any], code: int) -> None:
    status, body = await registered(sim, COMMAND | changed)
    assert (status, body["code"]) == (400, code)
    assert (await registered(sim, COMMAND))[0] == 200


@pytest.mark.parametrize(
    "members",
    [
        {"command": "test"},
        {"command": "nothing"},
        {"options": {}},
        {"options": {"text": "too long"}},
        {"options": {"text": "a", "number": 10}},
        {"options": {"text": "a", "number": True}},
        {"options": {"text": "a", "channel": "5"}},
        {"options": {"text": "a", "unknown": "5"}},
        {"user_id": "5"},
        {"guild_id": "5"},
        {"focused": "text"},
    ],
)
async def test_a_use_that_discords_client_would_not_send_is_refused(sim: Simulator, members: dict[str, Any]) -> None:
    await registered(sim, COMMAND)
    status, body = await use(sim, **members)
    assert status == 422
    assert body["error"]


async def test_an_answer_is_taken_once_and_in_time(sim: Simulator) -> None:
    await registered(sim, COMMAND)
    _, made = await use(sim)
    token = await token_of(sim, made)
    path = f"/interactions/{made['id']}/{token}/callback"
    webhook = f"/webhooks/{sim.settings.bot_id}/{token}"
    assert (await ask(sim, "PATCH", webhook + "/messages/@original", {"content": "x"}))[1]["code"] == 10_015, "too early"
    assert (await ask(sim, "POST", path, {"type": 8, "data": {"choices": []}}))[1]["code"] == 50_035
    assert (await ask(sim, "POST", path, {"type": 4, "data": {}}))[1]["code"] == 50_006
    assert (await ask(sim, "POST", path.replace("/callback", "x/callback"), {"type": 5}))[1]["code"] == 10_062
    assert (await ask(sim, "POST", path, {"type": 5, "data": {"flags": 64}}))[0] == 204
    assert (await ask(sim, "POST", path, {"type": 5}))[1]["code"] == 40_060
    status, message = await ask(sim, "PATCH", webhook + "/messages/@original", {"content": "done"})
    assert (status, message["content"], message["flags"]) == (200, "done", 64)
    assert (await ask(sim, "PATCH", webhook + "/messages/@original", {"content": "x" * 2001}))[1]["code"] == 50_035
    assert (await ask(sim, "DELETE", webhook + "/messages/@original"))[0] == 204
    assert (await ask(sim, "GET", webhook + "/messages/@original"))[1]["code"] == 10_008
    status, seen = await ask(sim, "GET", f"{sim.control_url}/interactions/{made['id']}")
    assert (status, seen["answered"], seen["ephemeral"], seen["message"]) == (200, True, True, None)
    _, late = await use(sim)
    sim.rest.interactions.first_answer_s = 0
    status, body = await ask(sim, "POST", f"/interactions/{late['id']}/{await token_of(sim, late)}/callback", {"type": 5})
    assert (status, body["code"]) == (404, 10_062)


async def test_files_come_with_their_message_and_choices_are_checked(sim: Simulator) -> None:
    await registered(sim, COMMAND)
    _, made = await use(sim)
    token = await token_of(sim, made)
    await ask(sim, "POST", f"/interactions/{made['id']}/{token}/callback", {"type": 5})
    form = aiohttp.FormData()
    form.add_field("payload_json", '{"attachments":[{"id":0,"filename":"a.png","description":"alt"}]}')
    form.add_field("files[0]", b"\x89PNG...", filename="a.png", content_type="image/png")
    status, message = await ask(sim, "PATCH", f"/webhooks/{sim.settings.bot_id}/{token}/messages/@original", data=form)
    assert status == 200
    assert [(it["filename"], it["description"], it["content_type"]) for it in message["attachments"]] == [
        ("a.png", "alt", "image/png")
    ]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{sim.control_url}/interactions/{made['id']}/files/a.png") as file,
    ):
        assert await file.read() == b"\x89PNG..."
    _, typing = await use(sim, options={"text": "a", "typed": "1"}, focused="typed")
    path = f"/interactions/{typing['id']}/{await token_of(sim, typing)}/callback"
    for bad in ([{"name": "a", "value": "text"}], [{"name": "", "value": 1}], [{"name": "a", "value": 1}] * 26):
        assert (await ask(sim, "POST", path, {"type": 8, "data": {"choices": bad}}))[1]["code"] == 50_035
    assert (await ask(sim, "POST", path, {"type": 8, "data": {"choices": [{"name": "a", "value": 1}]}}))[0] == 204


async def test_a_members_default_permissions_and_buttons_are_judged(sim: Simulator) -> None:
    await registered(sim, COMMAND | {"default_member_permissions": str(1 << 5)})
    guild = sim.world.guilds[DEMO_GUILD_ID]
    plain = [it for it, member in guild.members.items() if not member.user.bot and it not in {MEMBER, guild.owner_id}]
    assert (await use(sim, user_id=str(plain[0])))[0] == 422
    assert (await use(sim, user_id=str(plain[0]), allowed_by_admin=True))[0] == 200
    _, made = await use(sim)
    button = {"type": 1, "components": [{"type": 2, "style": 1, "label": "b", "custom_id": "b"}]}
    body = {"type": 4, "data": {"content": "x", "flags": 64, "components": [button]}}
    assert (await ask(sim, "POST", f"/interactions/{made['id']}/{await token_of(sim, made)}/callback", body))[0] == 204
    press = {"message_of": made["id"], "custom_id": "b", "user_id": str(MEMBER)}
    control = sim.control_url + "/interactions"
    assert (await ask(sim, "POST", control, press | {"user_id": str(plain[0])}))[0] == 422, "who does not see the message"
    assert (await ask(sim, "POST", control, press | {"custom_id": "c"}))[0] == 422
    status, pressed = await ask(sim, "POST", control, press)
    assert (status, pressed["answered"]) == (200, False)
    update = {"type": 7, "data": {"content": "y"}}
    assert (await ask(sim, "POST", f"/interactions/{pressed['id']}/{await token_of(sim, pressed)}/callback", update))[0] == 204
    _, seen = await ask(sim, "GET", f"{control}/{pressed['id']}")
    assert (seen["message"]["content"], seen["message"]["flags"], len(seen["message"]["components"])) == ("y", 64, 1)
