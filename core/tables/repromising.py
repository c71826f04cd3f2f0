"""What planners have prepared to be run again: named variants of re-promising, some of them by a schedule."""

from datetime import datetime, time
from typing import Any

from core.tables import columns as c


class RepromisingVariant(c.Row, table=True):
    """Segments, strategies and a churn budget under a code; `daily_at` in `time_zone` starts it once a day."""

    __table_args__ = (
        c.unique("code"),
        c.check("code <> ''", "code"),
        c.index("repromising_variant_due", "daily_at", where="daily_at is not null and is_active"),
    )

    id: int | None = c.identity()
    code: str = c.text()
    name: str = c.text()
    definition: dict[str, Any] = c.json()
    daily_at: time | None = c.time_of_day(null=True)
    time_zone: str = c.text(default="UTC")
    is_active: bool = c.flag(True)
    last_started_at: datetime | None = c.instant(null=True)
    version: int = c.integer(default=1)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()
