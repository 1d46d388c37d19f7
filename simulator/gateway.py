"""The gateway's sessions: who hears of what, and what can be done to all sockets at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from simulator.connection import Connection
from simulator.encoding import encode_json
from simulator.faults import Faults
from simulator.intents import GUILD_VOICE_STATES
from simulator.session import Session
from simulator.settings import Settings
from simulator.world import Dispatch, World

GATEWAY_PATH = "/gateway"
IDENTIFY_BUCKET_S = 5.0


class Gateway:
    """All sessions of the bot, connected or resumable, and the events that go to them."""

    def __init__(self, settings: Settings, world: World, faults: Faults) -> None:
        self.settings = settings
        self.world = world
        self.faults = faults
        self.sessions: dict[str, Session] = {}
        self.connections: set[Connection] = set()
        self.url = ""
        self.identifies = 0
        self.resumes = 0
        self._identified_at: dict[int, float] = {}
        self._opened = 0
        self._expiries: dict[str, asyncio.TimerHandle] = {}
        world.listeners.append(self.on_dispatch)

    def on_dispatch(self, dispatch: Dispatch) -> None:
        """Send a world event to every session that sees its guild and asked for its kind."""
        for session in self.sessions.values():
            if not session.sees(dispatch.guild_id):
                continue
            if session.wants(dispatch.name) or self._is_about_the_bot(dispatch):
                data = dispatch.data
                session.dispatch(dispatch.name, self.guild_create(session, dispatch.guild_id) if data is None else data)

    def _is_about_the_bot(self, dispatch: Dispatch) -> bool:
        # Discord sends a bot the updates of its own member without the members intent.
        if dispatch.name != "GUILD_MEMBER_UPDATE" or dispatch.data is None:
            return False
        return b'"id":"%d"' % self.world.bot.id in dispatch.data

    def guild_create(self, session: Session, guild_id: int) -> bytes:
        """Return the `d` of GUILD_CREATE as this session's intents allow it."""
        with_voice = bool(session.intents & GUILD_VOICE_STATES)
        return encode_json(self.world.guilds[guild_id].create_payload(self.world.bot.id, with_voice=with_voice))

    def may_identify(self, shard_id: int) -> bool:
        """Return whether this shard's bucket has room for an IDENTIFY now, and take the room."""
        now = asyncio.get_running_loop().time()
        bucket = shard_id % self.settings.max_concurrency
        too_early = now - self._identified_at.get(bucket, -IDENTIFY_BUCKET_S) < IDENTIFY_BUCKET_S
        self._identified_at[bucket] = now
        return not (too_early and self.settings.enforce_identify_limit)

    def open_session(self, connection: Connection, shard: tuple[int, int], intents: int) -> Session:
        """Start a session on a socket: READY, then GUILD_CREATE of every guild that is not in an outage."""
        self._opened += 1
        self.identifies += 1
        session_id = f"{self._opened * 0x9E3779B97F4A7C15 % (1 << 128):032x}"
        session = Session(session_id, shard[0], shard[1], intents, self.settings.replay_buffer, connection)
        self.sessions[session_id] = session
        session.dispatch("READY", encode_json(self._ready(session)))
        for guild in list(self.world.guilds.values()):
            if guild.has_bot and not guild.unavailable and session.sees(guild.id) and session.wants("GUILD_CREATE"):
                session.dispatch("GUILD_CREATE", self.guild_create(session, guild.id))
        return session

    def _ready(self, session: Session) -> dict[str, object]:
        guilds = [guild for guild in self.world.guilds.values() if guild.has_bot and session.sees(guild.id)]
        bot = self.world.bot
        return {
            "v": 10,
            "user": bot.payload() | {"verified": True, "mfa_enabled": True, "email": None, "flags": 0},
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "shard": [session.shard_id, session.shard_count],
            "application": {"id": str(bot.id), "flags": 0},
            "private_channels": [],
            "presences": [],
            "relationships": [],
            "user_settings": {},
            "geo_ordered_rtc_regions": [],
            "_trace": ["simulator"],
        }

    def resume(self, connection: Connection, session_id: str, sequence: int) -> None:
        """Put a session onto a new socket: everything after ``sequence`` again, then RESUMED. The caller has checked."""
        session = self.sessions[session_id]
        if expiry := self._expiries.pop(session_id, None):
            expiry.cancel()
        if session.connection is not None and session.connection is not connection:
            session.connection.abort()
        session.connection = connection
        session.replay_from(sequence)
        self.resumes += 1
        session.dispatch("RESUMED", encode_json({"_trace": ["simulator"]}))

    def detach(self, session: Session, connection: Connection) -> None:
        """A session's socket has ended: keep the session for a while."""
        if session.connection is connection:
            session.connection = None
            if session.id in self.sessions:
                loop = asyncio.get_running_loop()
                timeout_s = self.settings.session_timeout_s
                self._expiries[session.id] = loop.call_later(timeout_s, self.end_session, session)

    def end_session(self, session: Session) -> None:
        """Forget a session: it cannot be resumed any more."""
        self.sessions.pop(session.id, None)
        if expiry := self._expiries.pop(session.id, None):
            expiry.cancel()

    def close(self) -> None:
        """Forget every session and cut every socket."""
        for session in list(self.sessions.values()):
            self.end_session(session)
        for connection in list(self.connections):
            connection.abort()

    # What the fault desk uses

    def connected(self, shard_id: int | None = None) -> list[Session]:
        """Return the sessions that have a socket, of one shard if given."""
        return [
            session
            for session in self.sessions.values()
            if session.connection is not None and shard_id in {None, session.shard_id}
        ]

    def sockets(self, shard_id: int | None = None) -> Iterable[Connection]:
        """Return the sockets of a shard, or every one, those without a session included."""
        if shard_id is None:
            return list(self.connections)
        return [session.connection for session in self.connected(shard_id) if session.connection is not None]

    async def drained(self) -> None:
        """Wait until every event so far has been taken by the sockets of the sessions that have one."""
        for session in self.connected():
            if session.connection is not None:
                await session.connection.drained()


class RecentTimes:
    """Counts what happened within a sliding window, for the 120 payloads a minute that a socket may send."""

    def __init__(self, window_s: float, limit: int) -> None:
        self._window_s = window_s
        self._limit = limit
        self._times: deque[float] = deque()

    def add(self, now: float) -> bool:
        """Count one more; return whether the limit is kept."""
        self._times.append(now)
        while self._times[0] <= now - self._window_s:
            self._times.popleft()
        return len(self._times) <= self._limit
