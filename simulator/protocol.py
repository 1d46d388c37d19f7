"""One gateway socket's conversation: HELLO, IDENTIFY or RESUME, heartbeats, and the close codes for what is wrong."""

from __future__ import annotations

import asyncio
import contextlib
import enum
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from simulator.connection import Connection
from simulator.encoding import encode_json
from simulator.entities import VOICE_TYPES
from simulator.gateway import Gateway, RecentTimes
from simulator.intents import GUILD_MEMBERS, KNOWN, PRIVILEGED
from simulator.session import Session

_SUPPORTED_VERSION = "10"
_PAYLOADS_A_MINUTE = 120
_HEARTBEAT_PATIENCE = 1.5
_CLOSE_PATIENCE_S = 2.0
# A clean goodbye ends the session; so does 4009, after which Discord wants a new one.
_SESSION_ENDING_CODES = frozenset({1000, 1001, 4009})
_HEARTBEAT_ACK = encode_json({"op": 11, "d": None})


class CloseCode(enum.IntEnum):
    """Discord's gateway close codes."""

    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    INVALID_SEQUENCE = 4007
    RATE_LIMITED = 4008
    SESSION_TIMED_OUT = 4009
    INVALID_SHARD = 4010
    SHARDING_REQUIRED = 4011
    INVALID_VERSION = 4012
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


class _Reject(Exception):  # noqa: N818 - control flow towards a close frame, never seen outside
    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def _invalid_session(*, resumable: bool) -> bytes:
    return encode_json({"op": 9, "d": resumable})


async def serve_socket(request: web.Request, gateway: Gateway) -> web.StreamResponse:
    """Handle ``GET /gateway``: upgrade, talk until the socket ends, keep the session for RESUME."""
    if gateway.faults.take("refused_upgrades"):
        raise web.HTTPServiceUnavailable(text="upstream connect error")
    compress = request.query.get("compress")
    if compress not in {None, "zlib-stream"} or request.query.get("encoding", "json") != "json":
        raise web.HTTPBadRequest(text="only encoding=json, and compress=zlib-stream or none, are spoken here")
    socket = web.WebSocketResponse(compress=False, writer_limit=0, timeout=_CLOSE_PATIENCE_S, max_msg_size=0)
    await socket.prepare(request)
    transport = request.transport
    if transport is None:
        return socket
    connection = Connection(socket, transport, zlib_level=gateway.settings.zlib_level if compress else None)
    await _Conversation(gateway, socket, connection).run(request.query.get("v", _SUPPORTED_VERSION))
    return socket


class _Conversation:
    def __init__(self, gateway: Gateway, socket: web.WebSocketResponse, connection: Connection) -> None:
        self._gateway = gateway
        self._socket = socket
        self._connection = connection
        self._session: Session | None = None
        self._loop = asyncio.get_running_loop()
        self._sent_recently = RecentTimes(60.0, _PAYLOADS_A_MINUTE)
        self._watchdog: asyncio.TimerHandle | None = None

    async def run(self, version: str) -> None:
        gateway, connection = self._gateway, self._connection
        gateway.connections.add(connection)
        writer = asyncio.create_task(connection.write_queued())
        try:
            if version != _SUPPORTED_VERSION:
                connection.close(CloseCode.INVALID_VERSION, "Invalid API version")
            elif not gateway.faults.take("silent_hellos"):
                interval_ms = gateway.settings.heartbeat_interval_ms
                connection.send(encode_json({"op": 10, "d": {"heartbeat_interval": interval_ms, "_trace": []}}))
                self._hear_heartbeat()
            await self._listen()
        finally:
            gateway.connections.discard(connection)
            if self._watchdog is not None:
                self._watchdog.cancel()
            if self._session is not None:
                if (connection.own_close_code or self._socket.close_code) in _SESSION_ENDING_CODES:
                    gateway.end_session(self._session)
                gateway.detach(self._session, connection)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer

    async def _listen(self) -> None:
        async for message in self._socket:
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                return
            try:
                self._hear(_decode(message.data))
            except _Reject as reject:
                self._connection.close(reject.code, reject.reason)

    def _hear(self, payload: dict[str, Any]) -> None:
        if not self._sent_recently.add(self._loop.time()):
            raise _Reject(CloseCode.RATE_LIMITED, "You are being rate limited.")
        op, data = payload.get("op"), payload.get("d")
        if op == 1:
            self._hear_heartbeat()
            if self._gateway.faults.heartbeats_acked:
                self._connection.send(_HEARTBEAT_ACK)
            return
        if op in {2, 6} and self._session is not None:
            raise _Reject(CloseCode.ALREADY_AUTHENTICATED, "Already authenticated.")
        handlers = {2: self._identify, 3: _ignore, 4: self._voice, 6: self._resume, 8: self._request_members}
        handler = handlers.get(op) if isinstance(op, int) else None
        if handler is None:
            raise _Reject(CloseCode.UNKNOWN_OPCODE, "Unknown opcode.")
        if op not in {2, 6} and self._session is None:
            raise _Reject(CloseCode.NOT_AUTHENTICATED, "Not authenticated.")
        if not isinstance(data, dict):
            raise _Reject(CloseCode.DECODE_ERROR, "Error while decoding payload.")
        handler(data)

    def _hear_heartbeat(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        patience_s = self._gateway.settings.heartbeat_interval_ms / 1_000 * _HEARTBEAT_PATIENCE
        self._watchdog = self._loop.call_later(
            patience_s, self._connection.close, CloseCode.SESSION_TIMED_OUT, "Session timed out."
        )

    def _check_token(self, data: dict[str, Any]) -> None:
        if data.get("token") != self._gateway.settings.token:
            raise _Reject(CloseCode.AUTHENTICATION_FAILED, "Authentication failed.")

    def _identify(self, data: dict[str, Any]) -> None:
        gateway = self._gateway
        self._check_token(data)
        intents = data.get("intents")
        if not isinstance(intents, int) or intents < 0 or intents & ~KNOWN:
            raise _Reject(CloseCode.INVALID_INTENTS, "Invalid intent(s).")
        if intents & PRIVILEGED & ~gateway.settings.privileged_intents:
            raise _Reject(CloseCode.DISALLOWED_INTENTS, "Disallowed intent(s).")
        shard = self._shard(data.get("shard", [0, 1]))
        if not gateway.may_identify(shard[0]):
            self._connection.send(_invalid_session(resumable=False))
            return
        if gateway.faults.take("silent_readies"):
            return
        self._connection.payload_compression = bool(data.get("compress"))
        self._session = gateway.open_session(self._connection, shard, intents)

    def _shard(self, shard: Any) -> tuple[int, int]:
        match shard:
            case [int(shard_id), int(count)] if 0 <= shard_id < count:
                pass
            case _:
                raise _Reject(CloseCode.INVALID_SHARD, "Invalid shard.")
        probe = Session("", shard_id, count, 0, 0)
        if sum(map(probe.sees, self._gateway.world.guilds)) > self._gateway.settings.max_guilds_per_shard:
            raise _Reject(CloseCode.SHARDING_REQUIRED, "Sharding required.")
        return shard_id, count

    def _resume(self, data: dict[str, Any]) -> None:
        gateway = self._gateway
        self._check_token(data)
        session = gateway.sessions.get(str(data.get("session_id")))
        sequence = data.get("seq")
        if session is not None and (not isinstance(sequence, int) or not 0 <= sequence <= session.sequence):
            gateway.end_session(session)
            raise _Reject(CloseCode.INVALID_SEQUENCE, "Invalid sequence.")
        if gateway.faults.take("refused_resumes") and session is not None:
            gateway.end_session(session)
            session = None
        if session is None or not isinstance(sequence, int) or not session.can_replay_from(sequence):
            self._connection.send(_invalid_session(resumable=False))
            return
        self._session = session
        gateway.resume(self._connection, session.id, sequence)

    def _voice(self, data: dict[str, Any]) -> None:
        """Op 4: the bot joins, moves or leaves voice. An unknown guild or channel is ignored, as Discord does."""
        world = self._gateway.world
        guild = world.guilds.get(_as_id(data.get("guild_id")))
        channel_id = None if data.get("channel_id") is None else _as_id(data["channel_id"])
        if guild is None or not guild.has_bot:
            return
        if channel_id is not None and (channel_id not in guild.channels or guild.channels[channel_id].type not in VOICE_TYPES):
            return
        flags = {name: bool(data.get(name)) for name in ("self_mute", "self_deaf")}
        world.set_voice(guild.id, world.bot.id, channel_id, **flags)

    def _request_members(self, data: dict[str, Any]) -> None:
        """Op 8, answered in one chunk: members by id, by a prefix of the name, or all with the members intent."""
        session = self._session
        guild = self._gateway.world.guilds.get(_as_id(data.get("guild_id")))
        if guild is None or session is None or not guild.has_bot:
            return
        query, limit, wanted = data.get("query"), data.get("limit") or 0, data.get("user_ids")
        if wanted is not None:
            ids = {_as_id(user_id) for user_id in (wanted if isinstance(wanted, list) else [wanted])}
            found = [guild.members[user_id] for user_id in sorted(ids & guild.members.keys())]
        elif query or limit or session.intents & GUILD_MEMBERS:
            prefix = str(query or "").lower()
            found = [member for member in guild.members.values() if member.user.name.lower().startswith(prefix)]
            found = found[:limit] if limit else found
        else:
            return
        chunk: dict[str, Any] = {"guild_id": str(guild.id), "members": [member.payload() for member in found]}
        chunk |= {"chunk_index": 0, "chunk_count": 1, "not_found": []}
        if data.get("nonce") is not None:
            chunk["nonce"] = data["nonce"]
        session.dispatch("GUILD_MEMBERS_CHUNK", encode_json(chunk))


def _ignore(_: dict[str, Any]) -> None:
    """A bot's presence is nobody's business here."""


def _as_id(value: Any) -> int:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else 0


def _decode(data: str | bytes) -> dict[str, Any]:
    try:
        payload = msgspec.json.decode(data)
    except msgspec.DecodeError:
        payload = None
    if not isinstance(payload, dict):
        raise _Reject(CloseCode.DECODE_ERROR, "Error while decoding payload.")
    return payload
