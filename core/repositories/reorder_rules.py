"""Reorder rules of SKUs: planners' own, and those that stock targets apply in their place until planners want theirs back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.ports import Transaction

_STANDS = "(k.reorder_point, k.reorder_quantity) = (r.applied_point, r.applied_quantity)"
"""What the targets applied is still there: nobody has changed the SKU since."""


async def own_rules(uow: Transaction, sku_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """(reorder point, reorder quantity) that people set: what targets replaced, or what somebody set since."""
    rows = await uow.sql.fetch(
        f"""select k.id, case when {_STANDS} then r.own_point else k.reorder_point end as point,
            case when {_STANDS} then r.own_quantity else k.reorder_quantity end as quantity
        from sku k left join reorder_rule r on r.sku_id = k.id where k.id = any($1::bigint[])""",
        list(sku_ids),
    )
    return {row["id"]: (row["point"], row["quantity"]) for row in rows}


async def apply_rules(uow: Transaction, wanted: Mapping[int, tuple[int, int]]) -> int:
    """Give SKUs these reorder points and quantities and keep their own; returns how many changed.

    The SKUs are locked before their own rules are read: what a planner sets meanwhile is kept as theirs.
    """
    await _lock_skus(uow, "id = any($1::bigint[])", list(wanted))
    own = await own_rules(uow, list(wanted))
    ids = sorted(own)
    rows = await uow.sql.fetch(
        """with u as (select * from unnest($1::bigint[], $2::int[], $3::int[], $4::int[], $5::int[])
            as u(sku_id, own_point, own_quantity, point, quantity)),
        kept as (insert into reorder_rule as r (sku_id, own_point, own_quantity, applied_point, applied_quantity, taken_at)
            select sku_id, own_point, own_quantity, point, quantity, $6 from u
            on conflict (sku_id) do update set own_point = excluded.own_point, own_quantity = excluded.own_quantity,
                applied_point = excluded.applied_point, applied_quantity = excluded.applied_quantity)
        update sku k set reorder_point = u.point, reorder_quantity = u.quantity, updated_at = $6 from u
        where k.id = u.sku_id and (k.reorder_point, k.reorder_quantity) is distinct from (u.point, u.quantity)
        returning k.id""",
        ids,
        [own[sku_id][0] for sku_id in ids],
        [own[sku_id][1] for sku_id in ids],
        [wanted[sku_id][0] for sku_id in ids],
        [wanted[sku_id][1] for sku_id in ids],
        uow.now,
    )
    return len(rows)


async def give_back(uow: Transaction) -> int:
    """Give SKUs their planners' own rules again, but for those that somebody has changed since; returns how many."""
    ids = await _lock_skus(uow, "id in (select sku_id from reorder_rule)")
    rows = await uow.sql.fetch(
        f"""with r as (delete from reorder_rule where sku_id = any($2::bigint[]) returning *)
        update sku k set reorder_point = r.own_point, reorder_quantity = r.own_quantity, updated_at = $1
        from r where r.sku_id = k.id and {_STANDS} returning k.id""",
        uow.now,
        ids,
    )
    return len(rows)


async def _lock_skus(uow: Transaction, which: str, *arguments: Any) -> list[int]:
    """Lock SKUs in a statement of its own, so that the next one reads what the previous holder committed."""
    rows = await uow.sql.fetch(f"select id from sku where {which} order by id for no key update", *arguments)
    return [row["id"] for row in rows]
