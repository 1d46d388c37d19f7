# ruff: noqa: PYI021 -- the extension has no Python source: its documentation is here
"""The Rust extension, typed by hand. Each section is one concept of the binding crate."""

from typing import TypeAlias, TypedDict, final

__all__ = [
    "Engine",
    "ExportCheck",
    "LogTree",
    "MerkleRoot",
    "Replay",
    "SigningKey",
    "canonicalise",
    "check_canonical",
    "clip_timeline",
    "consistency_paths",
    "consistency_proof",
    "decode_b64url",
    "inclusion_paths",
    "inclusion_proof",
    "leaderboard_entries",
    "log_bundle",
    "merkle_root",
    "open_checkpoint",
    "pinned_keys",
    "pinned_log_keys",
    "quarters_of",
    "read_checkpoint",
    "read_log_bundle",
    "read_proof_file",
    "read_verifier_key",
    "record_leaf_hash",
    "record_sha256",
    "sign_checkpoint",
    "thumbprint",
    "verifier_key",
    "verify_consistency",
    "verify_inclusion",
    "verify_proof_file",
    "verify_receipt",
    "verify_record",
    "verify_records",
    "verify_signature",
    "verify_signatures",
    "wrap_parameters",
    "write_proof_file",
]

# --- records ----------------------------------------------------------------------------------------------------------
# Signing profile, keys, records, Merkle roots (records specification, sections 1 to 3). Everything here is pure but for
# the random bytes of `SigningKey.generate` and of the wraps' nonces. Lengths that only a bug gets wrong (a salt that is
# not 16 bytes, a key that is not 32) are ValueError; data from outside raises the errors named with each function.

def canonicalise(text: bytes) -> bytes:
    """Canonical bytes (RFC 8785) of a JSON text of the signing profile, whatever value is outermost.

    Containers may nest 8 deep, the outermost counted as 1. The length is not bounded here; a record's is (16 KiB).

    Raises:
        ProfileError: The text is outside the profile; the message names the byte.
    """

def check_canonical(text: bytes) -> None:
    """Accept only a text that is its own canonical form.

    Raises:
        ProfileError: It is not, or it is outside the profile.
    """

def record_sha256(record: bytes) -> bytes:
    """SHA-256 of a record's exact bytes (32 bytes): the next record's ``prev``, and what the log's entry holds."""

def verify_record(record: bytes, signature: bytes, public_key: bytes) -> None:
    """Accept a record object of at most 16 KiB that is canonical, names this key as ``kid`` and was signed by it.

    Verification is strict (no small-order points, no malleable encodings). The place in the chain is not looked at.

    Raises:
        InvalidRecordError: It does not verify; the message says what was expected and what was found.
    """

def verify_records(batch: list[tuple[bytes, bytes, bytes]]) -> list[str | None]:
    """``verify_record`` for many (record, signature, public key): None where one verifies, the reason where not."""

def verify_signatures(batch: list[tuple[bytes, bytes, bytes]]) -> list[str | None]:
    """The same for (message, signature, public_key) of any messages: strict Ed25519 and nothing else."""

def verify_signature(message: bytes, signature: bytes, public_key: bytes) -> None:
    """Strict Ed25519 over any message (a manifest, a checkpoint).

    Raises:
        InvalidRecordError: It does not verify.
    """

def thumbprint(public_key: bytes) -> str:
    """Key id: RFC 7638 thumbprint of an Ed25519 public key (32 bytes), base64url."""

def decode_b64url(text: str, length: int) -> bytes:
    """Bytes of a base64url text that is the one spelling of exactly ``length`` bytes: no padding, no trailing bits.

    Raises:
        ProfileError: It is not.
    """

def wrap_parameters(wrapped: bytes, min_m_kib: int = 65536, min_t: int = 3) -> tuple[bytes, int, int]:
    """Argon2id salt (16 bytes), memory in KiB and passes of a passphrase-wrapped key; one lane.

    Checked here, before anybody derives: memory from ``min_m_kib`` to 2 GiB, passes from ``min_t`` to 10.

    Raises:
        KeyOpenError: Out of bounds, not of the known form, or wrapped under the master key.
    """

@final
class SigningKey:
    """An open Ed25519 key, whose seed lives in the core only and is wiped on drop.

    ``repr`` shows the key id; the object can be neither pickled nor copied. ``purpose`` is "record", "log" or "export".
    """

    @staticmethod
    def generate() -> SigningKey:
        """A new key from the system's generator."""

    @staticmethod
    def open_wrapped(
        wrapped: bytes, kek: bytes, min_m_kib: int = 65536, min_t: int = 3, purpose: str | None = None
    ) -> SigningKey:
        """Open a file that ``wrap`` made, with the 32 bytes that Argon2id gave for its passphrase.

        Raises:
            KeyOpenError: Wrong passphrase, changed or unreadable file, cost out of bounds, a public half that is not
                ``x``, or another purpose than the given one.
        """

    @staticmethod
    def open_master(wrapped: bytes, master_key: bytes, purpose: str | None = None) -> SigningKey:
        """Open a file that ``wrap_under_master`` made.

        Raises:
            KeyOpenError: As ``open_wrapped``.
        """

    def wrap(self, purpose: str, kek: bytes, m_kib: int, t: int, salt: bytes) -> bytes:
        """The wrapped key's file, canonical JSON: sealed under ``kek``, which must come from Argon2id with this cost.

        Raises:
            KeyOpenError: More than 2 GiB or 10 passes: nobody could open it.
        """

    def wrap_under_master(self, purpose: str, master_key: bytes) -> bytes:
        """The same form sealed under the deployment's master key (32 bytes); its ``kdf`` is ``{"name":"master"}``."""

    @property
    def kid(self) -> str: ...
    @property
    def public_key(self) -> bytes: ...
    @property
    def x(self) -> str: ...
    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature (64 bytes), verified before it is returned."""

    def sign_chain(
        self,
        guild_id: int,
        first_guild_seq: int,
        prev_sha256: bytes | None,
        signed_at_ms: int,
        drafts: list[tuple[bytes, bytes]],
    ) -> list[tuple[bytes, bytes, bytes]]:
        """Turn drafts (JSON object with ``type`` and its members, salt of 16 bytes) into the chain's next records.

        Adds ``v``, ``guild_id``, ``guild_seq``, ``prev``, ``kid``, ``signed_at_ms`` and ``salt``; a draft that has one
        of them is refused. ``prev_sha256`` is None exactly when ``first_guild_seq`` is 0. All or nothing.

        Returns:
            (record, SHA-256 of the record, signature) for each draft, in order.

        Raises:
            ProfileError: A draft is outside the profile or becomes longer than 16 KiB; the message says which.
        """

def merkle_root(entries: list[bytes]) -> bytes:
    """RFC 6962 root (32 bytes) over data entries: leaf = SHA-256(0x00 || entry)."""

@final
class MerkleRoot:
    """The same, fed in parts; it keeps one hash for each level."""

    def __init__(self) -> None: ...
    def add_record_hashes(self, hashes: bytes) -> None:
        """Records by their SHA-256, 32 bytes each, concatenated; the log entry of one is 0x01 || hash."""

    def add_leaf_hashes(self, hashes: bytes) -> None:
        """Leaf hashes, 32 bytes each, concatenated: what is kept of an erased entry."""

    def add_entries(self, entries: list[bytes]) -> None:
        """Data entries, to be hashed as leaves."""

    def root(self) -> bytes:
        """Root of what was added so far; of nothing, SHA-256 of nothing."""

    @property
    def size(self) -> int: ...

def leaderboard_entries(rows: list[tuple[int, int, int]], salts: bytes) -> tuple[list[tuple[int, int, bytes, bytes]], bytes]:
    """Rank (user_id, credited_ms, session_count) rows and build a period's entries.

    More credited first; equal times share a rank (1, 2, 2, 4) and stand by user id. Entry ``i`` of the result has salt
    ``salts[16 * i : 16 * i + 16]``. A leaf is SHA-256(0x00 || SHA-256(entry JSON)).

    Returns:
        (user_id, rank, entry JSON, leaf hash) in rank order, and ``entries_root``.

    Raises:
        ProfileError: A number is negative or beyond 2^53-1.
        ValueError: ``salts`` does not fit the rows, or a user stands twice.
    """

# --- end of records ---------------------------------------------------------------------------------------------------

# --- accounting -------------------------------------------------------------------------------------------------------
# The fold of voice events into sessions, and its replay (accounting specification). Instants and lengths are integer
# milliseconds; ids are ints below 2**63. Every call releases the GIL while it works; two threads in one object wait
# for each other.

_ClosedRow: TypeAlias = tuple[
    int,  # guild_id
    int,  # ordinal: from 0 over all sessions the guild ever closed
    int,  # user_id
    int,  # channel_id
    int,  # period_index
    int,  # stay
    int,  # part
    int,  # joined_at_ms
    int,  # left_at_ms
    str,  # reason
    bytes,  # timeline: compact JSON, [[start,end,"status"],…]
    int,  # counted_ms, bridged included
    int,  # bridged_ms
    int,  # unwitnessed_ms
    int,  # deafened_ms
    int,  # muted_ms
    int,  # solo_ms
    bool,  # below_minimum
    int,  # credited_ms
    list[tuple[int, int]],  # quarters: (start_ms // 900_000, ms), ascending; they sum to credited_ms
    bytes,  # rules_sha256 of the session's own rules
]
_OpenRow: TypeAlias = tuple[
    int,  # guild_id
    int,  # user_id
    int,  # channel_id
    int,  # period_index
    int,  # stay
    int,  # part
    int,  # joined_at_ms
    str,  # status of the running segment; while blind, the one at the interval's start
    int,  # since_ms: where the running segment starts
    bytes,  # timeline up to since_ms; the sums end there too
    int,  # counted_ms, bridged included
    int,  # bridged_ms
    int,  # unwitnessed_ms
    int,  # deafened_ms
    int,  # muted_ms
    int,  # solo_ms
    int,  # stay_counted_ms: of the stay's earlier parts
    int,  # min_session_ms of the rules in force
    bytes,  # rules_sha256
]

@final
class Engine:
    """The accounting of many guilds: trace lines in, what changed out, state saved and restored."""

    def __new__(cls) -> Engine: ...
    def apply(self, lines: bytes) -> tuple[list[_ClosedRow], list[_OpenRow], list[tuple[int, int]]]:
        """Fold newline-separated trace lines of any guilds, all of them or none.

        Returns:
            Sessions in the order they closed; the open sessions whose row differs from before the batch, as they are
            after it, ascending by guild and user; (guild_id, user_id) of members who had an open session before the
            batch and have none after it, ascending.

        Raises:
            TraceError: A line is malformed, or its ``at`` lower than its guild's last; nothing was applied.
                ``line_number`` counts from 1 within ``lines``.
        """

    def save(self, guild_id: int) -> bytes:
        """Everything about a guild, versioned and with a checksum. Equal states give equal bytes."""

    def restore(self, guild_id: int, state: bytes) -> None:
        """Put a saved guild in place of what is there.

        Raises:
            StateError: Not what ``save`` gave for this guild, or from another version; nothing has changed.
        """

    def forget(self, guild_id: int) -> None:
        """Drop a guild and everything about it."""

    def guild_ids(self) -> list[int]:
        """Guilds that had a line or were restored, ascending."""

    def summary(self, guild_id: int) -> tuple[int, int | None, int, int, int, bytes, bytes]:
        """Give last_at_ms, blind_since_ms, period_index, next_stay, next_ordinal, canonical rules JSON, rules_sha256.

        ``next_ordinal`` is the number of sessions ever closed. Before a guild's first line ``last_at_ms`` is 0 and the
        rules are the defaults.
        """

    def open_sessions(self, guild_id: int) -> list[_OpenRow]:
        """The guild's open sessions, ascending by user."""

    def channel_parents(self, guild_id: int) -> dict[int, int]:
        """The category of each channel that has one, as far as ``channel`` lines told."""

    def states(self, guild_id: int) -> list[tuple[int, int, int, bool]]:
        """Everyone in voice, ascending by user: user_id, channel_id, flags, bot.

        Flags add 1 for self_mute, 2 for mute, 4 for self_deaf, 8 for deaf. While blind: as at the interval's start.
        """

    def opted_out(self, guild_id: int) -> list[int]:
        """Users who want no sessions, ascending."""

@final
class Replay:
    """A trace that is being read, for ``rollcall replay``. Memory does not grow with the lines."""

    def __new__(cls, include_open: bool) -> Replay: ...
    def feed(self, chunk: bytes) -> bytes:
        """Read on; a chunk may end anywhere. Returns one line of JSON for each session that closed.

        Raises:
            TraceError: A line is malformed: ``line_number`` counts from 1 within the trace, ``printed`` is the output
                of the lines before it that no call has returned. Every later call raises it again.
        """

    def finish(self) -> bytes:
        """Read a last line that has no newline, and print the sessions still open if they were asked for.

        Raises:
            TraceError: As `feed`.
        """

    @property
    def lines(self) -> int:
        """Lines read so far, a malformed one included."""

def presence_without_session(
    guild_id: int, state: bytes | None, user_id: int, lines: bytes, end_ms: int
) -> list[tuple[int, int, int, str, bytes]]:
    """Where a member was in voice without a session, and why: read off the fold, from ``state`` on (None: the beginning).

    ``lines`` are the guild's newline-separated lines behind ``state``; other members' ``voice_state`` lines may be left out.
    Blind time is in no stretch.

    Returns:
        (start_ms, end_ms, channel_id, why, rules_sha256), ascending; the last one ends at ``end_ms`` if it goes on. ``why`` is
        "opted_out", "afk", "off" or "untracked", the first that applies.

    Raises:
        TraceError: A line is malformed or out of order.
        StateError: ``state`` is not what `Engine.save` gave for this guild.
    """

@final
class RulesComparison:
    """A guild's lines under two rule sets: what each member would have been credited.

    ``before`` and ``after`` are ``rules`` lines (their instants do not matter). Lines before ``start_ms`` lead up to it as they
    are; from then on both sides leave the ``rules`` lines out. At ``start_ms`` the sessions of both sides are cut alike.
    """

    def __new__(cls, guild_id: int, state: bytes | None, start_ms: int, before: bytes, after: bytes) -> RulesComparison:
        """Begin at a saved state, or before the guild's first line.

        Raises:
            StateError: ``state`` is not what `Engine.save` gave for this guild.
            TraceError: One of the rules lines is malformed.
            ValueError: It is another kind of line.
        """

    @property
    def start_ms(self) -> int:
        """From when on it compares: as asked, or the last line of ``state`` if that is later."""

    def feed(self, lines: bytes) -> None:
        """Read on: newline-separated whole lines. Releases the GIL.

        Raises:
            TraceError: A line is malformed, out of order or of another guild.
            StateError: It is finished.
        """

    def finish(self, end_ms: int) -> list[tuple[int, int, int, int, int]]:
        """Reckon open sessions to ``end_ms`` (to the start of the interval while blind) and end.

        Returns:
            (user_id, credited ms and sessions under ``before``, credited ms and sessions under ``after``), ascending, of all
            who have a session on one of the sides.

        Raises:
            StateError: It is finished already.
        """

def clip_timeline(timeline: bytes, start_ms: int, end_ms: int) -> bytes:
    """The parts of a timeline inside ``[start_ms, end_ms)``: the one clipping rule of every report.

    Raises:
        StateError: ``timeline`` is not compact or other JSON of the form ``[[start, end, "status"], …]``.
    """

def quarters_of(timeline: bytes) -> list[tuple[int, int]]:
    """Counted and bridged time by UTC quarter-hour: (start_ms // 900_000, ms), ascending, only where there is some.

    Raises:
        StateError: As `clip_timeline`.
    """

# --- log --------------------------------------------------------------------------------------------------------------
# The transparency log (records specification, section 4). Tiles go by their paths below the log's folder (C2SP tlog-tiles).
# Hashes are 32 bytes; where many go in one value they stand one after the other. A hash of another length is ValueError.

@final
class LogTree:
    """A growing tree of which only the right edge is kept."""

    def __new__(cls, size: int = 0, tiles: dict[str, bytes] | None = None) -> LogTree:
        """A tree of ``size`` leaves from the tiles of ``edge_paths(size)``; further ones are ignored.

        Raises:
            LogError: A tile is missing or is not one.
            InvalidRecordError: The last entries and the last hashes do not agree.
        """

    @staticmethod
    def edge_paths(size: int) -> list[str]:
        """The tiles that a tree of this size is opened from: at most one a level, and the last entry bundle."""

    @property
    def size(self) -> int:
        """Leaves so far."""

    def root(self) -> bytes:
        """RFC 6962's tree hash."""

    def append(self, records: bytes) -> list[tuple[str, bytes]]:
        """Add records by their SHA-256; every tile that is new or longer now, as (path, bytes). Releases the GIL."""

def record_leaf_hash(record_sha256: bytes) -> bytes:
    """The leaf of a record: SHA-256(0x00 || 0x01 || SHA-256(record))."""

def log_bundle(records: bytes) -> bytes:
    """The entry bundle of records by their SHA-256."""

def read_log_bundle(data: bytes) -> bytes:
    """The SHA-256 of each record of an entry bundle.

    Raises:
        LogError: It is not a bundle of records.
    """

def inclusion_paths(size: int, index: int) -> list[str]:
    """The tiles that ``inclusion_proof`` needs. An index at or beyond the size is ValueError."""

def inclusion_proof(size: int, index: int, tiles: dict[str, bytes]) -> list[bytes]:
    """RFC 6962's audit path of a leaf, nearest sibling first.

    Raises:
        LogError: A tile is missing or has not its length.
    """

def consistency_paths(old_size: int, new_size: int) -> list[str]:
    """The tiles that ``consistency_proof`` needs. An empty older tree, or one larger than the newer, is ValueError."""

def consistency_proof(old_size: int, new_size: int, tiles: dict[str, bytes]) -> list[bytes]:
    """RFC 6962's consistency proof between two sizes of one tree.

    Raises:
        LogError: A tile is missing or has not its length.
    """

def verify_inclusion(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> None:
    """Accept a proof that ``leaf`` is the ``index``th of the tree (RFC 9162, section 2.1.3.2).

    Raises:
        InvalidRecordError: It does not prove it.
    """

def verify_consistency(old_size: int, new_size: int, proof: list[bytes], old_root: bytes, new_root: bytes) -> None:
    """Accept a proof that the newer tree begins with the older one (RFC 9162, section 2.1.4.2).

    Raises:
        InvalidRecordError: It does not prove it, or the older tree is empty.
    """

def verifier_key(name: str, public_key: bytes) -> str:
    """``name+keyid+base64(0x01 || key)`` (C2SP signed-note).

    Raises:
        LogError: The name is empty or has white space or a plus sign.
        InvalidRecordError: Not an Ed25519 public key that strict verification accepts.
    """

def read_verifier_key(vkey: str) -> tuple[str, bytes]:
    """Name and public key of a verifier key.

    Raises:
        LogError: It is not of that form.
        InvalidRecordError: Its key id is not its key's.
    """

def sign_checkpoint(origin: str, size: int, root: bytes, key: SigningKey) -> bytes:
    """The signed note of a checkpoint, under the origin's name.

    Raises:
        LogError: The origin cannot be a key's name.
    """

def open_checkpoint(note: bytes, vkey: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint that the verifier key signed. Other signatures are ignored.

    Raises:
        LogError: It is not a checkpoint, or ``vkey`` not a verifier key.
        InvalidRecordError: No good signature by that key, or another origin than its name.
    """

def read_checkpoint(note: bytes) -> tuple[str, int, bytes]:
    """Origin, size and root of a signed checkpoint, whoever signed it: nothing is verified.

    Raises:
        LogError: It is not a checkpoint.
    """

def write_proof_file(index: int, proof: list[bytes], checkpoint: bytes) -> bytes:
    """A proof file (C2SP tlog-proof)."""

def read_proof_file(data: bytes) -> tuple[int, list[bytes], bytes]:
    """Index, inclusion proof and signed checkpoint of a proof file: nothing is verified.

    Raises:
        LogError: It is not a proof file.
    """

# --- verify ------------------------------------------------------------------------------------------------------------
# Files that anybody may have written: any bytes give a report. Texts in it are bounded and printable ASCII.

class _CheckReport(TypedDict):
    """One check; ``outcome`` is ``passed``, ``failed`` or ``not_possible`` (then ``found`` says why)."""

    name: str
    outcome: str
    expected: str
    found: str

class _TrustReport(TypedDict):
    """A key that a verdict rests on: the ``record``'s or the ``log``'s; not ``pinned``: whoever made the file chose it."""

    role: str
    key: str
    pinned: bool

class _FileReport(TypedDict):
    """What came of a verification; ``verdict`` is ``valid``, ``invalid`` or ``unusable``, ``reason`` says why not valid.

    ``claims`` are what the file says, as it says it: proven only where the verdict is valid.
    """

    kind: str
    verdict: str
    reason: str | None
    checks: list[_CheckReport]
    claims: dict[str, str]
    trust: list[_TrustReport]

def verify_receipt(data: bytes, keys: list[bytes], log_keys: list[bytes]) -> _FileReport:
    """Verify a receipt, whatever its bytes are.

    Args:
        data: The file.
        keys: Record keys from elsewhere, each PEM, JWK, JWK set or base64url; none: the file's own is taken.
        log_keys: Log keys from elsewhere, each verifier keys or any of these forms.

    Raises:
        ValueError: One of the keys is none.
    """

def verify_proof_file(data: bytes, record: bytes | None, log_keys: list[bytes]) -> _FileReport:
    """Verify a proof file (C2SP tlog-proof) of a record, whatever the bytes are.

    Raises:
        ValueError: One of the keys is none.
    """

class _ExportPeriod(TypedDict):
    """What a ``leaderboard.period`` says."""

    guild_id: str
    guild_seq: int
    kid: str
    period_index: int
    started_at_ms: int
    ended_at_ms: int
    entry_count: int
    entries_root: str

class _ExportSeen(TypedDict):
    """What the chain came to. ``unnamed``: erased records that no signed record names; ``proven``: hashes by position."""

    records: int
    sessions: int
    redacted: int
    redacted_sessions: int
    unnamed: int
    proven: dict[int, bytes]

_ExportFault: TypeAlias = tuple[str, str, str]

@final
class ExportCheck:
    """The passes over the records and the leaderboard of a period export, on all cores and without the GIL.

    Each of `survey`, `chain` and `standing`, in that order, is called with ``("", b"")`` first. It returns the file that it
    wants to go on with, and is called again with that path and the file's next bytes (none at its end, however often); or
    None and, if something is wrong, (check, expected, found). Memory is linear in members, corrections and erasures.
    """

    def __new__(cls, keys: list[bytes]) -> ExportCheck:
        """``keys`` are the public keys (32 bytes) that sign records.

        Raises:
            InvalidRecordError: One is no key.
        """

    def survey(self, path: str, data: bytes) -> tuple[str | None, _ExportFault | None]:
        """What the records say of each other: the period, keys, corrections, erasures."""

    def chain(self, path: str, data: bytes) -> tuple[str | None, _ExportFault | None]:
        """Every record: its signature, place, timeline, rules and row.

        Raises:
            ValueError: The survey did not go through.
        """

    def standing(self, path: str, data: bytes) -> tuple[str | None, _ExportFault | None]:
        """The leaderboard: sums, ranks, root and table.

        Raises:
            ValueError: The chain did not go through.
        """

    @property
    def key_records(self) -> int:
        """How many key records there are."""

    @property
    def period(self) -> _ExportPeriod:
        """The period, once it is surveyed."""

    @property
    def seen(self) -> _ExportSeen:
        """What the chain came to, before `standing`."""

    @property
    def stood(self) -> tuple[int, int, int]:
        """How many entries, those that can no longer be recomputed, ranks behind erased ones."""

def pinned_keys(data: bytes) -> list[bytes]:
    """The public keys (32 bytes) of PEM, JWK, JWK set or base64url.

    Raises:
        ValueError: It is none of them.
    """

def pinned_log_keys(data: bytes) -> list[tuple[str | None, bytes]]:
    """Log keys, (name or None, 32 bytes), of verifier keys or the forms of `pinned_keys`.

    Raises:
        ValueError: It is none of them.
    """
