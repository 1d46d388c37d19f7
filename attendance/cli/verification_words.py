"""What `rollcall verify` says to people: what a verdict means, what it does not, and whom one believes with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from attendance.core import FileReport, Trust

_TITLES = {
    "receipt": "Receipt of one session",
    "proof": "Proof that a record is in a log",
    "export": "Export of a period",
    "unknown": "File",
}
_VERDICTS = {"valid": "VALID", "invalid": "INVALID", "unusable": "UNUSABLE"}
_OUTCOMES = {"passed": "passed", "failed": "FAILED", "not_possible": "not possible"}
_MEANING = {
    "receipt": """
  The deployment that holds these keys recorded this session, and it has not changed since it was logged.
  The counted time follows from the recorded timeline, under the recorded rules.
  It does not say that the member was attentive, nor that what was recorded is true. It shows neither later
  corrections, nor that a key was revoked after this receipt was made.""",
    "proof": """
  The log that holds this key has this record, unchanged, at this place.
  It does not say that the record is true, nor that its own signature is good: a receipt shows that.""",
    "export": """
  The deployment that holds these keys recorded these sessions, and they have not changed since they were logged.
  Times and ranks follow from the recorded timelines, under the recorded rules, but for what was erased since.
  It does not say that anybody was attentive, nor that what was recorded is true. It shows neither later
  corrections, nor that a key was revoked after it was made.""",
}
_ROLES = {
    "record": ("server's key", "--key"),
    "log": ("log's key", "--log-key"),
    "export": ("export's key", "--export-key"),
}
_CLAIMS = {
    "session_id": "session",
    "guild_id": "Discord server",
    "user_id": "member",
    "channel_id": "channel",
    "period_index": "period",
    "joined_at_ms": "joined",
    "left_at_ms": "left",
    "reason": "why it ended",
    "counted_ms": "counted",
    "bridged_ms": "of it bridged",
    "unwitnessed_ms": "not watched",
    "credited_ms": "credited",
    "below_minimum": "too short to count",
    "guild_seq": "place in the chain",
    "signed_at_ms": "signed",
    "origin": "log",
    "started_at_ms": "began",
    "ended_at_ms": "ended",
    "records": "records",
    "sessions": "sessions",
    "erased_records": "erased records",
    "entry_count": "members",
    "size": "entries of the log",
    "leaf_index": "place in the log",
    "kid": "key",
}
_CHECKS = {
    "encoding": "keys, signatures and proofs can be read, each in its one spelling",
    "record": "the record is canonical JSON",
    "session": "the record is of a session, and complete",
    "key-id": "the record names the key that signed it",
    "signature": "the signature is the key's, over exactly these bytes",
    "timeline-digest": "the timeline is the one that was signed",
    "timeline": "the timeline covers the session without a gap",
    "sums": "the sums follow from the timeline",
    "rules-digest": "the rules are those that were signed",
    "rules": "the rules allow each pause in the timeline",
    "below-minimum": "whether the stay was too short to count",
    "key-records": "the key's activation and end are signed, and of this server",
    "key-window": "the key was good for the record's position",
    "checkpoint": "the log's key signed the checkpoint",
    "inclusion": "the record is in the log",
    "key-inclusion": "the key's activation and end are in the log",
    "archive": "the archive holds nothing but one folder of plain files",
    "files": "all files that are named are there, and no others",
    "manifest": "the data files are those that the manifest names",
    "tag-manifest": "the other files are those that the tag manifest names",
    "export-signature": "the export key signed the tag manifest, both ways",
    "keys": "each key file is the key that it is named for",
    "period": "the period's record is complete, and of this period",
    "records": "every record is canonical JSON, and of this server",
    "signatures": "every record is signed by the key that it names",
    "key-windows": "every key was good for the positions that it signed",
    "chain": "no record of the stretch is missing, and each names the one before",
    "redacted": "what was erased is named by signed records",
    "timelines": "every session has its timeline",
    "sessions": "the timelines are those that were signed, and the sums follow from them",
    "corrections": "corrected sessions stay within 0 and their length",
    "sessions-root": "the sessions are those of the period's record",
    "entries": "the leaderboard's entries can be read",
    "entries-root": "the entries are those of the period's record",
    "ranking": "the ranks follow from the times",
    "erased-sums": "entries of which sessions were erased",
    "erased-ranks": "ranks behind erased entries",
    "tables": "the tables say what the signed lines say",
    "proofs": "the period's record and the keys' are in the log",
    "pinned-export-key": "the export's key is one that you gave",
    "pinned-key": "the record's key is one that you gave",
    "pinned-log-key": "the log's key is one that you gave",
}


def written(path: str, report: FileReport) -> str:
    """The report as text."""
    return "\n".join(_lines(_printable(path), report)) + "\n\n"


def _lines(path: str, report: FileReport) -> Iterator[str]:
    yield f"{path}"
    yield f"{_TITLES[report.kind]}: {_VERDICTS[report.verdict]}"
    if report.reason is not None:
        yield f"  why: {report.reason}"
    if report.claims:
        yield ""
        yield "What it says" if report.verdict == "valid" else "What it says (NOT proven)"
        for name, value in report.claims.items():
            yield f"  {_CLAIMS.get(name, name):<20} {_shown(name, value)}"
    if report.checks:
        yield ""
        yield "Checks"
        for check in report.checks:
            yield f"  {_OUTCOMES[check.outcome]:<12} {check.name}: {_CHECKS.get(check.name, check.name)}"
            if check.outcome == "failed":
                yield f"  {'':<12}   expected {check.expected}"
                yield f"  {'':<12}   found    {check.found}"
            elif check.found:
                yield f"  {'':<12}   {check.found}"
    if report.trust:
        yield ""
        yield "On whose keys this rests"
        yield from (f"  {line}" for one in report.trust for line in _trust(one))
    if report.verdict == "valid":
        yield ""
        yield "What valid means here" + _MEANING[report.kind]


def _trust(one: Trust) -> Iterator[str]:
    name, option = _ROLES[one.role]
    yield f"{name}: {one.key}"
    if one.pinned:
        yield f"  given by you with {option}"
    else:
        yield "  TAKEN FROM THE FILE ITSELF: whoever made the file chose it."
        yield f"  Compare it with one that you have from elsewhere, or give that one with {option}."


def _shown(name: str, value: str) -> str:
    if not name.endswith("_ms") or not value.lstrip("-").isdigit():
        return value
    if name in {"joined_at_ms", "left_at_ms", "signed_at_ms", "started_at_ms", "ended_at_ms"}:
        try:
            return f"{datetime.fromtimestamp(int(value) / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC ({value})"
        except (OverflowError, ValueError, OSError):
            return value
    seconds, milliseconds = divmod(int(value), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}.{milliseconds:03} ({value} ms)"


def _printable(path: str) -> str:
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape", "replace").decode() for letter in path)
