"""After a change of lanes, calendars or cut-offs: promises that rest on them are judged anew, and watchers are told."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from core.domain.records import Line
from core.domain.routes import rejudge
from core.events import JobRequest
from core.ports import Transaction
from core.repositories.announce_changes import availability_event
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.load_told import load_told
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.repositories.supplying import load_policies, move_policy
from core.repositories.warehouse_releases import ask_warehouses
from core.services.follow_up import request_purchase, request_shipments

CHUNK = 50
"""SKUs per transaction: as long as orders of these SKUs may have to wait."""
RUN = 1_000
"""SKUs per run of the job: the next run goes on behind them, so none is too long to end."""
JOB = "rejudge_routes"


def request_rejudging(uow: Transaction, location_ids: Iterable[int], after: int = 0) -> None:
    """Ask for it, once for what waits already; with `after` for the SKUs behind that one only.

    What goes on has a key of its own: a change that is made meanwhile is judged from the beginning.
    """
    if ids := sorted(set(location_ids)):
        key = ":".join(map(str, ids))
        asked = {"locationIds": ids, "afterSku": after} if after else {"locationIds": ids}
        uow.enqueue(JobRequest(JOB, f"{key}>{after}" if after else key, asked, queue="bulk"))


async def find_routed(uow: Transaction, location_ids: Collection[int], after: int = 0) -> list[int]:
    """SKUs behind `after` of which a line is served from these locations, or of which somebody has asked what is there."""
    rows = await uow.sql.fetch(
        """select sku_id from peg where location_id = any($1::bigint[]) and order_line_id is not null and sku_id > $2
        union select sku_id from availability_curve where location_id = any($1::bigint[]) and sku_id > $2 order by 1""",
        sorted(location_ids),
        after,
    )
    return [row["sku_id"] for row in rows]


async def rejudge_routes(uow: Transaction, sku_ids: Iterable[int], location_ids: Collection[int]) -> int:
    """Judge the lines of these SKUs by the ways as they are now; returns how many promises have moved.

    Every SKU gets a new version and an availability event: its watchers ask again. The book is opened only where a line
    is served from these locations. Repeating it moves nothing.
    """
    versions = await take_gates(uow, sku_ids)
    served = await _tell_watchers(uow, versions, location_ids)
    network = await load_network(uow)
    books = await load_books(uow, {sku_id: versions[sku_id] for sku_id in served}, network, lines="all")
    policy = move_policy(await load_policies(uow))
    told = await load_told(uow, books.values())
    touched: list[Line] = []
    moved = 0
    for book in books.values():
        lines = rejudge(book, network, location_ids, policy, told)
        book.is_changed = book.curve_changed = True
        moved += sum(fact.kind == "PROMISE_MOVED" for fact in book.line_facts)
        touched += lines
        if any(line.backordered for line in lines):
            request_purchase(uow, [book.sku_id])
    await save_books(uow, books.values())
    request_shipments(uow, {line.order_id for line in touched if line.allocated > line.ready})
    return moved


async def _tell_watchers(uow: Transaction, versions: dict[int, int], location_ids: Collection[int]) -> list[int]:
    """Announce the SKUs of which no line is served from there; returns the others."""
    rows = await uow.sql.fetch(
        """select k.id, k.code, exists (select from peg p where p.sku_id = k.id and p.location_id = any($2::bigint[])
            and p.order_line_id is not null) as is_served
        from sku k where k.id = any($1::bigint[])""",
        list(versions),
        sorted(location_ids),
    )
    for row in rows:
        if not row["is_served"]:
            uow.announce(availability_event(row["id"], row["code"], versions[row["id"]]))
    return [row["id"] for row in rows if row["is_served"]]


async def move_planned_shipments(uow: Transaction, location_ids: Collection[int]) -> int:
    """Shipments planned for a day on which their location does not work any more leave on the next one; returns how many."""
    network = await load_network(uow)
    rows = await uow.sql.fetch(
        """select distinct location_id, planned_ship_date from shipment
        where location_id = any($1::bigint[]) and status = 'PLANNED' and planned_ship_date is not null""",
        sorted(location_ids),
    )
    days = [(r["location_id"], r["planned_ship_date"]) for r in rows]
    later = [(place, day, network.ship_day_from(place, day)) for place, day in days]
    later = [row for row in later if row[1] != row[2]]
    done = await uow.sql.fetch(
        """update shipment s set planned_ship_date = u.later, version = s.version + 1, updated_at = $4
        from unnest($1::bigint[], $2::date[], $3::date[]) as u(place, day, later)
        where s.location_id = u.place and s.planned_ship_date = u.day and s.status = 'PLANNED' returning s.id""",
        [place for place, _, _ in later],
        [day for _, day, _ in later],
        [new for _, _, new in later],
        uow.now,
    )
    await ask_warehouses(uow, [row["id"] for row in done])
    return len(done)
