"""What is foreseen: the risk of going short and why, what can be done, and the models behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

import strawberry
from strawberry import Info, field

from api.pagination import encode_id
from api.schema.enums import described
from api.schema.errors import UserError
from api.schema.events import CURSOR, OCCURRED, RESYNC
from api.schema.node import Row, build, build_all, register
from api.schema.sku import Location, Sku
from core.domain.learning_plots import PlotKind
from core.domain.risk_reasons import say_reason
from core.domain.states import LearningModelState, RiskActionKind, RiskActionState


class Speaker(Enum):
    """Kinds of ml.backorder_risk."""

    RULE = "rule"
    LOGISTIC = "logistic"
    BOOSTED = "boosted"


class RiskMove(Enum):
    """Kinds of events of topic `risk`."""

    RISEN = "RISEN"
    FALLEN = "FALLEN"


class ModelKind(Enum):
    """Kinds of learned models."""

    BACKORDER_RISK = "BACKORDER_RISK"


described(
    Speaker,
    "Which kind of model speaks: the more outcomes are known, the more it can be.",
    RULE="The ratio of stock to demand; under 50 outcomes nothing can be learned.",
    LOGISTIC="Logistic regression; from 50 outcomes on.",
    BOOSTED="Boosted trees; from 200 outcomes on.",
)
described(RiskMove, "Where a chance went.", RISEN="It is more likely now.", FALLEN="It is less likely now.")
described(ModelKind, "What a model foresees.", BACKORDER_RISK="Whether a SKU goes short at a location.")
described(
    PlotKind,
    "What a plot shows.",
    CALIBRATION="Chances that the speaking model said on unseen days, against the shares that came.",
    BACKTEST="Precision of the newest models on unseen days, beside the ratio rule.",
    COVERAGE="Share of the deliveries of each supplier that came by the P80 said before; .80 is meant.",
)
described(
    LearningModelState,
    "What became of a fitted model.",
    CANDIDATE="It is being compared.",
    ACTIVE="It speaks.",
    RETIRED="It spoke before; modelRollBack lets it speak again.",
    REFUSED="It was not better than the one that speaks, or than the rule.",
)
described(
    RiskActionKind,
    "What can be done against a risk.",
    RAISE_PRIORITY="Let the most urgent line that waits have what comes first.",
    RESERVE="Hold what is left for the orders that matter.",
    EXPEDITE="Order now from the usual supplier.",
    ALTERNATIVE_SOURCE="Order from another supplier.",
    TRANSFER="Move units that another location can spare.",
    SUBSTITUTE="Give the substitute that is on offer.",
)
described(
    RiskActionState,
    "What became of a suggestion.",
    OPEN="It can be followed.",
    TAKEN="What it asks for was done after it was made.",
    EXPIRED="It no longer helps, or the risk is over.",
)


@strawberry.type(description="One cause of a risk, in words.")
class RiskReason:
    """One of the three that weigh most."""

    code: str = field(description="Which cause, as a code.")
    text: str = field(description="The cause in the caller's language, with its figures.")
    weight: float = field(description="By how much it raises the log-odds of going short; 0.7 doubles the odds.")


@register
@strawberry.type(description="Something that can be done against a risk, ready to be sent as a mutation.")
class RiskAction:
    """One suggestion and what came of it."""

    row: strawberry.Private[Row]
    kind: RiskActionKind = field(description="What it is.")
    mutation: str = field(description="Name of the mutation that does it.")
    state: RiskActionState = field(description="What became of it.")
    suggested_at: datetime = field(description="When it was first suggested.")
    taken_at: datetime | None = field(description="When it was seen that it had been done.", default=None)

    @field(description="Input of the mutation, as JSON text.")
    def input(self) -> str:
        return json.dumps(_with_ids(self.row["input"]), ensure_ascii=False)

    @field(description="Units it brings, where it brings any.")
    def units(self) -> int | None:
        return self.row["facts"].get("units")

    @field(description="Days until it helps, where that is known.")
    def days(self) -> int | None:
        return self.row["facts"].get("days")

    @field(description="Whether the SKU went short within the horizon after the suggestion; null while nobody knows.")
    def went_short(self) -> bool | None:
        return None if self.row["outcome"] is None else self.row["outcome"]["wentShort"]


@register
@strawberry.type(description="How likely a SKU goes short at a location within the days that the policy `risk` names.")
class BackorderRisk:
    """The newest score of one place."""

    sku_id: strawberry.Private[int]
    location_id: strawberry.Private[int]
    row: strawberry.Private[Row]
    probability: float = field(description="Calibrated chance, 0 to 1.")
    score: float = field(description="What the model said before it was turned into a chance: log-odds.")
    is_short: bool = field(description="Is something owed there already; then the chance speaks of further lines.")
    scored_at: datetime = field(description="When it was said.")

    @field(description="Which kind of model said it.")
    def spoke(self) -> Speaker:
        return Speaker(self.row["spoke"])

    @field(description="The model that said it; null for the rule before any outcome was known.")
    async def model(self, info: Info) -> LearningModel | None:
        if self.row["model_id"] is None:
            return None
        return build("LearningModel", await info.context.loaders.learning_model_by_id.load(self.row["model_id"]))

    @field(description="What goes short.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="Where.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))

    @field(description="The causes that weigh most, heaviest first; at most three, none where the chance is small.")
    def reasons(self, info: Info) -> list[RiskReason]:
        return [
            RiskReason(
                code=reason["code"],
                weight=reason["weight"],
                text=say_reason(
                    reason["code"],
                    {name: float("nan") if value is None else value for name, value in reason["facts"].items()},
                    info.context.language,
                ),
            )
            for reason in self.row["reasons"]
        ]

    @field(description="What can be done, then what was suggested before and what came of it.")
    async def actions(self, info: Info) -> list[RiskAction]:
        return build_all(
            "RiskAction", await info.context.loaders.risk_actions_by_key.load((self.sku_id, self.location_id))
        )


@strawberry.input(description="Which risks.")
class BackorderRiskFilter:
    """All given conditions must hold."""

    sku: str | None = field(default=None, description="Of the SKU with this code.")
    location: str | None = field(default=None, description="At the location with this code.")
    at_least: float | None = field(default=None, description="With at least this chance, 0 to 1.")
    is_short: bool | None = field(default=None, description="Only what is, or is not, short already.")


@strawberry.type(description="One figure of a model's backtest beside those of its rivals on the same days.")
class ModelFigure:
    """One measure."""

    name: str = field(description="Name of the measure, as in docs/foresight.md.")
    value: float | None = field(description="Of the model; null where it cannot be said.")
    baseline: float | None = field(description="Of the ratio rule.")


@strawberry.type(description="A tenth of the judged rows: what was said and what came.")
class CalibrationPoint:
    """One point of the calibration curve."""

    said: float = field(description="Mean chance that was said.")
    came: float = field(description="Share that went short.")
    rows: int = field(description="How many rows.")


@strawberry.type(description="A later look at a model: have its inputs moved, and does it still say what comes.")
class ModelCheck:
    """One look."""

    checked_at: datetime = field(description="When.")
    worst_psi: float | None = field(
        description="Largest population stability index of its inputs; above .25 is an alarm."
    )
    mean_prediction: float | None = field(description="Mean chance that was said of the judged rows.")
    observed_rate: float | None = field(description="Share of them that went short.")
    judged: int = field(description="Rows whose outcome is known.")
    alarms: list[str] = field(description="What does not hold; empty when all is well.")


@register
@strawberry.type(description="A fitted model: what it learned from, and how good it was on days it had never seen.")
class LearningModel:
    """One row of the model store."""

    row: strawberry.Private[Row]
    state: LearningModelState = field(description="What became of it.")
    trained_from: date = field(description="First day it learned from.")
    trained_until: date = field(description="Last day it learned from.")
    rows: int = field(description="Rows it learned from.")
    positives: int = field(description="Of these, how many went short.")
    features: list[str] = field(description="What it looks at.")
    cause: str = field(description="Why it was fitted: FIRST, SCHEDULE, ALARM or a word of whoever asked.")
    verdict: str = field(description="Why it took over, or did not.")
    bytes: int = field(description="Size of the stored model.")
    created_at: datetime = field(description="When it was fitted.")
    promoted_at: datetime | None = field(description="When it began to speak, the last time.", default=None)

    @field(description="Id for modelRollBack.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row["id"]))

    @field(description="What kind of model it is.")
    def spoke(self) -> Speaker:
        return Speaker(self.row["spoke"])

    @field(description="Libraries and versions it was fitted with, as `name version`.")
    def libraries(self) -> list[str]:
        return [f"{name} {version}" for name, version in sorted(self.row["libraries"].items())]

    @field(description="Its backtest on the newest days, which it had not seen, beside the ratio rule.")
    def figures(self) -> list[ModelFigure]:
        metrics, baseline = self.row["metrics"], self.row["baseline"]
        return [
            ModelFigure(name=name, value=value, baseline=baseline.get(name))
            for name, value in metrics.items()
            if name != "curve"
        ]

    @field(description="What it said on the judged days against what came, by tenths.")
    def calibration(self) -> list[CalibrationPoint]:
        return [CalibrationPoint(**point) for point in self.row["metrics"].get("curve", [])]


@strawberry.type(description="How many snapshots a model scored, what it said, and what came.")
class ModelRecord:
    """One model's track record on live data."""

    model_id: strawberry.ID = field(description="The model.")
    scored: int = field(description="Snapshots it scored.")
    judged: int = field(description="Of these, how many outcomes are known.")
    mean_prediction: float | None = field(description="Mean chance it said of those.")
    observed_rate: float | None = field(description="Share of those that went short.")
    first_day: date = field(description="First day it spoke of.")
    last_day: date = field(description="Last day it spoke of.")


@strawberry.type(description="A picture of what was measured, for people who look rather than read.")
class Plot:
    """One picture."""

    kind: PlotKind = field(description="What it shows.")
    svg: str = field(description="The picture as SVG text: it loads nothing and runs nothing.")


@strawberry.type(description="The models of a kind: who speaks, who spoke, and whether they still fit.")
class ModelReport:
    """The report of a kind."""

    kind: ModelKind = field(description="What they foresee.")
    active: LearningModel | None = field(description="The model that speaks; null while the first rule does.")
    models: list[LearningModel] = field(description="The 50 newest, newest first.")
    checks: list[ModelCheck] = field(description="The 30 newest looks at the one that speaks, newest first.")
    record: list[ModelRecord] = field(description="What each said of live data and what came, newest model first.")
    plots: list[Plot] = field(description="Of models and of dates; what was never judged is not drawn.")


@strawberry.input(description="Which model should speak again.")
class ModelRollBackInput:
    """Input of modelRollBack."""

    reason: str = field(description="Why.")
    kind: ModelKind = field(default=ModelKind.BACKORDER_RISK, description="What it foresees.")
    model_id: strawberry.ID | None = field(
        default=None, description="A model that spoke before; null: the one that spoke last before the present one."
    )


@strawberry.type(description="Answer of modelRollBack.")
class ModelPayload:
    """The model that speaks after it."""

    model: LearningModel | None = field(description="The model that speaks now.", default=None)
    user_errors: list[UserError] = field(description="What was refused and why; empty when all was done.")


@register
@strawberry.type(description="A risk that moved by enough to be told. Facts are null on a resyncRequired event.")
class RiskEvent:
    """One event of topic `risk`."""

    keys: strawberry.Private[tuple[int, int] | None] = None
    cursor: str = field(description=CURSOR)
    occurred_at: datetime = field(description=OCCURRED)
    kind: RiskMove | None = field(description="Where it went.", default=None)
    probability: float | None = field(description="The chance now.", default=None)
    previous: float | None = field(description="The chance before; null for the first score.", default=None)
    resync_required: bool = field(description=RESYNC, default=False)

    @staticmethod
    def facts_of(event: Row) -> dict[str, Any]:
        """Fields from a stored or live event."""
        facts, resync = event["payload"], bool(event.get("resync_required"))
        return {
            "cursor": event["cursor"],
            "occurred_at": event["occurred_at"],
            "kind": None if resync else RiskMove(event["kind"]),
            "resync_required": resync,
            "keys": None if resync else (facts["skuId"], facts["locationId"]),
            "probability": facts.get("probability"),
            "previous": facts.get("previous"),
        }

    @field(description="The risk as it is when this is delivered.")
    async def risk(self, info: Info) -> BackorderRisk | None:
        if self.keys is None:
            return None
        return build("BackorderRisk", await info.context.loaders.risk_by_key.load(self.keys))


def _with_ids(value: Any) -> Any:
    """The stored input of a mutation with opaque ids for {"node": .., "skuId": .., "id": ..}."""
    if isinstance(value, Mapping):
        if "node" in value:
            return encode_id(value["node"], value["id"], value["skuId"])
        return {name: _with_ids(part) for name, part in value.items()}
    return [_with_ids(part) for part in value] if isinstance(value, list) else value
