"""Bearer tokens: signed JWTs checked against a JWKS (file or URL) or the local key of a development stack."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any

import httpx2
import jwt
import msgspec
import structlog

from core.errors import ConfigurationError
from core.settings import Settings

log = structlog.get_logger(__name__)

ALGORITHMS = ("ES256",)
"""Pinned: what the header of a token claims never decides how it is checked."""
MAX_KEY_AGE = 3_600.0
MIN_RETRY = 1.0
"""Seconds between two fetches at least."""
MAX_FETCHES = 5
FETCH_SECONDS = 5.0
"""For the whole key set, however slowly it comes."""
FETCH_WINDOW = 60.0
"""So many in so many seconds once keys are known: a new key is found at once, invented key ids hammer nobody."""
LEEWAY = 10
MAX_END = 2**53
"""Seconds since 1970; a later end is none."""
MAX_JWKS_BYTES = 1_000_000
KEPT_TOKENS = 2_048


class TokenVerifier:
    """Turns a token into its verified claims. Keys are fetched once, kept an hour, looked for again when unknown."""

    def __init__(self, settings: Settings, client: httpx2.AsyncClient | None = None) -> None:
        # An empty variable arrives as the path ".": it means "none".
        given = settings.local_key_file
        self._local_key = None if given is None or str(given) in ("", ".") else given
        if settings.is_production and self._local_key is not None:
            raise ConfigurationError("LOCAL_KEY_FILE is for development; set JWKS_URL or JWKS_FILE in production.")
        self._settings = settings
        self._client = client
        self._keys: dict[str, Any] = {}
        self._fetched_at = float("-inf")
        self._tries: deque[float] = deque(maxlen=MAX_FETCHES)
        self._renewal: asyncio.Task[None] | None = None
        self._verified: dict[str, tuple[Any, float, dict[str, Any]]] = {}
        """Claims by token, with the key that verified them and the last second of their life."""

    async def verify(self, token: str) -> dict[str, Any]:
        """Claims of a valid token; raises a jwt.PyJWTError otherwise. A signature is checked once per key and token."""
        known = self._verified.get(token)
        if known is not None:
            key, ends, claims = known
            is_fresh = time.monotonic() - self._fetched_at <= MAX_KEY_AGE
            if is_fresh and time.time() < ends and any(key is other for other in self._keys.values()):
                return claims
            del self._verified[token]
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError("The token is not signed with ES256.")
        key = await self._key(str(header.get("kid") or ""))
        claims = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=self._settings.jwt_audience,
            issuer=self._settings.jwt_issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        if len(self._verified) >= KEPT_TOKENS:
            self._verified.clear()
        self._verified[token] = (key, float(min(int(claims["exp"]), MAX_END)) + LEEWAY, claims)
        return claims

    def _known(self, key_id: str) -> Any:
        if key_id in self._keys:
            return self._keys[key_id]
        if not key_id and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get("")

    async def _key(self, key_id: str) -> Any:
        key = self._known(key_id)
        if key is None:
            renewal = self._renew()
            if renewal is not None:
                await asyncio.shield(renewal)
            key = self._known(key_id)
        elif time.monotonic() - self._fetched_at > MAX_KEY_AGE:
            self._renew()  # nobody with a known key waits for an issuer that is slow or away
        if key is None:
            raise jwt.InvalidTokenError("The key of this token is not known.")
        return key

    def _renew(self) -> asyncio.Task[None] | None:
        """The fetch that is under way, one for all who wait, or a new one; None when it is too early for another."""
        if self._renewal is None or self._renewal.done():
            now, tries = time.monotonic(), self._tries
            is_spent = len(tries) == MAX_FETCHES and now - tries[0] < FETCH_WINDOW
            if (tries and now - tries[-1] <= MIN_RETRY) or (is_spent and self._keys):
                return None
            tries.append(now)
            self._renewal = asyncio.create_task(self._refresh(), name="signing-keys")
        return self._renewal

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                keys = await self._load()
        except Exception as error:  # whatever an issuer answers, or does not: known keys stay
            log.warning("signing keys could not be read", error=type(error).__name__, kept=len(self._keys))
            return
        if keys:
            self._keys, self._fetched_at = keys, time.monotonic()

    async def _load(self) -> dict[str, Any]:
        settings = self._settings
        if settings.jwks_url:
            return _parse(await self._fetch(settings.jwks_url))
        if settings.jwks_file is not None:
            return _parse(await asyncio.to_thread(settings.jwks_file.read_bytes))
        if self._local_key is not None:
            return {"": await asyncio.to_thread(_public_key, self._local_key.read_bytes)}
        return {}

    async def _fetch(self, url: str) -> bytes:
        if self._client is not None:
            return await _read(self._client, url)
        async with httpx2.AsyncClient(timeout=FETCH_SECONDS) as client:
            return await _read(client, url)


async def _read(client: httpx2.AsyncClient, url: str) -> bytes:
    """The key set at `url`; ValueError as soon as it is known to be too large."""
    found = bytearray()
    async with client.stream("GET", url) as response:
        response.raise_for_status()
        async for part in response.aiter_bytes():
            found += part
            if len(found) > MAX_JWKS_BYTES:
                raise ValueError("The key set is too large.")
    return bytes(found)


def _public_key(read: Any) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(read(), password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError("The local key is not an elliptic-curve private key.")
    return key.public_key()


def _parse(document: bytes) -> dict[str, Any]:
    known: Any = msgspec.json.decode(document)
    entries = known.get("keys") if isinstance(known, dict) else None
    if not isinstance(entries, list):
        raise ValueError("This is no key set.")
    keys: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("crv") != "P-256" or entry.get("use", "sig") != "sig":
            continue  # an issuer may publish keys of other kinds beside ours
        try:
            keys[str(entry.get("kid") or "")] = jwt.PyJWK(entry, algorithm=ALGORITHMS[0]).key
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            log.warning("a signing key cannot be read", error=type(error).__name__)
    return keys
