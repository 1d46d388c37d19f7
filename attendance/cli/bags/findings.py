"""What is found in a bag, check by check."""

from __future__ import annotations

from dataclasses import dataclass, field

from attendance.core import Check, FileReport, Trust

KIND = "export"
_SHOWN = 200


class UnusableError(Exception):
    """It is no period export, so there is nothing to judge."""


class Fault(Exception):  # noqa: N818 -- not an error of ours: what a check found
    """A check that failed: its name, what a valid export has there, and what is there."""

    def __init__(self, check: str, expected: object, found: object) -> None:
        super().__init__(check)
        self.check, self.expected, self.found = check, shown(expected), shown(found)


@dataclass
class Findings:
    """The checks in the order of `CHECKS`, each passed until a fault is noted; a check has one fault, the first."""

    names: tuple[str, ...]
    claims: dict[str, str] = field(default_factory=dict)
    trust: list[Trust] = field(default_factory=list)
    _done: dict[str, Check] = field(default_factory=dict)

    def passed(self, name: str, found: object) -> None:
        """A check came out well, unless a fault was noted before."""
        self._done.setdefault(name, Check(name, "passed", shown(found), shown(found)))

    def failed(self, name: str, expected: object, found: object) -> None:
        """A check failed."""
        if name not in self._done or self._done[name].outcome != "failed":
            self._done[name] = Check(name, "failed", shown(expected), shown(found))

    def fault(self, fault: Fault) -> None:
        """Note a fault."""
        self.failed(fault.check, fault.expected, fault.found)

    def not_possible(self, name: str, why: object) -> None:
        """A check could not be made; an export may be valid without it only where something was erased."""
        self._done.setdefault(name, Check(name, "not_possible", "", shown(why)))

    def has_failed(self) -> bool:
        """Whether any check failed so far."""
        return any(one.outcome == "failed" for one in self._done.values())

    def report(self) -> FileReport:
        """The verdict. What was never reached is said too, after a failure."""
        for name in self.names:
            self.not_possible(name, "since an earlier check did not pass")
        checks = list(self._done.values())
        first = next((one for one in checks if one.outcome == "failed"), None)
        reason = None if first is None else f"{first.name}: expected {first.expected}, found {first.found}"
        missing = next((one for one in checks if one.outcome == "not_possible" and one.name in self.names), None)
        if first is None and missing is not None:
            return FileReport(KIND, "unusable", f"{missing.name}: {missing.found}", checks, self.claims, self.trust)
        return FileReport(KIND, "invalid" if first else "valid", reason, checks, self.claims, self.trust)


def unusable(why: object) -> FileReport:
    """The report of what is no export."""
    return FileReport(KIND, "unusable", shown(why), [], {}, [])


def shown(value: object) -> str:
    """A text from a file as it may be shown: bounded, and printable ASCII."""
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    cut = text[:_SHOWN] + ("..." if len(text) > _SHOWN else "")
    return "".join(letter if " " <= letter <= "~" else ascii(letter)[1:-1] for letter in cut)
