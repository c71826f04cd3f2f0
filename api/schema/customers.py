"""Customers as planners and shops enter them, and the person behind one, which few may see."""

from __future__ import annotations

import strawberry
from strawberry import field

from api.schema.errors import UserError
from api.schema.inputs import ShipToInput
from api.schema.node import register
from api.schema.sku import Customer

REFUSED = "What was refused and why; empty when all was done."


@register
@strawberry.type(description="The person or firm behind a customer: kept apart, so that it can be erased.")
class CustomerPerson:
    """One row of customer_person."""

    name: str | None = field(description="Name.", default=None)
    email: str | None = field(description="E-mail address; orders may name the customer by it.", default=None)
    phone: str | None = field(description="Phone number.", default=None)
    country: str | None = field(description="ISO 3166 code of the address.", default=None)
    postal_code: str | None = field(description="Postal code.", default=None)
    line1: str | None = field(description="Street and number.", default=None)
    city: str | None = field(description="Town.", default=None)


@strawberry.input(description="Which customers.")
class CustomerFilter:
    """All given conditions must hold."""

    codes: list[str] | None = field(default=None, description="One of these codes.")
    email: str | None = field(default=None, description="This e-mail address, in any letters.")
    tiers: list[str] | None = field(default=None, description="One of these grades.")


@strawberry.input(description="A customer by its code, new or known; what is null stays as it is.")
class CustomerSetInput:
    """Input of customerSet."""

    code: str = field(
        description="Its code: 1 to 64 letters, digits and . _ / -; a new one makes a new customer. It stands in logs and"
        " the audit trail: never an e-mail address."
    )
    tier: str | None = field(
        default=None,
        description="Service tier: STRATEGIC, VIP, GOLD, SILVER, STANDARD (of a new customer) or BASIC. Not for a STOREFRONT.",
    )
    language: str | None = field(
        default=None, description="Language that notices are written in, two small letters; en of a new customer."
    )
    name: str | None = field(default=None, description="Name of the person or firm; empty takes it away.")
    email: str | None = field(
        default=None, description="E-mail address that no other customer has; empty takes it away."
    )
    phone: str | None = field(default=None, description="Phone number; empty takes it away.")
    address: ShipToInput | None = field(default=None, description="Address; it replaces the one that was there.")


@strawberry.input(description="Whose personal data is to go.")
class CustomerEraseInput:
    """Input of customerErase."""

    code: str = field(description="Code of the customer; none of its orders may be under way.")


@strawberry.type(description="Answer of customerSet and customerErase.")
class CustomerPayload:
    """The customer after it."""

    customer: Customer | None = field(description="The customer.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)
