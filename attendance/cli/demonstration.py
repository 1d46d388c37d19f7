"""``rollcall demo``: a simulator in a process of its own, the whole service in this one, and a greeting."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import typer

from attendance.cli.greeting import greet
from attendance.cli.history import make_with_progress
from attendance.cli.made_up.founding import aside, history_of, stands
from attendance.config import Settings, given_options, load_settings
from attendance.errors import UnavailableError
from attendance.wiring.opening import open_service
from attendance.wiring.roles import Role
from attendance.wiring.service import Service, run_service
from simulator import DEMO_ADMIN_ID
from simulator import Settings as SimulatorSettings

_FOLDER = Path("data/demo")
_JOURNAL_DAYS = "90"  # so that every day of the made-up weeks can be explained
_PATIENCE_S = 60
# What one may want to try with settings of one's own. Nothing else: the demo must not find a real database or a real bot.
_OF_THE_CALLER = ("ADMIN_USER_IDS", "ROLLCALL_BILLING", "ROLLCALL_WEBHOOK_ALLOW", "WEBHOOK_SECRET")


async def demonstrate(port: int, speed: float, weeks: int) -> None:
    """Run the demo until SIGINT; its first start makes up ``weeks`` of history first (0: none).

    Raises:
        ConfigError: the data folder or the port cannot be used.
        ConflictError: another demo runs.
        UnavailableError: the simulator does not start.
    """
    is_new = weeks > 0 and not stands(_FOLDER)
    began_ms = await (_made_history(weeks) if is_new else _earlier_history(weeks))
    async with _simulator(speed, began_ms) as discord_url:
        settings = _settings(_FOLDER, **_addresses(discord_url, port))

        async def started(service: Service) -> None:
            await greet(service, settings, _FOLDER, is_new=is_new)

        async with open_service(settings, Role.ALL) as service:
            await run_service(service, on_started=started)
    typer.echo("The demo has stopped. Its data is in data/demo; delete the folder to begin anew.")


def _addresses(discord_url: str, port: int) -> dict[str, str]:
    """Where Discord is, and where this process listens: the dashboard on the port behind the API's."""
    return {
        "ROLLCALL_DISCORD_API_URL": discord_url,
        "ROLLCALL_API_PORT": str(port),
        "ROLLCALL_DASHBOARD_PORT": str(port and port + 1),
    }


def _settings(folder: Path, **more: str) -> Settings:
    simulated = SimulatorSettings()
    environment = {
        "DISCORD_BOT_TOKEN": simulated.token,
        "DISCORD_CLIENT_ID": str(simulated.bot_id),
        "DISCORD_CLIENT_SECRET": simulated.client_secret,
        "ROLLCALL_DATA_DIR": str(folder),
        "ROLLCALL_JOURNAL_DAYS": _JOURNAL_DAYS,
    }
    return load_settings({"ADMIN_USER_IDS": str(DEMO_ADMIN_ID)} | given_options(_OF_THE_CALLER) | environment | more)


async def _made_history(weeks: int) -> int:
    """Make up the demo's history; returns since when its world lives (Unix milliseconds)."""
    typer.echo(f"The first start makes up {weeks} weeks of history. It takes about half a minute, once.")
    with aside(_FOLDER) as folder:
        return (await make_with_progress(_settings(folder), weeks)).began_ms


async def _earlier_history(weeks: int) -> int:
    """Since when the demo's world lives; 0: nobody lived before this start."""
    began_ms = await history_of(_settings(_FOLDER))
    if began_ms is None and weeks:
        typer.echo(f"{_FOLDER} has no made-up history: delete the folder for one that has.")
    return began_ms or 0


@asynccontextmanager
async def _simulator(speed: float, lived_since_ms: int) -> AsyncIterator[str]:
    """The simulator as a process of its own, ended with the block; yields its REST address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from attendance.cli import main; main()",
        "simulate",
        "--port",
        "0",
        "--speed",
        str(speed),
        "--lived-since",
        str(lived_since_ms),
        "--until-eof",
        stdin=asyncio.subprocess.PIPE,  # closed by the system when this process dies, however it dies
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches the service first, which then ends the simulator
        env=dict(os.environ),  # noqa: TID251  # handed on as it is, not read
    )
    try:
        yield await _address(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        raise UnavailableError("the simulator's output cannot be read")
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while line := (await process.stdout.readline()).decode():
                if match := re.search(r"http://\S+/api/v10", line):
                    return match[0]
    except TimeoutError:
        pass
    raise UnavailableError("the simulator does not start")
