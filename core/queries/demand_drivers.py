"""What may move demand besides chance: imported figures, and the country whose holidays most places keep."""

from __future__ import annotations

from datetime import date
from typing import Any

import asyncpg


async def imported_figures(sql: asyncpg.Connection, since: date) -> list[dict[str, Any]]:
    """(series, sku_id, day, value) from `since` on, and of each SKU's price the last one before, in order."""
    rows = await sql.fetch(
        """select series, sku_id, day, value from demand_driver where day >= $1
        union all (select distinct on (series, sku_id) series, sku_id, day, value from demand_driver
            where day < $1 and series = 'price' order by series, sku_id, day desc)""",
        since,
    )
    return sorted((dict(row) for row in rows), key=lambda row: (row["series"], row["sku_id"] or 0, row["day"]))


async def usual_country(sql: asyncpg.Connection) -> str | None:
    """The country of most locations' calendars; None where none names one."""
    return await sql.fetchval(
        """select c.country from location l join calendar c on c.id = l.calendar_id
        where c.country is not null and l.kind in ('dc', 'warehouse', 'store')
        group by c.country order by count(*) desc, c.country limit 1"""
    )
