"""Period exports: built once, signed, kept, and dropped as soon as an erasure makes them untrue.

What happens if we die here: a half-written bag is a hidden folder, swept later. The archive gets its name in one step, and its
name says what it was built from: an erasure that comes while it is built, or after, makes another name, and this one goes.
"""

from __future__ import annotations

import asyncio
from asyncio import to_thread
from base64 import b64encode
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from attendance.core import (
    LogTree,
    SigningKey,
    decode_b64url,
    open_checkpoint,
    record_leaf_hash,
    sign_checkpoint,
    verifier_key,
    verify_consistency,
    verify_inclusion,
    write_proof_file,
)
from attendance.domain.bagit import (
    BAGIT,
    IDENTITY,
    MANIFEST,
    NAMESPACE,
    TAG_MANIFEST,
    bag_info,
    jwks,
    manifest,
    pem,
    readme,
)
from attendance.domain.ids import GuildId
from attendance.domain.sshsig import allowed_signer, armoured_signature, signed_data
from attendance.errors import ConflictError, InvalidRecordError, LogError, NotFoundError, UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.exporting import BagWriter, ChainRow, ExportFiles, ExportStore, KeptExport, OpenExport, Progress
from attendance.ports.transparency_log import DeploymentKey
from attendance.services.export_payload import Payload
from attendance.services.export_plan import ExportPlan, plan_export
from attendance.services.log_reading import PublicLog

PURPOSE = "export"
STALE_SECONDS = 60.0
_ATTEMPTS = 3

_log = structlog.get_logger("exports")


class OpenedExport(NamedTuple):
    """An archive, and a handle on it that the caller closes."""

    kept: KeptExport
    file: OpenExport


@dataclass(slots=True, eq=False)
class PeriodExports:
    """The exports of all guilds. ``master_key`` opens the deployment's keys."""

    store: ExportStore
    files: ExportFiles
    log: PublicLog
    clock: Clock
    master_key: bytes = field(repr=False)
    _building: dict[str, asyncio.Task[KeptExport]] = field(default_factory=dict)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> None:
        """Drop what is no longer true, until cancelled; then stop what is being built."""
        try:
            while True:
                try:
                    await to_thread(self.files.sweep, self.clock.now_ms())
                    await self.drop_stale()
                except UnavailableError as error:
                    _log.warning("stale exports wait to be dropped", reason=error.message)
                await asyncio.sleep(STALE_SECONDS)
        finally:
            for task in self._building.values():
                task.cancel()

    async def drop_stale(self, guild_id: GuildId | None = None) -> int:
        """Remove archives that an erasure has made untrue, of one guild or of all; how many.

        Raises:
            UnavailableError: the database or the folder is away.
        """
        dropped = 0
        for kept in await to_thread(self.files.kept):
            if guild_id is None or kept.guild_id == guild_id:
                try:
                    is_true = (await self._plan(kept.guild_id, kept.period_index)).digest == kept.digest
                except (ConflictError, NotFoundError):
                    is_true = False
                if not is_true:
                    await to_thread(self.files.drop, kept)
                    dropped += 1
        return dropped

    async def open(self, guild_id: GuildId, period_index: int, progress: Progress | None = None) -> OpenedExport:
        """The archive of a period, built if it is not there. Requests at the same time wait for one build.

        Raises:
            NotFoundError: there is no such period.
            ConflictError: it is not archived, signed or logged yet, or does not verify; the message says which.
            UnavailableError: the database or the disk is away.
        """
        for _ in range(_ATTEMPTS):
            plan = await self._plan(guild_id, period_index)
            kept = await to_thread(self.files.find, guild_id, period_index, plan.digest)
            if kept is None:
                kept = await self._built(plan, progress or _silent)
            file = await to_thread(self.files.open, kept)
            if file is not None:
                return OpenedExport(kept, file)
        raise UnavailableError("there is no room to keep the export")

    async def _plan(self, guild_id: GuildId, period_index: int) -> ExportPlan:
        return await plan_export(self.store, self.log, guild_id, period_index, self._export_kid)

    async def _built(self, plan: ExportPlan, progress: Progress) -> KeptExport:
        task = self._building.get(plan.digest)
        if task is None:
            task = asyncio.create_task(self._build_alone(plan, progress), name=f"export {plan.guild_id}/{plan.period_index}")
            self._building[plan.digest] = task
            task.add_done_callback(lambda _done: self._building.pop(plan.digest, None))
        # Whoever gives up waiting does not take the archive from the others.
        return await asyncio.shield(task)

    async def _build_alone(self, plan: ExportPlan, progress: Progress) -> KeptExport:
        """One bag at a time: each takes a core and a disk."""
        async with self._one_at_a_time:
            began = self.clock.monotonic()
            for _ in range(_ATTEMPTS):
                bag = await to_thread(self.files.begin)
                try:
                    kept = await self._build(bag, plan, progress)
                finally:
                    await to_thread(bag.discard)
                after = await self._plan(plan.guild_id, plan.period_index)
                if after.digest == plan.digest:
                    _log.info(
                        "period exported",
                        guild_id=plan.guild_id,
                        period_index=plan.period_index,
                        size=kept.size,
                        seconds=round(self.clock.monotonic() - began, 1),
                    )
                    return kept
                # Something was erased meanwhile: what we have may hold a part of it.
                await to_thread(self.files.drop, kept)
                plan = after
        raise UnavailableError("records of the period are being erased: try again later")

    async def _build(self, bag: BagWriter, plan: ExportPlan, progress: Progress) -> KeptExport:
        payload = await to_thread(Payload, bag, plan.period_index)
        await self._write_chain(payload, plan, progress)
        async with aclosing(self.store.entries(plan.guild_id, plan.period_index)) as pages:
            async for page in pages:
                await to_thread(payload.add_entries, page)
        await to_thread(payload.check, plan.members)
        await self._write_rules(payload, plan)
        await self._write_log(bag, plan)
        await self._write_tags(bag, payload, plan)
        kept = (plan.guild_id, plan.period_index, plan.digest)
        name = f"rollcall-{plan.guild_id}-{plan.period_index}"
        return await to_thread(bag.finish, kept, name, plan.record.signed_at_ms // 1000, progress)

    async def _write_chain(self, payload: Payload, plan: ExportPlan, progress: Progress) -> None:
        total = plan.last - plan.first + 1
        for position in plan.before:
            await self._write_some(payload, plan, position, position)
        async with aclosing(self.store.chain(plan.guild_id, plan.first, plan.last)) as pages:
            async for page in pages:
                await to_thread(payload.add_records, page)
                progress("records", page[-1].guild_seq - plan.first + 1, total)
        for position in plan.after:
            await self._write_some(payload, plan, position, position)

    async def _write_some(self, payload: Payload, plan: ExportPlan, first: int, last: int) -> None:
        rows: list[ChainRow] = []
        async with aclosing(self.store.chain(plan.guild_id, first, last)) as pages:
            async for page in pages:
                rows += page
        await to_thread(payload.add_records, rows)

    async def _write_rules(self, payload: Payload, plan: ExportPlan) -> None:
        listed = plan.members.get("rules_sha256")
        named = {decode_b64url(text, 32) for text in payload.rules.union(listed if isinstance(listed, list) else [])}
        found = await self.store.rules(plan.guild_id, named)
        if named - found.keys():
            raise ConflictError("rules that the period's records name are missing")
        await to_thread(payload.add_rules, list(found.values()))

    async def _write_log(self, bag: BagWriter, plan: ExportPlan) -> None:
        leaves = await self.store.leaves(plan.guild_id, plan.proven)
        key = SigningKey.open_master(plan.log_key.master_wrapped.encode("ascii"), self.master_key, "log")
        try:
            await to_thread(_write_proofs, bag, self.log, key, plan, leaves)
        except (LogError, InvalidRecordError) as error:
            raise ConflictError(f"the period's record is not in the published log as it was signed: {error.message}") from error

    async def _write_tags(self, bag: BagWriter, payload: Payload, plan: ExportPlan) -> None:
        row = await self._key_row()
        key = SigningKey.open_master(row.master_wrapped.encode("ascii"), self.master_key, PURPOSE)
        records = await self.store.public_keys(plan.guild_id, payload.kids)
        if payload.kids - records.keys():
            raise ConflictError("a key that signed records of the period is missing")
        await to_thread(_write_tag_files, bag, key, records, plan)

    async def deployment_keys(self) -> list[tuple[str, bytes]]:
        """(kid, public key) of the keys that are the deployment's own: the log's, and the exports' once there was one."""
        return await self.store.deployment_keys()

    async def _export_kid(self) -> str:
        return (await self._key_row()).kid

    async def _key_row(self) -> DeploymentKey:
        """The export key, made on first use."""
        row = await self.store.deployment_key(PURPOSE)
        while row is None:
            key = SigningKey.generate()
            wrapped = key.wrap_under_master(PURPOSE, self.master_key).decode("ascii")
            await self.store.create_key(PURPOSE, DeploymentKey(key.kid, key.public_key, wrapped), self.clock.now_ms())
            row = await self.store.deployment_key(PURPOSE)
        return row


def _write_proofs(
    bag: BagWriter, log: PublicLog, key: SigningKey, plan: ExportPlan, leaves: Mapping[int, tuple[int, bytes]]
) -> None:
    """The checkpoint, and the proof of each record that has one.

    The checkpoint is that of the tree which ends with the period's record: the same whenever the export is built. It may never
    have been published, but its tree is shown to be the beginning of the one that was, before it is signed.
    """
    note = log.files.checkpoint()
    vkey = verifier_key(plan.origin, plan.log_key.public_key)
    if note is None:
        raise ConflictError("nothing is published")
    _, published_size, published_root = open_checkpoint(note, vkey)
    size = plan.leaf_index + 1
    checkpoints: dict[int, tuple[bytes, LogTree]] = {}
    for position in plan.proven:
        if position not in leaves or leaves[position][0] >= published_size:
            raise ConflictError("a key's record is not in the published log yet: try again in some seconds")
        index, digest = leaves[position]
        at = max(size, index + 1)  # a later key's record has a checkpoint of its own
        if at not in checkpoints:
            tree = log.reader.tree(at)
            verify_consistency(at, published_size, log.reader.consistency(at, published_size), tree.root(), published_root)
            checkpoints[at] = sign_checkpoint(plan.origin, at, tree.root(), key), tree
        checkpoint, tree = checkpoints[at]
        proof = log.reader.inclusion(at, index)
        verify_inclusion(record_leaf_hash(digest), index, at, proof, tree.root())
        bag.append(f"data/proofs/{position}.tlog-proof", write_proof_file(index, proof, checkpoint))
    if leaves[plan.last][1] != plan.record.sha256:
        raise InvalidRecordError("the period's record is not the one that was logged")
    bag.append("data/checkpoint", checkpoints[size][0])


def _write_tag_files(bag: BagWriter, key: SigningKey, records: Mapping[str, bytes], plan: ExportPlan) -> None:
    payload = bag.written()
    vkey = verifier_key(plan.origin, plan.log_key.public_key)
    tags = {
        "bagit.txt": BAGIT,
        "bag-info.txt": bag_info(plan.guild_id, plan.period_index, plan.record.signed_at_ms, payload),
        MANIFEST: manifest(payload),
        "README.txt": readme(plan.guild_id, plan.period_index, key.kid, vkey),
        "keys/export.pem": pem(key.public_key),
        "keys/allowed_signers": allowed_signer(IDENTITY, key.public_key, NAMESPACE).encode("ascii"),
        "keys/jwks.json": jwks({**records, key.kid: key.public_key}),
        "keys/log.vkey": f"{vkey}\n".encode(),
        **{f"keys/record-{kid}.pem": pem(public_key) for kid, public_key in records.items()},
    }
    for path, data in tags.items():
        bag.append(path, data)
    text = manifest({path: file for path, file in bag.written().items() if path in tags})
    bag.append(TAG_MANIFEST, text)
    bag.append(f"{TAG_MANIFEST}.sig", key.sign(text))
    signature = key.sign(signed_data(text, NAMESPACE))
    bag.append(f"{TAG_MANIFEST}.sshsig", armoured_signature(key.public_key, signature, NAMESPACE))


def digest_header(kept: KeptExport) -> str:
    """The value of ``Digest`` (RFC 3230)."""
    return f"sha-256={b64encode(bytes.fromhex(kept.sha256)).decode('ascii')}"


def _silent(_what: str, _done: int, _total: int) -> None:
    return
