"""Keep how often callers were refused: in a transaction of its own, since what was refused has none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from core.ports import Transaction

Denial = tuple[str, str, str, datetime]
"""Principal, role, operation, minute."""


async def count_denials(uow: Transaction, counts: Mapping[Denial, int]) -> None:
    """Add to the counts per principal in a role, operation and minute; several processes may count the same."""
    keys = sorted(counts)
    await uow.sql.execute(
        """insert into access_denial as d (principal, role, operation, minute, denials)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[])
        on conflict (principal, role, operation, minute) do update set denials = d.denials + excluded.denials""",
        [key[0] for key in keys],
        [key[1] for key in keys],
        [key[2] for key in keys],
        [key[3] for key in keys],
        [counts[key] for key in keys],
    )
