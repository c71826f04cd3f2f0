"""Rows of option sets: offered, found again, closed once; and what customers got by them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from core.domain.options import OptionSet
from core.domain.states import EntitlementKind, OptionOfferState, ResolutionKind
from core.ports import Transaction
from core.repositories.write_stock import draw_ids

Key = tuple[int, int]
"""SKU id, backorder id."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A set of options of one backorder, as its row says."""

    sku_id: int
    id: int
    backorder_id: int
    state: OptionOfferState
    quantity: int
    expected_date: date | None
    deadline: datetime
    chosen: str | None = None
    """Kind of the option that was taken."""

    def is_outdated(self, quantity: int, expected_date: date | None) -> bool:
        """Is the backorder no longer the one that the options were made for?"""
        return (self.quantity, self.expected_date) != (quantity, expected_date)


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a set."""

    id: int
    kind: ResolutionKind
    quantity: int
    price: int
    price_difference: int
    compensation: int | None
    currency: str | None
    substitute_sku_id: int | None
    ratio: int | None
    is_default: bool


_OFFER = """select o.sku_id, o.id, o.backorder_id, o.state, o.quantity, o.expected_date, o.deadline, c.kind as chosen
from option_offer o left join resolution_option c on c.sku_id = o.sku_id and c.id = o.chosen_option_id """


def _offer(row: Any) -> Offer:
    return Offer(**{**row, "state": OptionOfferState(row["state"])})


async def open_offers(uow: Transaction, sku_ids: Iterable[int]) -> dict[Key, Offer]:
    """The open sets of these SKUs' backorders."""
    rows = await uow.sql.fetch(_OFFER + "where o.sku_id = any($1::bigint[]) and o.state = 'OPEN'", list(sku_ids))
    return {(row["sku_id"], row["backorder_id"]): _offer(dict(row)) for row in rows}


async def newest_offer(uow: Transaction, sku_id: int, backorder_id: int) -> Offer | None:
    """The last set that was offered for a backorder, whatever became of it."""
    row = await uow.sql.fetchrow(
        _OFFER + "where o.sku_id = $1 and o.backorder_id = $2 order by o.id desc limit 1", sku_id, backorder_id
    )
    return None if row is None else _offer(dict(row))


async def offer_by_id(uow: Transaction, sku_id: int, offer_id: int) -> Offer | None:
    """One set."""
    row = await uow.sql.fetchrow(_OFFER + "where o.sku_id = $1 and o.id = $2", sku_id, offer_id)
    return None if row is None else _offer(dict(row))


async def offer_of_option(uow: Transaction, sku_id: int, option_id: int) -> Offer | None:
    """The set that an option belongs to."""
    row = await uow.sql.fetchrow(
        _OFFER
        + "join resolution_option r on r.sku_id = o.sku_id and r.offer_id = o.id where r.sku_id = $1 and r.id = $2",
        sku_id,
        option_id,
    )
    return None if row is None else _offer(dict(row))


async def options_of(uow: Transaction, offer: Offer) -> list[Option]:
    """The options of a set, the default first."""
    rows = await uow.sql.fetch(
        """select id, kind, quantity, price, price_difference, compensation, currency, substitute_sku_id, ratio, is_default
        from resolution_option where sku_id = $1 and offer_id = $2 order by not is_default, id""",
        offer.sku_id,
        offer.id,
    )
    return [Option(**{**row, "kind": ResolutionKind(row["kind"])}) for row in rows]


async def insert_offers(
    uow: Transaction, rows: Sequence[tuple[Key, OptionSet, int, date | None, str, str, str | None]]
) -> None:
    """(backorder, options, short quantity, expected day, currency, reason, rule): one open set each, with its options."""
    if not rows:
        return
    ids = await draw_ids(uow, "option_offer", len(rows))
    await uow.sql.execute(
        """insert into option_offer (sku_id, id, backorder_id, quantity, expected_date, deadline, reason, rule, offered_at)
        overriding system value
        select u.*, $9 from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::date[], $6::timestamptz[],
            $7::text[], $8::text[]) as u""",
        [key[0] for key, *_ in rows],
        ids,
        [key[1] for key, *_ in rows],
        [row[2] for row in rows],
        [row[3] for row in rows],
        [row[1].deadline for row in rows],
        [row[5] for row in rows],
        [row[6] for row in rows],
        uow.now,
    )
    options = [(row, offer_id, option) for row, offer_id in zip(rows, ids, strict=True) for option in row[1].options]
    await uow.sql.execute(
        """insert into resolution_option (sku_id, backorder_id, offer_id, kind, quantity, price, price_difference,
            compensation, currency, substitute_sku_id, ratio, expected_date, deadline, is_default, created_at, updated_at)
        select u.*, $15, $15 from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::int[], $6::bigint[],
            $7::bigint[], $8::bigint[], $9::text[], $10::bigint[], $11::int[], $12::date[], $13::timestamptz[],
            $14::bool[]) as u""",
        [row[0][0] for row, _, _ in options],
        [row[0][1] for row, _, _ in options],
        [offer_id for _, offer_id, _ in options],
        [str(option.kind) for _, _, option in options],
        [option.quantity for _, _, option in options],
        [option.price for _, _, option in options],
        [option.price_difference for _, _, option in options],
        [option.compensation for _, _, option in options],
        [row[4] for row, _, _ in options],
        [option.substitute_sku_id for _, _, option in options],
        [option.ratio for _, _, option in options],
        [option.expected for _, _, option in options],
        [row[1].deadline for row, _, _ in options],
        [option.is_default for _, _, option in options],
        uow.now,
    )


async def close_offers(
    uow: Transaction, keys: Sequence[Key], state: OptionOfferState, reason: str, option_id: int | None = None
) -> None:
    """Close sets (SKU id, offer id) that are open; one that is closed stays as it is."""
    if not keys:
        return
    await uow.sql.execute(
        """update option_offer o set state = $3, reason = $4, chosen_option_id = $5, closed_at = $6, closed_by = $7,
            updated_at = $6
        from unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
        where o.sku_id = u.sku_id and o.id = u.id and o.state = 'OPEN'""",
        [sku_id for sku_id, _ in keys],
        [offer_id for _, offer_id in keys],
        str(state),
        reason,
        option_id,
        uow.now,
        uow.principal.id,
    )
    if option_id is not None:
        await uow.sql.execute(
            "update resolution_option set chosen_at = $3, updated_at = $3 where sku_id = $1 and id = $2",
            keys[0][0],
            option_id,
            uow.now,
        )


async def due_offers(uow: Transaction, limit: int) -> list[Key]:
    """(SKU id, offer id) of sets whose deadline has passed, longest first; those of held backorders wait."""
    rows = await uow.sql.fetch(
        """select o.sku_id, o.id from option_offer o join backorder b on b.sku_id = o.sku_id and b.id = o.backorder_id
        where o.state = 'OPEN' and o.deadline <= $1 and b.state = 'OPTION_OFFERED'
        order by o.deadline, o.sku_id, o.id limit $2""",
        uow.now,
        limit,
    )
    return [(row["sku_id"], row["id"]) for row in rows]


async def give_time_back(uow: Transaction, order_ids: Iterable[int]) -> None:
    """Open sets of orders whose hold has ended: their deadline moves by the time in which nobody could answer."""
    await uow.sql.execute(
        """with held as (
            select b.sku_id, b.id, max(e.created_at) as since from order_line l
            join backorder b on b.sku_id = l.sku_id and b.order_line_id = l.id and b.closed_at is null
            join backorder_event e on e.sku_id = b.sku_id and e.backorder_id = b.id and e.to_state = 'ON_HOLD'
                and e.from_state is distinct from 'ON_HOLD'
            where l.order_id = any($1::bigint[]) group by 1, 2),
        moved as (
            update option_offer o set deadline = o.deadline + ($2 - h.since), updated_at = $2 from held h
            where o.sku_id = h.sku_id and o.backorder_id = h.id and o.state = 'OPEN' and o.offered_at <= h.since
            returning o.sku_id, o.id, o.deadline)
        update resolution_option r set deadline = m.deadline, updated_at = $2 from moved m
        where r.sku_id = m.sku_id and r.offer_id = m.id""",
        sorted(set(order_ids)),
        uow.now,
    )


async def compensated(uow: Transaction, sku_ids: Iterable[int]) -> set[Key]:
    """Open backorders of these SKUs whose customer was compensated for waiting: once is enough."""
    rows = await uow.sql.fetch(
        """select distinct e.sku_id, e.backorder_id from entitlement e
        join backorder b on b.sku_id = e.sku_id and b.id = e.backorder_id and b.closed_at is null
        where e.sku_id = any($1::bigint[]) and e.kind = 'COUPON'""",
        sorted(set(sku_ids)),
    )
    return {(row["sku_id"], row["backorder_id"]) for row in rows}


async def grant_entitlement(
    uow: Transaction,
    offer: Offer,
    order_id: int,
    customer_id: int | None,
    kind: EntitlementKind,
    amount: int,
    currency: str,
) -> int | None:
    """Give a customer a right to `amount` minor units; None when the backorder has brought one of this kind before.

    Call it under the SKU's gate.
    """
    return await uow.sql.fetchval(
        """insert into entitlement (sku_id, backorder_id, offer_id, order_id, customer_id, kind, amount, currency, created_at)
        select $1, $2, $3, $4, $5, $6, $7, $8, $9
        where not exists (select from entitlement where sku_id = $1 and backorder_id = $2 and kind = $6) returning id""",
        offer.sku_id,
        offer.backorder_id,
        offer.id,
        order_id,
        customer_id,
        str(kind),
        amount,
        currency,
        uow.now,
    )
