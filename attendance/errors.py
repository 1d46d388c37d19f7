"""Every error that Rollcall raises on purpose.

One base with a stable ``code``; each edge (HTTP, Discord, command line, job) has one table from these classes to its own
answers. The Rust extension raises ``TraceError``, ``StateError``, ``ProfileError``, ``KeyOpenError``,
``LogError`` and ``InvalidRecordError`` through `import_exception!`, so the classes live here and nowhere else.
"""

from __future__ import annotations


class RollcallError(Exception):
    """Base of all expected failures. ``code`` is stable and may be shown to users; ``details`` names fields."""

    code = "error"

    def __init__(self, message: str, *, details: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or {}


class InvalidInputError(RollcallError):
    """A value from outside breaks a rule that we can name (HTTP 422)."""

    code = "invalid"


class NotFoundError(RollcallError):
    """What was asked for is not there, or is another guild's (HTTP 404: both answer alike)."""

    code = "not_found"


class ForbiddenError(RollcallError):
    """The caller is known and may not (HTTP 403)."""

    code = "forbidden"


class ConflictError(RollcallError):
    """The request contradicts what is stored (HTTP 409)."""

    code = "conflict"


class NotReadyError(ConflictError):
    """What was asked for will be there, but is not yet (HTTP 409 with ``Retry-After``, in whole seconds)."""

    code = "not_ready"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnavailableError(RollcallError):
    """A part that is needed is away: database, Discord, the guild's owner (HTTP 503). Trying again is right."""

    code = "unavailable"


class OwnershipLostError(RollcallError):
    """Another process holds the lease or the data folder now: this one must stop writing at once."""

    code = "ownership_lost"


class ConfigError(RollcallError):
    """Settings are wrong; the message lists every problem, one a line (the command line exits with 2)."""

    code = "config"


class TraceError(RollcallError):
    """A trace line is malformed (accounting, section 2). ``line_number`` counts from 1 within what was given."""

    code = "trace"

    def __init__(self, message: str, line_number: int = 0, printed: bytes = b"") -> None:
        super().__init__(message)
        self.line_number = line_number
        self.printed = printed


class StateError(RollcallError):
    """Saved engine state cannot be read: damaged, or written by a newer version."""

    code = "state"


class ProfileError(RollcallError):
    """Bytes are outside the signing profile (records, section 1)."""

    code = "profile"


class KeyOpenError(RollcallError):
    """A wrapped key does not open: wrong passphrase, damaged, or cost parameters out of bounds."""

    code = "key_open"


class InvalidRecordError(RollcallError):
    """A record does not verify: the message says what was expected and what was found."""

    code = "invalid_record"


class LogError(RollcallError):
    """Bytes are no tile, note, checkpoint or proof of the transparency log, or a tile of it is missing."""

    code = "log"
