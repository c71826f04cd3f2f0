"""Let the lead times that dates rest on follow what suppliers really take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from core.domain.lead_times import PRIOR_WEIGHT, Agreed, calibrate
from core.ports import Transaction
from core.queries.lead_time_facts import agreed_lead_times, days_taken
from core.repositories.gates import take_gates
from core.repositories.supplying import load_policies

POLICY = "lead_time_calibration"
MOST_OFFERS = 500
"""Offers that one transaction writes: their gates are held until it ends."""


async def suppliers_to_calibrate(uow: Transaction) -> list[int]:
    """Suppliers with offers; none while the policy is off."""
    if not (await load_policies(uow)).get(POLICY, {}).get("isOn", True):
        return []
    rows = await uow.sql.fetch("select distinct supplier_id from supplier_sku order by supplier_id")
    return [row["supplier_id"] for row in rows]


async def calibrate_suppliers(uow: Transaction, supplier_ids: Sequence[int]) -> int:
    """Write observed P50 and P80 per SKU, and with them the P80 that promises of what is ordered anew rest on.

    What was agreed is kept beside it and is what few observations are drawn to; it counts again where too few are left.
    Lines that are still missing after their agreed time count with the days they are missing already. Gates of SKUs whose
    figure moves are taken, so that every answer given before is seen to be old; terms that a planner changed meanwhile are
    left to the next run. Returns how many offers were due; where that is MOST_OFFERS there may be more.
    """
    policies = await load_policies(uow)
    policy = policies.get(POLICY, {})
    receiving = int(policies.get("receiving_days", 0))
    today = uow.now.date()
    from_day = today - timedelta(days=int(policy.get("windowDays", 365)))
    agreed = await agreed_lead_times(uow.sql, supplier_ids)
    observed = await days_taken(uow.sql, agreed, from_day, today, receiving)
    weight = int(policy.get("priorWeight", PRIOR_WEIGHT))
    found = {s: calibrate(terms, observed[s], weight) for s, terms in agreed.items()}
    changed: list[tuple[Any, Agreed, tuple[int, int | None, int | None, int]]] = []
    for row in await uow.sql.fetch(
        """select supplier_id, sku_id, lead_time_p80, observed_p50, observed_p80, observed_count from supplier_sku
        where supplier_id = any($1::bigint[]) order by supplier_id, sku_id""",
        list(supplier_ids),
    ):
        terms = agreed[row["supplier_id"]].get(row["sku_id"])
        new = found[row["supplier_id"]].get(row["sku_id"])
        if terms is None:
            continue
        figures = (terms.p80, None, None, 0) if new is None else (new.p80, new.p50, new.p80, new.count)
        if figures != tuple(row)[2:]:
            changed.append((row, terms, figures))
    if not changed:
        return 0
    changed = changed[:MOST_OFFERS]
    moved = [row for row, _, figures in changed if figures[0] != row["lead_time_p80"]]
    await take_gates(uow, {row["sku_id"] for row in moved})
    written = await uow.sql.fetch(
        """update supplier_sku x set agreed_lead_time_p80 = u.agreed_p80, lead_time_p80 = u.p80,
            observed_p50 = u.observed_p50, observed_p80 = u.observed_p80, observed_count = u.count,
            calibrated_at = $1, updated_at = case when x.lead_time_p80 = u.p80 then x.updated_at else $1 end
        from unnest($2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[], $9::int[])
            as u(supplier_id, sku_id, agreed_days, agreed_p80, p80, observed_p50, observed_p80, count)
        where x.supplier_id = u.supplier_id and x.sku_id = u.sku_id
            and x.lead_time_days = u.agreed_days and coalesce(x.agreed_lead_time_p80, x.lead_time_p80) = u.agreed_p80
        returning x.supplier_id""",
        uow.now,
        [row["supplier_id"] for row, _, _ in changed],
        [row["sku_id"] for row, _, _ in changed],
        [terms.days for _, terms, _ in changed],
        [terms.p80 for _, terms, _ in changed],
        *zip(*(figures for _, _, figures in changed), strict=True),
    )
    movers = Counter(row["supplier_id"] for row in moved)
    for supplier_id, skus in Counter(row["supplier_id"] for row in written).items():
        facts = {"skus": skus, "moved": movers[supplier_id]}
        uow.audit("leadTimeCalibrate", f"supplier:{supplier_id}", None, facts)
    return len(changed)
