"""Register who is told of events by HTTP, change it, renew its signing secret, take it away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.access import Role
from core.domain.webhook_address import check_webhook_url
from core.domain.webhook_message import FACTS, TOPICS_OF
from core.domain.webhook_states import WebhookState
from core.errors import Forbidden, InvalidInput, NotFound, UnknownSku, VersionConflict
from core.ports import Transaction
from core.repositories import webhooks
from core.services.webhook_secrets import new_secret, seal_secret

MAX_PER_OWNER = 10
"""Webhooks of one customer or supplier; the company itself may have MAX_OF_COMPANY."""
MAX_OF_COMPANY = 100
MAX_SKUS = 1_000
MAX_DESCRIPTION = 200
MAX_GRACE_HOURS = 168


@dataclass(frozen=True, slots=True)
class Rules:
    """What the process decides: the key that secrets are kept under, and whether loopback may be named."""

    key: str
    allow_loopback: bool = False


@dataclass(frozen=True, slots=True)
class CreateWebhook:
    """`customer` or `supplier` (codes) bind a webhook of the company to one party's events."""

    url: str
    topics: Sequence[str]
    description: str = ""
    skus: Sequence[str] | None = None
    customer: str | None = None
    supplier: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeWebhook:
    """None leaves a value as it is; an empty `skus` tells of all of them."""

    webhook_id: int
    url: str | None = None
    topics: Sequence[str] | None = None
    description: str | None = None
    skus: Sequence[str] | None = None
    state: WebhookState | None = None
    expected_version: int | None = None


async def create_webhook(uow: Transaction, request: CreateWebhook, rules: Rules) -> tuple[int, bytes]:
    """Register it; its id and its secret, which is never shown again.

    Raises InvalidInput, NotFound, UnknownSku, Forbidden for a topic that is not the caller's, and DomainError when no key is set.
    """
    customer_id, supplier_id = await _owner(uow, request)
    check_webhook_url(request.url, rules.allow_loopback)
    topics = _topics(request.topics, _reader(uow, customer_id, supplier_id))
    limit = MAX_OF_COMPANY if customer_id is None and supplier_id is None else MAX_PER_OWNER
    if await webhooks.count_webhooks(uow, customer_id, supplier_id) >= limit:
        raise InvalidInput(f"There are {limit} webhooks already; change or delete one.", field="url")
    webhook_id = await webhooks.insert_webhook(
        uow,
        {
            "url": request.url,
            "description": _description(request.description),
            "topics": topics,
            "sku_ids": await _sku_ids(uow, request.skus),
            "customer_id": customer_id,
            "supplier_id": supplier_id,
        },
    )
    secret = new_secret()
    await webhooks.insert_secret(uow, webhook_id, seal_secret(secret, webhook_id, rules.key))
    uow.audit("webhookCreate", f"webhook:{webhook_id}", None, {"url": request.url, "topics": topics})
    return webhook_id, secret


async def change_webhook(uow: Transaction, request: ChangeWebhook, rules: Rules) -> int:
    """Change it; its version. What waits is delivered to the new address; ACTIVE again goes on where it stopped.

    Raises NotFound, VersionConflict, InvalidInput, UnknownSku, Forbidden.
    """
    row = await must_own(uow, request.webhook_id)
    if request.expected_version is not None and request.expected_version != row["version"]:
        raise VersionConflict("webhook", str(request.webhook_id), request.expected_version, row["version"])
    after = {name: row[name] for name in ("url", "description", "topics", "sku_ids", "state")}
    if request.url is not None:
        check_webhook_url(request.url, rules.allow_loopback)
        after["url"] = request.url
    if request.topics is not None:
        after["topics"] = _topics(request.topics, _reader(uow, row["customer_id"], row["supplier_id"]))
    if request.description is not None:
        after["description"] = _description(request.description)
    if request.skus is not None:
        after["sku_ids"] = await _sku_ids(uow, request.skus or None)
    if request.state is WebhookState.DISABLED:
        raise InvalidInput("Pause a webhook, or delete it.", path=("input", "state"), field="state", value="DISABLED")
    if request.state is not None:
        after["state"] = str(request.state)
    version = await webhooks.update_webhook(uow, request.webhook_id, after)
    before = {name: row[name] for name in ("url", "topics", "state")}
    told = {name: after[name] for name in ("url", "topics", "state")}
    uow.audit("webhookChange", f"webhook:{request.webhook_id}", before, told)
    return version


async def rotate_webhook_secret(uow: Transaction, webhook_id: int, grace_hours: int, rules: Rules) -> bytes:
    """A new secret; the old one signs beside it for `grace_hours` (0..168). Raises NotFound, InvalidInput."""
    if not 0 <= grace_hours <= MAX_GRACE_HOURS:
        raise InvalidInput(
            f"The old secret stays valid for 0 to {MAX_GRACE_HOURS} hours.",
            path=("input", "graceHours"),
            field="graceHours",
            value=grace_hours,
        )
    await must_own(uow, webhook_id)
    secret = new_secret()
    await webhooks.expire_secrets(uow, webhook_id, grace_hours * 3_600)
    await webhooks.insert_secret(uow, webhook_id, seal_secret(secret, webhook_id, rules.key))
    await webhooks.raise_version(uow, webhook_id)
    uow.audit("webhookSecretRotate", f"webhook:{webhook_id}", None, {"graceHours": grace_hours})
    return secret


async def remove_webhook(uow: Transaction, webhook_id: int) -> None:
    """Take it away with its log; what waited is not delivered. Raises NotFound."""
    row = await must_own(uow, webhook_id)
    await webhooks.delete_webhook(uow, webhook_id)
    uow.audit("webhookDelete", f"webhook:{webhook_id}", {"url": row["url"], "topics": row["topics"]}, None)


async def must_own(uow: Transaction, webhook_id: int) -> Any:
    """The row, locked. Raises NotFound for one of another owner too."""
    row = await webhooks.lock_webhook(uow, webhook_id)
    caller = uow.principal
    is_mine = row is not None and (
        not caller.is_row_scoped
        or (caller.role is Role.CUSTOMER and row["customer_id"] == caller.customer_id is not None)
        or (caller.role is Role.SUPPLIER and row["supplier_id"] == caller.supplier_id is not None)
    )
    if not is_mine:
        raise NotFound("webhook", str(webhook_id), path=("input", "id"))
    return row


async def _owner(uow: Transaction, request: CreateWebhook) -> tuple[int | None, int | None]:
    """Customer and supplier that the webhook belongs to; a bound caller's are its own, whatever it asks for."""
    caller = uow.principal
    if caller.is_row_scoped:
        if request.customer is not None or request.supplier is not None:
            raise Forbidden("Your webhooks are told of your own events; name no customer or supplier.")
        if caller.customer_id is None and caller.supplier_id is None:
            raise Forbidden("This credential is bound to nobody.")
        return caller.customer_id, caller.supplier_id
    if request.customer is not None and request.supplier is not None:
        raise InvalidInput("Name a customer or a supplier, not both.", path=("input", "supplier"), field="supplier")
    found: dict[str, int | None] = {}
    for table, code in (("customer", request.customer), ("supplier", request.supplier)):
        found[table] = await uow.sql.fetchval(f"select id from {table} where code = $1", code)
        if code is not None and found[table] is None:
            raise NotFound(table, code, path=("input", table))
    return found["customer"], found["supplier"]


def _reader(uow: Transaction, customer_id: int | None, supplier_id: int | None) -> Role:
    if customer_id is not None:
        return Role.CUSTOMER
    return Role.SUPPLIER if supplier_id is not None else Role.ADMIN


def _topics(wanted: Sequence[str], reader: Role) -> list[str]:
    topics = list(dict.fromkeys(wanted))
    if not topics:
        raise InvalidInput("Name at least one topic.", path=("input", "topics"), field="topics")
    for topic in topics:
        if topic not in FACTS:
            raise InvalidInput("There is no such topic.", path=("input", "topics"), field="topics", value=topic)
        if topic not in TOPICS_OF[reader]:
            raise Forbidden(f"A {reader.value.lower()} is not told of {topic} events.", path=("input", "topics"))
    return topics


def _description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION:
        raise InvalidInput(f"At most {MAX_DESCRIPTION} characters.", path=("input", "description"), field="description")
    return text


async def _sku_ids(uow: Transaction, codes: Sequence[str] | None) -> list[int] | None:
    if not codes:
        return None
    if len(codes) > MAX_SKUS:
        raise InvalidInput(f"At most {MAX_SKUS} SKUs; leave them out for all.", path=("input", "skus"), field="skus")
    rows = await uow.sql.fetch("select id, code from sku where code = any($1::text[])", list(codes))
    known = {row["code"]: row["id"] for row in rows}
    for code in codes:
        if code not in known:
            raise UnknownSku(code, path=("input", "skus"))
    return sorted(known.values())
