"""The demo's guilds: pleasant names, a few habits of real servers, and ids that never change."""

from __future__ import annotations

from simulator.demo_ids import DEMO_ADMIN_ID, demo_channel_id, demo_guild_id, demo_user_id
from simulator.entities import EVERYONE_PERMISSIONS, Channel, ChannelType, Member, Permission, Role, User
from simulator.guild import Guild
from simulator.settings import Settings
from simulator.world import World

_GUILD_NAMES = ("The Reading Room", "Night Owls", "Harbour Makers", "Cedar Street Choir", "Moss & Lantern", "Quiet Hours")
_FIRST_NAMES = (
    "Ada", "Bram", "Clara", "Dmitri", "Elif", "Farah", "Goran", "Hana", "Ivo", "Juno", "Kaito", "Lena", "Mateo", "Nadia",
    "Oskar", "Priya", "Quentin", "Rosa", "Samir", "Tove", "Ursula", "Viktor", "Wanda", "Ximena", "Yusuf", "Zoe",
)  # fmt: skip
_LAST_NAMES = ("Ash", "Brook", "Cedar", "Dale", "Elm", "Fern", "Gale", "Heath", "Iris", "Lake", "Moss", "Reed", "Vale")
_CATEGORY_TEXT, _CATEGORY_VOICE, _CATEGORY_STUDY = 0, 1, 2
_CHANNELS = (
    ("Text", ChannelType.CATEGORY, None),
    ("Voice", ChannelType.CATEGORY, None),
    ("Study", ChannelType.CATEGORY, None),
    ("general", ChannelType.TEXT, _CATEGORY_TEXT),
    ("attendance", ChannelType.TEXT, _CATEGORY_TEXT),
    ("Lounge", ChannelType.VOICE, _CATEGORY_VOICE),
    ("Game Night", ChannelType.VOICE, _CATEGORY_VOICE),
    ("Music Corner", ChannelType.VOICE, _CATEGORY_VOICE),
    ("Focus Room", ChannelType.VOICE, _CATEGORY_STUDY),
    ("Study Hall", ChannelType.VOICE, _CATEGORY_STUDY),
    ("Open Stage", ChannelType.STAGE, _CATEGORY_VOICE),
    ("Away", ChannelType.VOICE, None),
)
_AFK_CHANNEL = len(_CHANNELS) - 1
_ROLE_ORGANISER, _ROLE_REGULAR, _ROLE_BOT = 40, 41, 42
_MUSIC_BOT = 1_000_000
_REGULAR_EVERY = 3


def build_demo_world(settings: Settings) -> World:
    """Return a world of ``settings.guilds`` guilds with ``settings.members`` humans and a music bot each."""
    world = World(User(settings.bot_id, "Rollcall", bot=True))
    world.users[settings.bot_id] = world.bot
    world.users[DEMO_ADMIN_ID] = User(DEMO_ADMIN_ID, demo_member_name(0, 1))
    for number in range(settings.guilds):
        world.add_guild(_demo_guild(world, number, settings.members))
    return world


def _demo_guild(world: World, number: int, members: int) -> Guild:
    name = _GUILD_NAMES[number % len(_GUILD_NAMES)]
    guild_id = demo_guild_id(number)
    guild = Guild(guild_id, name if number < len(_GUILD_NAMES) else f"{name} {number}", demo_user_id(number, 0))
    _add_roles(guild, number)
    for index, (channel_name, kind, parent) in enumerate(_CHANNELS):
        parent_id = None if parent is None else demo_channel_id(number, parent)
        channel = Channel(demo_channel_id(number, index), guild_id, channel_name, kind, parent_id, index)
        guild.channels[channel.id] = channel
    guild.afk_channel_id = demo_channel_id(number, _AFK_CHANNEL)
    regular = demo_channel_id(number, _ROLE_REGULAR)
    for index in range(members):
        user = User(demo_user_id(number, index), demo_member_name(number, index))
        guild.members[user.id] = Member(user, [regular] if index % _REGULAR_EVERY == 0 else [])
    guild.members[DEMO_ADMIN_ID] = Member(world.users[DEMO_ADMIN_ID], [demo_channel_id(number, _ROLE_ORGANISER)])
    music = User(demo_user_id(number, _MUSIC_BOT), "Jukebox", bot=True)
    guild.members[music.id] = Member(music)
    guild.members[world.bot.id] = Member(world.bot, [demo_channel_id(number, _ROLE_BOT)])
    return guild


def _add_roles(guild: Guild, number: int) -> None:
    roles = (
        Role(guild.id, "@everyone", int(EVERYONE_PERMISSIONS)),
        Role(demo_channel_id(number, _ROLE_REGULAR), "Regular", 0, 1),
        Role(demo_channel_id(number, _ROLE_ORGANISER), "Organiser", int(Permission.MANAGE_GUILD), 2),
        Role(demo_channel_id(number, _ROLE_BOT), "Rollcall", int(Permission.MANAGE_ROLES), 3, managed=True),
    )
    guild.roles.update({role.id: role for role in roles})


def demo_member_name(guild_number: int, number: int) -> str:
    """Return the name of a demo guild's member ``number``."""
    index = guild_number * 61 + number
    first = _FIRST_NAMES[index % len(_FIRST_NAMES)]
    last = _LAST_NAMES[(index // len(_FIRST_NAMES) + index) % len(_LAST_NAMES)]
    round_number = index // (len(_FIRST_NAMES) * len(_LAST_NAMES))
    return f"{first} {last}" if round_number == 0 else f"{first} {last} {round_number + 1}"
