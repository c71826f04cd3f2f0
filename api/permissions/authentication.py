"""Credentials to principals: bearer JWT or API key, looked up once, cached briefly, watched while streams are open."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jwt
import structlog

from api.permissions.tokens import TokenVerifier
from core.away import LOOK_SECONDS, within
from core.domain.access import Principal, Role
from core.domain.api_keys import hash_secret, split_api_key
from core.services.note_key_use import note_key_use
from core.settings import Settings
from core.unit_of_work import run_unit_of_work

if TYPE_CHECKING:
    import asyncpg

    from core.database import Database

log = structlog.get_logger(__name__)

CACHE_SECONDS = 30.0
KEY_CACHE_SECONDS = 2.0
"""An API key is read again after this time, so that a revoked one is refused within 5 s."""
WATCH_SECONDS = 2.0
NOTE_SECONDS = 20.0
"""Uses of API keys are written down together, so often."""
CACHE_SIZE = 4_096
MAX_SUBJECT = 255
TOKEN_ROLES = {role.value: role for role in Role if role is not Role.SYSTEM}


class AuthenticationFailed(Exception):
    """The credential is malformed, unknown, expired or revoked. The message is safe to show."""


class Authenticator:
    """Verifies credentials against the signing keys and the `api_key` table."""

    def __init__(self, database: Database, settings: Settings, tokens: TokenVerifier | None = None) -> None:
        self._database = database
        self._settings = settings
        self._tokens = tokens or TokenVerifier(settings)
        self._parties: dict[tuple[str, str], tuple[float, int | None]] = {}
        self._keys: dict[str, tuple[float, asyncpg.Record | None]] = {}
        self._recent: dict[str, _Proven] = {}
        """By `Authorization` value."""
        self._watched: dict[tuple[str, datetime | None], _Watched] = {}
        self._watcher: asyncio.Task[None] | None = None
        self._used: set[int] = set()
        self._noting: asyncio.Task[None] | None = None

    async def authenticate(self, authorization: str | None) -> Principal | None:
        """The principal of an `Authorization` value, or None when there is none.

        Accepts `Bearer <jwt>` and `Bearer <api key>`. Raises AuthenticationFailed for anything else.
        """
        if authorization is None or not authorization.strip():
            return None
        if (caller := self._proven(authorization)) is not None:
            return caller
        scheme, _, credential = authorization.strip().partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not credential:
            raise AuthenticationFailed("Send the credential as: Authorization: Bearer <token>.")
        parts = split_api_key(credential)
        caller = await (self._by_key(*parts) if parts else self._by_token(credential))
        prefix = parts[0] if parts else ""
        until = time.monotonic() + KEY_CACHE_SECONDS
        _bound(self._recent)[authorization] = _Proven(until, caller, prefix, self._keys.get(prefix))
        return caller

    def _proven(self, authorization: str) -> Principal | None:
        """The caller of a credential that was proven a moment ago: by the same row, where it is a key."""
        recent = self._recent.get(authorization)
        if recent is None or time.monotonic() >= recent.until:
            return None
        caller, row = recent.caller, recent.row
        if caller.expires_at is not None and caller.expires_at <= datetime.now(UTC):
            return None
        if recent.prefix:
            if row is None or self._keys.get(recent.prefix) is not row or time.monotonic() >= row[0]:
                return None
            self._note_use(row[1]["id"])
        return caller

    async def _by_token(self, token: str) -> Principal:
        try:
            claims = await self._tokens.verify(token)
        except jwt.ExpiredSignatureError as error:
            raise AuthenticationFailed("The token has expired.") from error
        except (jwt.PyJWTError, UnicodeError) as error:
            raise AuthenticationFailed("The token is not valid.") from error
        role = TOKEN_ROLES.get(str(claims.get("role")))
        if role is None:
            raise AuthenticationFailed("The token names no role of this system.")
        subject = str(claims["sub"])
        if not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
            raise AuthenticationFailed(f"The subject of a token has 1 to {MAX_SUBJECT} printable characters.")
        customer = await self._party("customer", claims, role is Role.CUSTOMER)
        supplier = await self._party("supplier", claims, role is Role.SUPPLIER)
        return Principal(
            id=subject,
            role=role,
            customer_id=customer,
            supplier_id=supplier,
            scopes=frozenset(str(claims.get("scope") or "").split()),
            expires_at=_instant(claims["exp"]),
            # Not that of one token: who gets a new one each minute has no more points and streams than anybody.
            credential_id=f"jwt:{role.value}:{customer or supplier or ''}:{subject}",
        )

    async def _party(self, table: str, claims: dict[str, Any], required: bool) -> int | None:
        if not required:
            return None
        code = claims.get(table)
        if not isinstance(code, str) or not code or not code.isprintable():
            raise AuthenticationFailed(f"The token names no {table}.")
        known = self._parties.get((table, code))
        if known is None or known[0] < time.monotonic():
            sql = {
                "customer": "select id from customer where code = $1",
                "supplier": "select id from supplier where code = $1",
            }[table]
            found = await within(LOOK_SECONDS, self._database.system.fetchval(sql, code))
            known = (time.monotonic() + CACHE_SECONDS, found)
            _bound(self._parties)[table, code] = known
        if known[1] is None:
            raise AuthenticationFailed(f"The {table} of the token is not known.")
        return known[1]

    async def _by_key(self, prefix: str, secret: str) -> Principal:
        known = self._keys.get(prefix)
        if known is None or known[0] < time.monotonic():
            sql = """select id, secret_hash, role, scope, customer_id, supplier_id, expires_at, revoked_at, name
                from api_key where prefix = $1"""
            row = await within(LOOK_SECONDS, self._database.system.fetchrow(sql, prefix))
            known = (time.monotonic() + KEY_CACHE_SECONDS, row)
            _bound(self._keys)[prefix] = known
        row = known[1]
        digest = hash_secret(secret, self._settings.api_key_pepper.get_secret_value())
        matches = hmac.compare_digest(digest, bytes(row["secret_hash"]) if row else bytes(32))
        if row is None or not matches:
            raise AuthenticationFailed("The API key is not valid.")
        now = datetime.now(UTC)
        if row["revoked_at"] is not None or (row["expires_at"] is not None and row["expires_at"] <= now):
            raise AuthenticationFailed("The API key has expired or was revoked.")
        scopes = _scopes(row["scope"])
        self._note_use(row["id"])
        return Principal(
            id=f"key:{row['name'] or prefix}",
            role=Role(row["role"]),
            customer_id=row["customer_id"],
            supplier_id=row["supplier_id"],
            scopes=scopes,
            expires_at=row["expires_at"],
            credential_id=f"key:{row['id']}",
            is_publishable="publishable" in scopes,
        )

    def _note_use(self, id: int) -> None:
        self._used.add(id)
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._note_soon(), name="key-use")

    async def _note_soon(self) -> None:
        await asyncio.sleep(NOTE_SECONDS)
        await self._write_use()

    async def _write_use(self) -> None:
        used, self._used = self._used, set()
        if not used:
            return
        try:
            await run_unit_of_work(self._database, lambda uow: note_key_use(uow, used))
        except Exception as error:  # the database may be away; the next use is noted again
            log.warning("use of keys could not be written", error=type(error).__name__)

    # Streams outlive the check at their start.

    def watch(self, principal: Principal, end: Callable[[], None]) -> Callable[[], None]:
        """Call `end` once the credential of `principal` has expired or was revoked, at most 5 s later.

        Returns what stops watching. No task per caller: thousands of streams are watched by one.
        """
        name = (principal.credential_id, principal.expires_at)
        there = self._watched.get(name)
        if there is None:
            there = self._watched[name] = _Watched(principal.expires_at)
        there.ends.add(end)
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch(), name="credential-watch")
        return partial(self._forget, name, there, end)

    def _forget(self, name: tuple[str, datetime | None], there: _Watched, end: Callable[[], None]) -> None:
        there.ends.discard(end)
        if not there.ends:
            there.stop()
            if self._watched.get(name) is there:
                del self._watched[name]

    async def ended(self, principal: Principal) -> None:
        """Return once the credential of `principal` has expired or was revoked; at most 5 s later."""
        over = asyncio.Event()
        forget = self.watch(principal, over.set)
        try:
            await over.wait()
        finally:
            forget()

    async def _watch(self) -> None:
        while self._watched:
            ids = [int(name[4:]) for name, _ in self._watched if name.startswith("key:")]
            if ids:
                try:
                    sql = """select u.id from unnest($1::bigint[]) as u(id) left join api_key k on k.id = u.id
                        where k.id is null or k.revoked_at is not null or k.expires_at <= now()"""
                    dead = await within(LOOK_SECONDS, self._database.system.fetch(sql, ids))
                except Exception as error:  # the database may be away; the next round asks again
                    log.warning("credentials could not be checked", error=type(error).__name__)
                    dead = []
                gone = {f"key:{row['id']}" for row in dead}
                for watched in [watched for (name, _), watched in self._watched.items() if name in gone]:
                    watched.end()
            now = datetime.now(UTC)
            for watched in [watched for (_, end), watched in self._watched.items() if end is not None and end <= now]:
                watched.end()
            await asyncio.sleep(WATCH_SECONDS)

    async def close(self) -> None:
        """Stop watching, and write which keys were used."""
        helpers = [task for task in (self._watcher, self._noting) if task is not None]
        for task in helpers:
            task.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)
        await self._write_use()


def _instant(seconds: Any) -> datetime:
    """The end of a token; what lies beyond the calendar is its last day."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC)


class _Proven(NamedTuple):
    """A credential that need not be proven again: until when (`time.monotonic`), whose it is, and the row of a key."""

    until: float
    caller: Principal
    prefix: str
    row: Any


class _Watched:
    """The streams of one credential, ended together: revoked, or by one timer when it expires."""

    __slots__ = ("_timer", "ends")

    def __init__(self, expires_at: datetime | None) -> None:
        self.ends: set[Callable[[], None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        if expires_at is not None:
            left = (expires_at - datetime.now(UTC)) / timedelta(seconds=1)
            self._timer = asyncio.get_running_loop().call_later(max(0.0, left), self.end)

    def end(self) -> None:
        for end in list(self.ends):
            end()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _scopes(value: Any) -> frozenset[str]:
    if isinstance(value, dict):
        return frozenset(str(name) for name, granted in value.items() if granted)
    return frozenset(str(name) for name in value or ())


def _bound(cache: dict[Any, Any]) -> dict[Any, Any]:
    if len(cache) >= CACHE_SIZE:
        cache.clear()
    return cache
