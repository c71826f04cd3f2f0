"""Put messages to customers in line; they are rendered and sent later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.ports import Transaction


@dataclass(frozen=True, slots=True)
class NoticeDraft:
    """One message; `facts` are those its template names, without those of the SKU, which are added from `sku_id`."""

    customer_id: int | None
    order_id: int
    template: str
    dedupe_key: str
    sku_id: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


async def put_notices(uow: Transaction, drafts: Sequence[NoticeDraft]) -> None:
    """Write the drafts that have a customer, each once by its `dedupe_key`, in the customer's language."""
    rows = [draft for draft in drafts if draft.customer_id is not None]
    if not rows:
        return
    await uow.sql.execute(
        """insert into notice (customer_id, order_id, sku_id, template, language, facts, dedupe_key, created_at)
        select u.customer_id, u.order_id, u.sku_id, u.template, c.language,
            jsonb_build_object('sku', k.code, 'skuName', k.name) || u.facts, u.dedupe_key, $7
        from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::jsonb[], $6::text[])
            as u(customer_id, order_id, sku_id, template, facts, dedupe_key)
        join customer c on c.id = u.customer_id left join sku k on k.id = u.sku_id
        on conflict (dedupe_key) do nothing""",
        [row.customer_id for row in rows],
        [row.order_id for row in rows],
        [row.sku_id for row in rows],
        [row.template for row in rows],
        [row.facts for row in rows],
        [row.dedupe_key for row in rows],
        uow.now,
    )
