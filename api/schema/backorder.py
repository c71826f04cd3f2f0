"""Backorders: the short parts of lines while they are short."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import strawberry
from strawberry import Info, field

from api.schema import enums
from api.schema.dates import backorder_expected, estimate, pegs_of
from api.schema.enums import described
from api.schema.node import Connection, Node, PageAfter, PageFirst, Row, build, build_all, connection, register
from api.schema.promise import DateEstimate, Peg
from api.schema.sku import Money, Sku
from core.domain.access import Role
from core.domain.evidence import in_words, mentions

if TYPE_CHECKING:
    from api.schema.events import BackorderEvent
    from api.schema.order import OrderLine
    from api.schema.sourcing import SupplyRisk


def _written(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


class PriorityTier(Enum):
    """Names of core.domain.priority.Tier."""

    BREACH = "BREACH"
    AT_RISK = "AT_RISK"
    CONTRACT = "CONTRACT"
    REST = "REST"


described(
    PriorityTier,
    "Why a line stands before others whatever they bring, highest first.",
    BREACH="A law or a contract is about to be broken.",
    AT_RISK="Its promise does not hold as things stand.",
    CONTRACT="A customer whose grade stands for a contract.",
    REST="Everybody else.",
)


@strawberry.type(description="One part of a rank: it adds value times weight to the sum.")
class PriorityComponent:
    """A component."""

    name: str = field(
        description="What is weighed: slack, grade, margin, preorder, completion, age, bumped, supplierRisk."
    )
    value: float = field(description="How much of it there is, 0 to 1; age and bumped grow without bound.")
    weight: float = field(description="How much it counts, as the policy `priority` said.")


@strawberry.type(description="Rank of a backorder at the last decision about it: higher scores are served first.")
class Priority:
    """The score and what it is made of."""

    score: int = field(description="The line's score; higher is served first, then the earlier promise, then age.")
    tier: PriorityTier = field(description="Decides before any sum; a step of 1,000,000 in the score.")
    components: list[PriorityComponent] = field(description="What the sum was made of, 1,000 points each.")
    times_bumped: int = field(description="How often somebody younger was served before it; each time its claim grows.")
    is_manual: bool = field(description="Was the score set by a person; it wins over what is computed.")
    reason: str | None = field(description="Why it was set by hand.", default=None)


@register
@strawberry.type(description="A way out of a backorder that is offered to the customer.")
class ResolutionOption(Node):
    """One option."""

    key: strawberry.Private[int]
    sku_id: strawberry.Private[int]
    substitute_sku_id: strawberry.Private[int | None] = None
    row: strawberry.Private[Row]
    kind: enums.ResolutionKind = field(description="What is offered.")
    deadline: datetime = field(description="Until when it can be chosen.")
    is_default: bool = field(description="Is it taken when nobody chooses.")
    is_chosen: bool = field(description="Was it taken.", default=False)
    quantity: int | None = field(description="Units it is about.", default=None)
    ratio: int | None = field(description="Units of the substitute for one.", default=None)

    @field(description="What it costs the customer.")
    def price(self) -> Money | None:
        return self._money("price_minor")

    @field(description="What the substitute is worth more (negative: less) than what it takes the place of.")
    def price_difference(self) -> Money | None:
        return self._money("price_difference_minor")

    @field(description="What the customer gets for waiting, or back where the substitute costs less.")
    def compensation(self) -> Money | None:
        return self._money("compensation_minor")

    def _money(self, column: str) -> Money | None:
        amount, currency = self.row[column], self.row["currency"]
        return None if amount is None or currency is None else Money(amount_minor=amount, currency=currency)

    @field(description="When the goods would come.")
    def expected(self) -> DateEstimate | None:
        day = self.row["expected_date"]
        return None if day is None else estimate(day, self.row["timezone"], "LEAD_TIME")

    @field(description="The SKU that would be sent instead.")
    async def substitute(self, info: Info) -> Sku | None:
        if self.substitute_sku_id is None:
            return None
        return build("Sku", await info.context.loaders.sku_by_id.load(self.substitute_sku_id))


@register
@strawberry.type(description="Accepted demand that stock does not cover yet.")
class Backorder(Node):
    """One backorder of one line."""

    key: strawberry.Private[int]
    sku_id: strawberry.Private[int]
    order_line_id: strawberry.Private[int]
    row: strawberry.Private[Row]
    quantity: int = field(description="Units that are short now; 0 when it has ended.")
    state: enums.BackorderState = field(description="State of its least advanced slice.")
    cause: enums.BackorderCause = field(description="Why the line went short.")
    opened_at: datetime = field(description="When it was opened.")
    closed_at: datetime | None = field(description="When it ended.", default=None)
    version: int = field(description="Raised by every change.")

    @field(description="The line that is short.")
    async def order_line(self, info: Info) -> Annotated[OrderLine, strawberry.lazy("api.schema.order")]:
        return build("OrderLine", await info.context.loaders.line_by_key.load((self.sku_id, self.order_line_id)))

    @field(description="What is short.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="When all of it is expected to be there; null without any date.")
    async def expected(self, info: Info) -> DateEstimate | None:
        if self.closed_at is not None:
            return backorder_expected(self.row)
        pegs = await info.context.loaders.pegs_by_line_key.load((self.sku_id, self.order_line_id))
        return backorder_expected(self.row, pegs)

    @field(
        description="The facts that prove the cause, as figures by name, with the numbers and codes of what they speak of; "
        "a customer sees the sums only."
    )
    async def evidence(self, info: Info) -> list[EvidenceFact]:
        facts: dict[str, Any] = self.row["evidence"] or {}
        if info.context.principal.role in (
            Role.CUSTOMER,
            Role.STOREFRONT,
            Role.SUPPLIER,
        ):  # the rest names rows of others
            facts = {name: value for name, value in facts.items() if name in ("shortage", "explained")}
        rows = sorted(mentions(facts))
        found = await info.context.loaders.name_by_row.load_many([(kind, self.sku_id, row_id) for kind, row_id in rows])
        names = {row: name["name"] for row, name in zip(rows, found, strict=True) if name is not None}
        facts = in_words(facts, names)
        return [EvidenceFact(name=name, value=_written(value)) for name, value in facts.items() if value is not None]

    @field(description="What covers it now: the line's pegs that are not stock on hand.")
    async def pegs(self, info: Info) -> list[Peg]:
        rows = await info.context.loaders.pegs_by_line_key.load((self.sku_id, self.order_line_id))
        return pegs_of([row for row in rows if row["firmness"] != "HARD"] if self.closed_at is None else [])

    @field(
        description="Suppliers that are late with an answer or a ship notice for what it relies on; none for customers."
    )
    async def supply_risks(self, info: Info) -> list[Annotated[SupplyRisk, strawberry.lazy("api.schema.sourcing")]]:
        if self.closed_at is not None or info.context.principal.role in (Role.CUSTOMER, Role.STOREFRONT, Role.SUPPLIER):
            return []
        return build_all("SupplyRisk", await info.context.loaders.risks_by_backorder_key.load((self.sku_id, self.key)))

    @field(description="Who is served first; staff only: a customer reads score 0, tier REST and nothing else.")
    def priority(self, info: Info) -> Priority:
        if info.context.principal.role in (Role.CUSTOMER, Role.STOREFRONT):  # margins and others' places are ours
            return Priority(score=0, tier=PriorityTier.REST, components=[], times_bumped=0, is_manual=False)
        given = self.row["priority"] or {}
        return Priority(
            score=self.row["priority_score"] or 0,
            tier=PriorityTier(given.get("tier", "REST")),
            components=[PriorityComponent(**part) for part in given.get("components", ())],
            times_bumped=self.row["times_bumped"],
            is_manual=bool(given.get("manual")),
            reason=given.get("reason"),
        )

    @field(description="What is offered to the customer.")
    async def options(self, info: Info) -> list[ResolutionOption]:
        rows = await info.context.loaders.options_by_backorder_key.load((self.sku_id, self.key))
        return build_all("ResolutionOption", rows)

    @field(description="What the customer has a right to because of it.")
    async def entitlements(self, info: Info) -> list[Entitlement]:
        rows = await info.context.loaders.entitlements_by_backorder_key.load((self.sku_id, self.key))
        return [
            Entitlement(
                kind=row["kind"],
                amount=Money(amount_minor=row["amount"], currency=row["currency"]),
                granted_at=row["created_at"],
            )
            for row in rows
        ]

    @field(description="How far its automatic course has come; null before it began, and for customers.")
    async def course(self, info: Info) -> BackorderCourse | None:
        if info.context.principal.role in (Role.CUSTOMER, Role.STOREFRONT, Role.SUPPLIER):
            return None
        row = await info.context.loaders.course_by_backorder_key.load((self.sku_id, self.key))
        if row is None:
            return None
        steps = sorted(row["steps"].items(), key=lambda item: item[1]["at"])
        return BackorderCourse(
            is_paused=row["is_paused"],
            paused_reason=row["paused_reason"],
            steps=[
                CourseStepTaken(step=enums.CourseStep(name), at=datetime.fromisoformat(s["at"]), outcome=s["outcome"])
                for name, s in steps
            ],
        )

    @field(description="What happened to it, oldest first, as far back as events are kept.")
    async def timeline(
        self, info: Info, first: PageFirst = 50, after: PageAfter = None
    ) -> Connection[Annotated[BackorderEvent, strawberry.lazy("api.schema.events")]]:
        page = await info.context.loaders.backorder_timeline(self.sku_id, self.key, first, after)
        return connection(page, lambda facts: build("BackorderEvent", facts))


@strawberry.type(description="What a customer has a right to because of a backorder.")
class Entitlement:
    """One row."""

    kind: enums.EntitlementKind = field(description="For what.")
    amount: Money = field(description="How much.")
    granted_at: datetime = field(description="Since when.")


@strawberry.type(description="A step of the course that was taken.")
class CourseStepTaken:
    """One step."""

    step: enums.CourseStep = field(description="Which step.")
    at: datetime = field(description="When it was taken last.")
    outcome: str = field(description="FOUND, NOTHING, ASKED, REFUSED, REQUESTED, LEFT_TO_REVIEW or OFFERED.")


@strawberry.type(description="The automatic course of a backorder.")
class BackorderCourse:
    """How far it has come."""

    is_paused: bool = field(description="Has a person stopped it.")
    paused_reason: str | None = field(description="Why.", default=None)
    steps: list[CourseStepTaken] = field(description="Steps taken, oldest first.")


@strawberry.type(description="One figure that proves a cause.")
class EvidenceFact:
    """A name and its value."""

    name: str = field(description="What was measured.")
    value: str = field(description="What was found.")


@strawberry.input(description="Which backorders.")
class BackorderFilter:
    """All given conditions must hold."""

    state: list[enums.BackorderState] | None = field(default=None, description="One of these states.")
    cause: list[enums.BackorderCause] | None = field(default=None, description="One of these causes.")
    sku: str | None = field(default=None, description="Of the SKU with this code.")
    order_number: str | None = field(default=None, description="Of the order with this number.")
    customer: str | None = field(default=None, description="Of the customer with this code.")
    is_open: bool | None = field(default=None, description="Still short, or ended.")
    opened_from: datetime | None = field(default=None, description="Opened at or after.")
    opened_before: datetime | None = field(default=None, description="Opened before.")


class BackorderOrder(Enum):
    """Sorts of core.queries.backorders."""

    OPENED_AT_DESC = "OPENED_AT_DESC"
    OPENED_AT_ASC = "OPENED_AT_ASC"
    EXPECTED_ASC = "EXPECTED_ASC"
    PRIORITY_DESC = "PRIORITY_DESC"


described(
    BackorderOrder,
    "Order of a list of backorders.",
    OPENED_AT_DESC="Newest first.",
    OPENED_AT_ASC="Oldest first.",
    EXPECTED_ASC="Soonest expected first, undated last.",
    PRIORITY_DESC="Highest priority first; staff only.",
)
