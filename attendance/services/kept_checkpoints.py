"""Holds checkpoints that people kept against the log, and against each other: a log that was shown in two forms is a fork."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from attendance.core import open_checkpoint
from attendance.domain.kept_checkpoints import MAX_COPY_BYTES, note_of_copy
from attendance.domain.transparency_log import LogHead
from attendance.errors import InvalidRecordError, LogError
from attendance.services.log_reading import LogReader


class Found(StrEnum):
    """What a kept checkpoint says of the log."""

    KEPT = "KEPT"  # the log begins with what it covers
    FORK = "FORK"
    ROLLED_BACK = "ROLLED BACK"
    UNUSABLE = "UNUSABLE"  # it says nothing: no checkpoint, or not signed by the log's key


class Judgement(NamedTuple):
    """What was found, in words that name the copy."""

    found: Found
    words: str


def judge_copies(reader: LogReader, vkey: str, copies: Sequence[tuple[str, bytes]]) -> list[Judgement]:
    """Judge every copy (its name and its bytes), one judgement each, and one more for every two that contradict each other.

    A smaller tree is recomputed from the log's own tiles, which is what a consistency proof would show.

    Raises:
        LogError: The log itself cannot be read.
        InvalidRecordError: Its checkpoint is not signed by the key, or its entries and hashes do not agree.
    """
    published = reader.published(vkey)
    size = 0 if published is None else published.size
    judged: list[Judgement] = []
    heads: list[tuple[str, LogHead]] = []
    for name, data in copies:
        if len(data) > MAX_COPY_BYTES:
            judged.append(Judgement(Found.UNUSABLE, f"{name}: longer than {MAX_COPY_BYTES:,} bytes: no checkpoint"))
            continue
        try:
            head = LogHead(*open_checkpoint(note_of_copy(data), vkey))
        except LogError as error:
            judged.append(Judgement(Found.UNUSABLE, f"{name}: no checkpoint: {error.message}"))
            continue
        except InvalidRecordError as error:
            words = f"{name}: not signed by this log's key, so it says nothing about this log ({error.message})"
            judged.append(Judgement(Found.UNUSABLE, words))
            continue
        heads.append((name, head))
        judged.append(_judge(reader, name, head, size))
    return judged + _contradictions(heads)


def _judge(reader: LogReader, name: str, kept: LogHead, size: int) -> Judgement:
    if kept.size > size:
        words = (
            f"{name}: this log's key signed {kept.size:,} entries, and the log has {size:,}: what was published was taken "
            "back, or the files that were read are older than the copy"
        )
        return Judgement(Found.ROLLED_BACK, words)
    root = reader.tree(kept.size).root()
    if root != kept.root:
        words = (
            f"{name}: this log's key signed another log of {kept.size:,} entries: expected root {kept.root.hex()}, "
            f"found {root.hex()}. Somebody was shown something else, or the past was changed: keep the file, it proves that"
        )
        return Judgement(Found.FORK, words)
    return Judgement(Found.KEPT, f"{name}: the log begins with these {kept.size:,} entries")


def _contradictions(heads: Sequence[tuple[str, LogHead]]) -> list[Judgement]:
    """Two copies of one size and different roots, whatever the log says now: the signatures alone prove the fork."""
    first: dict[int, tuple[str, LogHead]] = {}
    found = []
    for name, head in heads:
        other, known = first.setdefault(head.size, (name, head))
        if known.root != head.root:
            words = (
                f"{other} and {name}: this log's key signed two different logs of {head.size:,} entries "
                f"(roots {known.root.hex()} and {head.root.hex()}): keep both files, together they prove it to anyone"
            )
            found.append(Judgement(Found.FORK, words))
    return found
