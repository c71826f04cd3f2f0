"""What is foreseen and what it rests on: supply as it was, snapshots, scores, models, date spreads, forecasts, targets."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from core.domain.states import InputFaultAction, InputFaultReason, LearningModelState, RiskActionKind, RiskActionState
from core.tables import columns as c


class SupplyHistory(c.Row, table=True):
    """What was open of a supply, and for when, from `recorded_at` on; a trigger writes it, append-only."""

    __table_args__ = (
        c.index("supply_history_supply_idx", "sku_id", "supply_id", "id"),
        c.index("supply_history_supplier_idx", "supplier_id", "recorded_at"),
    )

    id: int | None = c.identity()
    sku_id: int = c.bigint()
    supply_id: int = c.bigint()
    location_id: int = c.bigint()
    supplier_id: int | None = c.bigint(null=True)
    kind: str = c.text()
    open_quantity: int = c.integer()
    paper_date: date | None = c.day(null=True)
    usable_date: date = c.day()
    date_basis: str | None = c.text(null=True)
    recorded_at: datetime = c.instant()


class RiskSnapshot(c.Row, table=True):
    """What was known of a SKU at a location on a day, what was said of it, and (later) whether it went short.

    Months are 30 days; lead times weeks; on-time shares 0..1; null is unknown.
    """

    __table_args__ = (
        c.index("risk_snapshot_day_idx", "day"),
        c.index("risk_snapshot_unlabelled_idx", "day", where="went_short is null"),
    )

    sku_id: int = c.key(references="sku.id")
    location_id: int = c.key(references="location.id")
    day: date = c.key(sa.Date)
    taken_at: datetime = c.instant()
    on_hand: float = c.number()
    in_transit: float = c.number()
    lead_time_weeks: float | None = c.number(null=True)
    forecast_3: float | None = c.number(null=True)
    forecast_6: float | None = c.number(null=True)
    forecast_9: float | None = c.number(null=True)
    sales_1: float = c.number()
    sales_3: float = c.number()
    sales_6: float = c.number()
    sales_9: float = c.number()
    minimum_stock: float = c.number()
    past_due: float = c.number()
    on_time_6: float | None = c.number(null=True)
    on_time_12: float | None = c.number(null=True)
    backordered: float = c.number()
    model_id: int | None = c.ref("learning_model.id", null=True)
    probability: float | None = c.number(null=True)
    went_short: bool | None = c.claim()
    labelled_at: datetime | None = c.instant(null=True)


class RiskScore(c.Row, table=True):
    """The newest score of a SKU at a location, by which model, and why."""

    __table_args__ = (
        c.check("probability between 0 and 1", "probability"),
        c.index("risk_score_rank_idx", "probability", "sku_id", "location_id"),
    )

    sku_id: int = c.key(references="sku.id")
    location_id: int = c.key(references="location.id")
    model_id: int | None = c.ref("learning_model.id", null=True)
    spoke: str = c.text()
    score: float = c.number()
    probability: float = c.number()
    is_short: bool = c.flag()
    reasons: list[dict[str, Any]] = c.json(default="[]")
    gate_version: int = c.bigint()
    scored_at: datetime = c.instant()
    created_at: datetime = c.created()


class RiskAction(c.Row, table=True):
    """What was suggested against a risk, as the input of a mutation; whether it was done, and what came of it."""

    __table_args__ = (
        c.one_of("kind", RiskActionKind),
        c.one_of("state", RiskActionState),
        c.index("risk_action_open", "sku_id", "location_id", "kind", where="state = 'OPEN'", unique=True),
        c.index("risk_action_place_idx", "sku_id", "location_id", "id"),
    )

    id: int | None = c.identity()
    sku_id: int = c.ref("sku.id")
    location_id: int = c.ref("location.id")
    kind: str = c.text()
    mutation: str = c.text()
    input: dict[str, Any] = c.json()
    facts: dict[str, Any] = c.json(default="{}")
    probability: float = c.number()
    model_id: int | None = c.ref("learning_model.id", null=True)
    state: str = c.text(default="OPEN")
    suggested_at: datetime = c.instant()
    taken_at: datetime | None = c.instant(null=True)
    outcome: dict[str, Any] | None = c.json(null=True)
    closed_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()


class LearningModel(c.Row, table=True):
    """A fitted model with what it was fitted on and how good it was; at most one of a kind is active."""

    __table_args__ = (
        c.one_of("state", LearningModelState),
        c.index("learning_model_one_active", "kind", where="state = 'ACTIVE'", unique=True),
    )

    id: int | None = c.identity()
    kind: str = c.text()
    spoke: str = c.text()
    state: str = c.text(default="CANDIDATE")
    artefact: bytes = c.binary()
    sha256: str = c.text()
    format: int = c.integer()
    trained_from: date = c.day()
    trained_until: date = c.day()
    rows: int = c.integer()
    positives: int = c.integer()
    features: list[str] = c.array(sa.Text)
    libraries: dict[str, str] = c.json()
    metrics: dict[str, Any] = c.json(default="{}")
    baseline: dict[str, Any] = c.json(default="{}")
    reference: dict[str, Any] = c.json(default="{}")
    cause: str = c.text()
    verdict: str = c.text(default="")
    promoted_at: datetime | None = c.instant(null=True)
    retired_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()


class ModelCheck(c.Row, table=True):
    """One look at whether a model still fits: drift of its inputs, and what it said against what came."""

    __table_args__ = (c.index("model_check_model_idx", "model_id", "id"),)

    id: int | None = c.identity()
    model_id: int = c.ref("learning_model.id")
    psi: dict[str, float] = c.json(default="{}")
    worst_psi: float | None = c.number(null=True)
    mean_prediction: float | None = c.number(null=True)
    observed_rate: float | None = c.number(null=True)
    judged: int = c.integer(default=0)
    positives: int = c.integer(default=0)
    alarms: list[str] = c.array(sa.Text)
    checked_at: datetime = c.instant()
    created_at: datetime = c.created()


class DateSpread(c.Row, table=True):
    """How far the real day lies from the stated one, days, for one group: its quantiles, distribution and coverage."""

    __table_args__ = (
        c.unique("path"),
        c.check("observations >= 0 and judged >= 0", "counts"),
        c.check("p50 <= p80 and p80 <= p95", "quantiles"),
    )

    id: int | None = c.identity()
    path: str = c.text()
    stage: str = c.text()
    basis: str = c.text()
    supplier_id: int | None = c.bigint(null=True)
    observations: int = c.integer()
    says: str = c.text()
    p50: int = c.integer()
    p80: int = c.integer()
    p95: int = c.integer()
    days: list[int] = c.array(sa.Integer)
    shares: list[float] = c.array(sa.Double)
    coverage: float | None = c.number(null=True)
    coverage_p50: float | None = c.number(null=True)
    coverage_p95: float | None = c.number(null=True)
    judged: int = c.integer(default=0)
    bias: float | None = c.number(null=True)
    spread: float | None = c.number(null=True)
    is_drifting: bool = c.flag()
    computed_at: datetime = c.instant()
    created_at: datetime = c.created()


class DemandForecast(c.Row, table=True):
    """What was expected to be asked for, per week of seven days, and (later) what was."""

    __table_args__ = (c.index("demand_forecast_unjudged_idx", "made_on", where="actual is null"),)

    sku_id: int = c.key(references="sku.id")
    location_id: int = c.key(references="location.id")
    made_on: date = c.key(sa.Date)
    method: str = c.text()
    weekly_mean: float = c.number()
    centre: float = c.number()
    weekly_variance: float = c.number()
    centre_variance: float = c.number()
    weeks_known: int = c.integer()
    weeks_corrected: int = c.integer(default=0)
    weeks_left_out: int = c.integer(default=0)
    p90_horizon: float = c.number()
    actual: float | None = c.number(null=True)
    made_at: datetime = c.instant()
    created_at: datetime = c.created()


class StockTarget(c.Row, table=True):
    """What a SKU should hold at a location, what to order now and why; the newest only."""

    __table_args__ = (
        c.check("safety_stock >= 0 and reorder_point >= 0 and order_quantity >= 0 and suggested >= 0", "quantities"),
        c.index("stock_target_urgency_idx", "urgency", "sku_id", "location_id"),
    )

    sku_id: int = c.key(references="sku.id")
    location_id: int = c.key(references="location.id")
    abc: str = c.text()
    xyz: str = c.text()
    service_level: float = c.number()
    weekly_mean: float = c.number()
    weekly_sd: float = c.number()
    lead_time_days: float = c.number()
    lead_time_sd_days: float = c.number()
    safety_stock: int = c.integer()
    reorder_point: int = c.integer()
    order_quantity: int = c.integer()
    on_hand: int = c.integer()
    position: int = c.integer()
    suggested: int = c.integer(default=0)
    cover_days: float | None = c.number(null=True)
    flags: list[str] = c.array(sa.Text)
    urgency: int = c.integer(default=0)
    reasons: list[dict[str, Any]] = c.json(default="[]")
    effect: dict[str, Any] = c.json(default="{}")
    computed_at: datetime = c.instant()
    created_at: datetime = c.created()


class ReorderRule(c.Row, table=True):
    """A planner's own reorder rule of a SKU, kept while targets apply theirs in its place, to go back to."""

    sku_id: int = c.key(references="sku.id")
    own_point: int = c.integer()
    own_quantity: int = c.integer()
    applied_point: int = c.integer()
    applied_quantity: int = c.integer()
    taken_at: datetime = c.instant()
    created_at: datetime = c.created()


class DemandDriver(c.Row, table=True):
    """One imported figure that may move demand: a price of a SKU, or an index for all (weather, a rate), on a day."""

    __table_args__ = (
        c.check("sku_id is not null or series <> 'price'", "price_of_a_sku"),
        sa.Index("demand_driver_figure", "series", "sku_id", "day", unique=True, postgresql_nulls_not_distinct=True),
    )

    id: int | None = c.identity()
    series: str = c.text()
    sku_id: int | None = c.ref("sku.id", null=True)
    day: date = c.day()
    value: float = c.number()
    created_at: datetime = c.created()


class InputFault(c.Row, table=True):
    """A figure that no forecast or score may silently eat: what is wrong with it, and what was done."""

    __table_args__ = (
        c.one_of("reason", InputFaultReason),
        c.one_of("action", InputFaultAction),
        c.unique("subject", "reason"),
        c.index("input_fault_found_idx", "found_at", "id"),
    )

    id: int | None = c.identity()
    subject: str = c.text()
    reason: str = c.text()
    action: str = c.text()
    sku_id: int | None = c.bigint(null=True)
    location_id: int | None = c.bigint(null=True)
    day: date | None = c.day(null=True)
    value: float | None = c.number(null=True)
    usual: float | None = c.number(null=True)
    found_at: datetime = c.instant()
    created_at: datetime = c.created()
