"""Commands that run or ask the service: ``serve``, ``demo``, ``healthcheck``."""

from __future__ import annotations

import gc
import json
import sys
import urllib.error
import urllib.request
from typing import Annotated

import typer
import uvloop

from attendance.cli.app import app
from attendance.config import OPTIONS, load_settings
from attendance.errors import UnavailableError
from attendance.logs import set_up_logs
from attendance.wiring.roles import Role

_SWITCH_S = 0.0005  # the gateway's thread must not hold up HTTP for 5 ms at every turn while a burst is read
_OPTION_HELP = "\n\n".join(f"`{option.name}`: {option.help}" for option in OPTIONS)


@app.command(epilog=_OPTION_HELP)
def serve(role: Annotated[Role, typer.Option(help="What this process does; apart on PostgreSQL only.")] = Role.ALL) -> None:
    """Run the service until SIGINT or SIGTERM: record, sign, serve the API, end periods.

    An embedded database is migrated first, with a copy beside it.
    """
    from attendance.wiring.opening import open_service  # noqa: PLC0415  # all parts: seconds, and no other command needs them
    from attendance.wiring.service import run_service  # noqa: PLC0415

    settings = load_settings()
    set_up_logs(settings.log_format)
    tune_interpreter()

    async def run() -> None:
        async with open_service(settings, role) as service:
            if service.api_url is not None:
                typer.echo(f"Rollcall listens on {service.api_url} (try /health, /docs)", err=True)
            if service.dashboard_url is not None:
                typer.echo(f"The dashboard is {service.dashboard_url}", err=True)
            await run_service(service)

    uvloop.run(run())


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the API, the dashboard is on the next one; 0: any free ones.")] = 8080,
    speed: Annotated[float, typer.Option(help="Seconds of simulated behaviour a second.")] = 60.0,
    weeks: Annotated[int, typer.Option(min=0, max=26, help="Weeks of history that the first start makes up.")] = 6,
) -> None:
    """Run everything against a local Discord simulator, on SQLite, and print where to look.

    The first start makes up weeks of history, as `demo-history` does.
    """
    from attendance.cli.demonstration import demonstrate  # noqa: PLC0415  # only this command needs the simulator

    set_up_logs("auto")
    tune_interpreter()
    uvloop.run(demonstrate(port, speed, weeks))


@app.command()
def healthcheck() -> None:
    """Ask the running service for its health; exit code 0 when it is well, 1 when not."""
    settings = load_settings()
    host = "127.0.0.1" if settings.api_host in ("0.0.0.0", "::") else settings.api_host  # noqa: S104  # compared, not bound
    url = f"http://{host}:{settings.api_port}/health"
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # our own http address
            typer.echo(response.read().decode())
    except urllib.error.HTTPError as error:
        typer.echo(error.read().decode())
        sys.exit(1)
    except (OSError, json.JSONDecodeError) as error:
        raise UnavailableError(f"no answer from {url} ({error})") from error


def tune_interpreter() -> None:
    """Settings of the whole process that long runs with many small objects and two threads want."""
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()  # what is loaded by now lives as long as the process
    gc.set_threshold(50_000, 20, 50)
