"""Credentials: which tokens and keys are accepted, whose rows they open, and how often keys are fetched."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from api.context import Context
from api.permissions import AuthenticationFailed, Authenticator, authentication
from api.permissions.tokens import MAX_FETCHES, MIN_RETRY, TokenVerifier
from core.database import Database
from core.domain.access import Role
from core.domain.api_keys import new_api_key
from core.errors import IllegalTransition, InvalidInput, NotFound
from core.services.manage_api_keys import KeyRequest, create_api_key, revoke_api_keys, rotate_api_key
from core.settings import Settings
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.api_under_test import Keys, add_events

pytestmark = pytest.mark.anyio


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "key.pem")


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await connection.execute("insert into customer (code) values ('C1'), ('C2')")
    await connection.execute("insert into supplier (code, name) values ('S1', 'One')")
    yield connection
    await connection.close()


@pytest.fixture
async def database(database_url: str, sql: Any) -> AsyncIterator[Database]:
    async with Database(Settings(env="test", database_url=database_url, pool_size=2)) as opened:
        yield opened


@pytest.fixture
def authenticator(database: Database, keys: Keys) -> Authenticator:
    settings = Settings(env="test", local_key_file=keys.path, api_key_pepper="pepper")  # type: ignore[arg-type]
    return Authenticator(database, settings)


async def test_claims_become_a_principal(authenticator: Authenticator, keys: Keys, sql: Any) -> None:
    customer = await authenticator.authenticate(f"Bearer {keys.token('CUSTOMER', customer='C2')}")
    assert customer is not None
    assert (customer.id, customer.role) == ("tester", Role.CUSTOMER)
    assert customer.customer_id == await sql.fetchval("select id from customer where code = 'C2'")
    supplier = await authenticator.authenticate(f"bearer {keys.token('SUPPLIER', supplier='S1')}")
    assert supplier is not None
    assert supplier.supplier_id == await sql.fetchval("select id from supplier where code = 'S1'")
    assert await authenticator.authenticate(None) is None


async def test_bad_tokens_are_refused(authenticator: Authenticator, keys: Keys) -> None:
    good = keys.token()
    head, body, signature = good.split(".")
    other = ec.generate_private_key(ec.SECP256R1())
    bad = [
        keys.token(seconds=-60),
        keys.token(exp=None),
        keys.token(iss=None),
        keys.token(aud=None),
        keys.token(iss="somebody"),
        keys.token(aud="elsewhere"),
        keys.token("SYSTEM"),
        keys.token("NOBODY"),
        keys.token("CUSTOMER"),
        keys.token("CUSTOMER", customer="C9"),
        keys.token(key=other),
        keys.token(key="x" * 32, alg="HS256"),
        jwt.encode({"sub": "a", "role": "ADMIN"}, None, algorithm="none"),
        f"{head}.{body[:-2]}AA.{signature}",
        keys.token(sub=""),
        keys.token(sub="a\ud800"),
        keys.token(sub="x" * 300),
        keys.token("CUSTOMER", customer="C1\0"),
        "x.y.z",
        "nonsense",
        "bmk_a_b",
    ]
    for token in bad:
        with pytest.raises(AuthenticationFailed):
            await authenticator.authenticate(f"Bearer {token}")
    for header in ("Basic abc", "Bearer", "Bearer ", good):
        with pytest.raises(AuthenticationFailed):
            await authenticator.authenticate(header)


async def test_a_token_may_end_beyond_the_calendar(authenticator: Authenticator, keys: Keys) -> None:
    for end in (253_402_300_800, 10**18, 10**400):
        caller = await authenticator.authenticate(f"Bearer {keys.token(exp=end)}")
        assert caller is not None
        assert caller.expires_at == datetime.max.replace(tzinfo=UTC)


async def test_api_keys_are_hashed_scoped_and_end(authenticator: Authenticator, sql: Any) -> None:
    key = new_api_key("pepper")
    await sql.execute(
        "insert into api_key (prefix, secret_hash, role, scope) values ($1, $2, 'STOREFRONT', '{\"publishable\": true}')",
        key.prefix,
        key.secret_hash,
    )
    principal = await authenticator.authenticate(f"Bearer {key.key}")
    assert principal is not None
    assert (principal.role, principal.is_publishable) == (Role.STOREFRONT, True)
    assert key.key.encode() not in await sql.fetchval("select secret_hash from api_key")
    for wrong in (key.key[:-1] + "z", key.key.replace(key.prefix, "000000000000")):
        with pytest.raises(AuthenticationFailed):
            await authenticator.authenticate(f"Bearer {wrong}")
    await sql.execute("update api_key set expires_at = now()")
    authenticator._keys.clear()
    with pytest.raises(AuthenticationFailed):
        await authenticator.authenticate(f"Bearer {key.key}")


async def test_a_key_is_replaced_while_it_is_used_and_both_are_one_caller(
    authenticator: Authenticator, database: Database, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "KEY_CACHE_SECONDS", 0.0)

    async def do(use_case: Any) -> Any:
        return await run_unit_of_work(database, use_case)

    async def works(key: str) -> bool:
        try:
            return await authenticator.authenticate(f"Bearer {key}") is not None
        except AuthenticationFailed:
            return False

    wanted = KeyRequest("shop", Role.CUSTOMER, customer="C1")
    first_id, first = await do(lambda uow: create_api_key(uow, wanted, "pepper"))
    with pytest.raises(IllegalTransition):
        await do(lambda uow: create_api_key(uow, wanted, "pepper"))
    _, second = await do(lambda uow: rotate_api_key(uow, "shop", timedelta(hours=1), "pepper"))
    old, new = [await authenticator.authenticate(f"Bearer {key.key}") for key in (first, second)]
    assert old is not None
    assert new is not None
    assert (old.id, old.customer_id, old.role) == (new.id, new.customer_id, new.role) == ("key:shop", 1, Role.CUSTOMER)
    assert old.credential_id != new.credential_id
    with pytest.raises(IllegalTransition):
        await do(lambda uow: rotate_api_key(uow, "shop", timedelta(hours=1), "pepper"))
    await sql.execute("update api_key set expires_at = now() where id = $1", first_id)
    assert [await works(first.key), await works(second.key)] == [False, True]
    assert len(await do(lambda uow: revoke_api_keys(uow, "shop"))) == 1
    assert not await works(second.key)
    for other in (KeyRequest("shop", Role.CUSTOMER, customer="C2"), KeyRequest("shop", Role.PLANNER)):
        with pytest.raises(InvalidInput):
            await do(lambda uow, other=other: create_api_key(uow, other, "pepper"))
    kept = json.dumps([dict(row) for row in await sql.fetch("select * from audit_entry")], default=str)
    assert [row["operation"] for row in await sql.fetch("select operation from audit_entry order by id")] == [
        "apiKeyCreate", "apiKeyRotate", "apiKeyRevoke",
    ]  # fmt: skip
    assert not any(key.key[-20:] in kept for key in (first, second))


async def test_the_last_use_of_a_key_is_written_once_a_minute_at_most(
    authenticator: Authenticator, database: Database, sql: Any
) -> None:
    wanted = KeyRequest("shop", Role.STOREFRONT)
    id, made = await run_unit_of_work(database, lambda uow: create_api_key(uow, wanted, "pepper"))

    async def used() -> Any:
        return await sql.fetchrow("select last_used_at, xmin::text from api_key where id = $1", id)

    for _ in range(100):
        await authenticator.authenticate(f"Bearer {made.key}")
    assert (await used())["last_used_at"] is None
    await authenticator.close()
    first = await used()
    assert first["last_used_at"] is not None
    await authenticator.authenticate(f"Bearer {made.key}")
    await authenticator.close()
    assert await used() == first


@pytest.mark.parametrize(
    "wrong",
    [
        KeyRequest("", Role.ADMIN),
        KeyRequest("n", Role.SYSTEM),
        KeyRequest("n", Role.CUSTOMER),
        KeyRequest("n", Role.PLANNER, customer="C1"),
        KeyRequest("n", Role.PLANNER, is_publishable=True),
        KeyRequest("n", Role.SUPPLIER, supplier="NOBODY"),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(database: Database, sql: Any, wrong: KeyRequest) -> None:
    with pytest.raises((InvalidInput, NotFound)):
        await run_unit_of_work(database, lambda uow: create_api_key(uow, wrong, "pepper"))
    assert await sql.fetchval("select count(*) from api_key") == 0


async def test_jwks_is_fetched_once_and_again_for_a_new_key_but_not_at_a_strangers_will(keys: Keys) -> None:
    fetched = 0
    entries = [{**json.loads(ECAlgorithm.to_jwk(keys.private.public_key())), "kid": "first"}]

    def answer(request: httpx2.Request) -> httpx2.Response:
        nonlocal fetched
        fetched += 1
        return httpx2.Response(200, json={"keys": entries})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        verifier = TokenVerifier(Settings(env="production", jwks_url="https://issuer.example/jwks"), client)

        def token(kid: str) -> str:
            claims = jwt.decode(keys.token(), options={"verify_signature": False})
            return jwt.encode(claims, keys.private, algorithm="ES256", headers={"kid": kid})

        for _ in range(3):
            assert (await verifier.verify(token("first")))["sub"] == "tester"
        assert fetched == 1
        for number in range(20):
            with pytest.raises(jwt.InvalidTokenError):
                await verifier.verify(token(f"invented-{number}"))
        assert fetched == 1
        entries.append({**entries[0], "kid": "second"})
        verifier._tries[-1] -= MIN_RETRY
        assert (await verifier.verify(token("second")))["sub"] == "tester"
        assert fetched == 2
        for number in range(20):
            verifier._tries[-1] -= MIN_RETRY
            with pytest.raises(jwt.InvalidTokenError):
                await verifier.verify(token(f"invented-{number}"))
        assert fetched == MAX_FETCHES


async def test_an_issuer_that_is_away_is_not_asked_for_every_token(keys: Keys) -> None:
    fetched = 0

    def answer(request: httpx2.Request) -> httpx2.Response:
        nonlocal fetched
        fetched += 1
        return httpx2.Response(503)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        verifier = TokenVerifier(Settings(env="production", jwks_url="https://issuer.example/jwks"), client)
        for _ in range(20):
            with pytest.raises(jwt.InvalidTokenError):
                await verifier.verify(keys.token())
        assert fetched == 1
        verifier._tries[-1] -= MIN_RETRY
        with pytest.raises(jwt.InvalidTokenError):
            await verifier.verify(keys.token())
        assert fetched == 2


async def test_keys_of_other_kinds_beside_ours_and_a_slow_issuer_hold_nobody_up(keys: Keys) -> None:
    others = ec.generate_private_key(ec.SECP384R1()).public_key()
    entries = [
        {**json.loads(ECAlgorithm.to_jwk(others)), "kid": "p384"},
        {"kty": "EC", "crv": "P-256", "kid": "broken", "x": 7, "y": "AA"},
        {**json.loads(ECAlgorithm.to_jwk(keys.private.public_key())), "kid": "ours"},
    ]
    is_hanging = asyncio.Event()

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if is_hanging.is_set():
            await asyncio.sleep(60)
        return httpx2.Response(200, json={"keys": entries})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        verifier = TokenVerifier(Settings(env="production", jwks_url="https://issuer.example/jwks"), client)
        claims = jwt.decode(keys.token(), options={"verify_signature": False})
        token = jwt.encode(claims, keys.private, algorithm="ES256", headers={"kid": "ours"})
        assert (await verifier.verify(token))["sub"] == "tester"
        is_hanging.set()
        verifier._fetched_at = float("-inf")
        verifier._tries.clear()
        async with asyncio.timeout(30):
            assert (await verifier.verify(token))["sub"] == "tester"
        assert verifier._renewal is not None
        verifier._renewal.cancel()


async def test_customers_read_under_row_level_security(
    authenticator: Authenticator, database: Database, keys: Keys, sql: Any
) -> None:
    await sql.execute("insert into relay default values on conflict do nothing")
    first, second = [row["id"] for row in await sql.fetch("select id from customer order by code")]
    for customer in (first, second, first, None):
        await add_events(sql, 1, customer_id=customer)

    async def seen(**claims: str) -> list[int]:
        caller = await authenticator.authenticate(f"Bearer {keys.token(**claims)}")
        async with Context(database, Settings(env="test"), caller).read() as connection:
            return [row["position"] for row in await connection.fetch("select position from event order by 1")]

    assert await seen(role="CUSTOMER", customer="C1") == [1, 3]
    assert await seen(role="CUSTOMER", customer="C2") == [2]
    assert await seen(role="SUPPLIER", supplier="S1") == []
    assert await seen(role="PLANNER") == [1, 2, 3, 4]
    async with database.app.acquire() as connection:
        assert await connection.fetchval("select count(*) from event") == 0
