"""Make a customer or change one; what a person told us goes into its own row, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.domain.access import Role
from core.domain.customer_fields import Person, check_code, check_grade, check_language
from core.errors import Forbidden, InvalidInput
from core.ports import Transaction
from core.services.follow_up import request_allocation

MAX_ASKED = 1_000
"""SKUs that are offered anew at once when a customer's grade changes; the others are at the next turn of stock."""


@dataclass(frozen=True, slots=True)
class SetCustomer:
    """A customer by its code, new or known. What is None stays as it is; a new one is STANDARD and reads English."""

    code: str
    tier: str | None = None
    language: str | None = None
    person: Person = field(default_factory=Person)


async def set_customer(uow: Transaction, request: SetCustomer) -> int:
    """Write the customer; returns its id. The audit entry names the personal fields that changed, never their values.

    A STOREFRONT makes customers and changes none, and gives no grade: who holds a shop's key must not be able to take
    over a customer or lift one above the others. Another grade counts from the next decision on; what the customer waits
    for is offered anew. Raises InvalidInput (also an e-mail that another customer has) and Forbidden.
    """
    check_code(request.code)
    check_grade(request.tier)
    check_language(request.language)
    request.person.check()
    is_shop = uow.principal.role is Role.STOREFRONT
    if is_shop and request.tier is not None:
        raise Forbidden("A storefront gives no tier: planners do.", path=("input", "tier"))
    made = await uow.sql.fetchval(
        """insert into customer (code, tier, language, created_at, updated_at)
        values ($1, coalesce($2, 'STANDARD'), coalesce($3, 'en'), $4, $4) on conflict (code) do nothing returning id""",
        request.code,
        request.tier,
        request.language,
        uow.now,
    )
    if made is None and is_shop:
        raise InvalidInput(
            f"There is a customer {request.code!r} already; planners change customers.",
            path=("input", "code"),
            value=request.code,
        )
    before = await uow.sql.fetchrow("select id, tier, language from customer where code = $1 for update", request.code)
    customer_id = before["id"]
    after = {"tier": request.tier or before["tier"], "language": request.language or before["language"]}
    old = {"tier": before["tier"], "language": before["language"]}
    if after != old:
        await uow.sql.execute(
            "update customer set tier = $2, language = $3, updated_at = $4 where id = $1",
            customer_id,
            *after.values(),
            uow.now,
        )
    told = await _write_person(uow, customer_id, request.person)
    if made is not None or after != old or told:
        seen = None if made is not None else old
        uow.audit("customerSet", f"customer:{customer_id}", seen, {**after, "personalFields": told})
    if after["tier"] != old["tier"]:
        await _offer_anew(uow, customer_id)
    return customer_id


async def _write_person(uow: Transaction, customer_id: int, person: Person) -> list[str]:
    """The names of the personal fields that are different now."""
    given = person.given
    if not given:
        return []
    row = await uow.sql.fetchrow(
        "select name, email, phone, address from customer_person where customer_id = $1", customer_id
    )
    known: dict[str, Any] = dict(row) if row is not None else dict.fromkeys(("name", "email", "phone", "address"))
    if given.get("email") and (given["email"].lower() != (known["email"] or "").lower()):
        await _free_email(uow, customer_id, given["email"])
    changed = sorted(name for name, value in given.items() if known[name] != value)
    if changed:
        now = {**known, **given}
        await uow.sql.execute(
            """insert into customer_person (customer_id, name, email, phone, address, created_at, updated_at)
            values ($1, $2, $3, $4, $5, $6, $6) on conflict (customer_id) do update set name = excluded.name,
                email = excluded.email, phone = excluded.phone, address = excluded.address, updated_at = excluded.updated_at""",
            customer_id,
            now["name"],
            now["email"],
            now["phone"],
            now["address"],
            uow.now,
        )
    return changed


async def _free_email(uow: Transaction, customer_id: int, email: str) -> None:
    """Orders find their customer by it: two of one address would take each other's orders."""
    await uow.sql.execute(
        "select pg_advisory_xact_lock(hashtextextended('customer-email:' || lower($1::text), 0))", email
    )
    taken = "select exists (select from customer_person where lower(email) = lower($1) and customer_id <> $2)"
    if await uow.sql.fetchval(taken, email, customer_id):
        raise InvalidInput(
            "Another customer has this e-mail address: change or erase that one first.", path=("input", "email")
        )


async def _offer_anew(uow: Transaction, customer_id: int) -> None:
    """Ranks and quotas ask for the grade when they decide: let what the customer waits for be decided again."""
    rows = await uow.sql.fetch(
        "select distinct sku_id from backorder where customer_id = $1 and closed_at is null order by 1 limit $2",
        customer_id,
        MAX_ASKED,
    )
    request_allocation(uow, [row["sku_id"] for row in rows])
