"""The queries behind every report: one function a query, each within the caller's snapshot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from attendance.store.database import Database
from attendance.store.reports.analytics import AnalyticsQueries
from attendance.store.reports.breakdowns import BreakdownQueries
from attendance.store.reports.directory import DirectoryQueries
from attendance.store.reports.members import MemberQueries
from attendance.store.reports.periods import PeriodQueries
from attendance.store.reports.rankings import RankingQueries
from attendance.store.reports.since import SinceQueries


@dataclass(frozen=True, slots=True)
class SqlReportView(
    PeriodQueries, RankingQueries, MemberQueries, DirectoryQueries, AnalyticsQueries, BreakdownQueries, SinceQueries
):
    """`ReportView` and `LiveView` over one transaction."""


@dataclass(frozen=True, slots=True)
class SqlReportSource:
    """`ReportSource` and `LiveSource` over a database."""

    database: Database

    @asynccontextmanager
    async def view(self) -> AsyncIterator[SqlReportView]:
        """One instant of the database."""
        async with self.database.snapshot() as connection:
            yield SqlReportView(connection)


__all__ = ["SqlReportSource", "SqlReportView"]
