"""Which roles a bot can give, and what follows from who has the time: values in, values out."""

from __future__ import annotations

import pytest

from attendance.domain.ids import GuildId, RoleId, UserId
from attendance.domain.role_rules import Action, Change, RoleFacts, grant_problem, judge
from attendance.domain.subscriptions import Billing, Entitlement, Feature, OperatorTier, Tier, subscription_of

GUILD, EVERYONE, BOT, ROLE = GuildId(10), RoleId(10), RoleId(20), RoleId(30)
MANAGE_ROLES, ADMINISTRATOR = 1 << 28, 1 << 3


def problem(role_id=ROLE, *, position=1, permissions=0, managed=False, bot_position=5, bot_permissions=MANAGE_ROLES, **more):
    role = RoleFacts(role_id, position, permissions, managed)
    own = RoleFacts(BOT, bot_position, bot_permissions, managed=True)
    everyone = RoleFacts(EVERYONE, 0, more.pop("everyone", 0), managed=False)
    return grant_problem(GUILD, role_id, {one.role_id: one for one in (everyone, own, role)}, more.pop("held", [BOT]), **more)


def test_a_role_below_the_bot_can_be_given():
    assert problem() is None
    assert problem(bot_permissions=ADMINISTRATOR) is None
    assert problem(bot_permissions=0, everyone=MANAGE_ROLES) is None
    assert problem(bot_permissions=0, position=99, bot_is_owner=True) is None


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ({"position": 6}, "highest"),
        ({"position": 5, "role_id": RoleId(19)}, "highest"),  # as high, and older
        ({"position": 5, "role_id": RoleId(21)}, None),
        ({"bot_permissions": 0}, "Manage Roles"),
        ({"held": []}, "Manage Roles"),
        ({"held": [], "everyone": MANAGE_ROLES}, "highest"),
        ({"managed": True}, "managed"),
        ({"managed": True, "bot_is_owner": True}, "managed"),
        ({"permissions": ADMINISTRATOR}, "Administrator"),
        ({"permissions": ADMINISTRATOR, "bot_is_owner": True}, "Administrator"),
        ({"permissions": 1 << 10 | 1 << 11}, None),
    ],
)
def test_what_stands_in_the_way_is_said(case, reason):
    found = problem(**case)
    assert found is None if reason is None else reason in str(found)


def test_everyone_and_a_role_that_is_not_there_cannot_be_given():
    roles = {EVERYONE: RoleFacts(EVERYONE, 0, ADMINISTRATOR, managed=False)}
    assert "everyone" in str(grant_problem(GUILD, EVERYONE, roles, []))
    assert "no such role" in str(grant_problem(GUILD, ROLE, roles, []))


def test_only_holders_by_the_rule_are_ever_removed():
    reached, held = {UserId(3), UserId(1)}, {UserId(1), UserId(2)}
    kept = [Change(UserId(1), Action.KEEP), Change(UserId(3), Action.GRANT)]
    assert judge(reached, held, remove_below=False) == kept
    assert judge(reached, held, remove_below=True) == sorted([*kept, Change(UserId(2), Action.REMOVE)])
    assert judge(set(), held, remove_below=False) == []


PRO, FREE = frozenset(Feature), frozenset()
SOLD = Entitlement(1, GUILD, 900, 100, 200, deleted=False)


@pytest.mark.parametrize(
    ("billing", "operator", "sold", "expected"),
    [
        (False, None, [], (Tier.PRO, PRO, None)),
        (False, (Tier.FREE, None), [], (Tier.FREE, PRO, None)),
        (True, None, [], (Tier.FREE, FREE, None)),
        (True, (Tier.PRO, None), [], (Tier.PRO, PRO, None)),
        (True, (Tier.PRO, 150), [], (Tier.FREE, FREE, None)),
        (True, (Tier.PRO, 151), [], (Tier.PRO, PRO, 151)),
        (True, None, [(100, 200)], (Tier.PRO, PRO, 200)),
        (True, (Tier.FREE, None), [(100, 200)], (Tier.PRO, PRO, 200)),
        (True, (Tier.PRO, 180), [(100, 200), (100, 170)], (Tier.PRO, PRO, 200)),
        (True, (Tier.PRO, 180), [(None, None)], (Tier.PRO, PRO, None)),
        (True, None, [(151, 200)], (Tier.FREE, FREE, None)),
        (True, None, [(100, 150)], (Tier.FREE, FREE, None)),
    ],
)
def test_a_guild_has_what_lasts_longest(billing, operator, sold, expected):
    set_by = None if operator is None else OperatorTier(operator[0], operator[1], None, 0)
    entitlements = [Entitlement(n, GUILD, 900, starts, ends, deleted=False) for n, (starts, ends) in enumerate(sold)]
    found = subscription_of(Billing(on=billing), set_by, entitlements, 150)
    assert (found.tier, found.features, found.renews_at_ms) == expected


def test_only_what_is_sold_as_pro_counts_and_nothing_that_was_taken_back():
    for sold, skus in ((SOLD, {901}), (Entitlement(1, GUILD, 900, None, None, deleted=True), {900})):
        assert subscription_of(Billing(on=True, sku_ids=frozenset(skus)), None, [sold], 150).tier is Tier.FREE
    assert subscription_of(Billing(on=True, sku_ids=frozenset({900})), None, [SOLD], 150).tier is Tier.PRO
