"""Connection pools to PostgreSQL: one per database role; nothing else builds a connection."""

from __future__ import annotations

from urllib.parse import urlsplit

import asyncpg
import msgspec

from core.errors import ConfigurationError
from core.settings import Settings
from core.telemetry import watch_statements

SYSTEM_ROLE = "bm_system"
APP_ROLE = "bm_app"

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def plain_dsn(url: str) -> str:
    """A DSN asyncpg understands, from any of the usual spellings (postgresql+asyncpg://, postgres://)."""
    if not url:
        raise ConfigurationError(
            "DATABASE_URL is not set: name a PostgreSQL database, or start with `up`, which has its own."
        )
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise ConfigurationError(f"DATABASE_URL must start with postgresql://, not {scheme!r}.")
    return f"postgresql://{rest}"


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + _encoder.encode(value),
        decoder=lambda data: _decoder.decode(data[1:]),
        format="binary",
    )
    watch_statements(connection)


async def _keep_session(connection: asyncpg.Connection) -> None:
    """Nothing is set per session (only `set_config(..., true)`), so a returned connection needs no reset."""


class Database:
    """Two pools on one database: `system` decides and moves stock, `app` sees only its caller's rows (RLS).

    Raises ConfigurationError when the login is not a member of the two roles (the database is not migrated) or
    when row-level security would not hold for them.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._dsn = plain_dsn(settings.database_url)
        self._system: asyncpg.Pool | None = None
        self._app: asyncpg.Pool | None = None

    @property
    def system(self) -> asyncpg.Pool:
        assert self._system is not None, "Database.open() has not been awaited"
        return self._system

    @property
    def app(self) -> asyncpg.Pool:
        assert self._app is not None, "Database.open() has not been awaited"
        return self._app

    @property
    def dsn(self) -> str:
        return self._dsn

    async def _pool(self, role: str, size: int) -> asyncpg.Pool:
        return await asyncpg.create_pool(
            self._dsn,
            min_size=1,
            max_size=size,
            init=_prepare,
            reset=_keep_session,
            server_settings={
                "role": role,
                "application_name": f"backorder-{role}",
                "lock_timeout": str(self._settings.lock_timeout_ms),
                "timezone": "UTC",
            },
            command_timeout=120,
            # A new connection plans everything anew, which costs more than an order: keep connections and statements.
            max_inactive_connection_lifetime=0,
            max_cached_statement_lifetime=0,
            statement_cache_size=300,
        )

    async def open(self) -> Database:
        try:
            self._system = await self._pool(SYSTEM_ROLE, self._settings.pool_size)
            self._app = await self._pool(APP_ROLE, max(2, self._settings.pool_size // 2))
        except (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError) as error:
            await self.close()
            raise ConfigurationError(
                f"The database at {urlsplit(self._dsn).path or '/'} lacks the roles of this product ({error}); "
                "run: python manage.py migrate"
            ) from error
        for pool in (self._system, self._app):
            bypasses = await pool.fetchval("select rolsuper or rolbypassrls from pg_roles where rolname = current_user")
            if bypasses:
                await self.close()
                raise ConfigurationError("The application role bypasses row-level security; refusing to start.")
        return self

    async def close(self) -> None:
        for pool in (self._system, self._app):
            if pool is not None:
                await pool.close()
        self._system = self._app = None

    async def __aenter__(self) -> Database:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()
