"""Change what bounds promises of a SKU: its quotas and its protected stock; each passes the SKU's gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from core.domain.states import QuotaPeriod
from core.errors import InvalidInput, NotFound
from core.ports import Transaction
from core.repositories.codes import location_ids_of, sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.kits import kit_parts
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.services.follow_up import request_allocation

MAX_STEPS = 400


@dataclass(frozen=True, slots=True)
class SetQuota:
    """`quantity` units per week from `from_day` on, or once up to `until_day`; None ends the quota of these names."""

    sku: str
    period: QuotaPeriod | str
    quantity: int | None
    from_day: date
    until_day: date | None = None
    channel: str | None = None
    customer: str | None = None
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class SetProtectedStock:
    """The steps (from day, units) replace all that the class had at the location; none: it keeps off the default's."""

    sku: str
    location: str
    steps: Sequence[tuple[date, int]]
    demand_class: str = ""


async def set_quota(uow: Transaction, request: SetQuota) -> int:
    """One quota per SKU, channel, customer, tier and period: a second one replaces the first; returns the SKU's id.

    Units that were used stay used: a quota that is in force and is changed from today on keeps its first day. Promises
    that were given before the first quota of these names are not bound by it. Raises UnknownSku, NotFound (channel,
    customer), InvalidInput, also for a kit.
    """
    sku_id = (await sku_ids_of(uow, [request.sku], ("input", "sku")))[request.sku]
    period = QuotaPeriod(request.period)
    if request.quantity is not None and request.quantity < 0:
        raise InvalidInput("A quota is not negative.", path=("input", "quantity"), value=request.quantity)
    if period == QuotaPeriod.WINDOW and request.until_day is None:
        raise InvalidInput("A window needs its last day.", path=("input", "untilDay"))
    if request.until_day is not None and request.until_day < request.from_day:
        raise InvalidInput("The last day is before the first.", path=("input", "untilDay"), value=request.until_day)
    if request.channel is not None and not await _exists(uow, "channel", request.channel):
        raise NotFound("channel", request.channel, path=("input", "channel"))
    customer_id = None
    if request.customer is not None:
        customer_id = await uow.sql.fetchval("select id from customer where code = $1", request.customer)
        if customer_id is None:
            raise NotFound("customer", request.customer, path=("input", "customer"))
    await take_gates(uow, [sku_id])
    await refuse_kit(uow, sku_id, request.sku, "A quota")
    names = (sku_id, request.channel, customer_id, request.tier, str(period))
    same = """sku_id = $1 and channel is not distinct from $2 and customer_id is not distinct from $3
        and tier is not distinct from $4 and period = $5"""
    before = await uow.sql.fetchrow(f"select * from quota where {same} order by id desc limit 1", *names)
    if request.quantity is None:
        yesterday = uow.now.date() - timedelta(days=2)  # over in every time zone
        await uow.sql.execute(
            f"""update quota set from_day = least(from_day, $6), until_day = $6, updated_at = $7
            where {same} and (until_day is null or until_day > $6)""",
            *names,
            yesterday,
            uow.now,
        )
    elif before is None:
        await uow.sql.execute(
            """insert into quota (sku_id, channel, customer_id, tier, period, from_day, until_day, quantity, created_at,
                updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)""",
            *names,
            request.from_day,
            request.until_day,
            request.quantity,
            uow.now,
        )
    else:
        in_force = before["until_day"] is None or before["until_day"] >= uow.now.date()
        keeps = in_force and request.from_day <= uow.now.date() + timedelta(days=1)  # today in any time zone
        await uow.sql.execute(
            "update quota set from_day = $3, until_day = $4, quantity = $5, updated_at = $6 where sku_id = $1 and id = $2",
            sku_id,
            before["id"],
            min(before["from_day"], request.from_day) if keeps else request.from_day,
            request.until_day,
            request.quantity,
            uow.now,
        )
    uow.audit("quotaSet", f"sku:{sku_id}", _plain(before), {"quantity": request.quantity, "period": str(period)})
    await _tell(uow, sku_id)
    return sku_id


async def set_protected_stock(uow: Transaction, request: SetProtectedStock) -> int:
    """Replace the steps of a demand class; what becomes free is offered to who waits. Returns the SKU's id.

    Raises UnknownSku, NotFound (location) and InvalidInput (negative units, two steps on a day, too many steps, steps
    for a class that no channel uses, a kit).
    """
    sku_id = (await sku_ids_of(uow, [request.sku], ("input", "sku")))[request.sku]
    location_id = (await location_ids_of(uow, [request.location], ("input", "location")))[request.location]
    days = [day for day, _ in request.steps]
    if len(set(days)) < len(days) or len(days) > MAX_STEPS:
        raise InvalidInput(f"At most {MAX_STEPS} steps, one per day.", path=("input", "steps"), value=len(days))
    if any(units < 0 for _, units in request.steps):
        raise InvalidInput("Protected stock is not negative.", path=("input", "steps"))
    if request.steps and request.demand_class:
        await _check_class(uow, request.demand_class)
    await take_gates(uow, [sku_id])
    await refuse_kit(uow, sku_id, request.sku, "Protected stock")
    before = await uow.sql.fetch(
        """delete from protected_stock where sku_id = $1 and location_id = $2 and demand_class = $3
        returning from_date, quantity""",
        sku_id,
        location_id,
        request.demand_class,
    )
    await uow.sql.execute(
        """insert into protected_stock (sku_id, location_id, demand_class, from_date, quantity)
        select $1, $2, $3, u.day, u.units from unnest($4::date[], $5::int[]) as u(day, units)""",
        sku_id,
        location_id,
        request.demand_class,
        days,
        [units for _, units in request.steps],
    )
    uow.audit(
        "protectedStockSet",
        f"sku:{sku_id}:{location_id}",
        {row["from_date"].isoformat(): row["quantity"] for row in before},
        {day.isoformat(): units for day, units in request.steps},
    )
    await _tell(uow, sku_id)
    return sku_id


async def refuse_kit(uow: Transaction, sku_id: int, code: str, what: str) -> None:
    """Raises InvalidInput for a kit: it is sold as its components, so that only theirs could bind anything."""
    parts = (await kit_parts(uow, [sku_id])).get(sku_id)
    if parts:
        codes = ", ".join(component for _, component, _ in parts)
        raise InvalidInput(
            f"{what} of the kit {code!r} would bind nothing: a kit is sold as its components; set it for {codes}.",
            path=("input", "sku"),
            value=code,
        )


async def _check_class(uow: Transaction, demand_class: str) -> None:
    rows = await uow.sql.fetch("select distinct protected_class from channel where protected_class <> '' order by 1")
    known = [row["protected_class"] for row in rows]
    if demand_class not in known:
        raise InvalidInput(
            f"No channel is of the class {demand_class!r}; known: {', '.join(known) or 'none'}, or empty for all others.",
            path=("input", "demandClass"),
            value=demand_class,
        )


async def _exists(uow: Transaction, table: str, code: str) -> bool:
    return await uow.sql.fetchval(f"select exists (select from {table} where code = $1)", code)


def _plain(row: object) -> dict[str, str] | None:
    return None if row is None else {name: str(value) for name, value in dict(row).items()}  # type: ignore[call-overload]


async def _tell(uow: Transaction, sku_id: int) -> None:
    """Say that availability may be another now, and offer what is free to who waits."""
    versions = {sku_id: await uow.sql.fetchval("select version from sku_gate where sku_id = $1", sku_id)}
    book = (await load_books(uow, versions, await load_network(uow)))[sku_id]
    book.is_changed = book.curve_changed = True
    await save_books(uow, [book])
    request_allocation(uow, [sku_id])
