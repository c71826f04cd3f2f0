"""Keys and secrets of a local stack: made once in its data folder, and the tokens signed with them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from core.domain.access import Role
from core.errors import ConfigurationError

ALGORITHM = "ES256"
SECRETS = ("SEAL_KEY", "API_KEY_PEPPER", "WEBHOOK_KEY")
TOKEN_ROLES = tuple(role for role in Role if role is not Role.SYSTEM)


@dataclass(frozen=True, slots=True)
class LocalKeys:
    """The signing key of one stack. `environment` holds the settings that make the API trust it."""

    private_key: ec.EllipticCurvePrivateKey
    key_id: str
    environment: Mapping[str, str]

    def token(
        self,
        role: Role,
        *,
        subject: str,
        issuer: str,
        audience: str,
        now: datetime,
        lifetime: timedelta = timedelta(days=30),
        customer: str | None = None,
        supplier: str | None = None,
    ) -> str:
        """A signed bearer token: claims sub, role, iss, aud, iat, exp, and the code of the customer or supplier."""
        claims: dict[str, Any] = {
            "sub": subject,
            "role": role.value,
            "iss": issuer,
            "aud": audience,
            "iat": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
        }
        if customer is not None:
            claims["customer"] = customer
        if supplier is not None:
            claims["supplier"] = supplier
        return jwt.encode(claims, self.private_key, algorithm=ALGORITHM, headers={"kid": self.key_id})


def local_keys(data_dir: Path, environment: str) -> LocalKeys:
    """The keys of this data folder, made at first use.

    Development signs with `local_key.pem`, which the API reads as well. Production has a key pair of its own; the API
    sees only its public half, in the JWKS file.
    """
    if environment == "production":
        key = _private_key(data_dir / "production_key.pem")
        published = data_dir / "jwks.json"
        key_id = _key_id(key)
        entry = {**json.loads(ECAlgorithm.to_jwk(key.public_key())), "kid": key_id, "use": "sig", "alg": ALGORITHM}
        write_whole(published, json.dumps({"keys": [entry]}, indent=2) + "\n", 0o644)
        trusted = {"JWKS_FILE": str(published)}
    else:
        key = _private_key(data_dir / "local_key.pem")
        key_id = _key_id(key)
        trusted = {"LOCAL_KEY_FILE": str(data_dir / "local_key.pem")}
    return LocalKeys(key, key_id, {**trusted, **_secrets(data_dir / "secrets.json")})


def stored_secrets(path: Path) -> dict[str, str]:
    """The secrets that a stack drew for its data folder; empty before its first start.

    Raises ConfigurationError when the file is damaged or belongs to somebody else.
    """
    try:
        return {str(key): str(value) for key, value in json.loads(path.read_text(encoding="utf-8")).items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, AttributeError) as error:
        raise ConfigurationError(
            f"{path} is damaged; restore it from a backup: without it, earlier seals cannot be verified."
        ) from error


def utc_now() -> datetime:
    """Wall time: tokens are checked against it, also in a stack with a simulated clock."""
    return datetime.now(UTC)


def _private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        fresh = ec.generate_private_key(ec.SECP256R1())
        pem = fresh.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_whole(path, pem.decode(), 0o600)
        return fresh
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise ConfigurationError(f"{path} holds no readable private key; remove it to have a new one made.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigurationError(f"{path} holds no elliptic-curve key; remove it to have a new one made.")
    return key


def _key_id(key: ec.EllipticCurvePrivateKey) -> str:
    public = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    return public.hex()[2:18]


def _secrets(path: Path) -> dict[str, str]:
    """Secrets of a stack: drawn once, kept for as long as the data folder, so that seals stay provable."""
    stored = stored_secrets(path)
    missing = {name: secrets.token_hex(32) for name in SECRETS if name not in stored}
    if missing:
        write_whole(path, json.dumps(stored | missing) + "\n", 0o600)
    return stored | missing


def write_whole(path: Path, text: str, mode: int) -> None:
    """Write a file at once: a reader sees the old text or the new one."""
    unfinished = path.with_suffix(path.suffix + ".tmp")
    with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)
