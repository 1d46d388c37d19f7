"""Secrets that the operator sets, or that are created in the data folder of an embedded deployment."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from attendance.errors import ConfigError

_BYTES = 32


def api_secret(configured: str | None, data_dir: Path) -> str:
    """What signs the API's tokens: as it is set, or the data folder's.

    Raises:
        ConfigError: the folder cannot be read or written.
    """
    return kept_secret("API_INTERNAL_SECRET", configured, data_dir)


def kept_secret(name: str, configured: str | None, data_dir: Path) -> str:
    """The secret that is set, or the one of this option in the data folder, which is created (0600) on first use.

    Raises:
        ConfigError: the folder cannot be read or written.
    """
    if configured is not None:
        return configured
    path = data_dir / name.removeprefix("ROLLCALL_").lower()
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path)
        return path.read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: {path} does not hold a secret: delete it to have a new one made") from None
    except OSError as error:
        raise ConfigError(f"{name} cannot be kept in {path}: {error.strerror}") from error


def _create(path: Path) -> None:
    """Write a new secret unless one is there; complete before it has its name, so that nobody reads half of it."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another command was first: its secret holds
    finally:
        draft.unlink()
