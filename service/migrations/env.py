"""Alembic's entry: runs in the transaction that holds the migration lock (service/db.py)."""

from alembic import context

from service.models.base import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
context.run_migrations()
