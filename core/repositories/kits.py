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
