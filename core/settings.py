"""The environment, read once into one frozen object."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Environment = Literal["development", "test", "production"]


class Settings(BaseSettings):
    """Twelve-factor settings: every field is an environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    env: Environment = "development"
    data_dir: Path = Path(".data")
    database_url: str = ""
    redis_url: str = ""
    simulated_clock: bool = False
    """True in a replay stack: "now" is the row of `simulation_clock`."""

    pool_size: int = Field(default=10, ge=1)
    """Connections per pool and process; a process holds up to two pools (system and app)."""
    lock_timeout_ms: int = 5_000

    jwks_url: str = ""
    jwks_file: Path | None = None
    local_key_file: Path | None = None
    """Private key (PEM, ES256) of a development stack; refused in production."""
    jwt_issuer: str = "backorder-manager"
    jwt_audience: str = "backorder-manager-api"
    api_key_pepper: SecretStr = SecretStr("")
    seal_key: SecretStr = SecretStr("")
    """HMAC key of the audit and promise seals; lives outside the database."""
    webhook_key: SecretStr = SecretStr("")
    """Key that signing secrets of webhooks are encrypted with; lives outside the database."""
    webhook_loopback: bool | None = None
    """May webhooks point to this very machine, by http too; None: yes in development and test. Never in production."""

    cors_origins: str = "http://localhost:3000,http://localhost:5173"
    """Comma-separated origins that browsers may call from."""
    introspection: bool | None = None
    """None: on in development and test, off in production."""

    trusted_documents: Path | None = None
    """JSON file of documents by id (an object of id and text); they are executed by `documentId`."""
    only_trusted_documents: bool = False
    """Execute nothing but trusted documents."""
    rate_limit: int | None = Field(default=None, ge=0)
    """Points per minute and credential: the static cost of its operations, 1 at least. 0: off; None: 3,000,000 in
    production, off elsewhere."""
    rate_limit_publishable: int | None = Field(default=None, ge=0)
    """The same for publishable keys, per address; None: 300,000 in production."""
    rate_limit_anonymous: int | None = Field(default=None, ge=0)
    """The same without a credential, per address; None: 6,000 in production."""
    max_connections: int = 20_000
    """WebSockets and event streams that one process serves at a time."""
    max_connections_per_key: int = 5_000
    """Of these, by one credential."""

    max_body_bytes: int = 1_000_000
    edi_max_bytes: int = 20_000_000
    event_retention_days: int = 30
    idempotency_retention_days: int = 30
    stream_name: str = "events"
    stream_length: int = 100_000
    job_prefix: str = "backorder"

    @property
    def edi_dir(self) -> Path:
        """Folder with one sub-folder per trading partner: in, out, archive, quarantine."""
        return self.data_dir / "edi"

    @property
    def seal_file(self) -> Path:
        """Where the head of every seal is appended, outside the database."""
        return self.data_dir / "seals.log"

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def allows_introspection(self) -> bool:
        return (not self.is_production) if self.introspection is None else self.introspection

    @property
    def allows_loopback_webhooks(self) -> bool:
        return not self.is_production and self.webhook_loopback is not False

    @property
    def allowed_origins(self) -> list[str]:
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]


@lru_cache
def load_settings() -> Settings:
    """The settings of this process."""
    return Settings()
