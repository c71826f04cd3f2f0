"""API keys `bmk_<prefix>_<secret>`: the prefix finds the row, a peppered HMAC-SHA256 of the secret proves it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import NamedTuple

SCHEME = "bmk"


class NewApiKey(NamedTuple):
    """A key as it is shown once, and what the table keeps of it."""

    key: str
    prefix: str
    secret_hash: bytes


def hash_secret(secret: str, pepper: str) -> bytes:
    """HMAC-SHA256 of the secret under the pepper, which lives outside the database."""
    return hmac.new(pepper.encode(), secret.encode(), hashlib.sha256).digest()


def new_api_key(pepper: str) -> NewApiKey:
    """A fresh key with 256 random bits."""
    prefix, secret = secrets.token_hex(6), secrets.token_hex(32)
    return NewApiKey(f"{SCHEME}_{prefix}_{secret}", prefix, hash_secret(secret, pepper))


def split_api_key(credential: str) -> tuple[str, str] | None:
    """(prefix, secret) of something that looks like an API key, else None."""
    parts = credential.split("_", 2)
    if len(parts) != 3 or parts[0] != SCHEME or not parts[1] or not parts[2] or len(credential) > 256:
        return None
    return parts[1], parts[2]
