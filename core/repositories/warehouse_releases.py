"""Shipments that leave from a warehouse which a partner runs: who it is, what it has to ship, what it was told."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from core.events import JobRequest
from core.ports import Transaction

_RUN_BY_PARTNERS = """location l
join partner_guide g on g.guide ->> 'warehouse' = l.code and g.state = 'active'
join partner p on p.id = g.partner_id and p.is_active"""


async def ask_warehouses(uow: Transaction, shipment_ids: Collection[int]) -> None:
    """Ask for the releases of those shipments that leave from a partner's warehouse, after the commit: control numbers
    are drawn while no gate is held."""
    rows = await uow.sql.fetch(
        f"""select distinct s.id from shipment s join {_RUN_BY_PARTNERS} on l.id = s.location_id
        where s.id = any($1::bigint[]) order by s.id""",
        sorted(set(shipment_ids)),
    )
    for row in rows:
        uow.enqueue(JobRequest("send_warehouse_release", str(row["id"]), {"shipmentId": row["id"]}))


async def partner_of_location(uow: Transaction, location_id: int) -> str | None:
    """The code of the partner that runs this location; the first where a mistake made it several."""
    return await uow.sql.fetchval(
        f"select p.code from {_RUN_BY_PARTNERS} where l.id = $1 order by p.id limit 1", location_id
    )


async def lock_shipment(uow: Transaction, shipment_id: int) -> Any:
    """The shipment with its order and place, its row locked; None where there is none."""
    return await uow.sql.fetchrow(
        """select s.id, s.number, s.status, s.location_id, s.version, s.rest_of, s.planned_ship_date, s.carrier, o.number as order_number,
            o.external_number, o.ship_to, l.code as location, l.name as location_name, l.time_zone
        from shipment s join sales_order o on o.id = s.order_id join location l on l.id = s.location_id
        where s.id = $1 for no key update of s""",
        shipment_id,
    )


async def released_shipments(uow: Transaction, number: str) -> list[Any]:
    """The shipment that was released by this number with its place, then what became of its rest, oldest first."""
    return await uow.sql.fetch(
        """select s.id, s.number, s.status, s.advice, l.code as location, l.time_zone
        from shipment r join shipment s on s.order_id = r.order_id and (s.id = r.id or s.rest_of = r.id)
        join location l on l.id = s.location_id where r.number = $1 order by s.id""",
        number,
    )


async def note_advice(uow: Transaction, shipment_id: int, advice: str) -> None:
    """Keep by which advice a shipment left."""
    await uow.sql.execute("update shipment set advice = $2 where id = $1", shipment_id, advice)


async def release_rest(uow: Transaction, number: str) -> tuple[int, int | None] | None:
    """The shipment's id and that of the one whose rest it was: it is a shipment as others from now on; None without one."""
    row = await uow.sql.fetchrow("select id, rest_of from shipment where number = $1 for no key update", number)
    if row is not None and row["rest_of"] is not None:
        await uow.sql.execute("update shipment set rest_of = null, version = version + 1 where id = $1", row["id"])
    return None if row is None else (row["id"], row["rest_of"])


async def release_lines(uow: Transaction, shipment_id: int) -> list[Any]:
    """What is on the shipment, by line of the customer's order and lot."""
    return await uow.sql.fetch(
        """select x.line_number, k.code, k.gtin, k.unit, k.name, k.tracks_lots, t.code as lot,
            bool_or(x.kit_sku_id is not null) as is_kit, sum(i.quantity)::int as quantity
        from shipment_line i join order_line x on x.id = i.order_line_id and x.sku_id = i.sku_id
        join sku k on k.id = i.sku_id left join lot t on t.id = i.lot_id and t.sku_id = i.sku_id
        where i.shipment_id = $1 group by x.line_number, k.id, t.code order by x.line_number, t.code""",
        shipment_id,
    )


async def held_lots(uow: Transaction, shipment_id: int) -> list[Any]:
    """What the lines on the shipment hold of lots at its place, by line of the customer's order."""
    return await uow.sql.fetch(
        """select x.line_number, k.code, t.code as lot, sum(p.quantity)::int as quantity
        from shipment s join sku k on k.id in (select sku_id from shipment_line where shipment_id = s.id)
        join order_line x on x.sku_id = k.id and x.order_id = s.order_id
            and x.id in (select order_line_id from shipment_line where shipment_id = s.id)
        join peg p on p.sku_id = x.sku_id and p.order_line_id = x.id and p.location_id = s.location_id and p.kind = 'HARD'
        join lot t on t.sku_id = p.sku_id and t.id = p.lot_id
        where s.id = $1 group by x.line_number, k.code, t.code order by x.line_number, t.code""",
        shipment_id,
    )


async def releases_of(uow: Transaction, partner_id: int, shipment_number: str) -> list[Any]:
    """What this partner was sent about a shipment, newest first: bytes, state and file name."""
    return await uow.sql.fetch(
        """select bytes, state, file_name from edi_outbound
        where kind = '940' and reference = $2 and partner_id = $1 order by id desc""",
        partner_id,
        shipment_number,
    )
