"""Re-promising runs: what a run proposes, who gains and who loses, and saved variants."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Info, argument, field

from api.pagination import encode_id
from api.schema.errors import UserError
from api.schema.node import Connection, Node, PageAfter, PageFirst, Row, build, connection, register
from api.schema.repromising_inputs import RepromisingChangeFilter, RepromisingEffect, RepromisingReason
from api.schema.sku import Location, Sku, as_filter
from core.domain.states import RepromisingDiffState, RepromisingRunState

if TYPE_CHECKING:
    from api.schema.order import OrderLine


@strawberry.type(description="A part of what a line is promised.")
class RepromisingPart:
    """One part."""

    location_id: strawberry.Private[int]
    day: date = field(description="The day on which it is to leave.")
    quantity: int = field(description="Base units.")
    is_sourced: bool = field(
        description="Stock or a supply that comes in time covers it; otherwise it would be ordered anew, or fail."
    )

    @field(description="From where.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))


@strawberry.type(description="What a line is promised at one time, as far as runs may move it.")
class RepromisingPromise:
    """Parts and the day on which the last of them comes."""

    complete: date | None = field(description="The day on which the last part leaves.")
    delivery: date | None = field(description="The day on which the last part reaches the customer.")
    parts: list[RepromisingPart] = field(description="Its parts, by day.")


@strawberry.type(description="What a run does to one line.")
class RepromisingChange:
    """One change."""

    row: strawberry.Private[Row]
    effect: RepromisingEffect = field(description="Gained, lost or an exception.")
    reason: RepromisingReason = field(description="Why.")
    days: int = field(
        description="Days by which the part that moves most moves back; of a line that gains, negative: forward."
    )
    is_forced: bool = field(description="What it was promised could not be kept anyway; not charged to the budget.")
    segment: str | None = field(description="Segment of the line.")
    tier: str = field(description="Grade of the customer; empty for none.")
    state: RepromisingDiffState = field(description="What became of the change.")
    order_number: str = field(description="Number of the order.")
    applied_at: datetime | None = field(description="When it was published.")

    @field(description="The SKU.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.row["sku_id"]))

    @field(description="The line.")
    async def order_line(self, info: Info) -> Annotated[OrderLine, strawberry.lazy("api.schema.order")] | None:
        key = (self.row["sku_id"], self.row["order_line_id"])
        return build("OrderLine", await info.context.loaders.line_by_key.load(key))

    @field(description="What it was promised at the snapshot.")
    def before(self) -> RepromisingPromise:
        return _promise(self.row["before"])

    @field(description="What it is promised by the run.")
    def after(self) -> RepromisingPromise:
        return _promise(self.row["after"])


@strawberry.type(description="Sums over the changes of a run that are not dropped.")
class RepromisingSum:
    """One group."""

    key: str = field(description="The segment, grade or reason.")
    gained: int = field(description="Lines that gain.")
    lost: int = field(description="Lines that lose.")
    orders_worsened: int = field(description="Orders worsened by choice, as the budget counts them.")
    days_gained: int = field(description="Days by which lines move forward, summed.")
    days_lost: int = field(description="Days by which lines move back, summed.")


@strawberry.type(description="How far a run's job is.")
class RepromisingProgress:
    """Steps of computing, or SKUs published."""

    done: int = field(description="Steps or SKUs done.")
    total: int = field(description="Of how many.")


@strawberry.type(description="How much a run may worsen by its own choice.")
class RepromisingBudget:
    """A churn budget."""

    worsened_share: float | None = field(description="Share of the orders that may get a later day; null: no limit.")
    max_days: int | None = field(description="Days by which one order may move back; null: no limit.")
    window_days: int = field(description="An order that was worsened is spared for so many days.")


@register
@strawberry.type(description="A mass recomputation of promises: a proposal first, published when approved.")
class RepromisingRun(Node):
    """One run."""

    key: strawberry.Private[int]
    row: strawberry.Private[Row]
    state: RepromisingRunState = field(description="Where it stands.")
    variant: str | None = field(description="The saved variant that it is of.")
    actor: str | None = field(description="Who asked for it.")
    seed: int = field(description="What decided ties.")
    created_at: datetime = field(description="When it was asked for.")
    snapshot_at: datetime | None = field(description="The instant it was computed for.")
    approved_by: str | None = field(description="Who approved it; `policy` when its variant publishes by itself.")
    approved_at: datetime | None = field(description="When it was approved.")
    published_at: datetime | None = field(description="When all of it was published.")
    error: str | None = field(description="Why it failed.")
    version: int = field(description="Raised by every change of the run itself.")

    @field(description="What it does, as JSON text: segments, strategies, sorters, budget.")
    def policy(self) -> str:
        return json.dumps(self.row["policy"], ensure_ascii=False, sort_keys=True)

    @field(description="Its churn budget.")
    def budget(self) -> RepromisingBudget:
        stored = self.row["budget"] or {}
        return RepromisingBudget(
            worsened_share=stored.get("worsenedShare"),
            max_days=stored.get("maxDays"),
            window_days=stored.get("windowDays", 0),
        )

    @field(description="How far its job is; null until a worker knows of it.")
    def progress(self) -> RepromisingProgress | None:
        return None if self.row["job_progress"] is None else RepromisingProgress(**self.row["job_progress"])

    @field(description="Its newest job, for `jobProgressed`; null until a worker knows of it.")
    def job_run_id(self) -> strawberry.ID | None:
        id = self.row["job_run_id"]
        return None if id is None else strawberry.ID(encode_id("JobRun", id))

    @field(description="Lines that gain in its proposal; null until it is computed.")
    def gained(self) -> int | None:
        return self._figure("gained")

    @field(description="Lines that lose in its proposal; null until it is computed.")
    def lost(self) -> int | None:
        return self._figure("lost")

    @field(description="Of these, lines whose promise could not be kept anyway; null until it is computed.")
    def forced(self) -> int | None:
        return self._figure("forced")

    @field(description="Lines of its segments that stay as they are; null until it is computed.")
    def unchanged(self) -> int | None:
        return self._figure("unchanged")

    @field(description="Lines whose strategy cannot be kept and that stay as they are; null until it is computed.")
    def exceptions(self) -> int | None:
        return self._figure("exceptions")

    @field(description="Changes given up because they are over the budget; null until it is computed.")
    def over_budget(self) -> int | None:
        return self._figure("overBudget")

    @field(description="Orders with lines in the run; null until it is computed.")
    def orders_in_run(self) -> int | None:
        return self._figure("ordersInRun")

    @field(description="Orders that the proposal worsens by choice; null until it is computed.")
    def orders_worsened(self) -> int | None:
        return self._figure("ordersWorsened")

    @field(description="Orders that it may worsen; null for no limit, or until it is computed.")
    def orders_may_worsen(self) -> int | None:
        return self._figure("ordersMayWorsen")

    @field(description="Fingerprint of everything it was computed from; equal ones give equal proposals.")
    def inputs_digest(self) -> str | None:
        return (self.row["facts"] or {}).get("digest")

    @field(description="Fingerprint of what it proposed.")
    def proposal_digest(self) -> str | None:
        return (self.row["facts"] or {}).get("proposal")

    @field(description="What it does line by line, by SKU: who gains, who loses, by how many days, and why.")
    async def diff(
        self,
        info: Info,
        first: PageFirst = None,
        after: PageAfter = None,
        filter: Annotated[RepromisingChangeFilter | None, argument(description="Which changes.")] = None,
    ) -> Connection[RepromisingChange]:
        page = await info.context.loaders.repromising_changes(self.key, as_filter(filter), first, after)
        return connection(page, _change)

    @field(description="Sums by segment.")
    async def by_segment(self, info: Info) -> list[RepromisingSum]:
        return [_sum(row) for row in await info.context.loaders.repromising_sums("segment").load(self.key)]

    @field(description="Sums by grade of customer.")
    async def by_tier(self, info: Info) -> list[RepromisingSum]:
        return [_sum(row) for row in await info.context.loaders.repromising_sums("tier").load(self.key)]

    @field(description="Sums by reason.")
    async def by_reason(self, info: Info) -> list[RepromisingSum]:
        return [_sum(row) for row in await info.context.loaders.repromising_sums("reason").load(self.key)]

    def _figure(self, name: str) -> int | None:
        return (self.row["summary"] or {}).get(name)


@strawberry.type(description="A line that ends differently in two runs.")
class RepromisingDifference:
    """One line."""

    sku_id: strawberry.Private[int]
    line_id: strawberry.Private[int]
    left_days: int | None = field(description="Days by which the first run moves it back; null when it does not.")
    right_days: int | None = field(description="Days by which the second run moves it back; null when it does not.")

    @field(description="The line.")
    async def order_line(self, info: Info) -> Annotated[OrderLine, strawberry.lazy("api.schema.order")] | None:
        return build("OrderLine", await info.context.loaders.line_by_key.load((self.sku_id, self.line_id)))


@strawberry.type(description="How the proposals of two runs differ.")
class RepromisingComparison:
    """Counts of lines, and those that differ."""

    same: int = field(description="Lines that both change in the same way.")
    different: int = field(description="Lines that both change, but not in the same way.")
    only_left: int = field(description="Lines that only the first run changes.")
    only_right: int = field(description="Lines that only the second run changes.")
    lines: list[RepromisingDifference] = field(description="Lines that end differently, at most 100.")


@strawberry.type(description="How many lines have one grade or state.")
class RepromisingCount:
    """One count."""

    key: str = field(description="The grade or state.")
    lines: int = field(description="Lines.")


@strawberry.type(description="What a filter takes at present.")
class RepromisingFilterCount:
    """Counts."""

    lines: int = field(description="Open lines.")
    orders: int = field(description="Their orders.")
    held: int = field(description="Of the lines, those on hold or not validated; a run leaves them as they are.")
    late: int = field(description="Of the lines, those promised later than requested.")
    by_tier: list[RepromisingCount] = field(description="By grade of customer.")
    by_status: list[RepromisingCount] = field(description="By state of the line.")


@strawberry.type(description="A definition saved under a code, to be run again or by a schedule.")
class RepromisingVariant:
    """One variant."""

    row: strawberry.Private[Row]
    code: str = field(description="Its code.")
    name: str = field(description="What it is called.")
    daily_at: time | None = field(description="Started every day at this time; null: only by hand.")
    time_zone: str = field(description="Zone of that time.")
    is_active: bool = field(description="Does the schedule start it.")
    last_started_at: datetime | None = field(description="Since when the schedule counts.")
    version: int = field(description="Raised by every change.")

    @field(description="What it does, as JSON text.")
    def definition(self) -> str:
        return json.dumps(self.row["definition"], ensure_ascii=False, sort_keys=True)


@strawberry.type(description="Answer of repromisingRunStart, repromisingRunPublish and repromisingRunCancel.")
class RepromisingRunPayload:
    """The run as it is after the commit."""

    run: RepromisingRun | None = field(default=None, description="The run.")
    user_errors: list[UserError] = field(
        default_factory=list, description="What was refused and why; empty when all was done."
    )


@strawberry.type(description="Answer of repromisingVariantSave.")
class RepromisingVariantPayload:
    """The variant as it is after the commit."""

    variant: RepromisingVariant | None = field(default=None, description="The variant.")
    user_errors: list[UserError] = field(
        default_factory=list, description="What was refused and why; empty when all was done."
    )


def _promise(stored: Any) -> RepromisingPromise:
    def day(text: str | None) -> date | None:
        return None if text is None else date.fromisoformat(text)

    stored = stored or {"parts": [], "complete": None, "delivery": None}
    return RepromisingPromise(
        complete=day(stored["complete"]),
        delivery=day(stored["delivery"]),
        parts=[
            RepromisingPart(
                location_id=part["location"],
                day=date.fromisoformat(part["day"]),
                quantity=part["quantity"],
                is_sourced=part["sourced"],
            )
            for part in stored["parts"]
        ],
    )


def _change(row: Row) -> RepromisingChange:
    return RepromisingChange(
        row=row,
        effect=row["effect"],
        reason=row["reason"],
        days=row["days"],
        is_forced=row["is_forced"],
        segment=row["segment"],
        tier=row["tier"],
        state=row["state"],
        order_number=row["order_number"],
        applied_at=row["applied_at"],
    )


def _sum(row: Row) -> RepromisingSum:
    return RepromisingSum(**dict(row))


def variant_from(row: Row) -> RepromisingVariant:
    """A variant from its row."""
    names = ("code", "name", "daily_at", "time_zone", "is_active", "last_started_at", "version")
    return RepromisingVariant(row=row, **{name: row[name] for name in names})
