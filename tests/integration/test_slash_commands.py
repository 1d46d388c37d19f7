"""Members and admins use every command of a running service, rightly and wrongly, and see what Discord would show them."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from PIL import Image

from attendance.core import verify_receipt
from attendance.pictures.leaderboard import WIDTH
from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID
from simulator.application_commands import UsageError
from simulator.entities import ChannelType, User
from tests.integration.slash_rig import PUBLIC_URL, Discord, running_discord, shown

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

HOSTILE = "**@everyone** [x](https://evil.example) \u202e<@1>\u200b`"
HOSTILE_ID, QUIET_ID = 4_000_000_000_001, 4_000_000_000_002
PASSPHRASE = "a passphrase for this test"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def discord(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Discord]:
    async with running_discord(tmp_path_factory.mktemp("slash")) as running:
        world = running.sim.world
        for user_id, name in ((HOSTILE_ID, HOSTILE), (QUIET_ID, "名前")):
            world.users[user_id] = User(user_id, name)
            world.add_member(DEMO_GUILD_ID, name, user_id=user_id)
            world.join(DEMO_GUILD_ID, user_id, lounge(running))

        async def counted() -> bool:
            lines = (await running.api("GET", "/leaderboard"))["items"]
            return any(line["user_id"] == str(QUIET_ID) and line["seconds"] >= 1 for line in lines)

        async def closed() -> object:
            return (await running.api("GET", "/sessions?limit=1"))["items"]

        await running.until(counted)
        world.leave(DEMO_GUILD_ID, QUIET_ID)
        await running.until(closed)
        yield running


def channel_named(discord: Discord, name: str) -> int:
    channels = discord.sim.world.guilds[DEMO_GUILD_ID].channels.values()
    return next(channel.id for channel in channels if channel.name == name)


def lounge(discord: Discord) -> int:
    return channel_named(discord, "Lounge")


async def test_the_commands_were_registered_once(discord: Discord) -> None:
    assert [command["name"] for command in discord.sim.rest.commands.of()] == ["attendance", "rollcall"]
    assert discord.sim.rest.commands.puts == 1


async def test_me_is_answered_in_private_after_a_deferral(discord: Discord) -> None:
    made = await discord.use("attendance me", HOSTILE_ID)
    assert made.callback == {"type": 5, "data": {"flags": 64}}
    assert made.ephemeral
    text = shown(made)
    assert "Attendance of" in text
    assert "in voice now" in text
    assert re.search(r"#\d", text)


async def test_a_hostile_name_is_shown_as_it_is_and_pings_nobody(discord: Discord) -> None:
    for command in ("attendance me", "attendance leaderboard", "attendance explain", "attendance privacy"):
        made = await discord.use(command, HOSTILE_ID)
        message = made.original
        assert message is not None
        assert message["allowed_mentions"] == {"parse": []}
        text = shown(made)
        assert r"\*\*\@everyone\*\* \[x\]\(https\://evil.example\) \<\@1\>\`" in text, command
        assert "\u202e" not in text
        assert "\u200b" not in text.replace("\n\u200b\n", "\n")


async def test_somebody_elses_time_is_for_who_manages_the_server(discord: Discord) -> None:
    refused = await discord.use("attendance me", QUIET_ID, member=HOSTILE_ID)
    assert "Manage Server permission" in shown(refused)
    assert "Attendance of" in shown(await discord.use("attendance me", DEMO_ADMIN_ID, member=HOSTILE_ID))


async def test_the_leaderboard_is_a_picture_with_its_text_beside_it(discord: Discord) -> None:
    made = await discord.use("attendance leaderboard", QUIET_ID)
    message = made.original
    assert message is not None
    assert not made.ephemeral
    (attachment,) = message["attachments"]
    image = Image.open(io.BytesIO(made.files[message["id"], "leaderboard.png"]))
    image.load()
    assert (image.format, image.width) == ("PNG", WIDTH)
    assert image.height > 200
    assert message["embeds"][0]["image"] == {"url": "attachment://leaderboard.png"}
    assert attachment["description"].startswith("Leaderboard, This period, since")
    assert "名前" in attachment["description"]
    assert "名前" in shown(made)
    assert (await discord.use("attendance leaderboard", QUIET_ID, private=True)).ephemeral


async def test_a_mistake_about_the_leaderboard_is_told_in_private(discord: Discord) -> None:
    for options, words in (
        ({"page": 900}, "no such page"),
        ({"period": 77}, "no such period"),
        ({"channel": channel_named(discord, "general")}, "not one that Rollcall knows"),
    ):
        made = await discord.use("attendance leaderboard", QUIET_ID, **options)
        assert made.original is None, "the public promise was taken back"
        (followup,) = made.followups
        assert followup["flags"] == 64
        assert words in shown(made)


async def test_explain_tells_every_stretch_and_refuses_what_is_no_day(discord: Discord) -> None:
    text = shown(await discord.use("attendance explain", QUIET_ID))
    assert "counted" in text
    assert f"<#{lounge(discord)}>" in text
    offered = await discord.use("attendance explain", QUIET_ID, focused="day", day="today")
    assert offered.choices is not None
    (today,) = offered.choices
    assert "counted" in shown(await discord.use("attendance explain", QUIET_ID, day=today["value"]))
    assert "not a day" in shown(await discord.use("attendance explain", QUIET_ID, day="2026-13-1"))
    assert "not a day" in shown(await discord.use("attendance explain", QUIET_ID, day="0001-01-01"))
    assert "needs a first one" in shown(await discord.use("attendance explain", QUIET_ID, until="2026-01-01"))
    backwards = await discord.use("attendance explain", QUIET_ID, day="2026-01-02", until="2026-01-01")
    assert "ends before it begins" in shown(backwards)
    assert "too long" in shown(await discord.use("attendance explain", QUIET_ID, day="2020-01-01", until="2026-01-01"))


async def test_a_member_opts_out_and_in_again_with_a_button(discord: Discord) -> None:
    made = await discord.use("attendance privacy", QUIET_ID)
    assert "You are **opted in**" in shown(made)
    assert "1 finished session" in shown(made)
    out = await discord.press(made, "privacy:opt-out", QUIET_ID)
    assert "opted out" in shown(out)
    assert out.ephemeral
    back = await discord.press(out, "privacy:opt-in", QUIET_ID)
    assert "You are **opted in**" in shown(back)
    with pytest.raises(UsageError):
        discord.sim.rest.interactions.press(back.id, "privacy:opt-out", HOSTILE_ID)


async def test_a_member_asks_for_an_erasure_and_withdraws_it_with_buttons(discord: Discord) -> None:
    made = await discord.use("attendance privacy", QUIET_ID)
    asked = await discord.press(made, "privacy:erase", QUIET_ID)
    assert "Everything that is kept of you will be erased <t:" in shown(asked)
    kept = await discord.press(asked, "privacy:keep", QUIET_ID)
    assert "will be erased" not in shown(kept)
    with pytest.raises(UsageError):
        discord.sim.rest.interactions.press(kept.id, "privacy:keep", QUIET_ID)


async def test_names_stay_out_of_what_everybody_sees_where_the_server_says_so(discord: Discord) -> None:
    named = shown(await discord.use("attendance leaderboard"))
    await discord.api("PATCH", "/settings", names_shown=False)
    unnamed = shown(await discord.use("attendance leaderboard"))
    await discord.api("PATCH", "/settings", names_shown=True)  # the tests share their server and come in any order
    assert "A member" in unnamed
    assert "A member" not in named


async def test_status_links_to_where_a_locked_key_is_unlocked(discord: Discord) -> None:
    configured = (await discord.api("GET", "/signing/status"))["configured"]
    assert ("no key yet" in shown(await discord.use("rollcall status"))) == (not configured)
    await make_sure_of_a_key(discord)
    assert "being signed" in shown(await discord.use("rollcall status"))
    await discord.api("POST", "/signing/lock")
    locked = await discord.use("rollcall status")
    assert locked.original is not None
    (row,) = locked.original["components"]
    assert row["components"] == [{"type": 2, "style": 5, "label": "Unlock signing", "url": PUBLIC_URL}]
    assert "Never type a passphrase here" in shown(locked)
    await discord.api("POST", "/signing/unlock", passphrase=PASSPHRASE)


async def test_channels_are_tracked_and_untracked(discord: Discord) -> None:
    focus = channel_named(discord, "Focus Room")
    assert "is on the list now" in shown(await discord.use("rollcall track", channel=focus))
    assert "already" in shown(await discord.use("rollcall track", channel=focus))
    assert f"<#{focus}>" in shown(await discord.use("rollcall status"))
    text_channel = channel_named(discord, "general")
    assert "no such channel" in shown(await discord.use("rollcall track", channel=text_channel))
    offered = await discord.use("rollcall untrack", focused="channel", channel="focus")
    assert offered.choices == [{"name": "Focus Room", "value": str(focus)}]
    assert "not on the list any more" in shown(await discord.use("rollcall untrack", channel=str(focus)))
    assert "not tracked" in shown(await discord.use("rollcall untrack", channel=str(focus)))
    assert "Choose the channel" in shown(await discord.use("rollcall untrack", channel="Focus Room"))
    assert "Choose the channel" in shown(await discord.use("rollcall untrack", channel="9" * 25))


async def test_mode_fairness_and_period_change_what_they_say(discord: Discord) -> None:
    assert "only channels on the list" in shown(await discord.use("rollcall mode", mode="allowlist"))
    assert (await discord.api("GET", "/overview"))["tracking_mode"].lower() == "allowlist"
    assert "all channels" in shown(await discord.use("rollcall mode", mode="all"))
    assert "(`pause_on_mute`): **off**" in shown(await discord.use("rollcall fairness"))
    changed = shown(await discord.use("rollcall fairness", pause_on_mute=True, min_session_seconds=90))
    assert "(`pause_on_mute`): **on**" in changed
    assert "**1 min 30 s**" in changed
    await discord.use("rollcall fairness", pause_on_mute=False, min_session_seconds=0)
    assert "by hand only" in shown(await discord.use("rollcall period"))
    zones = await discord.use("rollcall period", focused="timezone", timezone="new york")
    assert zones.choices == [{"name": "America/New_York", "value": "America/New_York"}]
    weekly = shown(await discord.use("rollcall period", interval="weekly", weekday=2, hour=6, timezone="America/New_York"))
    assert "**Weekly, on Wednesday at 06:00**" in weekly
    assert weekly.count("<t:") == 5
    assert "Time zone: America/New_York" in weekly
    assert "America/New\\_York" not in shown(await discord.use("attendance explain", QUIET_ID))
    assert "timezone" in shown(await discord.use("rollcall period", timezone="Atlantis/Capital"))


async def test_changes_are_audited_as_slash_commands(discord: Discord) -> None:
    await discord.use("rollcall mode", mode="denylist")
    await discord.use("rollcall mode", mode="all")
    entries = (await discord.api("GET", "/audit?limit=1"))["items"]
    assert entries[0]["via"] == "slash"


async def make_sure_of_a_key(discord: Discord) -> None:
    """What is done once in a guild: each test may be the first that needs it."""
    if not (await discord.api("GET", "/signing/status"))["configured"]:
        await discord.api("POST", "/signing/generate-keys", passphrase=PASSPHRASE, auto_unlock=False)


async def test_verify_says_what_valid_means(discord: Discord) -> None:
    await make_sure_of_a_key(discord)

    async def signed() -> object:
        offered = await discord.use("rollcall verify", focused="session", session="")
        made = await discord.use("rollcall verify", session=(offered.choices or [])[0]["value"])
        return made if "Valid" in shown(made) else None

    made = await discord.until(signed)
    assert "does not say that a member was attentive" in shown(made)
    assert "no such session" in shown(await discord.use("rollcall verify", session=str(uuid4())))
    assert "not a session's id" in shown(await discord.use("rollcall verify", session="١٢٣"))
    assert "no such period" in shown(await discord.use("rollcall verify", period=40))
    assert "what to verify" in shown(await discord.use("rollcall verify"))
    assert "what to verify" in shown(await discord.use("rollcall verify", period=1, session="x"))


async def test_a_member_gets_the_receipt_of_their_own_session_as_a_file(discord: Discord) -> None:
    await make_sure_of_a_key(discord)

    async def receipt() -> bytes | None:
        offered = await discord.use("attendance receipt", QUIET_ID, focused="session", session="")
        made = await discord.use("attendance receipt", QUIET_ID, session=(offered.choices or [])[-1]["value"])
        assert made.ephemeral
        return next(iter(made.files.values()), None)

    file = await discord.until(receipt)
    report = verify_receipt(file)
    assert (report.verdict, report.claims["user_id"]) == ("valid", str(QUIET_ID)), report
    session = report.claims["session_id"]
    refused = await discord.use("attendance receipt", HOSTILE_ID, session=session)
    assert "Manage Server" in shown(refused)
    assert refused.files == {}
    assert "not a session's id" in shown(await discord.use("attendance receipt", QUIET_ID, session="x"))


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("rollcall status", {}),
        ("rollcall mode", {"mode": "off"}),
        ("rollcall fairness", {"pause_on_mute": True}),
        ("rollcall period", {"hour": 3}),
        ("rollcall verify", {"period": 0}),
        ("rollcall untrack", {"channel": "1"}),
    ],
)
async def test_a_command_that_an_admin_opened_to_everyone_still_asks_for_manage_server(
    discord: Discord, command: str, options: dict[str, object]
) -> None:
    with pytest.raises(UsageError):
        discord.sim.rest.interactions.use(DEMO_GUILD_ID, QUIET_ID, command, options)
    made = await discord.use(command, QUIET_ID, force=True, **options)
    assert "Manage Server permission" in shown(made)
    assert made.ephemeral
    assert (await discord.api("GET", "/overview"))["tracking_mode"].lower() == "all"


async def test_choices_are_not_told_to_who_may_not_see_them(discord: Discord) -> None:
    made = await discord.use("rollcall verify", QUIET_ID, force=True, focused="session", session="")
    assert made.choices == []


async def test_an_answer_that_comes_too_late_harms_nothing(discord: Discord) -> None:
    desk = discord.sim.rest.interactions
    desk.first_answer_s = 0
    try:
        late = desk.use(DEMO_GUILD_ID, QUIET_ID, "attendance me")

        async def refused() -> bool:
            asked = discord.sim.rest.requests.get("POST /interactions/{interaction_id}/{token}/callback", 0)
            return asked > before

        before = discord.sim.rest.requests.get("POST /interactions/{interaction_id}/{token}/callback", 0)
        await discord.until(refused)
    finally:
        desk.first_answer_s = 3.0
    assert late.callback is None
    assert "Attendance of" in shown(await discord.use("attendance me", QUIET_ID))


async def test_a_deleted_channel_can_be_taken_off_the_list(discord: Discord) -> None:
    world = discord.sim.world
    gone = world.create_channel(DEMO_GUILD_ID, "Gone *soon*", int(ChannelType.VOICE))
    gone_id = getattr(gone, "id", gone)

    async def known() -> bool:
        return "is on the list now" in shown(await discord.use("rollcall track", channel=gone_id))

    await discord.until(known)
    world.delete_channel(gone_id)

    async def offered() -> object:
        made = await discord.use("rollcall untrack", focused="channel", channel="gone")
        return made.choices and made.choices[0]["name"] == "Gone *soon* (deleted)"

    await discord.until(offered)
    assert "any more" in shown(await discord.use("rollcall untrack", channel=str(gone_id)))
