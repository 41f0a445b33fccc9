"""Durable state in PostgreSQL: `PostgresStore` and its migrations."""

from waymark.store.postgres.migrations import check_schema, migrate, print_migrations
from waymark.store.postgres.store import PostgresStore

__all__ = ["PostgresStore", "check_schema", "migrate", "print_migrations"]
