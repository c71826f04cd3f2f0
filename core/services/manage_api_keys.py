"""API keys of machines: make one, replace one while it is used, end one, list them; only hashes are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.domain.access import Role
from core.domain.api_keys import NewApiKey, new_api_key
from core.errors import IllegalTransition, InvalidInput, NotFound
from core.ports import Transaction
from core.queries import api_keys as shown
from core.repositories import api_keys

MAX_OVERLAP = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A key for a machine; CUSTOMER and SUPPLIER keys are bound to one by code, publishable ones read availability."""

    name: str
    role: Role
    customer: str | None = None
    supplier: str | None = None
    is_publishable: bool = False
    expires_at: datetime | None = None


def _check(request: KeyRequest) -> None:
    if not request.name.strip() or len(request.name) > 100:
        raise InvalidInput("A key needs a name of 1 to 100 characters.", path=("input", "name"))
    if request.role is Role.SYSTEM:
        raise InvalidInput("No key carries the role SYSTEM.", path=("input", "role"))
    for role, code, word in (
        (Role.CUSTOMER, request.customer, "customer"),
        (Role.SUPPLIER, request.supplier, "supplier"),
    ):
        if (request.role is role) != (code is not None):
            raise InvalidInput(
                f"The code of a {word} goes with the role {role} and only with it.", path=("input", word)
            )
    if request.is_publishable and request.role is not Role.STOREFRONT:
        raise InvalidInput("Only a STOREFRONT key can be publishable.", path=("input", "isPublishable"))


async def create_api_key(uow: Transaction, request: KeyRequest, pepper: str) -> tuple[int, NewApiKey]:
    """A new key under a name that no live key has; its id, and the key itself, which is never shown again.

    What a caller did (its idempotency keys among it) is kept under the name, so a name stays with its first owner.
    Raises InvalidInput (a name that was another's among it), NotFound for an unknown customer or supplier,
    IllegalTransition for a name in use.
    """
    _check(request)
    if request.expires_at is not None and await api_keys.is_past(uow, request.expires_at):
        raise InvalidInput("A key ends in the future, or never.", path=("input", "expiresAt"))
    if await api_keys.live_ids(uow, request.name):
        raise IllegalTransition("API key", request.name, "LIVE", "CREATED")
    party = {}
    for word, code in (("customer", request.customer), ("supplier", request.supplier)):
        party[word] = None if code is None else await api_keys.party_id(uow, word, code)
        if code is not None and party[word] is None:
            raise NotFound(word, code)
    if await api_keys.is_of_others(uow, request.name, request.role, party["customer"], party["supplier"]):
        raise InvalidInput("This name belonged to a key of somebody else: take another.", path=("input", "name"))
    scope = ["publishable"] if request.is_publishable else []
    made = new_api_key(pepper)
    id = await api_keys.add(
        uow, made, request.name, request.role, scope, party["customer"], party["supplier"], request.expires_at
    )
    uow.audit("apiKeyCreate", f"api_key:{id}", None, {"name": request.name, "role": request.role.value, "scope": scope})
    return id, made


async def rotate_api_key(uow: Transaction, name: str, overlap: timedelta, pepper: str) -> tuple[int, NewApiKey]:
    """A second key with the rights of the first, which ends after `overlap`: both act as the same caller.

    Raises NotFound without a live key of this name, IllegalTransition while two are live already, InvalidInput.
    """
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise InvalidInput("The old key goes on for 0 to 720 hours.", path=("input", "overlapHours"))
    live = await api_keys.live_ids(uow, name)
    if not live:
        raise NotFound("API key", name)
    if len(live) > 1:
        raise IllegalTransition("API key", name, "BEING_REPLACED", "BEING_REPLACED")
    made = new_api_key(pepper)
    id = await api_keys.copy(uow, live[0], made)
    await api_keys.end_in(uow, live, overlap)
    uow.audit(
        "apiKeyRotate", f"api_key:{id}", {"id": live[0]}, {"name": name, "overlapSeconds": overlap.total_seconds()}
    )
    return id, made


async def revoke_api_keys(uow: Transaction, name: str, prefix: str | None = None) -> list[int]:
    """End all live keys of a name (or the one with this prefix) now; their ids. Their streams end within 5 s.

    Raises NotFound when there is none.
    """
    ended = await api_keys.revoke(uow, name, prefix)
    if not ended:
        raise NotFound("API key", prefix or name)
    for id in ended:
        uow.audit("apiKeyRevoke", f"api_key:{id}", None, {"name": name})
    return ended


async def list_api_keys(uow: Transaction) -> list[dict[str, Any]]:
    """All keys that are not long over, without anything secret."""
    return await shown.api_keys(uow.sql)
