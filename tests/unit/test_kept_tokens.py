"""A token that was verified once is not believed for longer than it lasts; invented key ids hammer no issuer."""

import time
from pathlib import Path
from types import SimpleNamespace

import jwt
import pytest

from api.permissions import tokens
from api.permissions.tokens import MAX_FETCHES, TokenVerifier
from core.settings import Settings
from tests.graphql_api.api_under_test import Keys

pytestmark = pytest.mark.anyio


async def test_a_verified_token_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys(tmp_path / "key.pem")
    verifier, token = TokenVerifier(Settings(env="test", local_key_file=keys.path)), keys.token(seconds=60)
    assert await verifier.verify(token) is await verifier.verify(token)
    later = SimpleNamespace(time=lambda: time.time() + 100, monotonic=time.monotonic)
    monkeypatch.setattr(tokens, "time", later)
    monkeypatch.setattr(tokens, "LEEWAY", -100)
    with pytest.raises(jwt.ExpiredSignatureError):
        await verifier.verify(token)


async def test_known_keys_are_not_looked_for_without_end(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "key.pem")
    verifier = TokenVerifier(Settings(env="test", local_key_file=keys.path))
    await verifier.verify(keys.token())
    verifier._tries.extend([time.monotonic() - 2 * tokens.MIN_RETRY] * MAX_FETCHES)
    assert verifier._renew() is None
    verifier._tries.extend([time.monotonic() - tokens.FETCH_WINDOW] * MAX_FETCHES)
    renewal = verifier._renew()
    assert renewal is not None
    await renewal
