"""What kits are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from core.ports import Transaction


async def kit_parts(uow: Transaction, sku_ids: Iterable[int]) -> dict[int, list[tuple[int, str, int]]]:
    """(component id, its code, units per kit) by kit, in the order of the codes; SKUs that are no kits are absent."""
    found: dict[int, list[tuple[int, str, int]]] = defaultdict(list)
    for row in await uow.sql.fetch(
        """select x.kit_sku_id, x.component_sku_id, k.code, x.quantity from kit_component x
        join sku k on k.id = x.component_sku_id where x.kit_sku_id = any($1::bigint[]) order by k.code""",
        sorted(set(sku_ids)),
    ):
        found[row["kit_sku_id"]].append((row["component_sku_id"], row["code"], row["quantity"]))
    return dict(found)


async def is_component(uow: Transaction, sku_id: int) -> bool:
    """Does the SKU go into a kit."""
    return await uow.sql.fetchval("select exists (select from kit_component where component_sku_id = $1)", sku_id)


async def bounds_of(uow: Transaction, sku_id: int) -> list[str]:
    """What bounds or describes units of the SKU by itself, in words: nothing of it could bind a kit."""
    row = await uow.sql.fetchrow(
        """select status = 'PREORDER' as "release day",
            exists (select from quota where sku_id = $1 and (until_day is null or until_day >= $2::date)) as "quota",
            exists (select from protected_stock where sku_id = $1 and quantity > 0) as "protected stock",
            tracks_lots or tracks_serials as "lots or serial numbers" from sku where id = $1""",
        sku_id,
        uow.now.date(),
    )
    return [name for name, is_there in row.items() if is_there]


async def write_parts(uow: Transaction, kit_id: int, parts: dict[int, int]) -> None:
    """Make the kit of these units by component id; the gates of all, old and new, are held."""
    await uow.sql.execute(
        "delete from kit_component where kit_sku_id = $1 and not component_sku_id = any($2::bigint[])",
        kit_id,
        list(parts),
    )
    await uow.sql.execute(
        """insert into kit_component (kit_sku_id, component_sku_id, quantity, created_at, updated_at)
        select $1, u.id, u.units, $4, $4 from unnest($2::bigint[], $3::int[]) as u(id, units)
        on conflict (kit_sku_id, component_sku_id) do update set quantity = excluded.quantity,
            updated_at = excluded.updated_at""",
        kit_id,
        list(parts),
        list(parts.values()),
        uow.now,
    )
