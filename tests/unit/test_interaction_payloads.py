"""Raw interactions: a value or our error, whatever the JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.discord.interactions.payloads import Interaction, Kind, UnreadableInteractionError, read_interaction

OPTION = {"name": "me", "type": 1, "options": [{"name": "member", "type": 6, "value": "7"}]}


def payload(**changed: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "application_id": "2",
        "type": 2,
        "token": "secret",
        "guild_id": "5",
        "member": {"user": {"id": "7", "username": "x"}, "permissions": "32", "roles": ["9"]},
        "data": {"id": "3", "name": "attendance", "type": 1, "options": [OPTION]},
        "locale": "en-US",
    } | changed


def test_a_command_is_read_with_its_path_and_options() -> None:
    read = read_interaction(payload())
    assert read is not None
    assert (read.kind, read.guild_id, read.user_id, read.permissions, read.role_ids) == (Kind.COMMAND, 5, 7, 32, {9})
    assert (read.path, read.options, read.focused) == (("attendance", "me"), {"member": "7"}, None)
    assert "secret" not in repr(read)


def test_what_is_being_typed_is_told() -> None:
    typing = [{"name": "day", "type": 3, "value": "20", "focused": True}, {"name": "until", "type": 3, "value": "x"}]
    read = read_interaction(payload(type=4, data={"name": "a", "options": [{"name": "b", "type": 1, "options": typing}]}))
    assert read is not None
    assert (read.kind, read.focused, read.options["day"]) == (Kind.AUTOCOMPLETE, "day", "20")


def test_a_direct_message_has_no_guild_and_no_permissions() -> None:
    read = read_interaction(payload(guild_id=None, member=None, user={"id": "7"}))
    assert read is not None
    assert (read.guild_id, read.user_id, read.permissions) == (None, 7, 0)


@pytest.mark.parametrize("kind", [1, 5, 99])
def test_kinds_that_our_commands_never_cause_are_left_alone(kind: int) -> None:
    assert read_interaction(payload(type=kind)) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"id": 1},
        {"id": "-1"},
        {"id": "٣"},
        {"guild_id": "9223372036854775808"},
        {"member": {"user": {"id": "7"}, "permissions": "x"}},
        {"member": {"user": {"id": "7"}, "permissions": "1" * 31}},
        {"member": None},
        {"data": None},
        {"data": {"name": "a", "options": {"not": "a list"}}},
        {"token": None},
        {"type": "2"},
    ],
)
def test_anything_else_is_our_error(changed: dict[str, Any]) -> None:
    with pytest.raises(UnreadableInteractionError):
        read_interaction(payload(**changed))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(sorted(payload())), JSON), JSON)
def test_no_payload_raises_anything_but_our_error(changed: dict[str, Any], anything: Any) -> None:
    for candidate in (payload(**changed), anything):
        try:
            read = read_interaction(candidate)
        except UnreadableInteractionError:
            continue
        assert read is None or isinstance(read, Interaction)
