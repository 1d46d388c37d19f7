"""Who may do what to whom, as tables. `tests/property/test_account_rules_hold.py` draws everything else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attendance.errors import ConflictError, ForbiddenError, InvalidInputError
from dashboard.domain import rules
from dashboard.domain.ids import UserId, parse_user_id
from dashboard.domain.roles import EVERYTHING, MAX_PRIORITY, NOTHING, SUPER_ADMIN, Permission, checked_role
from dashboard.domain.users import CONFIGURED_RANK, NO_RANK, Standing, checked_reason
from tests.accounts_world import make_role

CHIEF = make_role("chief", 100, Permission.VIEW_ADMIN, Permission.MANAGE_USERS, Permission.VIEW_DEVOPS)
WARDEN = make_role("warden", 50, Permission.VIEW_ADMIN, Permission.MANAGE_USERS)
READER = make_role("reader", 20, Permission.VIEW_ADMIN)
EVENTS = make_role("events", 10, Permission.VIEW_EVENTS)
PLAIN = make_role("plain", 10)


def standing(user_id: int, *roles, configured: bool = False, banned: bool = False) -> Standing:
    return Standing(UserId(user_id), frozenset(roles), is_configured=configured, has_ban=banned)


PEOPLE = {
    "configured": standing(1, configured=True),
    "super admin": standing(2, SUPER_ADMIN),
    "other super admin": standing(3, SUPER_ADMIN),
    "chief": standing(4, CHIEF),
    "warden": standing(5, WARDEN),
    "other warden": standing(6, WARDEN),
    "reader": standing(7, READER),
    "member": standing(8),
    "banned warden": standing(9, WARDEN, banned=True),
    "banned member": standing(10, banned=True),
}

# Who may ban whom (or lift a ban): everybody who is not named may not.
ABOVE = {
    "configured": set(PEOPLE) - {"configured"},
    "super admin": set(PEOPLE) - {"configured", "super admin", "other super admin"},
    "chief": {"warden", "other warden", "reader", "member", "banned warden", "banned member"},
    "warden": {"reader", "member", "banned member"},
}


@pytest.mark.parametrize("target", PEOPLE)
@pytest.mark.parametrize("actor", PEOPLE)
def test_a_ban_comes_from_somebody_with_the_right_who_stands_above(actor: str, target: str) -> None:
    allowed = target in ABOVE.get(actor.removeprefix("other "), set()) and actor != target
    assert is_allowed(rules.may_ban, PEOPLE[actor], PEOPLE[target]) is allowed


def is_allowed(rule, *arguments) -> bool:
    try:
        rule(*arguments)
    except ForbiddenError:
        return False
    return True


@pytest.mark.parametrize(
    ("actor", "target", "role", "allowed"),
    [
        ("configured", "member", SUPER_ADMIN, True),
        ("configured", "super admin", CHIEF, True),
        ("configured", "configured", PLAIN, False),  # to themselves
        ("super admin", "member", SUPER_ADMIN, False),  # as high as their own
        ("super admin", "chief", EVENTS, True),
        ("chief", "member", WARDEN, True),
        ("chief", "member", CHIEF, False),
        ("chief", "chief", PLAIN, False),
        ("chief", "member", EVENTS, False),  # view_events is not theirs
        ("chief", "super admin", PLAIN, False),
        ("warden", "other warden", PLAIN, False),  # equals
        ("warden", "reader", PLAIN, True),
        ("warden", "banned warden", PLAIN, False),  # a ban lowers nobody
        ("reader", "member", PLAIN, False),  # no manage_users
        ("banned warden", "member", PLAIN, False),
    ],
)
def test_a_role_is_given_by_who_has_all_of_it_and_stands_above(actor: str, target: str, role, allowed) -> None:
    assert is_allowed(rules.may_assign, PEOPLE[actor], PEOPLE[target], role) is allowed


@pytest.mark.parametrize(
    ("actor", "target", "role", "allowed"),
    [
        ("configured", "super admin", SUPER_ADMIN, True),
        ("super admin", "other super admin", SUPER_ADMIN, False),
        ("chief", "warden", WARDEN, True),
        ("warden", "chief", CHIEF, False),
        ("warden", "other warden", WARDEN, False),
        ("warden", "warden", WARDEN, True),  # laid down
        ("reader", "reader", READER, False),  # no manage_users
    ],
)
def test_a_role_is_taken_by_who_stands_above_or_laid_down(actor: str, target: str, role, allowed) -> None:
    others = [PEOPLE["configured"]]
    assert is_allowed(rules.may_remove, PEOPLE[actor], PEOPLE[target], role, others) is allowed


def test_the_last_super_admin_stays() -> None:
    only = PEOPLE["super admin"]
    with pytest.raises(ConflictError, match="last super admin"):
        rules.may_remove(only, only, SUPER_ADMIN, [])
    with pytest.raises(ConflictError, match="last super admin"):
        rules.may_remove(only, only, SUPER_ADMIN, [standing(3, SUPER_ADMIN, banned=True)])
    rules.may_remove(only, only, SUPER_ADMIN, [PEOPLE["other super admin"]])
    rules.may_remove(only, only, SUPER_ADMIN, [PEOPLE["configured"]])
    rules.may_remove(standing(2, SUPER_ADMIN, PLAIN), standing(2, SUPER_ADMIN, PLAIN), PLAIN, [])


@pytest.mark.parametrize(
    ("actor", "role", "allowed"),
    [
        ("configured", make_role("new", MAX_PRIORITY, *EVERYTHING), True),
        ("super admin", make_role("new", MAX_PRIORITY, *EVERYTHING), True),
        ("chief", make_role("new", 99, Permission.VIEW_DEVOPS), True),
        ("chief", make_role("new", 100), False),
        ("chief", make_role("new", 0, Permission.MANAGE_EVENTS), False),
        ("reader", make_role("new", 0), False),
    ],
)
def test_a_new_role_is_lower_than_its_maker_and_allows_no_more(actor: str, role, allowed) -> None:
    assert is_allowed(rules.may_create, PEOPLE[actor], role) is allowed


@pytest.mark.parametrize(
    ("actor", "before", "change", "allowed"),
    [
        ("chief", WARDEN, {"priority": 99}, True),
        ("chief", WARDEN, {"priority": 100}, False),
        ("chief", CHIEF, {"name": "Boss"}, False),  # their own
        ("chief", EVENTS, {"priority": 60}, True),  # keeps what the chief is not allowed
        ("chief", PLAIN, {"permissions": frozenset({Permission.VIEW_DEVOPS})}, True),
        ("chief", PLAIN, {"permissions": frozenset({Permission.VIEW_EVENTS})}, False),
        ("chief", EVENTS, {"permissions": NOTHING}, True),
        ("configured", SUPER_ADMIN, {"name": "Root"}, False),  # built in
        ("warden", CHIEF, {"permissions": NOTHING}, False),
        ("reader", PLAIN, {"name": "Plainer"}, False),
    ],
)
def test_a_role_is_changed_by_who_stands_above_it_before_and_after(actor: str, before, change, allowed) -> None:
    assert is_allowed(rules.may_change, PEOPLE[actor], before, replace(before, **change), []) is allowed


def test_a_role_that_somebody_as_high_holds_may_change_its_looks_and_not_what_it_allows() -> None:
    chief = standing(4, CHIEF, EVENTS)
    warden = standing(5, WARDEN, EVENTS)
    for actor in (PEOPLE["warden"], standing(20, make_role("peer", 100, *EVERYTHING))):
        rules.may_change(actor, EVENTS, replace(EVENTS, name="Evening"), [chief])
        with pytest.raises(ForbiddenError, match="higher one holds"):
            rules.may_change(actor, EVENTS, replace(EVENTS, permissions=NOTHING), [chief])
        with pytest.raises(ForbiddenError, match="higher one holds"):
            rules.may_delete(actor, EVENTS, [chief])
        rules.may_delete(actor, PLAIN, [standing(4, CHIEF, PLAIN)])
    rules.may_change(PEOPLE["chief"], EVENTS, replace(EVENTS, permissions=NOTHING), [warden])
    rules.may_delete(warden, EVENTS, [warden])  # their own loss
    rules.may_delete(
        PEOPLE["warden"], EVENTS, [standing(1, EVENTS, configured=True)]
    )  # who is allowed everything loses nothing


@pytest.mark.parametrize("actor", ["configured", "super admin", "reader"])
def test_the_built_in_role_is_not_deleted(actor: str) -> None:
    with pytest.raises(ForbiddenError):
        rules.may_delete(PEOPLE[actor], SUPER_ADMIN, [])


def test_reading_needs_view_admin_and_writing_manage_users() -> None:
    assert [name for name in PEOPLE if is_allowed(rules.may_view, PEOPLE[name])] == [
        "configured",
        "super admin",
        "other super admin",
        "chief",
        "warden",
        "other warden",
        "reader",
    ]
    writer = standing(30, make_role("writer", 5, Permission.MANAGE_USERS))
    assert not is_allowed(rules.may_view, writer)
    rules.may_write(writer)
    assert not is_allowed(rules.may_write, PEOPLE["reader"])


def test_the_settings_win_over_a_ban_and_everybody_elses_permissions_rest_with_one() -> None:
    assert standing(1, configured=True, banned=True).permissions == EVERYTHING
    for banned in (standing(2, SUPER_ADMIN, banned=True), PEOPLE["banned warden"]):
        assert banned.permissions == NOTHING
        assert not banned.is_super_admin
    assert PEOPLE["banned warden"].rank == PEOPLE["warden"].rank == 50
    assert PEOPLE["member"].rank == NO_RANK
    assert PEOPLE["configured"].rank == CONFIGURED_RANK > PEOPLE["super admin"].rank > MAX_PRIORITY


def test_a_role_is_read_from_what_somebody_typed() -> None:
    role = checked_role("night-watch", "  Night   watch ", "#2196f3", 7, ["view_admin", "view_admin"])
    assert (role.role_id, role.name, role.colour, role.priority) == ("night-watch", "Night watch", "#2196F3", 7)
    assert role.permissions == {Permission.VIEW_ADMIN}


@pytest.mark.parametrize(
    ("wrong", "members"),
    [
        ({"role_id": "Night"}, {"id"}),
        ({"role_id": ""}, {"id"}),
        ({"role_id": "-night"}, {"id"}),
        ({"role_id": "night\n"}, {"id"}),
        ({"role_id": "n" * 33}, {"id"}),
        ({"name": " "}, {"name"}),
        ({"name": "n" * 51}, {"name"}),
        ({"name": "night\x00"}, {"name"}),
        ({"name": "night\u202ewatch"}, {"name"}),
        ({"colour": "red"}, {"color"}),
        ({"colour": "#12345\n"}, {"color"}),
        ({"priority": -1}, {"priority"}),
        ({"priority": 1000}, {"priority"}),
        ({"permissions": ["fly"]}, {"permissions"}),
        (
            {"role_id": "!", "name": "", "colour": "", "priority": -1, "permissions": [""]},
            {"id", "name", "color", "priority", "permissions"},
        ),
    ],
)
def test_what_is_no_role_is_refused_naming_every_member(wrong: dict[str, object], members: set[str]) -> None:
    right = {"role_id": "night", "name": "Night", "colour": "#000000", "priority": 1, "permissions": []}
    with pytest.raises(InvalidInputError) as refused:
        checked_role(**right | wrong)
    assert set(refused.value.details) == members


@pytest.mark.parametrize("text", ["0", "-1", "1.0", "٣", "1_000", "9" * 19, "", " 1", "1\n"])
def test_what_is_no_user_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_user_id(text)


def test_a_reason_is_one_printable_line() -> None:
    assert checked_reason(" spam\nand  more ") == "spam and more"
    for wrong in ("", " \n ", "x" * 501, "spam\x00"):
        with pytest.raises(InvalidInputError):
            checked_reason(wrong)
