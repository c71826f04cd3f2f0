"""Signing secrets of webhooks at rest: AES-256-GCM under a key that lives outside the database."""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.domain.webhook_message import SECRET_BYTES
from core.errors import ConfigurationError, DomainError

NONCE_BYTES = 12


def new_secret() -> bytes:
    """256 random bits."""
    return os.urandom(SECRET_BYTES)


def seal_secret(secret: bytes, webhook_id: int, key: str) -> bytes:
    """The encrypted secret; it can be opened for this webhook only. Raises DomainError where no key is set."""
    if not key:
        raise DomainError("Webhooks cannot be registered here: WEBHOOK_KEY is not set.")
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_key(key)).encrypt(nonce, secret, _bound_to(webhook_id))


def open_secret(sealed: bytes, webhook_id: int, key: str) -> bytes:
    """The secret again. Raises ConfigurationError under another key than it was sealed with."""
    try:
        return AESGCM(_key(key)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound_to(webhook_id))
    except InvalidTag as error:
        raise ConfigurationError("WEBHOOK_KEY is not the key that this webhook's secret was stored with.") from error


def _key(key: str) -> bytes:
    return hashlib.sha256(b"webhook secrets\0" + key.encode()).digest()


def _bound_to(webhook_id: int) -> bytes:
    return f"webhook:{webhook_id}".encode()
