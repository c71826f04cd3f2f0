"""Moves of stock between locations that are proposed to planners."""

from datetime import date, datetime
from typing import Any

from core.domain.rebalancing import RebalancingState
from core.tables import columns as c


class RebalancingProposal(c.Row, table=True):
    """Units that would do more good elsewhere, with why and what it costs; computed without gates, accepted under them."""

    __table_args__ = (
        c.one_of("state", RebalancingState),
        c.check("quantity > 0", "quantity"),
        c.check("from_location_id <> to_location_id", "not_itself"),
        c.check("(state = 'OPEN') = (closed_at is null)", "closed"),
        c.check("(state = 'ACCEPTED') = (transfer_id is not null)", "transfer"),
        c.index(
            "rebalancing_proposal_one_open",
            "sku_id",
            "from_location_id",
            "to_location_id",
            where="state = 'OPEN'",
            unique=True,
        ),
        c.index("rebalancing_proposal_state_idx", "state", "id"),
        c.index("rebalancing_proposal_expired_idx", "sku_id", "closed_at", where="state = 'EXPIRED'"),
    )

    id: int | None = c.identity()
    sku_id: int = c.ref("sku.id")
    from_location_id: int = c.ref("location.id")
    to_location_id: int = c.ref("location.id")
    quantity: int = c.integer()
    urgency: int = c.integer(default=0)
    cost: int = c.bigint(default=0)
    carbon_g: int = c.bigint(default=0)
    currency: str = c.currency()
    arrives_on: date = c.day()
    reason: dict[str, Any] = c.json()
    state: str = c.text(default="OPEN")
    transfer_id: int | None = c.bigint(null=True)
    expires_at: datetime = c.instant()
    closed_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()
