"""The command ``simulate``: a local Discord."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from attendance.cli.app import app
from attendance.errors import ConfigError
from simulator.server import Simulator, serve
from simulator.settings import Settings
from simulator.trace_input import TraceFileError
from simulator.trace_output import write_trace


@app.command()
def simulate(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on (its control routes have no password).")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 for any free one.")] = 8090,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 20_260_105,
    guilds: Annotated[int, typer.Option(help="Guilds in the world.")] = 2,
    members: Annotated[int, typer.Option(help="Members of each guild.")] = 60,
    speed: Annotated[float, typer.Option(help="Seconds of behaviour a second; 0 stands still.")] = 60.0,
    lived_since: Annotated[
        int, typer.Option(help="A Monday's midnight, Unix milliseconds: the world has lived since then, and goes on from now.")
    ] = 0,
    trace: Annotated[Path | None, typer.Option(help="Play this trace instead.")] = None,
    trace_out: Annotated[
        Path | None, typer.Option(help="Only write a believable trace to this file (`-`: standard output).")
    ] = None,
    lines: Annotated[int, typer.Option(help="Lines of --trace-out.")] = 1_000_000,
    until_eof: Annotated[
        bool, typer.Option("--until-eof", help="End when standard input does: with whatever started it.")
    ] = False,
) -> None:
    """Run a local Discord: REST and gateway v10, members who come and go, faults on demand under /_control."""
    if trace_out is not None:
        _write(trace_out, seed, lines, guilds, members)
        return
    try:
        settings = Settings(
            host=host,
            port=port,
            seed=seed,
            guilds=guilds,
            members=members,
            speed=speed,
            trace_file=trace,
            lived_since_ms=lived_since,
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None

    async def run() -> None:
        ready: asyncio.Future[Simulator] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve(settings, ready=ready))
        if until_eof:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), serving.cancel)
        waiting: set[asyncio.Future[Any]] = {ready, serving}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            simulator = ready.result()
            typer.echo(f"ROLLCALL_DISCORD_API_URL={simulator.rest_url}\nDISCORD_BOT_TOKEN={simulator.token}")
            sys.stdout.flush()
        await asyncio.wait({serving})
        if not serving.cancelled():
            await serving

    try:
        asyncio.run(run())
    except TraceFileError as error:
        raise ConfigError(str(error)) from None
    except OSError as error:
        raise ConfigError(f"the simulator cannot start: {error}") from None
    except KeyboardInterrupt:
        typer.echo("stopped")


def _write(target: Path, seed: int, lines: int, guilds: int, members: int) -> None:
    if str(target) == "-":
        write_trace(sys.stdout.buffer, seed, lines, guilds, members)
        return
    try:
        with target.open("wb") as file:
            write_trace(file, seed, lines, guilds, members)
    except OSError as error:
        raise ConfigError(f"the trace {target} cannot be written: {error.strerror}") from None
