"""``make bench``: runs every benchmark, or those named: ``python -m benches replay live_path``.

Timings are never test assertions. Compare two things in one run; quote ratios and medians (benches/README.md).
"""

from __future__ import annotations

import asyncio
import sys

from attendance.cli.service import tune_interpreter
from benches import (
    dashboard,
    explain,
    exports,
    leaderboard,
    live_path,
    log_deliveries,
    period_end,
    replay,
    reports,
    setting,
    transparency_log,
)

BENCHES = {
    "replay": replay.main,
    "live_path": live_path.main,
    "leaderboard": leaderboard.main,
    "period_end": period_end.main,
    "reports": reports.main,
    "explain": explain.main,
    "transparency_log": transparency_log.main,
    "exports": exports.main,
    "log_deliveries": log_deliveries.main,
    "dashboard": dashboard.main,
}
LONG = {"exports_million": exports.million}  # only when named


def run(names: list[str]) -> None:
    known = BENCHES | LONG
    unknown = set(names) - known.keys()
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    print(setting.machine())
    tune_interpreter()  # as the service does
    for name in names or BENCHES:
        print(f"\n== {name}")
        asyncio.run(known[name]())


run(sys.argv[1:])
