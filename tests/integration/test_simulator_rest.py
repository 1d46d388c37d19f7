"""The simulator's REST API, asked over HTTP: shapes, permissions, errors, rate limits and faults."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, Settings, Simulator, running_simulator
from simulator.entities import ChannelType, Overwrite, Permission
from simulator.intents import GUILD_MEMBERS

GUILD = f"/guilds/{DEMO_GUILD_ID}"


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with running_simulator(Settings(speed=0)) as simulator:
        yield simulator


async def ask(sim: Simulator, method: str, path: str, token: str | None = None, **more: Any) -> tuple[int, Any, Any]:
    headers = {"Authorization": f"Bot {sim.token if token is None else token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.request(method, sim.rest_url + path, **more) as response,
    ):
        return response.status, await response.json() if response.status != 204 else None, response.headers


def text_channel(sim: Simulator) -> int:
    return next(c.id for c in sim.world.guilds[DEMO_GUILD_ID].channels.values() if c.type is ChannelType.TEXT)


async def test_gateway_bot_gives_the_address_and_the_start_limit(sim: Simulator) -> None:
    status, body, _ = await ask(sim, "GET", "/gateway/bot")
    assert status == 200
    assert body["url"] == sim.gateway.url
    assert body["session_start_limit"]["max_concurrency"] == 1


@pytest.mark.parametrize("path", ["/users/@me", "/gateway/bot", GUILD, "/no/such/route"])
async def test_a_wrong_token_is_unauthorized_everywhere(sim: Simulator, path: str) -> None:
    status, body, _ = await ask(sim, "GET", path, token="wrong")
    assert (status, body) == (401, {"message": "401: Unauthorized", "code": 0})


async def test_the_gateway_route_needs_no_token(sim: Simulator) -> None:
    assert (await ask(sim, "GET", "/gateway", token="wrong"))[0] == 200


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/guilds/1", 404, 10_004),
        ("/guilds/1/channels", 404, 10_004),
        (f"{GUILD}/members/1", 404, 10_013),
        (f"{GUILD}/members/754679441002594306", 404, 10_013),
        ("/channels/1", 404, 10_003),
        ("/channels/1/messages", 404, 10_003),
        ("/users/1", 404, 10_013),
        ("/guilds/abc", 400, 50_035),
        ("/users/@me/guilds?limit=ten", 400, 50_035),
        ("/guilds/99999999999999999999", 400, 50_035),
        (f"{GUILD}/voice-states/1", 404, 10_065),
        (f"{GUILD}/members", 403, 50_001),
        ("/applications/1/commands", 403, 50_001),
        ("/no/such/route", 404, 0),
    ],
)
async def test_what_is_not_there_answers_with_discords_code(sim: Simulator, path: str, status: int, code: int) -> None:
    found, body, _ = await ask(sim, "GET", path)
    assert (found, body["code"]) == (status, code)


async def test_a_user_who_is_not_in_the_guild_is_an_unknown_member(sim: Simulator) -> None:
    sim.world.remove_member(DEMO_GUILD_ID, DEMO_ADMIN_ID)
    assert (await ask(sim, "GET", f"{GUILD}/members/{DEMO_ADMIN_ID}"))[1]["code"] == 10_007


async def test_a_guild_without_the_bot_is_unknown_and_one_in_an_outage_is_503(sim: Simulator) -> None:
    sim.world.set_unavailable(DEMO_GUILD_ID)
    assert (await ask(sim, "GET", GUILD))[0] == 503
    sim.world.remove_bot(DEMO_GUILD_ID)
    assert (await ask(sim, "GET", GUILD))[1]["code"] == 10_004
    assert str(DEMO_GUILD_ID) not in {guild["id"] for guild in (await ask(sim, "GET", "/users/@me/guilds"))[1]}


async def test_manage_server_can_be_worked_out_from_roles_and_changes_with_them(sim: Simulator) -> None:
    async def manages() -> bool:
        _, guild, _ = await ask(sim, "GET", GUILD)
        _, member, _ = await ask(sim, "GET", f"{GUILD}/members/{DEMO_ADMIN_ID}")
        held = {*member["roles"], str(DEMO_GUILD_ID)}
        bits = 0
        for role in guild["roles"]:
            bits |= int(role["permissions"]) if role["id"] in held else 0
        return bool(bits & (Permission.MANAGE_GUILD | Permission.ADMINISTRATOR))

    assert await manages()
    for role_id in list(sim.world.member(DEMO_GUILD_ID, DEMO_ADMIN_ID).role_ids):
        sim.world.take_role(DEMO_GUILD_ID, DEMO_ADMIN_ID, role_id)
    assert not await manages()
    sim.world.make_admin(DEMO_GUILD_ID, DEMO_ADMIN_ID)
    assert await manages()


async def test_members_are_listed_in_pages_with_the_privileged_intent() -> None:
    async with running_simulator(Settings(speed=0, privileged_intents=GUILD_MEMBERS)) as sim:
        seen: list[int] = []
        while page := (await ask(sim, "GET", f"{GUILD}/members?limit=40&after={seen[-1] if seen else 0}"))[1]:
            seen += [int(member["user"]["id"]) for member in page]
        assert seen == sorted(sim.world.guilds[DEMO_GUILD_ID].members)


async def test_a_message_is_posted_once_for_an_enforced_nonce(sim: Simulator) -> None:
    path = f"/channels/{text_channel(sim)}/messages"
    body = {"content": "hello", "nonce": "n-1", "enforce_nonce": True}
    _, first, _ = await ask(sim, "POST", path, json=body)
    _, again, _ = await ask(sim, "POST", path, json=body)
    assert first["id"] == again["id"]
    _, other, _ = await ask(sim, "POST", path, json=body | {"enforce_nonce": False})
    assert other["id"] != first["id"]
    _, kept, _ = await ask(sim, "GET", path)
    assert [message["id"] for message in kept] == [other["id"], first["id"]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 50_006),
        ({"content": "x" * 2_001}, 50_035),
        ({"content": "x", "nonce": "n" * 26}, 50_035),
        ([], 50_109),
    ],
)
async def test_a_bad_message_is_refused(sim: Simulator, body: Any, code: int) -> None:
    status, answer, _ = await ask(sim, "POST", f"/channels/{text_channel(sim)}/messages", json=body)
    assert (status, answer["code"]) == (400, code)


@pytest.mark.parametrize(("deny", "code"), [(Permission.VIEW_CHANNEL, 50_001), (Permission.SEND_MESSAGES, 50_013)])
async def test_a_channel_overwrite_takes_the_bots_permission_away(sim: Simulator, deny: Permission, code: int) -> None:
    channel = sim.world.channel(text_channel(sim))
    channel.overwrites.append(Overwrite(DEMO_GUILD_ID, deny=deny))
    status, answer, _ = await ask(sim, "POST", f"/channels/{channel.id}/messages", json={"content": "x"})
    assert (status, answer["code"]) == (403, code)


async def test_roles_below_the_bots_own_can_be_given_and_taken(sim: Simulator) -> None:
    roles = {role.name: role.id for role in sim.world.guilds[DEMO_GUILD_ID].roles.values()}
    path = f"{GUILD}/members/{DEMO_ADMIN_ID}/roles/"
    member = sim.world.member(DEMO_GUILD_ID, DEMO_ADMIN_ID)
    assert (await ask(sim, "PUT", path + str(roles["Regular"])))[0] == 204
    assert roles["Regular"] in member.role_ids
    assert (await ask(sim, "DELETE", path + str(roles["Regular"])))[0] == 204
    assert roles["Regular"] not in member.role_ids
    assert (await ask(sim, "PUT", path + str(roles["Rollcall"])))[1]["code"] == 50_013
    assert (await ask(sim, "PUT", path + "1"))[1]["code"] == 10_011


async def test_commands_keep_their_ids_when_they_are_put_again(sim: Simulator) -> None:
    path = f"/applications/{sim.settings.bot_id}/commands"
    _, first, _ = await ask(sim, "PUT", path, json=[{"name": "stats", "description": "Your hours", "type": 1}])
    _, second, _ = await ask(
        sim, "PUT", path, json=[{"name": "stats", "description": "Hours"}, {"name": "top", "description": "x"}]
    )
    assert [command["name"] for command in second] == ["stats", "top"]
    assert second[0]["id"] == first[0]["id"] != second[1]["id"]
    assert (await ask(sim, "GET", path))[1] == second


async def test_a_route_over_its_limit_gets_429_with_the_bucket_emptied(sim: Simulator) -> None:
    path = f"/channels/{text_channel(sim)}/messages"
    answers = [await ask(sim, "POST", path, json={"content": "x"}) for _ in range(6)]
    assert [status for status, _, _ in answers] == [200] * 5 + [429]
    assert [headers["X-RateLimit-Remaining"] for _, _, headers in answers] == ["4", "3", "2", "1", "0", "0"]
    _, body, headers = answers[-1]
    assert body["global"] is False
    assert 0 < body["retry_after"] <= 5
    assert headers["X-RateLimit-Scope"] == "user"


async def test_other_channels_have_their_own_bucket(sim: Simulator) -> None:
    for _ in range(5):
        await ask(sim, "POST", f"/channels/{text_channel(sim)}/messages", json={"content": "x"})
    other = sim.world.create_channel(DEMO_GUILD_ID, "elsewhere", ChannelType.TEXT)
    assert (await ask(sim, "POST", f"/channels/{other}/messages", json={"content": "x"}))[0] == 200


async def test_the_global_limit_counts_over_all_routes() -> None:
    async with running_simulator(Settings(speed=0, global_requests_per_s=3)) as sim:
        paths = ["/users/@me", GUILD, f"{GUILD}/roles", f"{GUILD}/channels"]
        answers = [await ask(sim, "GET", path) for path in paths]
    assert [status for status, _, _ in answers] == [200, 200, 200, 429]
    assert answers[-1][1]["global"] is True
    assert answers[-1][2]["X-RateLimit-Global"] == "true"


async def test_a_fault_hits_the_next_requests_on_its_route_only(sim: Simulator) -> None:
    sim.fault("rest", route="GET /guilds/{guild_id}", status=503, count=2)
    assert (await ask(sim, "GET", f"{GUILD}/roles"))[0] == 200
    assert [(await ask(sim, "GET", GUILD))[0] for _ in range(3)] == [503, 503, 200]
    sim.fault("rest", status=429, retry_after_s=7.5, scope="shared")
    status, body, headers = await ask(sim, "GET", GUILD)
    assert (status, body["retry_after"], headers["Retry-After"]) == (429, 7.5, "8")
    sim.fault("rest", status=500, count=9)
    assert sim.fault("clear_rest") == 1
    assert (await ask(sim, "GET", GUILD))[0] == 200


async def test_an_answer_that_is_lost_leaves_the_message_there(sim: Simulator) -> None:
    path = f"/channels/{text_channel(sim)}/messages"
    body = {"content": "hello", "nonce": "n-1", "enforce_nonce": True}
    sim.fault("rest", route="POST /channels/{channel_id}/messages", status=502, done=True)
    assert (await ask(sim, "POST", path, json=body))[0] == 502
    sim.fault("rest", route="POST /channels/{channel_id}/messages", status=0, done=True)
    with pytest.raises(aiohttp.ClientError):
        await ask(sim, "POST", path, json=body)
    assert (await ask(sim, "POST", path, json=body))[0] == 200
    _, found, _ = await ask(sim, "GET", path)
    assert [message["content"] for message in found] == ["hello"]
    assert "nonce" not in found[0]


async def test_messages_are_read_in_pages_in_both_directions(sim: Simulator) -> None:
    channel = text_channel(sim)
    made = [
        sim.rest.messages.board.post(channel, sim.world.bot, {"content": str(n)}, 1_800_000_000_000 + n)["id"] for n in range(6)
    ]
    path = f"/channels/{channel}/messages?limit=2"
    for query, wanted in ((f"&after={made[0]}", [2, 1]), (f"&before={made[5]}", [4, 3]), ("", [5, 4])):
        assert [message["id"] for message in (await ask(sim, "GET", path + query))[1]] == [made[n] for n in wanted]
    assert (await ask(sim, "GET", path + "&after=x"))[0] == 400


async def test_embeds_and_old_messages_need_their_permissions(sim: Simulator) -> None:
    channel = sim.world.guilds[DEMO_GUILD_ID].channels[text_channel(sim)]
    path = f"/channels/{channel.id}/messages"
    assert (await ask(sim, "POST", path, json={"embeds": [{"title": "hello"}]}))[0] == 200
    denied = Permission.EMBED_LINKS | Permission.READ_MESSAGE_HISTORY
    channel.overwrites.append(Overwrite(DEMO_GUILD_ID, deny=denied))
    assert (await ask(sim, "POST", path, json={"embeds": [{"title": "hello"}]}))[1]["code"] == 50_013
    assert (await ask(sim, "POST", path, json={"content": "hello"}))[0] == 200
    assert (await ask(sim, "GET", path))[:2] == (200, [])
    sim.world.remove_bot(DEMO_GUILD_ID)
    assert (await ask(sim, "POST", path, json={"content": "hello"}))[1]["code"] == 50_001
