"""The whole world: what `VoiceWorld` does in voice, and edits of guilds, channels, roles and members."""

from __future__ import annotations

from typing import Any

from simulator.demo_ids import DEMO_ADMIN_ID, DEMO_GUILD_ID
from simulator.entities import EVERYONE_PERMISSIONS, Channel, ChannelType, Member, Permission, Role, User
from simulator.guild import Guild
from simulator.truth import voice_line
from simulator.voice_world import Dispatch, VoiceWorld, WorldError

__all__ = ["DEMO_ADMIN_ID", "DEMO_GUILD_ID", "Dispatch", "World", "WorldError"]


class World(VoiceWorld):
    """A `VoiceWorld` whose guilds can be edited. Every edit is dispatched as Discord would."""

    __slots__ = ()

    # Guilds

    def add_guild(self, guild: Guild) -> None:
        """Put a guild into the world with the bot in it (GUILD_CREATE). Its users become known."""
        self.guilds[guild.id] = guild
        for member in guild.members.values():
            self.users[member.user.id] = member.user
        for channel_id in guild.channels:
            self.channel_guild[channel_id] = guild.id
        guild.has_bot = True
        guild.members.setdefault(self.bot.id, Member(self.bot))
        self.note_snapshot(guild.id)
        self.emit(guild.id, "GUILD_CREATE", None)

    def new_guild(self, name: str, owner_id: int, *, guild_id: int | None = None) -> Guild:
        """Make a guild with @everyone, its owner and the bot, and add it."""
        guild = Guild(guild_id or self.ids.next_id(), name, owner_id)
        guild.roles[guild.id] = Role(guild.id, "@everyone", int(EVERYONE_PERMISSIONS))
        owner = self.users.get(owner_id) or User(owner_id, f"Owner of {name}")
        guild.members[owner_id] = Member(owner)
        self.add_guild(guild)
        return guild

    def note_snapshot(self, guild_id: int) -> None:
        """Write the guild's channels and voice states into the truth, as GUILD_CREATE would tell them."""
        guild = self.guild(guild_id)
        for channel in guild.channels.values():
            self._note_channel(channel)
        states = [
            (0, guild_id, s.user_id, s.channel_id, s.self_mute, s.mute, s.self_deaf, s.deaf, self.users[s.user_id].bot)
            for s in guild.voice_states.values()
        ]
        shown = [
            {key: value for key, value in voice_line(state).items() if key not in {"at", "type", "guild_id"}}
            for state in states
        ]
        self.truth.add("snapshot", guild_id, voice_states=shown)

    def remove_bot(self, guild_id: int) -> None:
        """Remove the bot from a guild (GUILD_DELETE without `unavailable`)."""
        guild = self.guild(guild_id)
        guild.unavailable = False
        self.emit_json(guild_id, "GUILD_DELETE", {"id": str(guild_id)})
        self.truth.add("guild_left", guild_id)
        guild.has_bot = False
        guild.members.pop(self.bot.id, None)
        guild.voice_states.pop(self.bot.id, None)

    def return_bot(self, guild_id: int) -> None:
        """Invite the bot back into a guild that it was removed from (GUILD_CREATE)."""
        self.add_guild(self.guild(guild_id))

    def set_unavailable(self, guild_id: int) -> None:
        """Start an outage of a guild (GUILD_DELETE with `unavailable`); its life goes on unseen."""
        guild = self.guild(guild_id)
        self.emit_json(guild_id, "GUILD_DELETE", {"id": str(guild_id), "unavailable": True})
        guild.unavailable = True

    def set_available(self, guild_id: int) -> None:
        """End an outage of a guild (GUILD_CREATE)."""
        self.guild(guild_id).unavailable = False
        self.emit(guild_id, "GUILD_CREATE", None)

    def update_guild(
        self, guild_id: int, *, name: str | None = None, owner_id: int | None = None, afk_channel_id: int | None = -1
    ) -> None:
        """Change a guild's name, owner or AFK channel (None for none, -1 leaves it) and send GUILD_UPDATE."""
        guild = self.guild(guild_id)
        guild.name = guild.name if name is None else name
        guild.owner_id = guild.owner_id if owner_id is None else owner_id
        guild.afk_channel_id = guild.afk_channel_id if afk_channel_id == -1 else afk_channel_id
        self.emit_json(guild_id, "GUILD_UPDATE", guild.payload())

    # Channels

    def create_channel(
        self,
        guild_id: int,
        name: str,
        type: int = ChannelType.VOICE,  # noqa: A002 - Discord's own word, also in the control API
        *,
        parent_id: int | None = None,
        channel_id: int | None = None,
    ) -> int:
        """Make a channel or category and return its id."""
        guild = self.guild(guild_id)
        self._check_parent(guild, parent_id)
        channel = Channel(channel_id or self.ids.next_id(), guild_id, name, ChannelType(type), parent_id, len(guild.channels))
        guild.channels[channel.id] = channel
        self.channel_guild[channel.id] = guild_id
        self._note_channel(channel)
        self.emit_json(guild_id, "CHANNEL_CREATE", channel.payload())
        return channel.id

    def update_channel(self, channel_id: int, *, name: str | None = None, parent_id: int | None = -1) -> None:
        """Rename a channel or move it into another category (None for none, -1 leaves it)."""
        channel = self.channel(channel_id)
        if parent_id != -1:
            self._check_parent(self.guilds[channel.guild_id], parent_id)
            channel.parent_id = parent_id
        channel.name = channel.name if name is None else name
        self._note_channel(channel)
        self.emit_json(channel.guild_id, "CHANNEL_UPDATE", channel.payload())

    def delete_channel(self, channel_id: int) -> None:
        """Delete a channel: who is in it is thrown out; channels of a deleted category lose their parent."""
        channel = self.channel(channel_id)
        guild = self.guilds[channel.guild_id]
        for child in [other for other in guild.channels.values() if other.parent_id == channel_id]:
            self.update_channel(child.id, parent_id=None)
        del guild.channels[channel_id], self.channel_guild[channel_id]
        if guild.has_bot:
            self.truth.add("channel_deleted", guild.id, channel_id=str(channel_id))
        self.emit_json(guild.id, "CHANNEL_DELETE", channel.payload())
        for user_id in [user for user, state in guild.voice_states.items() if state.channel_id == channel_id]:
            self.leave(guild.id, user_id)
        if guild.afk_channel_id == channel_id:
            self.update_guild(guild.id, afk_channel_id=None)

    def _check_parent(self, guild: Guild, parent_id: int | None) -> None:
        parent = None if parent_id is None else guild.channels.get(parent_id)
        if parent_id is not None and (parent is None or parent.type is not ChannelType.CATEGORY):
            raise WorldError(f"no category {parent_id} in guild {guild.id}")

    def _note_channel(self, channel: Channel) -> None:
        if self.guilds[channel.guild_id].has_bot:
            parent = None if channel.parent_id is None else str(channel.parent_id)
            self.truth.add("channel", channel.guild_id, channel_id=str(channel.id), parent_id=parent)

    # Roles and members

    def create_role(
        self, guild_id: int, name: str, permissions: int = 0, *, position: int | None = None, managed: bool = False
    ) -> int:
        """Make a role, above all others unless told where, and return its id."""
        guild = self.guild(guild_id)
        place = len(guild.roles) if position is None else position
        role = Role(self.ids.next_id(), name, permissions, place, managed)
        guild.roles[role.id] = role
        self._emit_role(guild_id, "GUILD_ROLE_CREATE", role)
        return role.id

    def update_role(self, guild_id: int, role_id: int, *, permissions: int | None = None, position: int | None = None) -> None:
        """Give a role other permissions, or move it."""
        role = self._role(guild_id, role_id)
        role.permissions = role.permissions if permissions is None else permissions
        role.position = role.position if position is None else position
        self._emit_role(guild_id, "GUILD_ROLE_UPDATE", role)

    def delete_role(self, guild_id: int, role_id: int) -> None:
        """Delete a role; members lose it."""
        self._role(guild_id, role_id)
        guild = self.guild(guild_id)
        for user_id in [user for user, member in guild.members.items() if role_id in member.role_ids]:
            self.take_role(guild_id, user_id, role_id)
        del guild.roles[role_id]
        payload = {"guild_id": str(guild_id), "role_id": str(role_id)}
        self.emit_json(guild_id, "GUILD_ROLE_DELETE", payload)

    def _role(self, guild_id: int, role_id: int) -> Role:
        role = self.guild(guild_id).roles.get(role_id)
        if role is None:
            raise WorldError(f"no role {role_id} in guild {guild_id}")
        return role

    def _emit_role(self, guild_id: int, event: str, role: Role) -> None:
        self.emit_json(guild_id, event, {"guild_id": str(guild_id), "role": role.payload()})

    def add_member(self, guild_id: int, name: str, *, user_id: int | None = None, bot: bool = False) -> int:
        """Let a user join a guild and return the user's id."""
        known = None if user_id is None else self.users.get(user_id)
        user = known or User(user_id or self.ids.next_id(), name, bot)
        self.users[user.id] = user
        member = Member(user)
        self.guild(guild_id).members[user.id] = member
        self.emit_json(guild_id, "GUILD_MEMBER_ADD", {"guild_id": str(guild_id), **member.payload()})
        return user.id

    def remove_member(self, guild_id: int, user_id: int) -> None:
        """Let a member leave the guild, and voice first."""
        member = self.member(guild_id, user_id)
        self.leave(guild_id, user_id)
        del self.guild(guild_id).members[user_id]
        self.emit_json(guild_id, "GUILD_MEMBER_REMOVE", {"guild_id": str(guild_id), "user": member.user.payload()})

    def give_role(self, guild_id: int, user_id: int, role_id: int) -> None:
        """Give a member a role."""
        self._role(guild_id, role_id)
        member = self.member(guild_id, user_id)
        self._change_member(guild_id, member, [*(r for r in member.role_ids if r != role_id), role_id])

    def take_role(self, guild_id: int, user_id: int, role_id: int) -> None:
        """Take a role from a member."""
        member = self.member(guild_id, user_id)
        self._change_member(guild_id, member, [r for r in member.role_ids if r != role_id])

    def make_admin(self, guild_id: int, user_id: int) -> int:
        """Give a member a new role with Administrator and return the role's id."""
        role_id = self.create_role(guild_id, "Administrator", Permission.ADMINISTRATOR)
        self.give_role(guild_id, user_id, role_id)
        return role_id

    def _change_member(self, guild_id: int, member: Member, role_ids: list[int]) -> None:
        member.role_ids = role_ids
        member.encoded = None
        payload: dict[str, Any] = {"guild_id": str(guild_id), **member.payload()}
        self.emit_json(guild_id, "GUILD_MEMBER_UPDATE", payload)
