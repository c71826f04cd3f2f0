"""A private PostgreSQL and Valkey, from wheels, for a machine that has neither."""

from core.embedded.folders import discard_private_data
from core.embedded.postgres import PostgresHandle, start_postgres
from core.embedded.valkey import ValkeyHandle, start_valkey
from core.errors import EmbeddedServerError

__all__ = [
    "EmbeddedServerError",
    "PostgresHandle",
    "ValkeyHandle",
    "discard_private_data",
    "start_postgres",
    "start_valkey",
]
