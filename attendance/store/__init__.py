"""SQL adapters of the ports: SQLAlchemy Core on SQLite (WAL) and PostgreSQL (asyncpg). One function a query."""
