"""Read the books of SKUs whose gates this transaction holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any, Literal

import asyncpg

from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.records import Backorder, Hold, KitPart, Line, Peg, StockLevel, Supply, Transfer
from core.domain.states import BackorderCause, BackorderState, OrderLineStatus, PegKind, ShipPolicy
from core.events import JobRequest
from core.ports import Transaction
from core.repositories.load_lots import SKU_COLUMNS, attach_lots
from core.repositories.priority_facts import rank_waiting
from core.repositories.quotas import load_quotas, load_shares

Lines = Literal["own", "none", "waiting", "all"]

_SUPPLY_COLUMNS = """select s.id, s.sku_id, s.location_id, s.kind, s.quantity, s.usable_date, s.received, s.cancelled, s.pegged,
    s.paper_date, s.overdue_days, s.overdue_checked_on, s.date_basis, s.date_revision, s.last_sequence, s.supplier_id,
    s.purchase_order_line_id, s.ship_notice_line_id, s.transfer_id, s.split_from_id from supply s"""
_SUPPLY = f"""{_SUPPLY_COLUMNS} where s.sku_id = any($1::bigint[]) and s.quantity > s.received + s.cancelled order by s.sku_id, s.id"""

_LINE = """select l.*, o.destination_id, o.channel, o.ship_complete, c.protected_class
    from order_line l join sales_order o on o.id = l.order_id join channel c on c.code = o.channel """
# Every unit that has not left has a peg (identity line_equals_pegs), so pegs name the unfinished lines; the lines
# themselves are the whole history of a SKU.
_UNFINISHED = (
    _LINE
    + """where l.sku_id = any($1::bigint[]) and l.id = any(array(
        select p.order_line_id from peg p where p.sku_id = any($1::bigint[]) and p.order_line_id is not null
        union select * from unnest($2::bigint[]))) order by l.sku_id, l.id"""
)
_CLAIMING = _UNFINISHED.replace("is not null", "is not null and p.kind <> 'HARD'")


async def load_books(
    uow: Transaction,
    versions: dict[int, int],
    network: Network,
    *,
    lines: Lines = "none",
    line_ids: Collection[int] = (),
) -> dict[int, SkuBook]:
    """The books of the SKUs in `versions` (SKU id -> gate version, as `take_gates` gave them).

    `lines`: whose lines to load with all their pegs: "none", "waiting" (of every claim that has no stock yet) or "all"
    that are not finished; `line_ids` are loaded besides. Pegs without stock are loaded with them, since they are the
    timeline. "own" loads nothing but stock levels, `line_ids` and their pegs: enough to move what is allocated, and
    such a book refuses to tell its timeline. Holds that have expired become `expired` first, so that only `held`
    counts from here on; who waits for such units is served by a job.
    """
    sku_ids = sorted(versions)
    if lines == "own":
        today = {location_id: network.today(location_id, uow.now) for location_id in network.locations}
        return await _load_own(uow, versions, network, today, line_ids)
    rows = await _read_skus(uow.sql, sku_ids)
    first = rows[0]["first_expiry"] if rows else None
    expired = await _expire_holds(uow, sku_ids) if first is not None and first <= uow.now else set()
    books = await _fill(uow.sql, uow.now, versions, network, rows, lines, line_ids)
    if lines in ("waiting", "all"):
        await rank_waiting(uow.sql, uow.now, books.values())
    for sku_id in sorted(expired):
        books[sku_id].is_changed = books[sku_id].curve_changed = True
        if any(peg.kind == PegKind.OPEN for peg in books[sku_id].pegs):  # no sweeper will find these holds any more
            uow.enqueue(JobRequest("allocate_waiting_demand", f"skus:{sku_id}", {"skuIds": [sku_id]}))
    return books


async def read_books(
    sql: asyncpg.Connection,
    now: datetime,
    versions: dict[int, int],
    network: Network,
    *,
    lines: Lines = "none",
    line_ids: Collection[int] = (),
) -> dict[int, SkuBook]:
    """As `load_books`, but it only reads: for a run or a scenario that looks at one snapshot and holds no gate.

    A hold counts while it is `held` and `now` is before its expiry. `versions` are the gate versions of that snapshot.
    """
    return await _fill(sql, now, versions, network, await _read_skus(sql, sorted(versions)), lines, line_ids)


async def _read_skus(sql: asyncpg.Connection, sku_ids: list[int]) -> list[asyncpg.Record]:
    """What is known of the SKUs, and of what there is anything at all for some of them: the rest is not asked for."""
    return await sql.fetch(
        f"""select {SKU_COLUMNS}, status, case when status = 'PREORDER' then available_from end as available_from,
            (select (value #>> '{{}}')::int from policy where code = 'promise_horizon_days') as horizon_days,
            exists (select from quota q where q.sku_id = sku.id) as has_quota,
            (select min(expires_at) from reservation where sku_id = any($1::bigint[]) and state = 'held') as first_expiry,
            exists (select from protected_stock where sku_id = any($1::bigint[])) as has_protected,
            exists (select from transfer where sku_id = any($1::bigint[]) and state in ('planned', 'in_transit'))
                as has_transfers,
            exists (select from supply where sku_id = any($1::bigint[]) and quantity > received + cancelled) as has_supplies,
            exists (select from peg where sku_id = any($1::bigint[]) and kind <> 'HARD')
                or exists (select from peg where sku_id = any($1::bigint[]) and transfer_id is not null) as has_waiting
        from sku where id = any($1::bigint[])""",
        sku_ids,
    )


async def _fill(
    sql: asyncpg.Connection,
    now: datetime,
    versions: dict[int, int],
    network: Network,
    names: list[asyncpg.Record],
    lines: Lines,
    line_ids: Collection[int],
) -> dict[int, SkuBook]:
    today = {location_id: network.today(location_id, now) for location_id in network.locations}
    books = {r["id"]: SkuBook(r["id"], r["code"], versions[r["id"]], now, today) for r in names}
    for row in names:
        book = books[row["id"]]
        book.status, book.available_from, book.horizon_days = row["status"], row["available_from"], row["horizon_days"]
    await attach_lots(sql, books, names, network, now)
    if not names:
        return books
    there = names[0]
    await _load_levels(sql, books)
    if there["first_expiry"] is not None:
        await _load_holds(sql, now, books)
    if there["has_protected"]:
        await _load_protected(sql, books)
    await load_quotas(sql, {r["id"]: books[r["id"]] for r in names if r["has_quota"]})
    supplies = await _load_supplies(sql, books, with_transfers=there["has_transfers"]) if there["has_supplies"] else {}
    await _load_claims(sql, books, supplies, lines, line_ids, with_waiting=there["has_waiting"])
    await load_shares(sql, books.values())
    return books


async def _load_own(
    uow: Transaction, versions: dict[int, int], network: Network, today: dict[int, date], line_ids: Collection[int]
) -> dict[int, SkuBook]:
    keys = sorted(versions)
    names = await uow.sql.fetch(f"select {SKU_COLUMNS} from sku where id = any($1::bigint[])", keys)
    books = {r["id"]: SkuBook(r["id"], r["code"], versions[r["id"]], uow.now, today, is_whole=False) for r in names}
    await attach_lots(uow.sql, books, names, network, uow.now)
    await _load_levels(uow.sql, books)
    supplies = {}
    for row in await uow.sql.fetch(
        """select s.* from (select distinct p.sku_id, p.supply_id from peg p where p.sku_id = any($1::bigint[])
            and p.order_line_id = any($2::bigint[]) and p.supply_id is not null) x
        join lateral ("""
        + _SUPPLY_COLUMNS
        + """ where s.sku_id = x.sku_id and s.id = x.supply_id) s on true""",
        keys,
        list(line_ids),
    ):
        values = dict(row)
        supplies[row["id"]] = supply = Supply(**{k: v for k, v in values.items() if k != "sku_id"})
        books[row["sku_id"]].supplies.append(supply)
    await _load_claims(uow.sql, books, supplies, "own", line_ids)
    return books


async def _expire_holds(uow: Transaction, sku_ids: list[int]) -> set[int]:
    rows = await uow.sql.fetch(
        """update reservation set state = 'expired', updated_at = $2
        where sku_id = any($1::bigint[]) and state = 'held' and expires_at <= $2 returning sku_id""",
        sku_ids,
        uow.now,
    )
    return {row["sku_id"] for row in rows}


async def _load_levels(sql: asyncpg.Connection, books: dict[int, SkuBook]) -> None:
    for row in await sql.fetch(
        "select sku_id, location_id, on_hand, unsellable, allocated from stock_level where sku_id = any($1::bigint[])",
        list(books),
    ):
        level = StockLevel(row["location_id"], row["on_hand"], row["unsellable"], row["allocated"])
        books[row["sku_id"]].levels[level.location_id] = level
        level.is_stored = True


async def _load_holds(sql: asyncpg.Connection, now: datetime, books: dict[int, SkuBook]) -> None:
    for row in await sql.fetch(
        """select id, sku_id, group_id, location_id, need_date, quantity from reservation
        where sku_id = any($1::bigint[]) and state = 'held' and expires_at > $2""",
        list(books),
        now,
    ):
        books[row["sku_id"]].holds.append(
            Hold(row["id"], str(row["group_id"]), row["location_id"], row["need_date"], row["quantity"])
        )


async def _load_protected(sql: asyncpg.Connection, books: dict[int, SkuBook]) -> None:
    for row in await sql.fetch(
        """select sku_id, location_id, demand_class, from_date, quantity from protected_stock
        where sku_id = any($1::bigint[]) order by from_date""",
        list(books),
    ):
        of_class = books[row["sku_id"]].protected.setdefault(row["demand_class"], {})
        steps = of_class.setdefault(row["location_id"], [])
        steps.append((row["from_date"], row["quantity"]))


async def _load_supplies(
    sql: asyncpg.Connection, books: dict[int, SkuBook], *, with_transfers: bool
) -> dict[int, Supply]:
    transfers = {
        row["id"]: Transfer(
            row["id"],
            row["from_location_id"],
            row["to_location_id"],
            row["quantity"],
            row["shipped"],
            row["received"],
            row["lost"],
            row["state"],
        )
        for row in (
            await sql.fetch(
                """select * from transfer where sku_id = any($1::bigint[]) and state in ('planned', 'in_transit')""",
                list(books),
            )
            if with_transfers
            else ()
        )
    }
    found: dict[int, Supply] = {}
    for row in await sql.fetch(_SUPPLY, list(books)):
        values = dict(row)
        book = books[values.pop("sku_id")]
        supply = Supply(**values, transfer=transfers.get(row["transfer_id"]))
        found[row["id"]] = supply
        book.supplies.append(supply)
    for supply in found.values():
        supply.split_from = found.get(supply.split_from_id or 0)
    for book in books.values():
        known = {id(s.transfer) for s in book.supplies}
        book.transfers += [s.transfer for s in book.supplies if s.transfer is not None and id(s.transfer) in known]
    return found


async def _load_claims(
    sql: asyncpg.Connection,
    books: dict[int, SkuBook],
    supplies: dict[int, Supply],
    lines: Lines,
    line_ids: Collection[int],
    *,
    with_waiting: bool = False,
) -> None:
    """`with_waiting` loads the claims without stock and the ones of transfers too: they are the timeline."""
    keys = list(books)
    wanted = list(line_ids)
    rows: Iterable[Any] = ()
    if lines in ("waiting", "all"):
        rows = await sql.fetch(_CLAIMING if lines == "waiting" else _UNFINISHED, keys, wanted)
    elif wanted:
        rows = await sql.fetch(
            _LINE + "where l.sku_id = any($1::bigint[]) and l.id = any($2::bigint[]) order by l.sku_id, l.id",
            keys,
            wanted,
        )
    loaded: dict[int, Line] = {}
    for row in rows:
        loaded[row["id"]] = books[row["sku_id"]].lines[row["id"]] = _line(row)
    if not loaded and not with_waiting:
        return
    transfers = {t.id: t for book in books.values() for t in book.transfers}
    lots = {lot.id: lot for book in books.values() if book.lots is not None for lot in book.lots.rows}
    for row in await sql.fetch(
        """select id, sku_id, location_id, need_date, quantity, kind, order_line_id, transfer_id, supply_id, lot_id,
            cause, run_id from peg
        where sku_id = any($1::bigint[]) and (order_line_id = any($2::bigint[])
            or ($3 and (kind <> 'HARD' or transfer_id is not null))) order by sku_id, id""",
        keys,
        list(loaded),
        with_waiting,
    ):
        books[row["sku_id"]].pegs.append(
            Peg(
                row["id"],
                row["location_id"],
                row["need_date"],
                row["quantity"],
                PegKind(row["kind"]),
                line_id=row["order_line_id"],
                line=loaded.get(row["order_line_id"]),
                transfer_id=row["transfer_id"],
                transfer=transfers.get(row["transfer_id"]),
                supply=supplies.get(row["supply_id"]),
                lot=lots.get(row["lot_id"]),
                cause=row["cause"],
                run_id=row["run_id"],
            )
        )
    await _load_classes(sql, books)
    if loaded:
        for row in await sql.fetch(
            """select * from backorder where sku_id = any($1::bigint[]) and order_line_id = any($2::bigint[])
            and closed_at is null""",
            keys,
            list(loaded),
        ):
            books[row["sku_id"]].backorders.append(_backorder(row, loaded[row["order_line_id"]]))


async def _load_classes(sql: asyncpg.Connection, books: dict[int, SkuBook]) -> None:
    """The demand class of claims without a source, for SKUs of which a class has protected stock of its own."""
    classed = [sku_id for sku_id, book in books.items() if any(book.protected)]
    if not classed:
        return
    classes = {
        row["id"]: row["protected_class"]
        for row in await sql.fetch(
            """select p.id, c.protected_class from peg p join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id
            join sales_order o on o.id = l.order_id join channel c on c.code = o.channel
            where p.sku_id = any($1::bigint[]) and p.kind = 'OPEN' and c.protected_class <> ''""",
            classed,
        )
    }
    for sku_id in classed:
        for peg in books[sku_id].pegs:
            peg.demand_class = classes.get(peg.id or 0, "")


def _line(row: Any) -> Line:
    kit = None
    if row["kit_sku_id"] is not None:
        kit = KitPart(row["kit_sku_id"], row["kit_line_number"], row["kit_quantity"], row["kit_ships_together"])
    return Line(
        id=row["id"],
        order_id=row["order_id"],
        line_number=row["line_number"],
        ordered=row["ordered"],
        customer_id=row["customer_id"],
        open=row["open"],
        allocated=row["allocated"],
        backordered=row["backordered"],
        shipped=row["shipped"],
        cancelled=row["cancelled"],
        ready=row["ready"],
        delivered=row["delivered"],
        requested_date=row["requested_date"],
        ship_by=row["ship_by"],
        ship_policy=ShipPolicy(row["ship_policy"]),
        substitutes_allowed=row["substitutes_allowed"],
        min_life_days=row["min_life_days"],
        substituted_for_line_id=row["substituted_for_line_id"],
        kit=kit,
        priority=row["priority_score"],
        status=OrderLineStatus(row["status"]),
        version=row["version"],
        location_id=row["location_id"],
        destination_id=row["destination_id"],
        channel=row["channel"],
        demand_class=row["protected_class"],
        promise_id=row["current_promise_id"],
        promise_sequence=row["promise_sequence"],
        promised=row["promised_date"],
        times_bumped=row["times_bumped"],
        is_priority_manual=row["is_priority_manual"],
        order_ships_complete=row["ship_complete"],
    )


def _backorder(row: Any, line: Line) -> Backorder:
    return Backorder(
        row["id"],
        line,
        row["quantity"],
        BackorderState(row["state"]),
        row["opened_at"],
        cause=BackorderCause(row["cause"]),
        evidence=row["evidence"] or {},
        expected_date=row["expected_date"],
        priority=row["priority"] or {},
        location_id=row["location_id"],
        held_from_state=BackorderState(row["held_from_state"]) if row["held_from_state"] else None,
        delayed_from=row["delayed_from"],
        version=row["version"],
    )
