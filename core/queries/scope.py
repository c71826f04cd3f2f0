"""Whose rows a caller may be answered with: the first wall, written into every query."""

from __future__ import annotations

from core.domain.access import Principal, Role
from core.queries.page import Filter

NOBODY = -1
"""An id no row has: a CUSTOMER or SUPPLIER without a binding sees nothing."""


def customer_scope(principal: Principal) -> int | None:
    """The only customer whose rows may be seen, or None for all.

    A STOREFRONT gets no list of orders (the root fields refuse it), but the order it has just placed is its answer.
    """
    if principal.role is Role.CUSTOMER:
        return principal.customer_id if principal.customer_id is not None else NOBODY
    return NOBODY if principal.role is Role.SUPPLIER else None


def supplier_scope(principal: Principal) -> int | None:
    """The only supplier whose rows may be seen, or None for all."""
    if principal.role is Role.SUPPLIER:
        return principal.supplier_id if principal.supplier_id is not None else NOBODY
    return NOBODY if principal.role in (Role.CUSTOMER, Role.STOREFRONT) else None


def scoped_to_customer(principal: Principal, column: str) -> Filter:
    """A filter that starts with the customer's scope."""
    filter = Filter()
    filter.add_given(f"{column} = ?", customer_scope(principal))
    return filter


def scoped_to_supplier(principal: Principal, column: str) -> Filter:
    """A filter that starts with the supplier's scope."""
    filter = Filter()
    filter.add_given(f"{column} = ?", supplier_scope(principal))
    return filter
