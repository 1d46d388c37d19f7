"""What the demo does and says once it runs: a key, a redirect address, and where to look."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import typer

from attendance.cli.made_up.making import PASSPHRASE
from attendance.clock import SystemClock
from attendance.config import Settings
from attendance.keys.api_secret import api_secret
from attendance.wiring.service import Service
from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, DEMO_MEMBER_ID
from simulator.demo_ids import demo_channel_id, demo_user_id
from simulator.demo_world import demo_member_name

_TOKEN_SECONDS = 60
_LOG_CHANNEL, _REGULARS = demo_channel_id(0, 4), demo_channel_id(0, 41)
_WISHES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/log-destinations", {"channel_id": str(_LOG_CHANNEL), "types": ["period_reset", "leaderboard", "signing"]}),
    ("/verified-roles", {"role_id": str(_REGULARS), "threshold_seconds": 36_000, "scope": "period"}),
)
_NAMES = {demo_user_id(0, number): demo_member_name(0, number) for number in range(10)}


async def greet(service: Service, settings: Settings, folder: Path, *, is_new: bool) -> None:
    """Let the simulator's people sign in, wait until the gateway is connected, make a signing key, and say what to try.

    Where the history was made just now (``is_new``), the admin asks for what needs a Discord to ask: a channel that is told of
    periods and keys, and a role for those who were there for ten hours.
    """
    secret = api_secret(settings.api_internal_secret, settings.data_dir)
    control = settings.discord_api_url.removesuffix("/api/v10") + "/_control"
    base = f"{service.api_url}/api/v1/guilds/{DEMO_GUILD_ID}"

    def token() -> str:
        expires = SystemClock().now_ms() // 1000 + _TOKEN_SECONDS
        claims = {"user_id": str(DEMO_ADMIN_ID), "guild_id": str(DEMO_GUILD_ID), "exp": expires}
        return jwt.encode(claims, secret, algorithm="HS256")

    async with aiohttp.ClientSession() as session:
        # What one does in Discord's developer portal: nobody is sent back to an address that is not listed.
        redirect = {"uri": f"{service.dashboard_url}/auth/callback"}
        async with session.post(f"{control}/redirect-uris", json=redirect) as response:
            response.raise_for_status()
        await _until_connected(session, f"{service.api_url}/health")
        headers = {"Authorization": f"Bearer {token()}"}
        body = {"passphrase": PASSPHRASE, "auto_unlock": True}
        async with session.post(f"{base}/signing/generate-keys", json=body, headers=headers) as response:
            made = response.status
        if is_new:
            for path, wanted in _WISHES:
                async with session.post(base + path, json=wanted, headers=headers) as response:
                    response.raise_for_status()
        session_id = await _first_session(session, base, token)
    typer.echo(_WELCOME.format(
        dashboard=service.dashboard_url, admin=_NAMES[DEMO_ADMIN_ID], member=_NAMES[DEMO_MEMBER_ID],
        url=service.api_url, base=base, session_id=session_id, control=control,
        command=f'{{"guild_id":"{DEMO_GUILD_ID}","user_id":"{DEMO_ADMIN_ID}","command":"attendance leaderboard","wait_s":9}}',
        token=f"ROLLCALL_DATA_DIR={folder} {_command()} token --user {DEMO_ADMIN_ID} --guild {DEMO_GUILD_ID}",
        key="a signing key was made" if made == 201 else "the signing key of an earlier run is open",  # noqa: PLR2004
    ))  # fmt: skip


def _command() -> str:
    """This command as one can type it here."""
    path = Path(sys.argv[0]).absolute()
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


async def _until_connected(session: aiohttp.ClientSession, url: str) -> None:
    while True:
        with contextlib.suppress(aiohttp.ClientError):
            async with session.get(url) as response:
                if response.status == 200:  # noqa: PLR2004
                    return
        await asyncio.sleep(0.2)


async def _first_session(session: aiohttp.ClientSession, base: str, token: Any) -> str:
    """The id of the newest finished session, as soon as there is one."""
    while True:
        async with session.get(f"{base}/sessions?limit=1", headers={"Authorization": f"Bearer {token()}"}) as response:
            items = (await response.json()).get("items") if response.status == 200 else None  # noqa: PLR2004
        if items:
            return str(items[0]["session_id"])
        await asyncio.sleep(0.5)


_WELCOME = """
The dashboard is on {dashboard}

  Sign in as {admin}, who manages everything, or as {member}, an ordinary member with time of their own.
  Nobody needs a password: it is a simulated Discord, and its people are made up.

Behind it, Rollcall runs on {url} ({key}).

  health           {url}/health
  the API, live    {url}/docs
  a signed session {url}/verify/session/{session_id}

The leaderboard moves as members come and go. Each line asks as the demo's admin, with a token of its own (good for a minute):

  curl -s -H "Authorization: Bearer $({token})" {base}/leaderboard
  curl -s -H "Authorization: Bearer $({token})" {base}/analytics/live-occupancy
  curl -s -H "Authorization: Bearer $({token})" -X POST {base}/reset-now

Use a slash command as the admin; the answer has an id, and the leaderboard its picture:

  curl -s {control}/interactions -d '{command}'
  curl -s {control}/interactions/ID/files/leaderboard.png -o leaderboard.png

Ctrl-C stops it.
"""
