"""The deployment's master key: 32 random bytes in base64 on one line. It opens signing keys after a restart.

Who can read this file and the database can sign. Who can only write it cannot sign: the wraps under the old one do not open
any more, and the keys wait for their passphrases.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
import tempfile
from pathlib import Path

import structlog

from attendance.errors import ConfigError

KEY_BYTES = 32
FILE_NAME = "master.key"
# Far more than any real file; a wrong path may name a log or a device.
_MAX_FILE_BYTES = 1024

_log = structlog.get_logger("keys")


def master_key(configured: Path | None, data_dir: Path) -> bytes:
    """The configured file's key, or that of the data folder, which is created on first use.

    Args:
        configured: ``ROLLCALL_MASTER_KEY_FILE``; must exist if it is given.
        data_dir: The data folder of an embedded deployment.

    Returns:
        32 bytes.

    Raises:
        ConfigError: The file is missing, unreadable, open to others' writing, or holds something else.
    """
    if configured is not None:
        return read_master_key(configured)
    path = data_dir / FILE_NAME
    if not path.exists():
        _make_folder(data_dir)
        # Another process may be first; whoever was, its key is the one that is read.
        _create(path)
    return read_master_key(path)


def read_master_key(path: Path) -> bytes:
    """The key in a file.

    Raises:
        ConfigError: As `master_key`.
    """
    try:
        # O_NONBLOCK: a pipe in its place must not hang the start.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _check_mode(path, os.fstat(descriptor).st_mode)
            text = os.read(descriptor, _MAX_FILE_BYTES)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise ConfigError(f"ROLLCALL_MASTER_KEY_FILE: {path} does not exist (create it: rollcall master-key {path})") from None
    except OSError as error:
        raise ConfigError(f"ROLLCALL_MASTER_KEY_FILE: {path} cannot be read: {error.strerror}") from error
    return _decode(path, text)


def create_master_key(path: Path) -> None:
    """Write a new key (0600) where no file is yet.

    Raises:
        ConfigError: There is a file, or it cannot be written.
    """
    if not _create(path):
        raise ConfigError(f"{path} exists; a new master key would leave every key sealed under it locked")


def _create(path: Path) -> bool:
    """Write a new key unless one is there; False if so. Complete and on disk before it has its name."""
    line = base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n"
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)  # unlike a rename, it never replaces a key
            _sync_folder(path.parent)
        except FileExistsError:
            return False
        finally:
            Path(draft).unlink()
    except OSError as error:
        raise ConfigError(f"the master key {path} cannot be written: {error.strerror}") from error
    return True


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the data folder {path} cannot be made: {error.strerror}") from error


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_mode(path: Path, mode: int) -> None:
    """Refuse what others may write; only warn of what they may read, since mounted secrets often are 0444."""
    if not stat.S_ISREG(mode):
        raise ConfigError(f"ROLLCALL_MASTER_KEY_FILE: {path} is not a regular file")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(f"ROLLCALL_MASTER_KEY_FILE: {path} may be written by others (chmod 600 {path})")
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        _log.warning("the master key may be read by others", path=str(path), mode=f"{stat.S_IMODE(mode):04o}")


def _decode(path: Path, text: bytes) -> bytes:
    try:
        key = base64.b64decode(text.removesuffix(b"\n"), validate=True)
    except binascii.Error:
        key = b""
    # Decoding alone would take other spellings of the same bytes: a truncated or edited file should be seen.
    if len(key) != KEY_BYTES or base64.b64encode(key) != text.removesuffix(b"\n"):
        raise ConfigError(f"ROLLCALL_MASTER_KEY_FILE: {path} must hold {KEY_BYTES} bytes in base64 on one line")
    return key
