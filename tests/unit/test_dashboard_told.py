"""What the activity log keeps: read again as it was stored, or as the sentence that it was before."""

from __future__ import annotations

import pytest

from dashboard.domain.ids import UserId
from dashboard.domain.told import (
    Banned,
    ChangedRole,
    Held,
    Note,
    OneRole,
    Told,
    ToldRole,
    Unbanned,
    read_told,
    sentence_of,
    stored,
)

ROLE = ToldRole("night", "Night", "#2196F3", 40, ["view_admin"])
BARE = ToldRole("night", "Nights", "#2196F3", 40, [])


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (Note("signed-out"), "Signed out"),
        (Banned('spam {"told": 1}'), 'Banned 7: spam {"told": 1}'),
        (Unbanned(), "Unbanned 7"),
        (Unbanned("appealed"), "Unbanned 7: appealed"),
        (Held("assigned", "night"), "Gave the role night to 7"),
        (Held("removed", "night"), "Took the role night from 7"),
        (OneRole(ROLE), "night (Night, #2196F3, priority 40: view_admin)"),
        (
            ChangedRole(ROLE, BARE),
            "night (Night, #2196F3, priority 40: view_admin), now night (Nights, #2196F3, priority 40: nothing)",
        ),
    ],
)
def test_what_is_stored_is_read_again_and_has_its_sentence(told: Told, sentence: str) -> None:
    assert read_told(stored(told)) == told
    assert sentence_of(told, UserId(7)) == sentence


def test_only_what_differs_of_a_role_is_named() -> None:
    assert ChangedRole(ROLE, BARE).differing == ["name", "permissions"]


@pytest.mark.parametrize(
    "text", ["", "Signed out", "{}", "{", '{"told":"moon"}', '{"told":"ban"}', '{"told":"note","what":"x"}', "7 (x)"]
)
def test_a_sentence_from_before_is_no_such_thing(text: str) -> None:
    assert read_told(text) is None
