"""Faults on demand: one method a fault, called by name from Python or from the control API."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from simulator.encoding import encode_json
from simulator.faults import Faults, RestFault
from simulator.gateway import Gateway
from simulator.player import Player
from simulator.world import World

_REST_STATUSES = frozenset({0, 429, 500, 502, 503, 504})
_GARBAGE: dict[str, Any] = {
    "user_id": "not-a-snowflake",
    "channel_id": ["a", "list"],
    "self_mute": "perhaps",
    "mute": None,
    "deaf": 3,
    "member": 7,
}


class FaultError(Exception):
    """A fault was asked for that there is not, or with wrong arguments."""


class FaultDesk:
    """Makes things go wrong. ``shard`` limits a fault to one shard; None means all of them."""

    def __init__(self, world: World, gateway: Gateway, faults: Faults, player: Player) -> None:
        self._world = world
        self._gateway = gateway
        self._faults = faults
        self._player = player
        self.kinds: dict[str, Callable[..., int]] = {
            "drop": self.drop,
            "close": self.close,
            "reconnect": self.reconnect,
            "invalid_session": self.invalid_session,
            "forget_sessions": self.forget_sessions,
            "request_heartbeat": self.request_heartbeat,
            "refuse_resumes": self.refuse_resumes,
            "refuse_upgrades": self.refuse_upgrades,
            "silent_hellos": self.silent_hellos,
            "silent_readies": self.silent_readies,
            "heartbeat_acks": self.heartbeat_acks,
            "stall": self.stall,
            "garbage_voice_state": self.garbage_voice_state,
            "garbage_frame": self.garbage_frame,
            "rest": self.rest,
            "clear_rest": self.clear_rest,
            "guild_unavailable": self.guild_unavailable,
            "guild_available": self.guild_available,
            "pause": self.pause,
            "unpause": self.unpause,
        }

    def apply(self, kind: str, **arguments: Any) -> int:
        """Do the fault called ``kind``; return how many things it touched.

        Raises:
            FaultError: for an unknown kind or arguments that it does not take.
            WorldError: for a guild that does not exist.
        """
        fault = self.kinds.get(kind)
        if fault is None:
            raise FaultError(f"no fault {kind!r}; there are: {', '.join(sorted(self.kinds))}")
        try:
            inspect.signature(fault).bind(**arguments)
        except TypeError as error:
            raise FaultError(f"fault {kind!r}: {error}") from error
        return fault(**arguments)

    # Sockets

    def drop(self, shard: int | None = None) -> int:
        """Cut sockets without a close frame. Their sessions can be resumed."""
        sockets = list(self._gateway.sockets(shard))
        for socket in sockets:
            socket.abort()
        return len(sockets)

    def close(self, shard: int | None = None, code: int = 4000, reason: str = "Unknown error.") -> int:
        """Close sockets with a code."""
        sockets = list(self._gateway.sockets(shard))
        for socket in sockets:
            socket.close(code, reason)
        return len(sockets)

    def reconnect(self, shard: int | None = None) -> int:
        """Ask shards to reconnect and resume (op 7)."""
        return self._send_to(shard, encode_json({"op": 7, "d": None}))

    def invalid_session(self, shard: int | None = None, resumable: bool = False) -> int:  # noqa: FBT001, FBT002 - by name only
        """Tell shards that their session is invalid (op 9); one that is not resumable is forgotten."""
        touched = self._send_to(shard, encode_json({"op": 9, "d": resumable}))
        if not resumable:
            for session in self._gateway.connected(shard):
                self._gateway.end_session(session)
        return touched

    def forget_sessions(self, shard: int | None = None) -> int:
        """Forget sessions without a word: the next RESUME gets op 9."""
        sessions = [s for s in self._gateway.sessions.values() if shard in {None, s.shard_id}]
        for session in sessions:
            self._gateway.end_session(session)
        return len(sessions)

    def request_heartbeat(self, shard: int | None = None) -> int:
        """Ask shards for a heartbeat now (op 1)."""
        return self._send_to(shard, encode_json({"op": 1, "d": None}))

    def _send_to(self, shard: int | None, payload: bytes) -> int:
        sessions = self._gateway.connected(shard)
        for session in sessions:
            session.send_unnumbered(payload)
        return len(sessions)

    def stall(self, shard: int | None = None, on: bool = True) -> int:  # noqa: FBT001, FBT002 - by name only
        """Stop (or let go again) everything that present sockets would send, acks too: a half-open connection."""
        sockets = list(self._gateway.sockets(shard))
        for socket in sockets:
            socket.stall(stalled=on)
        return len(sockets)

    # What waits for the next time

    def refuse_resumes(self, count: int = 1) -> int:
        """Answer the next RESUMEs with op 9 false and forget the sessions."""
        self._faults.refused_resumes = count
        return count

    def refuse_upgrades(self, count: int = 1) -> int:
        """Answer the next WebSocket upgrades with 503."""
        self._faults.refused_upgrades = count
        return count

    def silent_hellos(self, count: int = 1) -> int:
        """Say nothing at all on the next sockets."""
        self._faults.silent_hellos = count
        return count

    def silent_readies(self, count: int = 1) -> int:
        """Do not answer the next IDENTIFYs."""
        self._faults.silent_readies = count
        return count

    def heartbeat_acks(self, on: bool = True) -> int:  # noqa: FBT001, FBT002 - by name only
        """Stop or start acknowledging heartbeats."""
        self._faults.heartbeats_acked = on
        return 1

    # Unreadable payloads

    def garbage_voice_state(
        self, guild_id: int | None = None, shard: int | None = None, fields: dict[str, Any] | None = None
    ) -> int:
        """Dispatch a VOICE_STATE_UPDATE whose fields make no sense (or are ``fields``), with the guild's id if given."""
        payload = dict(_GARBAGE if fields is None else fields)
        if guild_id is not None:
            payload["guild_id"] = str(self._world.guild(int(guild_id)).id)
        sessions = [s for s in self._gateway.connected(shard) if guild_id is None or s.sees(int(guild_id))]
        for session in sessions:
            session.dispatch("VOICE_STATE_UPDATE", encode_json(payload))
        return len(sessions)

    def garbage_frame(self, shard: int | None = None, text: str = "{not json") -> int:
        """Send a frame that is not JSON (compressed as the socket is)."""
        return self._send_to(shard, text.encode())

    # REST

    def rest(  # noqa: PLR0917 - by name only
        self,
        route: str = "*",
        status: int = 429,
        count: int = 1,
        retry_after_s: float = 0.1,
        scope: str = "user",
        done: bool = False,  # noqa: FBT001, FBT002
    ) -> int:
        """Fail the next ``count`` requests on a route template (`GET /guilds/{guild_id}`), or on any with `*`.

        Status 0 cuts the connection. With ``done`` a request is carried out, and its answer is lost.
        """
        if status not in _REST_STATUSES or scope not in {"user", "global", "shared"} or (done and status == 429):  # noqa: PLR2004
            raise FaultError("status is 0, 429, 500, 502, 503 or 504 (not 429 if done); scope is user, global or shared")
        self._faults.rest.append(RestFault(route, status, count, retry_after_s, scope, done))
        return count

    def clear_rest(self) -> int:
        """Take back every REST fault."""
        cleared = len(self._faults.rest)
        self._faults.rest.clear()
        return cleared

    # The world

    def guild_unavailable(self, guild_id: int) -> int:
        """Start an outage of a guild."""
        self._world.set_unavailable(int(guild_id))
        return 1

    def guild_available(self, guild_id: int) -> int:
        """End an outage of a guild."""
        self._world.set_available(int(guild_id))
        return 1

    def pause(self) -> int:
        """Let the members do nothing until `unpause`."""
        self._player.pause()
        return 1

    def unpause(self) -> int:
        """Let the members go on from where they stopped."""
        self._player.unpause()
        return 1
