"""Commands for setting up and trying out: ``token``, ``config-dump``, ``invite``, ``master-key``."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Annotated

import jwt
import typer
from rich.console import Console
from rich.table import Table

from attendance.cli.app import app
from attendance.clock import SystemClock
from attendance.config import dump_settings, load_settings
from attendance.domain.ids import parse_snowflake
from attendance.errors import ConfigError, InvalidInputError
from attendance.keys.api_secret import api_secret
from attendance.keys.master import create_master_key

_TOKEN_SECONDS = 60
# View Channel, Send Messages, Embed Links: to see who is in voice, and to post logs where an admin asks for them.
_PERMISSIONS = (1 << 10) | (1 << 11) | (1 << 14)
_SCOPES = "bot applications.commands"


@app.command()
def token(
    user: Annotated[str, typer.Option(help="Discord user id that the token speaks for.")],
    guild: Annotated[str, typer.Option(help="Discord guild id that it is for.")],
) -> None:
    """Print a development JWT for the API: valid for 60 seconds."""
    settings = load_settings()
    claims = {
        "user_id": str(_id(user, "--user")),
        "guild_id": str(_id(guild, "--guild")),
        "exp": SystemClock().now_ms() // 1000 + _TOKEN_SECONDS,
    }
    typer.echo(jwt.encode(claims, api_secret(settings.api_internal_secret, settings.data_dir), algorithm="HS256"))


@app.command("config-dump")
def config_dump() -> None:
    """Print every setting, where it comes from and what holds without it; secrets are hidden."""
    table = Table("setting", "value", "from", box=None)
    for name, value, origin in dump_settings():
        table.add_row(name, value, origin)
    Console(soft_wrap=True).print(table)
    load_settings()


@app.command()
def invite() -> None:
    """Print the address that adds the bot to a guild, with exactly the scopes and permissions it needs."""
    bot_token = load_settings().discord_bot_token
    if bot_token is None:
        raise ConfigError("DISCORD_BOT_TOKEN is not set")
    first = bot_token.split(".")[0]
    try:
        application = base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        application = ""
    if not re.fullmatch(r"[0-9]{15,20}", application):
        raise ConfigError("DISCORD_BOT_TOKEN does not name an application: copy it again from the developer portal")
    scopes = _SCOPES.replace(" ", "%20")
    typer.echo(f"https://discord.com/oauth2/authorize?client_id={application}&scope={scopes}&permissions={_PERMISSIONS}")


@app.command("master-key")
def master_key(file: Annotated[Path, typer.Argument(help="File to create; it must not exist.")]) -> None:
    """Create a master key: 32 random bytes in base64 on one line, readable by you only."""
    create_master_key(file)
    typer.echo(f"created {file}: keep a copy apart from the database")


def _id(text: str, option: str) -> int:
    try:
        return parse_snowflake(text, name=option)
    except InvalidInputError as error:
        raise ConfigError(error.message) from None
