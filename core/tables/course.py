"""The life of a backorder beside its row: sets of options, what customers got, the course taken, rules on delay."""

from datetime import date, datetime
from typing import Any

from core.domain.states import EntitlementKind, OptionOfferState
from core.tables import columns as c


class OptionOffer(c.Row, table=True):
    """A set of options, offered as one; a backorder has at most one open set."""

    __table_args__ = (
        c.one_of("state", OptionOfferState),
        c.check("(state = 'OPEN') = (closed_at is null)", "closed"),
        c.child_of("backorder", "backorder_id"),
        c.index("option_offer_one_open", "sku_id", "backorder_id", where="state = 'OPEN'", unique=True),
        c.index("option_offer_backorder_idx", "sku_id", "backorder_id"),
        c.index("option_offer_due_idx", "deadline", where="state = 'OPEN'"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    backorder_id: int = c.bigint()
    state: str = c.text(default="OPEN")
    quantity: int = c.integer()
    expected_date: date | None = c.day(null=True)
    deadline: datetime = c.instant()
    rule: str | None = c.text(null=True)
    chosen_option_id: int | None = c.bigint(null=True)
    reason: str | None = c.text(null=True)
    offered_at: datetime = c.instant()
    closed_at: datetime | None = c.instant(null=True)
    closed_by: str | None = c.text(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class Entitlement(c.Row, table=True):
    """What a customer has a right to because of a backorder: minor units, given once per offer and kind."""

    __table_args__ = (
        c.one_of("kind", EntitlementKind),
        c.check("amount > 0", "amount"),
        c.child_of("backorder", "backorder_id"),
        c.child_of("option_offer", "offer_id"),
        c.unique("sku_id", "offer_id", "kind"),
        c.index("entitlement_customer_idx", "customer_id", "id"),
        c.index("entitlement_backorder_idx", "sku_id", "backorder_id"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    backorder_id: int = c.bigint()
    offer_id: int = c.bigint()
    order_id: int = c.ref("sales_order.id")
    customer_id: int | None = c.bigint(null=True)
    kind: str = c.text()
    amount: int = c.bigint()
    currency: str = c.currency()
    created_at: datetime = c.created()


class BackorderCourse(c.Row, table=True):
    """How far the automatic course of a backorder has come, and whether a person has stopped it."""

    __table_args__ = (c.child_of("backorder", "backorder_id"),)

    sku_id: int = c.sku_key()
    backorder_id: int = c.key()
    is_paused: bool = c.flag()
    paused_reason: str | None = c.text(null=True)
    paused_by: str | None = c.text(null=True)
    steps: dict[str, Any] = c.json(default="{}")
    released_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class DelayRule(c.Row, table=True):
    """A rule on late delivery from a pack of dated data; see `core.domain.delay_rules`."""

    __table_args__ = (
        c.unique("pack", "code", "valid_from"),
        c.check("valid_to is null or valid_to >= valid_from", "period"),
    )

    id: int | None = c.identity()
    pack: str = c.text()
    code: str = c.text()
    country: str | None = c.country(null=True)
    valid_from: date = c.day()
    valid_to: date | None = c.day(null=True)
    notice_days: int | None = c.integer(null=True)
    consent_needed: bool = c.flag()
    consent_days: int | None = c.integer(null=True)
    refund_days: int | None = c.integer(null=True)
    note: str = c.text(default="")
    created_at: datetime = c.created()
