"""Sequences signed records into the log, writes its tiles, publishes its checkpoints: in the order that is safe to die in.

1. One transaction gives the waiting records their leaf indexes and moves the head, if it still is the old one.
   Dying before: nothing happened. Dying after: the rows say what 2 and 3 have to do.
2. Tiles are written. They are a function of the rows alone: two writers write the same bytes, and so does whoever comes back.
3. The checkpoint of a head that is in the database is signed and published. No other head is ever signed, and a head of one
   size has one root, so no two checkpoints of one size contradict each other.

A start runs the same functions: what was published says how far the tiles are good, and 2 and 3 are done again from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from attendance import metrics
from attendance.core import LogTree, SigningKey, open_checkpoint, sign_checkpoint, verifier_key
from attendance.domain.transparency_log import HASH_BYTES, LogHead, LogState, compare, origin_of
from attendance.errors import ConflictError, InvalidRecordError, KeyOpenError, LogError, UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.signing import Wake
from attendance.ports.transparency_log import DeploymentKey, LogFiles, LogStore
from attendance.services.log_reading import LogReader

PURPOSE = "log"
POLL_SECONDS = 2.0
RECORDS_A_BATCH = 10_000
# Rebuilding tiles from rows goes in steps, so that memory stays flat whatever was missed.
_ENTRIES_A_STEP = 100_000
_BUNDLE = 256

_log = structlog.get_logger("transparency log")


@dataclass(frozen=True, slots=True)
class LogStatus:
    """The log at a glance. ``published_size`` is None before the first checkpoint."""

    origin: str
    vkey: str
    size: int
    published_size: int | None
    state: LogState


@dataclass(slots=True, eq=False)
class TransparencyLog:
    """The log. ``master_key`` opens the key that signs checkpoints; ``public_url`` names the log at the first start."""

    store: LogStore
    files: LogFiles
    clock: Clock
    master_key: bytes = field(repr=False)
    public_url: str | None
    wake: Wake
    poll_seconds: float = POLL_SECONDS
    files_reader: LogReader = field(init=False)
    _key: SigningKey | None = field(default=None, repr=False)
    _tree: LogTree | None = None  # as the tiles have it
    _said: LogState = LogState.AGREES
    _stands: bool = False  # publication failed, and not because something is away

    def __post_init__(self) -> None:
        self.files_reader = LogReader(self.files)

    async def run(self) -> None:
        """Sequence and publish until cancelled; what is away is waited out."""
        while True:
            try:
                while await self.publish_batch() == RECORDS_A_BATCH:
                    pass
                self._stands = False
            except UnavailableError as error:
                _log.warning("the log waits", reason=error.message)
            except (ConflictError, LogError, InvalidRecordError, KeyOpenError) as error:
                # With another master key too: records are signed all the same, and wait for the log.
                self._tree = None
                self._stands = True
                metrics.LOG_REFUSED.set(1)
                _log.error("the log cannot go on", code=error.code, reason=error.message)
            await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self.poll_seconds):
                await self.wake.wait()
        except TimeoutError:
            return
        self.wake.clear()

    async def publish_batch(self) -> int:
        """Bring tiles and checkpoint up to the head, then sequence one batch and publish it; returns its length.

        Raises:
            UnavailableError: The database or the folder is away.
            ConflictError, LogError, InvalidRecordError: Tiles, rows and checkpoint contradict each other: nothing was signed.
            KeyOpenError: The log's key does not open under this master key: nothing was sequenced.
        """
        head = await self.head()
        if await self.judge(head) is not LogState.AGREES:
            return 0
        await self._catch_up(head)
        records = await self.store.waiting(RECORDS_A_BATCH)
        if not records:
            return 0
        await self._signing_key()  # before anything is sequenced that nobody could publish
        tree = await self._tree_at(head.size, head.root)
        hashes = b"".join(one.record_sha256 for one in records)
        self._tree = None  # until what it grows by is stored
        tiles = await asyncio.to_thread(tree.append, hashes)
        new = LogHead(head.origin, tree.size, tree.root())
        if not await self.store.sequence(head, new, records):
            return 0  # another process was faster: the next round sees what it did
        await self._publish(new, tiles)
        self._tree = tree
        return len(records)

    async def may_sign(self) -> bool:
        """Whether records may be signed: not after a restored backup, whose chains would fork what was published."""
        head = await self.store.head()
        return head is None or await self.judge(head) is LogState.AGREES

    async def judge(self, head: LogHead) -> LogState:
        """How the head stands to what was published; said once in the log, and in a metric."""
        try:
            state = compare(head, await self._published(head))
        except (LogError, InvalidRecordError) as error:
            _log.error("the published checkpoint is not ours", reason=error.message)
            state = LogState.FORKED
        metrics.LOG_REFUSED.set(0 if state is LogState.AGREES and not self._stands else 1)
        if state is not self._said:
            self._said = state
            if state is not LogState.AGREES:
                _log.error("nothing is signed: see `rollcall log status`", state=state.value, size=head.size)
        return state

    async def status(self) -> LogStatus:
        """The log at a glance."""
        head = await self.head()
        published = await self._published(head)
        vkey = await self.vkey()
        return LogStatus(head.origin, vkey, head.size, None if published is None else published.size, compare(head, published))

    async def vkey(self) -> str:
        """The verifier key of the log's checkpoints (C2SP signed-note)."""
        head = await self.head()
        return verifier_key(head.origin, (await self._key_row()).public_key)

    async def head(self) -> LogHead:
        """The head; the log is created if there is none."""
        head = await self.store.head()
        while head is None:
            key = SigningKey.generate()
            wrapped = key.wrap_under_master(PURPOSE, self.master_key).decode("ascii")
            row = DeploymentKey(key.kid, key.public_key, wrapped)
            await self.store.create(row, origin_of(self.public_url, key.kid), self.clock.now_ms())
            head = await self.store.head()
        return head

    async def repair(self) -> tuple[int, int]:
        """After a restored backup: take the entries that only the tiles have, and let every chain say that it was restored.

        Returns:
            How many entries were taken back, and how many guilds' chains go on with ``chain.restored``.

        Raises:
            ConflictError: There is nothing to repair, or what was published contradicts what the database has.
            LogError: A tile is missing or damaged.
        """
        head = await self.head()
        published = await self._published(head)
        if published is None or compare(head, published) is LogState.AGREES:
            raise ConflictError("the database has everything that was published: there is nothing to repair")
        # From nothing: every entry that was published is held against the root that was signed over it.
        tree, lost = LogTree(), bytearray()
        for first in range(0, published.size, _BUNDLE):
            entries = await asyncio.to_thread(self.files_reader.bundle, first, published.size)
            known = await self.store.entries(first, min(first + _BUNDLE, head.size))
            if not entries.startswith(known):
                raise ConflictError("the database's entries are not those that were published: this is another log")
            tree.append(entries)
            lost += entries[len(known) :]
        if tree.root() != published.root:
            raise ConflictError("the published tiles do not give the root that was signed")
        new = LogHead(head.origin, published.size, published.root)
        return len(lost) // HASH_BYTES, await self.store.take_back(head, new, bytes(lost), self.clock.now_ms())

    async def _published(self, head: LogHead) -> LogHead | None:
        """The published checkpoint, whose signature and name are ours.

        Raises:
            LogError, InvalidRecordError: Something else was published.
        """
        note = await asyncio.to_thread(self.files.checkpoint)
        if note is None:
            return None
        return LogHead(*open_checkpoint(note, verifier_key(head.origin, (await self._key_row()).public_key)))

    async def _catch_up(self, head: LogHead) -> None:
        """Write tiles and publish for a head that some process left behind, or whose publication failed."""
        published = await self._published(head)
        size = 0 if published is None else published.size
        if size == head.size:
            return
        self._tree = None
        tree = await self._tree_at(size, None if published is None else published.root)
        await self._grow(tree, head.size)
        if tree.root() != head.root:
            raise ConflictError("the database's entries do not give the root of its head")
        await self._publish(head, [])
        self._tree = tree

    async def _grow(self, tree: LogTree, size: int) -> None:
        """Add the rows up to a size, and write their tiles."""
        while tree.size < size:
            entries = await self.store.entries(tree.size, min(size, tree.size + _ENTRIES_A_STEP))
            if not entries:
                raise ConflictError(f"the database lacks the entry {tree.size} of its log")
            tiles = await asyncio.to_thread(tree.append, entries)
            await asyncio.to_thread(self.files.write, tiles)

    async def _tree_at(self, size: int, root: bytes | None) -> LogTree:
        """The tree of a published size from its tiles, which are written again from the rows if any is gone."""
        if self._tree is not None and self._tree.size == size:
            return self._tree
        try:
            tree = await asyncio.to_thread(self.files_reader.tree, size)
        except LogError as error:
            _log.warning("the log's tiles are written again", reason=error.message)
            tree = LogTree()
            await self._grow(tree, size)
        if root is not None and tree.root() != root:
            raise ConflictError("the log's tiles do not give the root that was published")
        return tree

    async def _publish(self, head: LogHead, tiles: Sequence[tuple[str, bytes]]) -> None:
        key = await self._signing_key()
        note = sign_checkpoint(head.origin, head.size, head.root, key)
        await asyncio.to_thread(self._store_files, tiles, note, head.size)
        _log.info("log published", size=head.size)

    def _store_files(self, tiles: Sequence[tuple[str, bytes]], note: bytes, size: int) -> None:
        self.files.write(tiles)
        self.files.publish(note, size)

    async def _key_row(self) -> DeploymentKey:
        """The log's key, closed: what was published is judged without the master key."""
        row = await self.store.log_key()
        if row is None:
            raise ConflictError("the log has no key")
        return row

    async def _signing_key(self) -> SigningKey:
        if self._key is None:
            row = await self._key_row()
            self._key = SigningKey.open_master(row.master_wrapped.encode("ascii"), self.master_key, PURPOSE)
        return self._key
