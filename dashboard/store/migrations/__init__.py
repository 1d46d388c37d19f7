"""Alembic's folder: `env.py` and the steps in `versions`, forward only."""
