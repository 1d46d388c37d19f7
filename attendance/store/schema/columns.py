"""The metadata that every table of the tracker belongs to, and the columns that occur everywhere."""

from __future__ import annotations

from sqlalchemy import MetaData

from attendance.sql.columns import NAMING_CONVENTION, RowId, ms, snowflake

__all__ = ["RowId", "metadata", "ms", "snowflake"]

metadata = MetaData(naming_convention=NAMING_CONVENTION)
