"""API keys as they may be shown: everything but what proves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LIVE = "revoked_at is null and (expires_at is null or expires_at > now())"
MOST = 1_000


async def api_keys(sql: Any, ids: Sequence[int] | None = None) -> list[dict[str, Any]]:
    """Keys without their hashes, by name, at most MOST: these, or all that did not end more than a month ago."""
    rows = await sql.fetch(
        f"""select k.id, k.name, k.prefix, k.role, k.scope, c.code as customer, s.code as supplier, k.created_at,
            k.expires_at, k.revoked_at, k.last_used_at, ({LIVE}) as is_live
        from api_key k left join customer c on c.id = k.customer_id left join supplier s on s.id = k.supplier_id
        where case when $1::bigint[] is null then coalesce(k.revoked_at, k.expires_at, 'infinity') > now() - interval '30 days'
            else k.id = any($1) end
        order by k.name, k.id limit {MOST}""",
        ids,
    )
    return [dict(row) for row in rows]
