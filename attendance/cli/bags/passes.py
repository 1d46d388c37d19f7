"""The three passes over records and leaderboard: the core says which file it wants to go on with, and is fed."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import BinaryIO

from attendance.cli.bags.findings import Fault, Findings
from attendance.cli.bags.wrapping import Bag
from attendance.core import ExportCheck

_CHUNK = 2**20
_Fault = tuple[str, str, str]
_Pass = Callable[[str, bytes], tuple[str | None, _Fault | None]]


def run(bag: Bag, one: _Pass) -> None:
    """A pass over the files of a bag.

    Raises:
        Fault: The first thing that is wrong.
    """
    with ExitStack() as files:
        opened: dict[str, BinaryIO] = {}
        wanted, fault = one("", b"")
        while wanted is not None:
            if wanted not in opened:
                opened[wanted] = files.enter_context(os.fdopen(bag.open(wanted), "rb", buffering=0))
            wanted, fault = one(wanted, opened[wanted].read(_CHUNK))
    if fault is not None:
        raise Fault(*fault)


def check_chain(bag: Bag, check: ExportCheck, findings: Findings, names: tuple[str, ...]) -> None:
    """Every record in its place, signed, and each session as its timeline has it. ``names``: the checks that this comes to.

    Raises:
        Fault: Not so.
    """
    run(bag, check.chain)
    seen = check.seen
    for name in names:
        findings.passed(name, f"{seen['records']} records")
    findings.passed("sessions-root", f"{seen['sessions']} sessions")
    if seen["unnamed"]:
        findings.not_possible(
            "redacted", f"{seen['unnamed']} of {seen['redacted']} erased records are named by no record.redacted here"
        )
    findings.passed("redacted", f"{seen['redacted']} erased records")
    findings.claims.update(records=str(seen["records"]), sessions=str(seen["sessions"]), erased_records=str(seen["redacted"]))


def check_standing(bag: Bag, check: ExportCheck, findings: Findings) -> None:
    """The leaderboard is what the sessions come to; what could not be recomputed is noted.

    Raises:
        Fault: It is another one.
    """
    redacted_sessions = check.seen["redacted_sessions"]
    run(bag, check.standing)
    size, erased, unsure = check.stood
    findings.passed("entries-root", f"{size} entries, {check.period['entries_root']}")
    findings.passed("tables", "both tables are what the signed lines say")
    if erased or redacted_sessions:
        findings.not_possible("erased-sums", f"{erased} of {size} entries can no longer be recomputed: erased")
    if unsure:
        findings.not_possible("erased-ranks", f"{unsure} ranks stand behind erased entries and may be any of a few")
    findings.passed("sums", f"{size - erased} of {size} entries are the sums of their sessions and corrections")
    findings.passed("ranking", f"{size} entries in order")
