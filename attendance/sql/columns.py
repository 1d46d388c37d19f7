"""Columns that occur everywhere, and how constraints are named."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer

# For a `MetaData`: both dialects name a constraint alike, so that a later step can alter it.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite gives a rowid alias only to INTEGER PRIMARY KEY, PostgreSQL wants 64 bits.
RowId = BigInteger().with_variant(Integer(), "sqlite")


def snowflake(name: str, *, primary_key: bool = False, nullable: bool = False) -> Column[int]:
    """A Discord id."""
    return Column(name, BigInteger, primary_key=primary_key, nullable=nullable, autoincrement=False)


def ms(name: str, *, nullable: bool = False) -> Column[int]:
    """An instant or a length in integer milliseconds."""
    return Column(name, BigInteger, nullable=nullable)
