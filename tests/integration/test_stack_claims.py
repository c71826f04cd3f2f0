"""What a stack claims before it starts: its folder, its port, its keys; and what it says when it cannot."""

from __future__ import annotations

import os
import socket
import stat
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest

from core.domain.access import Role
from core.errors import ConfigurationError
from workers.commands.claims import FolderInUse, PortInUse, StackError, claim_folder, claim_port, note_owner
from workers.commands.local_keys import local_keys
from workers.commands.migrate import newest_revisions
from workers.commands.stack import Stack

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def test_a_folder_is_held_by_one_and_free_again_after_it(tmp_path: Path) -> None:
    held = claim_folder(tmp_path)
    note_owner(held, "http://127.0.0.1:8000")
    with pytest.raises(FolderInUse) as refusal:
        claim_folder(tmp_path)
    assert refusal.value.exit_code == 3
    assert str(refusal.value) == (
        f"The data folder {tmp_path} is in use by another stack (pid {os.getpid()} at http://127.0.0.1:8000); "
        "stop that one, or choose another folder with --data."
    )
    os.close(held)
    os.close(claim_folder(tmp_path))


def test_a_port_is_held_by_one() -> None:
    with claim_port("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortInUse, match=f"^Port {port} on 127.0.0.1 is in use"):
            claim_port("127.0.0.1", port)
    claim_port("127.0.0.1", port).close()
    with pytest.raises(StackError, match="is no address of this machine"):
        claim_port("no.such.host.invalid", 1)


def test_accepted_connections_send_at_once() -> None:
    with claim_port("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    first, again = local_keys(tmp_path, "development"), local_keys(tmp_path, "development")
    assert again.key_id == first.key_id
    assert again.environment == first.environment
    assert sorted(first.environment) == ["API_KEY_PEPPER", "LOCAL_KEY_FILE", "SEAL_KEY", "WEBHOOK_KEY"]
    for name in ("local_key.pem", "secrets.json"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    production = local_keys(tmp_path, "production")
    assert production.key_id != first.key_id
    assert sorted(production.environment) == ["API_KEY_PEPPER", "JWKS_FILE", "SEAL_KEY", "WEBHOOK_KEY"]


def test_a_token_says_who_and_for_whom(tmp_path: Path) -> None:
    keys = local_keys(tmp_path, "development")
    token = keys.token(Role.SUPPLIER, subject="supplier:S1", issuer="us", audience="api", now=NOW, supplier="S1")
    claims = jwt.decode(
        token, keys.private_key.public_key(), ["ES256"], audience="api", issuer="us", options={"verify_exp": False}
    )
    assert claims == {
        "sub": "supplier:S1",
        "role": "SUPPLIER",
        "supplier": "S1",
        "iss": "us",
        "aud": "api",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 30 * 86_400,
    }


def test_damaged_secrets_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(ConfigurationError, match="is damaged; restore it from a backup"):
        local_keys(tmp_path, "development")


def test_the_newest_revision_is_read_without_running_a_script(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('revision: str = "one"\ndown_revision: str | None = None\n')
    (tmp_path / "b.py").write_text('revision = "two"\ndown_revision = "one"\nraise SystemExit\n')
    assert newest_revisions(tmp_path) == {"two"}
    assert len(newest_revisions()) == 1


@pytest.mark.anyio
async def test_in_production_only_a_production_stack_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV", "production")
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/live")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    stack = Stack(tmp_path / "data", 0)
    with pytest.raises(StackError, match=r"^ENV is production"):
        await stack.start()
    assert list(tmp_path.iterdir()) == []
