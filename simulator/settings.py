"""What a simulated Discord can be told before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simulator.snowflakes import bot_token

DEFAULT_BOT_ID = 1_180_000_000_000_000_512
"""The demo bot's user id, and its application's."""

DEFAULT_CLIENT_SECRET = "simulated-client-secret"  # noqa: S105 - protects nothing: the people are made up
"""The demo application's OAuth2 secret; its client id is the bot's."""

DEFAULT_SEED = 20_260_105


@dataclass(frozen=True, slots=True)
class Settings:
    """Validated when it is built; every time is in the unit of its name.

    Attributes:
        host: the address to bind. Only loopback is meant: the control API has no password.
        port: the port, 0 for one that is free (read it from ``Simulator.port``).
        public_address: the `host:port` at which bots reach it; empty means the bound one. It is what the gateway's
            address is made of, so a container that binds 0.0.0.0 needs it.
        seed: everything random comes from it, so the same seed is the same afternoon.
        guilds: how many guilds the demo world has.
        members: how many human members each of them has.
        speed: seconds of behaviour a real second; 0 leaves the members still until told.
        trace_file: a trace (accounting, section 2) to play instead of the patterns; the world is built from it.
        as_fast_as_possible: play the trace without its pauses.
        bot_id: the bot's user id and application id.
        token: the bot's token; empty means one made from ``bot_id``.
        client_secret: the application's OAuth2 secret; its client id is ``bot_id``.
        redirect_uris: what the developer portal lists for sign-ins; more by ``POST /_control/redirect-uris``.
        heartbeat_interval_ms: what HELLO says. Silence of 1.5 intervals closes the socket with 4009.
        replay_buffer: events kept for each session for RESUME; one that needs an older event gets op 9.
        session_timeout_s: how long a session without a socket can be resumed.
        max_concurrency: IDENTIFYs a bucket of five seconds, as ``/gateway/bot`` says.
        enforce_identify_limit: answer op 9 to an IDENTIFY that comes too early for its bucket.
        recommended_shards: what ``/gateway/bot`` recommends.
        max_guilds_per_shard: more of them in one shard close the socket with 4011.
        privileged_intents: the privileged intents that the application was granted; others are refused with 4014.
        enforce_rest_limits: count requests against their buckets and answer 429 beyond them.
        global_requests_per_s: the limit over all routes.
        zlib_level: of the zlib-stream transport, 0 to 9.
        start_hour: hour of the simulated day at which the demo starts; the hours before were lived already
            (a large world starts faster at 0, with nobody in voice).
        lived_since_ms: a Monday's midnight, Unix milliseconds: the demo has lived since then (`simulator.lives`), and goes on
            from the present instant. 0: it begins at ``start_hour`` of a Monday without a date.
    """

    host: str = "127.0.0.1"
    port: int = 0
    public_address: str = ""
    seed: int = DEFAULT_SEED
    guilds: int = 2
    members: int = 60
    speed: float = 60.0
    trace_file: Path | None = None
    as_fast_as_possible: bool = False
    bot_id: int = DEFAULT_BOT_ID
    token: str = ""
    client_secret: str = DEFAULT_CLIENT_SECRET
    redirect_uris: tuple[str, ...] = ()
    heartbeat_interval_ms: int = 41_250
    replay_buffer: int = 20_000
    session_timeout_s: float = 180.0
    max_concurrency: int = 1
    enforce_identify_limit: bool = False
    recommended_shards: int = 1
    max_guilds_per_shard: int = 2_500
    privileged_intents: int = 0
    enforce_rest_limits: bool = True
    global_requests_per_s: int = 50
    zlib_level: int = 1
    start_hour: int = 18
    lived_since_ms: int = 0

    def __post_init__(self) -> None:
        """Refuse values that no Discord could have.

        Raises:
            ValueError: naming every field that is out of its range.
        """
        bounds = {
            "port": (self.port, 0, 65_535),
            "guilds": (self.guilds, 0, 100_000),
            "members": (self.members, 0, 1_000_000),
            "speed": (self.speed, 0, 1_000_000),
            "heartbeat_interval_ms": (self.heartbeat_interval_ms, 10, 3_600_000),
            "replay_buffer": (self.replay_buffer, 0, 10_000_000),
            "session_timeout_s": (self.session_timeout_s, 0, 86_400),
            "max_concurrency": (self.max_concurrency, 1, 1_000),
            "recommended_shards": (self.recommended_shards, 1, 10_000),
            "max_guilds_per_shard": (self.max_guilds_per_shard, 1, 1_000_000),
            "global_requests_per_s": (self.global_requests_per_s, 1, 1_000_000),
            "zlib_level": (self.zlib_level, 0, 9),
            "start_hour": (self.start_hour, 0, 23),
            "lived_since_ms": (self.lived_since_ms, 0, 1 << 53),
        }
        wrong = [f"{name} must be {low} to {high}" for name, (value, low, high) in bounds.items() if not low <= value <= high]
        if wrong:
            raise ValueError("; ".join(wrong))
        if not self.token:
            object.__setattr__(self, "token", bot_token(self.bot_id))
