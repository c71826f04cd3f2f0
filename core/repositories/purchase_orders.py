"""Purchase orders and their lines: read and written under the gates, the order's row last."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from core.domain.purchasing import PARTS, PurchaseLine, purchase_order_status
from core.domain.states import PurchaseOrderStatus
from core.errors import InvariantBroken, NotFound
from core.events import Event
from core.ports import Transaction
from core.repositories.write_stock import draw_ids


@dataclass(slots=True)
class PurchaseOrderLine:
    """A line with its eight quantities; set `is_changed` after replacing `parts` or a date."""

    sku_id: int
    id: int
    purchase_order_id: int
    line_number: int
    supplier_id: int
    parts: PurchaseLine
    price: int = 0
    requested_date: date | None = None
    promised_date: date | None = None
    last_sequence: str | None = None
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class PurchaseOrderHead:
    """An order's own row."""

    id: int
    number: str
    supplier_id: int
    location_id: int
    status: PurchaseOrderStatus
    version: int


@dataclass(slots=True)
class NewPurchaseOrder:
    """An order to insert; `lines` are (SKU id, quantity, price in minor units, requested day)."""

    supplier_id: int
    location_id: int
    status: PurchaseOrderStatus
    currency: str
    requested_date: date | None
    lines: list[tuple[int, int, int, date | None]]
    approval: dict[str, Any] | None = None
    cause: dict[str, Any] | None = None
    id: int = 0
    line_ids: list[int] = field(default_factory=list)

    @property
    def number(self) -> str:
        return f"PO{self.id:08d}"


_HEAD = "select id, number, supplier_id, location_id, status, version from purchase_order "


def _head(row: Any) -> PurchaseOrderHead:
    return PurchaseOrderHead(
        row["id"],
        row["number"],
        row["supplier_id"],
        row["location_id"],
        PurchaseOrderStatus(row["status"]),
        row["version"],
    )


async def find_orders(
    uow: Transaction,
    numbers: Collection[str],
    supplier_id: int | None = None,
    *,
    only_approved: bool = False,
    path: tuple[str, ...] = ("input", "number"),
) -> dict[str, PurchaseOrderHead]:
    """Orders by number, only those of `supplier_id` when given. Raises NotFound for one that does not exist.

    `only_approved` is for what suppliers say: an order that nobody has approved cannot have been sent to them.
    """
    wanted = sorted(set(numbers))
    rows = await uow.sql.fetch(
        _HEAD + "where number = any($1::text[]) and ($2::bigint is null or supplier_id = $2)"
        " and (not $3 or status not in ('DRAFT', 'AWAITING_APPROVAL'))",
        wanted,
        supplier_id,
        only_approved,
    )
    found = {row["number"]: _head(row) for row in rows}
    for number in wanted:
        if number not in found:
            raise NotFound("purchase order", number, path=path)
    return found


async def lock_order(uow: Transaction, purchase_order_id: int) -> PurchaseOrderHead:
    """The order's row, locked."""
    row = await uow.sql.fetchrow(_HEAD + "where id = $1 for no key update", purchase_order_id)
    if row is None:
        raise NotFound("purchase order", str(purchase_order_id))
    return _head(row)


async def sku_ids_of_orders(uow: Transaction, order_ids: Iterable[int]) -> list[int]:
    """The SKUs on these orders (their lines are never added to later)."""
    rows = await uow.sql.fetch(
        "select distinct sku_id from purchase_order_line where purchase_order_id = any($1::bigint[])",
        sorted(set(order_ids)),
    )
    return [row["sku_id"] for row in rows]


async def read_lines(
    uow: Transaction, order_ids: Iterable[int] = (), line_ids: Iterable[int] = ()
) -> dict[int, PurchaseOrderLine]:
    """Lines of these orders (or these lines) by id, ascending. Read them under the gates of their SKUs."""
    rows = await uow.sql.fetch(
        """select * from purchase_order_line
        where purchase_order_id = any($1::bigint[]) or id = any($2::bigint[]) order by purchase_order_id, line_number""",
        sorted(set(order_ids)),
        sorted(set(line_ids)),
    )
    return {
        r["id"]: PurchaseOrderLine(
            r["sku_id"],
            r["id"],
            r["purchase_order_id"],
            r["line_number"],
            r["supplier_id"],
            _parts(r),
            r["price"],
            r["requested_date"],
            r["promised_date"],
            r["last_sequence"],
        )
        for r in rows
    }


def _parts(row: Any) -> PurchaseLine:
    return PurchaseLine(row["ordered"], *(row[part] for part in PARTS), over_delivered=row["over_delivered"])


async def insert_orders(uow: Transaction, orders: list[NewPurchaseOrder]) -> None:
    """Insert orders with their lines, set based; ids are set on the objects. Take the gates first."""
    if not orders:
        return
    for order, order_id in zip(orders, await draw_ids(uow, "purchase_order", len(orders)), strict=True):
        order.id = order_id
    await uow.sql.execute(
        """insert into purchase_order (id, supplier_id, number, location_id, status, currency, requested_date, approval,
            cause, created_at) overriding system value
        select u.*, $10 from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[],
            $7::date[], $8::jsonb[], $9::jsonb[]) as u""",
        [o.id for o in orders],
        [o.supplier_id for o in orders],
        [o.number for o in orders],
        [o.location_id for o in orders],
        [str(o.status) for o in orders],
        [o.currency for o in orders],
        [o.requested_date for o in orders],
        [o.approval for o in orders],
        [o.cause for o in orders],
        uow.now,
    )
    rows = [(order, number, line) for order in orders for number, line in enumerate(order.lines, start=1)]
    ids = await draw_ids(uow, "purchase_order_line", len(rows))
    for (order, _, _), line_id in zip(rows, ids, strict=True):
        order.line_ids.append(line_id)
    await uow.sql.execute(
        """insert into purchase_order_line (sku_id, id, purchase_order_id, line_number, supplier_id, ordered, unanswered,
            price, requested_date, created_at) overriding system value
        select u.sku_id, u.id, u.order_id, u.number, u.supplier_id, u.quantity, u.quantity, u.price, u.requested, $9
        from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::bigint[], $6::int[], $7::bigint[],
            $8::date[]) as u(sku_id, id, order_id, number, supplier_id, quantity, price, requested)""",
        [line[0] for _, _, line in rows],
        ids,
        [order.id for order, _, _ in rows],
        [number for _, number, _ in rows],
        [order.supplier_id for order, _, _ in rows],
        [line[1] for _, _, line in rows],
        [line[2] for _, _, line in rows],
        [line[3] for _, _, line in rows],
        uow.now,
    )
    for order in orders:
        head = PurchaseOrderHead(order.id, order.number, order.supplier_id, order.location_id, order.status, 1)
        uow.announce(order_changed(head))


async def save_lines(uow: Transaction, lines: Iterable[PurchaseOrderLine]) -> None:
    """Write changed lines, and how they stand now into their history. Call it under the gates of their SKUs."""
    changed = [line for line in lines if line.is_changed]
    if not changed:
        return
    await uow.sql.execute(
        f"""update purchase_order_line l set {", ".join(f"{p} = u.{p}" for p in PARTS)},
            over_delivered = u.over_delivered, promised_date = u.promised_date, last_sequence = u.last_sequence,
            ordered = u.ordered, price = u.price, updated_at = $14
        from unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[],
            $9::int[], $10::int[], $11::int[], $12::date[], $13::text[], $15::int[], $16::bigint[])
            as u(sku_id, id, {", ".join(PARTS)}, over_delivered, promised_date, last_sequence, ordered, price)
        where l.sku_id = u.sku_id and l.id = u.id""",
        [x.sku_id for x in changed],
        [x.id for x in changed],
        *[[getattr(x.parts, part) for x in changed] for part in PARTS],
        [x.parts.over_delivered for x in changed],
        [x.promised_date for x in changed],
        [x.last_sequence for x in changed],
        uow.now,
        [x.parts.ordered for x in changed],
        [x.price for x in changed],
    )
    await uow.sql.execute(
        f"""insert into purchase_line_history (sku_id, purchase_order_line_id, supplier_id, at, {", ".join(PARTS)},
            promised_date)
        select l.sku_id, l.id, l.supplier_id, $3, {", ".join(f"l.{part}" for part in PARTS)}, l.promised_date
        from unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
        join purchase_order_line l on l.sku_id = u.sku_id and l.id = u.id""",
        [x.sku_id for x in changed],
        [x.id for x in changed],
        uow.now,
    )


async def refresh_orders(
    uow: Transaction, order_ids: Iterable[int], *, acknowledged_at: datetime | None = None
) -> dict[int, PurchaseOrderHead]:
    """Bring status and version of these orders in step with their lines and announce them.

    Call it last: it locks the orders' rows (sorted), after gates and sales orders. Raises InvariantBroken when the
    supplies of a line do not sum to what was ordered, or its open supplies to its open quantities.
    """
    wanted = sorted(set(order_ids))
    if not wanted:
        return {}
    heads = [
        _head(row)
        for row in await uow.sql.fetch(_HEAD + "where id = any($1::bigint[]) order by id for no key update", wanted)
    ]
    rows = await uow.sql.fetch(
        """select l.*, s.total, s.open from purchase_order_line l left join lateral (
            select coalesce(sum(quantity), 0) as total, coalesce(sum(quantity - received - cancelled), 0) as open
            from supply s where s.sku_id = l.sku_id and s.purchase_order_line_id = l.id) s on true
        where l.purchase_order_id = any($1::bigint[])""",
        wanted,
    )
    parts: dict[int, list[PurchaseLine]] = {order_id: [] for order_id in wanted}
    for row in rows:
        line = _parts(row)
        if row["total"] != line.ordered or row["open"] != line.open:
            raise InvariantBroken("purchase_order_line_supplies", dict(row))
        parts[row["purchase_order_id"]].append(line)
    after = [
        PurchaseOrderHead(
            h.id, h.number, h.supplier_id, h.location_id, purchase_order_status(h.status, parts[h.id]), h.version + 1
        )
        for h in heads
    ]
    await uow.sql.execute(
        """update purchase_order o set status = u.status, version = u.version, updated_at = $4,
            acknowledged_at = coalesce(o.acknowledged_at, $5::timestamptz)
        from unnest($1::bigint[], $2::text[], $3::int[]) as u(id, status, version) where o.id = u.id""",
        [h.id for h in after],
        [str(h.status) for h in after],
        [h.version for h in after],
        uow.now,
        acknowledged_at,
    )
    for head in after:
        uow.announce(order_changed(head))
    return {head.id: head for head in after}


async def set_status(
    uow: Transaction, head: PurchaseOrderHead, status: PurchaseOrderStatus, approval: dict[str, Any] | None = None
) -> PurchaseOrderHead:
    """Write a status that a person or a rule decided; the order's row is locked."""
    await uow.sql.execute(
        """update purchase_order set status = $2::text, version = version + 1, updated_at = $3,
            approval = coalesce($4::jsonb, approval), sent_at = case when $2::text = 'SENT' then $3 else sent_at end where id = $1""",
        head.id,
        str(status),
        uow.now,
        approval,
    )
    after = PurchaseOrderHead(head.id, head.number, head.supplier_id, head.location_id, status, head.version + 1)
    uow.announce(order_changed(after))
    return after


def order_changed(head: PurchaseOrderHead) -> Event:
    """What watchers of a purchase order get."""
    return Event(
        "purchase_order",
        str(head.status),
        {
            "purchaseOrderId": head.id,
            "purchaseOrderNumber": head.number,
            "lineNumber": None,
            "status": str(head.status),
            "version": head.version,
        },
        key=f"purchase_order:{head.id}",
        supplier_id=head.supplier_id,
    )
