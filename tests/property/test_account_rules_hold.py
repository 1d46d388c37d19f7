"""Whatever people do with roles and bans, in whichever order: nobody raises themselves, nobody reaches up, someone stays."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from attendance.errors import RollcallError
from dashboard.domain import rules
from dashboard.domain.ids import RoleId, UserId
from dashboard.domain.roles import EVERYTHING, MAX_PRIORITY, SUPER_ADMIN, Permission, Role
from dashboard.domain.users import Standing

PEOPLE = [UserId(number) for number in range(1, 6)]
ROLE_IDS = [RoleId(letter) for letter in "abc"]

priorities = st.sampled_from([0, 1, 2, 3, MAX_PRIORITY])
permission_sets = st.frozensets(
    st.sampled_from([Permission.MANAGE_USERS, Permission.MANAGE_USERS, Permission.VIEW_ADMIN, Permission.VIEW_DEVOPS])
)
role_ids = st.sampled_from(ROLE_IDS)
roles = st.builds(Role, role_ids, st.just("Name"), st.just("#000000"), priorities, permission_sets)
people = st.sampled_from(PEOPLE)
any_role_id = st.sampled_from([*ROLE_IDS, SUPER_ADMIN.role_id])


@dataclass
class Deployment:
    """Everybody's roles and bans, in the plainest form."""

    roles: dict[RoleId, Role]
    held: dict[UserId, frozenset[RoleId]]
    configured: frozenset[UserId]
    banned: frozenset[UserId]

    def standing(self, user_id: UserId) -> Standing:
        held = frozenset(self.roles[role_id] for role_id in self.held[user_id])
        return Standing(user_id, held, user_id in self.configured, user_id in self.banned)

    def everybody(self) -> dict[UserId, Standing]:
        return {user_id: self.standing(user_id) for user_id in PEOPLE}

    def holders(self, role_id: RoleId) -> list[Standing]:
        return [one for one in self.everybody().values() if role_id in self.held[one.user_id]]


@dataclass(frozen=True)
class Ban:
    target: UserId

    def do(self, world: Deployment, actor: Standing) -> None:
        rules.may_ban(actor, world.standing(self.target))
        world.banned ^= {self.target}


@dataclass(frozen=True)
class Assign:
    target: UserId
    role_id: RoleId

    def do(self, world: Deployment, actor: Standing) -> None:
        if self.role_id in world.roles:
            rules.may_assign(actor, world.standing(self.target), world.roles[self.role_id])
            world.held[self.target] |= {self.role_id}


@dataclass(frozen=True)
class Remove:
    target: UserId
    role_id: RoleId

    def do(self, world: Deployment, actor: Standing) -> None:
        if self.role_id in world.held[self.target]:
            others = [one for one in world.everybody().values() if one.user_id != self.target]
            rules.may_remove(actor, world.standing(self.target), world.roles[self.role_id], others)
            world.held[self.target] -= {self.role_id}


@dataclass(frozen=True)
class Write:
    role: Role

    def do(self, world: Deployment, actor: Standing) -> None:
        before = world.roles.get(self.role.role_id)
        if before is None:
            rules.may_create(actor, self.role)
        else:
            rules.may_change(actor, before, self.role, world.holders(before.role_id))
        world.roles[self.role.role_id] = self.role


@dataclass(frozen=True)
class Delete:
    role_id: RoleId

    def do(self, world: Deployment, actor: Standing) -> None:
        if self.role_id in world.roles:
            rules.may_delete(actor, world.roles[self.role_id], world.holders(self.role_id))
            world.held = {one: held - {self.role_id} for one, held in world.held.items()}
            del world.roles[self.role_id]


actions = st.one_of(
    st.builds(Ban, people),
    st.builds(Assign, people, any_role_id),
    st.builds(Remove, people, any_role_id),
    st.builds(Write, roles),
    st.builds(Delete, any_role_id),
)


@st.composite
def deployments(draw: st.DrawFn) -> Deployment:
    made = {role.role_id: role for role in draw(st.lists(roles, max_size=3))} | {SUPER_ADMIN.role_id: SUPER_ADMIN}
    held = {one: draw(st.frozensets(st.sampled_from(sorted(made)), max_size=2)) for one in PEOPLE}
    return Deployment(made, held, draw(st.frozensets(people, max_size=1)), draw(st.frozensets(people, max_size=1)))


def without_bans(standing: Standing) -> Standing:
    """What somebody's roles allow: a ban that is lifted gives nobody anything that was not given to them before."""
    return replace(standing, has_ban=False)


@given(deployments(), st.lists(st.tuples(people, actions), min_size=1, max_size=12))
def test_no_sequence_of_actions_raises_its_actor_or_reaches_up(world: Deployment, steps: list) -> None:
    for actor_id, action in steps:
        before = world.everybody()
        actor = before[actor_id]
        try:
            action.do(world, actor)
        except RollcallError:
            assert world.everybody() == before
            continue
        after = world.everybody()
        assert after[actor_id].permissions <= actor.permissions
        assert after[actor_id].rank <= actor.rank
        assert after[actor_id].is_banned == actor.is_banned
        for one in PEOPLE:
            gained = without_bans(after[one]).permissions - without_bans(before[one]).permissions
            assert gained <= actor.permissions
            if before[one].rank >= actor.rank and one != actor_id:
                assert (after[one].permissions, after[one].rank) == (before[one].permissions, before[one].rank)
                assert after[one].is_banned == before[one].is_banned
            if after[one] != before[one] and one != actor_id and one not in world.configured:
                assert after[one].rank < actor.rank or after[one].rank == before[one].rank
        if any(one.is_super_admin for one in before.values()):
            assert any(one.is_super_admin for one in after.values())


@given(deployments(), st.frozensets(people, min_size=1), st.lists(st.tuples(people, actions), max_size=20))
def test_people_who_work_together_give_nobody_more_than_they_had_among_them(
    world: Deployment, together: frozenset[UserId], steps: list
) -> None:
    before = {one: without_bans(standing) for one, standing in world.everybody().items()}
    theirs = frozenset(permission for one in together for permission in before[one].permissions)
    highest = max(before[one].rank for one in together)
    for actor_id, action in steps:
        if actor_id not in together:
            continue
        try:
            action.do(world, world.standing(actor_id))
        except RollcallError:
            continue
    for one, standing in world.everybody().items():
        assert without_bans(standing).permissions <= before[one].permissions | theirs
        assert standing.rank <= max(before[one].rank, highest)
        if before[one].rank >= highest and one not in together:
            assert (standing.rank, without_bans(standing).permissions) == (before[one].rank, before[one].permissions)


@given(deployments(), st.lists(st.tuples(people, actions), max_size=20))
def test_whom_the_settings_name_is_never_shut_out(world: Deployment, steps: list) -> None:
    for actor_id, action in steps:
        try:
            action.do(world, world.standing(actor_id))
        except RollcallError:
            continue
    for one in world.configured:
        assert world.standing(one).permissions == EVERYTHING
        assert world.standing(one).is_super_admin
