"""Keep forecasts and make stock targets of them: what to hold, what to order now, why, and for whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from math import ceil, floor, sqrt
from typing import Any

from core.domain.demand_plan import POLICY as DEMAND_PLAN
from core.domain.demand_plan import DemandPlan, demand_plan
from core.domain.input_faults import InputFault
from core.domain.purchasing import order_quantity
from core.domain.replenishment import best_lot, suggest
from core.domain.stock_classes import POLICY, ReplenishmentRules, replenishment_rules, stock_flags
from core.events import JobRequest
from core.ports import Transaction
from core.queries.stock_positions import waiting_backorders
from core.repositories.demand_forecasts import (
    judge_forecasts,
    write_faults,
    write_forecasts,
    write_targets,
)
from core.repositories.reorder_rules import apply_rules, give_back, own_rules
from core.repositories.supplying import load_policies

WEEKS_PER_YEAR = 52
WORTH_TELLING = 0.1
"""Share of the demand until new goods come by which season, events or prices have to move it to be told."""


async def load_replenishment_rules(uow: Transaction) -> ReplenishmentRules:
    """The policy `replenishment` as it stands."""
    return replenishment_rules((await load_policies(uow)).get(POLICY))


async def load_demand_plan(uow: Transaction) -> DemandPlan:
    """The policy `demand_plan` as it stands."""
    return demand_plan((await load_policies(uow)).get(DEMAND_PLAN))


def first_known_day(at: datetime, weeks: int) -> date:
    """The first day of a history of so many weeks up to `at`."""
    return (at - timedelta(weeks=weeks)).date()


async def planners_rules(uow: Transaction, sku_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """(reorder point, reorder quantity) of SKUs as people set them."""
    return await own_rules(uow, sku_ids)


async def keep_forecasts(
    uow: Transaction, rows: Sequence[Mapping[str, Any]], faults: Sequence[InputFault]
) -> dict[str, int]:
    """Store today's forecasts and judge those of four weeks ago."""
    judged = await judge_forecasts(uow)
    await write_forecasts(uow, rows)
    return {"forecasts": len(rows), "judged": judged, "faults": await write_faults(uow, faults)}


async def keep_targets(
    uow: Transaction, drafts: Sequence[Mapping[str, Any]], reorder_rules: Mapping[int, tuple[int, int]]
) -> dict[str, int]:
    """Make targets of `drafts` (a row of `core/queries/stock_positions.py:positions` with abc, xyz, service_level, weekly_mean,
    weekly_sd, usual_mean (a week of the year to come: lots and classes rest on it), cover_days, lead_days, lead_sd_days,
    protected_mean, reorder_point, chance_short, idle_weeks and expected_change) and store them.

    With `isAutomatic` SKUs get `reorder_rules` (reorder point and quantity over all places) and the daily review is asked
    for; without it they get back what planners had set.
    """
    rules = await load_replenishment_rules(uow)
    waiting: dict[tuple[int, int], list[dict[str, int]]] = defaultdict(list)
    for row in await waiting_backorders(uow.sql, sorted({draft["sku_id"] for draft in drafts})):
        waiting[row["sku_id"], row["location_id"]].append({"id": row["backorder_id"], "units": row["units"]})
    rows = [_target(draft, rules, waiting[draft["sku_id"], draft["location_id"]]) for draft in drafts]
    await write_targets(uow, rows)
    changed = 0
    if rules.is_automatic:
        changed = await apply_rules(uow, reorder_rules)
        uow.audit("stockTargetsApply", "stock_target", None, {"skus": changed})
        uow.enqueue(JobRequest("review_stock", "targets"))
    elif changed := await give_back(uow):
        uow.audit("stockTargetsGiveBack", "stock_target", None, {"skus": changed})
    return {"targets": len(rows), "suggested": sum(row["suggested"] > 0 for row in rows), "skusChanged": changed}


def _target(draft: Mapping[str, Any], rules: ReplenishmentRules, waiting: list[dict[str, int]]) -> dict[str, Any]:
    position = draft["free"] + draft["inbound"] - draft["claimed"]
    weekly = draft["weekly_mean"]
    point = int(draft["reorder_point"])
    moq, multiple = draft["moq"] or 1, draft["order_multiple"] or 1
    lot = lot_of(draft, draft["usual_mean"], rules) if point > 0 else 0
    to_buy = position + draft["transferable"]  # what moves from another location for less than it costs is not bought
    units = suggest(to_buy, point, lot, moq, multiple) if draft["lead_time_days"] is not None else 0
    flags = stock_flags(
        rules, on_hand=draft["free"], position=position, reorder_point=point, weekly_mean=weekly,
        protected_mean=draft["protected_mean"], idle_weeks=draft["idle_weeks"],
    )  # fmt: skip
    return {
        **{
            name: draft[name]
            for name in ("sku_id", "location_id", "abc", "xyz", "service_level", "weekly_mean", "weekly_sd")
        },
        "lead_time_days": draft["lead_days"],
        "lead_time_sd_days": draft["lead_sd_days"],
        "safety_stock": max(0, point - ceil(round(draft["protected_mean"], 9))),
        "reorder_point": point,
        "order_quantity": lot,
        "on_hand": draft["free"],
        "position": position,
        "suggested": units,
        "cover_days": draft["cover_days"],
        "flags": flags,
        "urgency": round(100 * draft["chance_short"]) if "REPLENISH" in flags or "STOCKOUT_RISK" in flags else 0,
        "reasons": _reasons(draft, position, point, flags),
        "effect": {"backorders": waiting, "units": sum(one["units"] for one in waiting)} if units else {},
    }


def lot_of(row: Mapping[str, Any], weekly: float, rules: ReplenishmentRules) -> int:
    """What to order at once of a row of `positions` at a demand a week: best by price breaks, order and holding cost, and
    no more than sells while it keeps."""
    price = row["price"] or row["unit_cost"]
    days = row["sellable_days"]
    most = None if days is None else max(1, floor(weekly * max(float(days), 0.0) / 7))
    prices = ((1, price), *((start, cheaper) for start, cheaper in row["breaks"] or ()))
    moq, multiple = row["moq"] or 1, row["order_multiple"] or 1
    lot = best_lot(weekly * WEEKS_PER_YEAR, rules.order_cost, rules.holding_rate, prices, moq, multiple, most)
    return lot or order_quantity(1, moq, multiple)


def _reasons(draft: Mapping[str, Any], position: int, point: int, flags: Sequence[str]) -> list[dict[str, Any]]:
    facts = {
        "position": position, "reorderPoint": point, "expected": round(draft["protected_mean"], 1),
        "leadDays": round(draft["lead_days"], 1), "chanceShort": round(draft["chance_short"], 3), "idleWeeks": draft["idle_weeks"],
    }  # fmt: skip
    found: list[dict[str, Any]] = [{"code": flag, "facts": facts} for flag in flags]
    if draft["waiting"]:
        found.append({"code": "BACKORDERED", "facts": {"units": draft["waiting"]}})
    change = draft["expected_change"]
    if abs(change) >= WORTH_TELLING * max(draft["protected_mean"], 1.0):
        found.append({"code": "DEMAND_CHANGES", "facts": {"units": round(change)}})
    if draft["missed"]:
        found.append({"code": "FORECAST_MISSED", "facts": {"units": draft["missed"]}})
    if draft["transferable"]:
        found.append({"code": "TRANSFER_FIRST", "facts": {"units": draft["transferable"]}})
    return found


def weekly_sd(variance: float) -> float:
    """Standard deviation of a week's demand."""
    return sqrt(max(variance, 0.0))
