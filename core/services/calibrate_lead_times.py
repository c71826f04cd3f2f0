"""Let the lead times that dates rest on follow what a supplier really takes."""

from __future__ import annotations

from datetime import timedelta

from core.domain.lead_times import PRIOR_WEIGHT, calibrate
from core.ports import Transaction
from core.queries.lead_time_facts import agreed_lead_times, days_taken
from core.repositories.gates import take_gates
from core.repositories.supplying import load_policies

POLICY = "lead_time_calibration"


async def suppliers_to_calibrate(uow: Transaction) -> list[int]:
    """Suppliers with offers; none while the policy is off."""
    if not (await load_policies(uow)).get(POLICY, {}).get("isOn", True):
        return []
    rows = await uow.sql.fetch("select distinct supplier_id from supplier_sku order by supplier_id")
    return [row["supplier_id"] for row in rows]


async def calibrate_supplier(uow: Transaction, supplier_id: int) -> int:
    """Write observed P50 and P80 per SKU, and with them the P80 that promises of what is ordered anew rest on.

    What was agreed is kept beside it and is what few observations are drawn to. Lines that are still missing after their
    agreed time count with the days they are missing already. Gates of SKUs whose figure moves are taken, so that every
    answer given before is seen to be old. Repeating it changes nothing. Returns how many figures moved.
    """
    policies = await load_policies(uow)
    policy = policies.get(POLICY, {})
    receiving = int(policies.get("receiving_days", 0))
    today = uow.now.date()
    from_day = today - timedelta(days=int(policy.get("windowDays", 365)))
    agreed = await agreed_lead_times(uow.sql, supplier_id)
    observed = await days_taken(uow.sql, supplier_id, agreed, from_day, today, receiving)
    found = calibrate(agreed, observed, int(policy.get("priorWeight", PRIOR_WEIGHT)))
    rows = await uow.sql.fetch(
        "select sku_id, lead_time_p80, observed_p50, observed_p80, observed_count from supplier_sku where supplier_id = $1",
        supplier_id,
    )
    changed = [
        row["sku_id"]
        for row in rows
        if (new := found.get(row["sku_id"])) is not None and (new.p80, new.p50, new.p80, new.count) != tuple(row)[1:]
    ]
    moved = [r["sku_id"] for r in rows if r["sku_id"] in changed and found[r["sku_id"]].p80 != r["lead_time_p80"]]
    if not changed:
        return 0
    await take_gates(uow, moved)
    await uow.sql.execute(
        """update supplier_sku x set agreed_lead_time_p80 = coalesce(x.agreed_lead_time_p80, x.lead_time_p80),
            lead_time_p80 = u.p80, observed_p50 = u.p50, observed_p80 = u.p80, observed_count = u.count,
            calibrated_at = $2, updated_at = case when x.lead_time_p80 = u.p80 then x.updated_at else $2 end
        from unnest($3::bigint[], $4::int[], $5::int[], $6::int[]) as u(sku_id, p50, p80, count)
        where x.supplier_id = $1 and x.sku_id = u.sku_id""",
        supplier_id,
        uow.now,
        changed,
        [found[s].p50 for s in changed],
        [found[s].p80 for s in changed],
        [found[s].count for s in changed],
    )
    uow.audit("leadTimeCalibrate", f"supplier:{supplier_id}", None, {"skus": len(changed), "moved": len(moved)})
    return len(moved)
