"""Answers stay within Discord's limits, wordings are exact, and commands are registered only when they differ."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.discord.interactions.answers import Answer, Button, File, embed
from attendance.discord.interactions.definitions import COMMANDS
from attendance.discord.interactions.desk import COMMANDS as HANDLED
from attendance.discord.interactions.registry import register
from attendance.discord.interactions.words import counted, duration, local_date, local_time
from simulator.application_commands import CommandBook
from simulator.message_checks import check_message

TEXTS = st.text(st.sampled_from("ab\n*"), max_size=5_000)


@given(TEXTS, TEXTS, st.lists(st.tuples(TEXTS.map(lambda text: text or "x"), TEXTS), max_size=30), TEXTS)
def test_any_embed_is_one_that_discord_takes(title: str, description: str, fields: list[tuple[str, str]], footer: str) -> None:
    made = embed(title, description, [(name.strip() or "x", value) for name, value in fields], footer=footer, image="a.png")
    check_message(Answer(embed=made).payload(), {})


def test_a_text_is_cut_between_its_lines() -> None:
    lines = "\n".join(["\\*" * 30] * 200)
    shown = embed("t", lines)["description"]
    assert len(shown) <= 4000
    assert shown.endswith("\\*\n…")


def test_no_answer_pings_anyone_and_files_have_alt_text() -> None:
    body = Answer(content="@everyone", files=[File("a.png", b"x", "alt " * 400)], buttons=[Button("b", "id")]).payload()
    assert body["allowed_mentions"] == {"parse": []}
    assert body["attachments"][0]["description"].startswith("alt alt")
    check_message(body, {"files[0]": b"x"})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (-90, "-1 min 30 s"),
        (3_600_000 + 59, "1\u202f000 h 00 min"),
    ],
)
def test_a_duration_has_two_units_and_is_cut(seconds: int, words: str) -> None:
    assert duration(seconds) == words


def test_dates_are_the_guilds() -> None:
    new_year = 1_798_758_000_000  # 2026-12-31T23:00Z
    assert local_date(new_year, "UTC") == "31 Dec 2026"
    assert local_time(new_year, "Europe/Berlin") == "1 Jan 2027, 00:00"
    assert counted(1, "session") == "1 session"
    assert counted(1200, "stretch", "stretches") == "1\u202f200 stretches"


class Registry:
    """What Discord keeps, with the members that it adds."""

    def __init__(self) -> None:
        self.book = CommandBook(7)

    async def commands(self) -> list[dict[str, Any]]:
        return copy.deepcopy(self.book.of())

    async def put_commands(self, commands: Sequence[dict[str, Any]]) -> None:
        self.book.put("", [copy.deepcopy(command) for command in commands])


async def test_commands_are_registered_once_and_again_only_when_they_differ() -> None:
    registry = Registry()
    assert await register(registry)
    assert not await register(registry)
    registry.book.of()[0]["options"][0]["description"] = "older"
    assert await register(registry)
    registry.book.of()[1]["default_member_permissions"] = None
    assert await register(registry)
    registry.book.of().reverse()
    assert not await register(registry), "their order is Discord's"


def test_every_registered_sub_command_is_handled_and_the_other_way_round() -> None:
    assert {(command["name"], sub["name"]) for command in COMMANDS for sub in command["options"]} == set(HANDLED)


def test_no_command_takes_a_passphrase() -> None:
    options = [option["name"] for command in COMMANDS for sub in command["options"] for option in sub["options"]]
    assert options
    assert not [name for name in options if "pass" in name or "secret" in name or "key" in name]


def test_only_the_admins_command_needs_manage_server_and_neither_works_in_direct_messages() -> None:
    assert [(it["name"], it["default_member_permissions"]) for it in COMMANDS] == [("attendance", None), ("rollcall", "32")]
    assert all(command["contexts"] == [0] for command in COMMANDS)
