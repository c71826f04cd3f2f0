"""Erase what a person told us: the personal fields of a customer and the addresses of its orders; what was sold stays."""

from __future__ import annotations

from core.errors import IllegalTransition, NotFound
from core.ports import Transaction

_ENDED = ("SHIPPED", "DELIVERED", "CANCELLED")


async def erase_customer(uow: Transaction, code: str) -> int:
    """Returns the customer's id. Orders, promises and figures stay, with country and postal code (their delivery zone).

    Goods that have not left need an address: raises IllegalTransition, with a number, while an order is under way, and
    NotFound. Erasing again changes nothing.
    """
    customer_id = await uow.sql.fetchval("select id from customer where code = $1 for update", code)
    if customer_id is None:
        raise NotFound("customer", code, path=("input", "code"))
    number = await uow.sql.fetchval(
        "select number from sales_order where customer_id = $1 and not status = any($2::text[]) order by id limit 1",
        customer_id,
        list(_ENDED),
    )
    if number is not None:
        raise IllegalTransition(
            "customer", code, f"waiting for order {number}", "erased: ship or cancel that order first"
        )
    had = await uow.sql.fetchval(
        "delete from customer_person where customer_id = $1 returning customer_id", customer_id
    )
    orders = await uow.sql.fetch(
        """update sales_order set ship_to = jsonb_build_object('country', ship_to -> 'country', 'postalCode',
            ship_to -> 'postalCode', 'name', '', 'line1', '', 'city', ''), updated_at = $2
        where customer_id = $1 and coalesce(ship_to ->> 'name', '') || coalesce(ship_to ->> 'line1', '')
            || coalesce(ship_to ->> 'city', '') <> '' returning id""",
        customer_id,
        uow.now,
    )
    uow.audit("customerErase", f"customer:{customer_id}", None, {"wasKnown": had is not None, "addresses": len(orders)})
    return customer_id
