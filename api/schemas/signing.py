"""Bodies of the signing and verification routes."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from api.schemas.wire import UUID_TEXT, Body, Instant, Wire
from attendance.domain.instants import to_rfc3339
from attendance.domain.signing_keys import KeyState, RecordKey
from attendance.ports.signing import ArchivedPeriod
from attendance.services.keyring import SigningStatus
from attendance.services.passphrases import MAX_BYTES, MIN_CHARACTERS
from attendance.services.succession import MAX_REASON_CHARACTERS
from attendance.services.verification import Verdict

_EXAMPLE_PASSPHRASE = "correct horse battery staple"  # noqa: S105  # the documentation's

NewPassphrase = Annotated[
    str,
    Meta(min_length=MIN_CHARACTERS, max_length=MAX_BYTES, description="Of the new key", examples=[_EXAMPLE_PASSPHRASE]),
]
KnownPassphrase = Annotated[
    str, Meta(max_length=MAX_BYTES, description="Of the key as it is now", examples=[_EXAMPLE_PASSPHRASE])
]
Kid = Annotated[
    str, Meta(description="RFC 7638 thumbprint", examples=["oKZag6Sga736WK_VglTg_hVjKkI4nHeCVuenzeB9puI"], max_length=43)
]
X = Annotated[str, Meta(description="Ed25519 public key, base64url", examples=["s8fvFvllZgevONQLBV2dDoKi5nnCxT4rKWBiwnTDyBc"])]
AutoUnlock = Annotated[
    bool | None,
    Meta(description="Whether a restart opens the new key by itself; by default as the old one", examples=[True]),
]


class _Secret(Body, frozen=True, kw_only=True):
    """A body with a passphrase: what is printed of it is its name."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class GenerateKeysBody(_Secret, frozen=True, kw_only=True):
    """The guild's first key."""

    passphrase: NewPassphrase
    auto_unlock: Annotated[bool, Meta(description="Whether a restart opens the key by itself", examples=[True])] = True


class UnlockBody(_Secret, frozen=True, kw_only=True):
    """The key's passphrase."""

    passphrase: KnownPassphrase


class ChangePassphraseBody(_Secret, frozen=True, kw_only=True):
    """The old passphrase and the new one."""

    passphrase: KnownPassphrase
    new_passphrase: Annotated[
        str,
        Meta(min_length=MIN_CHARACTERS, max_length=MAX_BYTES, examples=["another fine long passphrase"]),
    ]


class RotateBody(_Secret, frozen=True, kw_only=True):
    """The new key's passphrase; the old key's where it is locked; or that the old key is lost."""

    passphrase: NewPassphrase
    current_passphrase: KnownPassphrase | None = None
    lost: Annotated[bool, Meta(description="The old key cannot sign its own retirement", examples=[False])] = False
    auto_unlock: AutoUnlock = None


class RevokeBody(_Secret, frozen=True, kw_only=True):
    """Which key, why, and up to which position it is still good."""

    reason: Annotated[
        str, Meta(min_length=1, max_length=MAX_REASON_CHARACTERS, description="Public", examples=["the laptop was stolen"])
    ]
    last_good_guild_seq: Annotated[
        int, Meta(ge=-1, le=2**53 - 1, description="The last record of that key to be believed", examples=[1041])
    ]
    kid: Annotated[Kid | None, Meta(description="The active key by default")] = None
    passphrase: Annotated[NewPassphrase | None, Meta(description="Of the new key, where the active one is revoked")] = None
    auto_unlock: AutoUnlock = None


class SigningKeyBody(Wire, frozen=True, kw_only=True):
    """A key's public half."""

    kid: Kid
    public_key: X
    created_at: Instant


class GuildKeyBody(Wire, frozen=True, kw_only=True):
    """A key's public half, and what it is good for: records at these positions of the guild's chain, and no others."""

    kid: Kid
    public_key: X
    state: Annotated[
        Literal["active", "retired", "revoked", "lost"],
        Meta(description="Only the active one signs; `lost`: it was replaced without signing its own end", examples=["active"]),
    ]
    created_at: Instant
    first_guild_seq: Annotated[
        int | None, Meta(description="Of its own `key.activate`; null until that is signed", examples=[0])
    ]
    last_guild_seq: Annotated[
        int | None,
        Meta(
            description="The last position it is good for; null while open. Before the first one: it is good for none",
            examples=[1041],
        ),
    ]


class RunningPeriodBody(Wire, frozen=True, kw_only=True):
    """The running period; it ends when somebody resets it where `ends_at` is null."""

    index: Annotated[int, Meta(ge=0, examples=[12])]
    started_at: Instant
    ends_at: Instant | None


class SigningStatusBody(Wire, frozen=True, kw_only=True):
    """Whether records are being signed, and what waits."""

    configured: bool
    unlocked: bool
    auto_unlock: bool
    kid: Kid | None
    pending: Annotated[int, Meta(ge=0, description="Records that wait for a signature", examples=[0])]
    oldest_pending_at: Instant | None
    period: RunningPeriodBody | None


class HistoryItemBody(Wire, frozen=True, kw_only=True):
    """An archived period; `kid` is null while its record waits for a signature."""

    period_index: Annotated[int, Meta(ge=0, examples=[11])]
    started_at: Instant
    ended_at: Instant | None
    state: Annotated[Literal["signed", "pending"], Meta(examples=["signed"])]
    entry_count: Annotated[int | None, Meta(examples=[240])]
    kid: Kid | None


class VerifySessionBody(Body, frozen=True, kw_only=True):
    """Which session."""

    session_id: Annotated[str, Meta(pattern=UUID_TEXT, examples=["01972f3c-7c00-7000-8000-0123456789ab"])]


class VerifyPeriodBody(Body, frozen=True, kw_only=True):
    """Which period."""

    period_index: Annotated[int, Meta(ge=0, le=2**31 - 1, examples=[3])]


class VerdictBody(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a verification. `reason` is there where `valid` is false."""

    valid: bool
    state: Annotated[
        Literal["signed", "logged", "pending", "redacted"],
        Meta(description="`pending`: it waits for a signature; `logged`: the transparency log has it"),
    ]
    kid: Kid | None = None
    signed_at: Instant | None = None
    reason: Annotated[str | None, Meta(examples=["the record waits for a signature"])] = None
    leaf_index: Annotated[Annotated[int, Meta(ge=0)] | None, Meta(description="Position in the transparency log")] = None


class JwkBody(Wire, frozen=True, kw_only=True):
    """An Ed25519 public key (RFC 8037)."""

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    x: X
    kid: Kid
    use: Literal["sig"] = "sig"


class JwksBody(Wire, frozen=True, kw_only=True):
    """Every public key of this deployment, active or not (RFC 7517)."""

    keys: list[JwkBody]


def key_body(key: RecordKey) -> SigningKeyBody:
    """A key's public half."""
    return SigningKeyBody(kid=key.kid, public_key=key.x, created_at=to_rfc3339(key.created_at_ms))


def guild_key_body(key: RecordKey) -> GuildKeyBody:
    """A key as the list has it: nothing of what is sealed."""
    return GuildKeyBody(
        kid=key.kid,
        public_key=key.x,
        state=KeyState(key.state).value,
        created_at=to_rfc3339(key.created_at_ms),
        first_guild_seq=key.first_guild_seq,
        last_guild_seq=key.last_guild_seq,
    )


def status_body(status: SigningStatus) -> SigningStatusBody:
    """A status as it is shown."""
    period = status.period
    return SigningStatusBody(
        configured=status.configured,
        unlocked=status.unlocked,
        auto_unlock=status.auto_unlock,
        kid=status.kid,
        pending=status.pending,
        oldest_pending_at=_instant(status.oldest_pending_at_ms),
        period=None
        if period is None
        else RunningPeriodBody(
            index=period.index, started_at=to_rfc3339(period.started_at_ms), ends_at=_instant(period.ends_at_ms)
        ),
    )


def history_item(period: ArchivedPeriod) -> HistoryItemBody:
    """A line of the history."""
    return HistoryItemBody(
        period_index=period.period_index,
        started_at=to_rfc3339(period.started_at_ms),
        ended_at=_instant(period.ended_at_ms),
        state="pending" if period.kid is None else "signed",
        entry_count=period.entry_count,
        kid=period.kid,
    )


def verdict_body(verdict: Verdict) -> VerdictBody:
    """A verdict as it is shown."""
    return VerdictBody(
        valid=verdict.valid,
        state=verdict.state,
        kid=verdict.kid,
        signed_at=_instant(verdict.signed_at_ms),
        reason=verdict.reason,
        leaf_index=verdict.leaf_index,
    )


def _instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else to_rfc3339(at_ms)
