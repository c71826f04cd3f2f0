"""API keys of machines: list, make, replace, end."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from strawberry import Info, argument

from api.context import Context
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.schema.api_key import (
    ApiKey,
    ApiKeyCreateInput,
    ApiKeyPayload,
    ApiKeyRevokeInput,
    ApiKeyRevokePayload,
    ApiKeyRotateInput,
)
from core.domain.api_keys import NewApiKey
from core.queries import api_keys
from core.services import manage_api_keys as manage
from core.unit_of_work import UnitOfWork


async def api_key_list(info: Info) -> list[ApiKey]:
    """Keys that are live or ended within a month, by name."""
    async with info.context.read() as sql:
        return [ApiKey.of(row) for row in await api_keys.api_keys(sql)]


def _pepper(context: Context) -> str:
    return context.settings.api_key_pepper.get_secret_value()


async def api_key_create(
    info: Info,
    input: Annotated[ApiKeyCreateInput, argument(description="For whom, and what it may do.")],
    idempotency_key: IdempotencyKey,
) -> ApiKeyPayload:
    """Make a key; it is in this answer and nowhere else."""
    context: Context = info.context
    wanted = manage.KeyRequest(
        input.name, input.role, input.customer, input.supplier, input.is_publishable, input.expires_at
    )
    told: list[NewApiKey] = []

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        id, made = await manage.create_api_key(uow, wanted, _pepper(context))
        told[:] = [made]
        return {"apiKeyId": id}

    return await _answer(context, "apiKeyCreate", input, idempotency_key, use_case, told)


async def api_key_rotate(
    info: Info,
    input: Annotated[ApiKeyRotateInput, argument(description="Whose key, and how long the old one goes on.")],
    idempotency_key: IdempotencyKey,
) -> ApiKeyPayload:
    """Make a second key with the same rights; the old one ends after the overlap."""
    context: Context = info.context
    told: list[NewApiKey] = []

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        overlap = timedelta(hours=input.overlap_hours)
        id, made = await manage.rotate_api_key(uow, input.name, overlap, _pepper(context))
        told[:] = [made]
        return {"apiKeyId": id}

    return await _answer(context, "apiKeyRotate", input, idempotency_key, use_case, told)


async def _answer(
    context: Context, operation: str, input: Any, key: str, use_case: Any, told: list[NewApiKey]
) -> ApiKeyPayload:
    done = await run_mutation(context, operation, input, key, use_case)
    if "apiKeyId" not in done.result:
        return ApiKeyPayload(user_errors=done.errors)
    async with context.read() as sql:
        rows = await api_keys.api_keys(sql, [done.result["apiKeyId"]])
    shown = told[0].key if told else None
    return ApiKeyPayload(api_key=ApiKey.of(rows[0]) if rows else None, key=shown, user_errors=done.errors)


async def api_key_revoke(
    info: Info,
    input: Annotated[ApiKeyRevokeInput, argument(description="Which keys.")],
    idempotency_key: IdempotencyKey,
) -> ApiKeyRevokePayload:
    """End keys now."""
    context: Context = info.context

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"apiKeyIds": await manage.revoke_api_keys(uow, input.name, input.prefix)}

    done = await run_mutation(context, "apiKeyRevoke", input, idempotency_key, use_case)
    if "apiKeyIds" not in done.result:
        return ApiKeyRevokePayload(api_keys=[], user_errors=done.errors)
    async with context.read() as sql:
        rows = await api_keys.api_keys(sql, done.result["apiKeyIds"])
    return ApiKeyRevokePayload(api_keys=[ApiKey.of(row) for row in rows], user_errors=done.errors)
