"""Quotas: how much of a SKU a channel, a customer or a tier may be promised in a window of days."""

from datetime import date, datetime

from core.domain.states import QuotaPeriod
from core.tables import columns as c


class Quota(c.Row, table=True):
    """`quantity` units per ISO week from `from_day` on (WEEK), or once between `from_day` and `until_day` (WINDOW).

    What of channel, customer and tier is null holds for all of them together; `until_day` is the last day, null: no end.
    """

    __table_args__ = (
        c.one_of("period", QuotaPeriod),
        c.check("quantity >= 0", "quantity"),
        c.check("until_day >= from_day", "days"),
        c.check("period = 'WEEK' or until_day is not null", "window_ends"),
    )

    sku_id: int = c.sku_key(references_sku=True)
    id: int | None = c.identity()
    channel: str | None = c.text(null=True)
    customer_id: int | None = c.ref("customer.id", null=True)
    tier: str | None = c.text(null=True)
    period: str = c.text(default="WEEK")
    from_day: date = c.day()
    until_day: date | None = c.day(null=True)
    quantity: int = c.integer()
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class QuotaUse(c.Row, table=True):
    """Units of a line that count against the window that `day` lies in; what the line cancels counts no more."""

    __table_args__ = (
        c.check("quantity > 0", "quantity"),
        c.child_of("quota", "quota_id"),
        c.child_of("order_line", "order_line_id"),
        c.index("quota_use_quota_idx", "sku_id", "quota_id", "day"),
        c.index("quota_use_line_idx", "sku_id", "order_line_id"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    quota_id: int = c.bigint()
    order_line_id: int = c.bigint()
    day: date = c.day()
    quantity: int = c.integer()
    created_at: datetime = c.created()
