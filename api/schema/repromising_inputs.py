"""What a planner asks of re-promising: enums, definitions, filters."""

from __future__ import annotations

from datetime import time

import strawberry
from strawberry import field

from api.schema.enums import described
from core.domain.repromising.effects import Effect as RepromisingEffect
from core.domain.repromising.effects import Why as RepromisingReason
from core.domain.repromising.strategies import Reaction as RepromisingReaction
from core.domain.repromising.strategies import Strategy as RepromisingStrategy
from core.domain.repromising.variant import Publication as RepromisingPublication
from core.domain.repromising.variant import SortField as RepromisingSortField
from core.domain.states import RepromisingDiffState, RepromisingRunState

described(
    RepromisingStrategy,
    "What a run may do to the lines of a segment.",
    name="RepromisingStrategy",
    WIN="Confirmed full and on time before everybody else, or an exception.",
    GAIN="Never worse than now, better where supply allows; an exception when late supply makes that impossible.",
    IMPROVE="Keeps what it has where that is possible at all, better where supply allows.",
    REDISTRIBUTE="All is shared out anew by rank: it may gain or lose.",
    FILL="May lose to others, never gains.",
    LOSE="Frees everything it has.",
    SKIP="Stays as it is.",
)
described(
    RepromisingReaction,
    "What becomes of a line whose strategy cannot be kept.",
    name="RepromisingReaction",
    KEEP="Its present promise stays, and it is listed as an exception.",
    BEST_EFFORT="It gets the best that can be had.",
)
described(
    RepromisingPublication,
    "What happens with a proposal.",
    name="RepromisingPublication",
    APPROVAL="It waits for repromisingRunPublish.",
    WITHIN_BUDGET="It is published at once; what is over the churn budget is left out.",
)
described(
    RepromisingSortField,
    "By what lines are ranked; the first served come first.",
    name="RepromisingSortField",
    PRIORITY="Priority score of the line.",
    TIER="Grade of the customer; `values` give the order.",
    CHANNEL="Channel of the order; `values` give the order.",
    CUSTOMER="Code of the customer; `values` give the order.",
    REQUESTED="Requested day.",
    PROMISED="Promised day.",
    PLACED="Age of the order.",
    VALUE="Ordered units times unit price.",
    DAYS_LATE="Days between the day it should have left and the promised one.",
)
described(
    RepromisingEffect,
    "What a run does to a line.",
    name="RepromisingEffect",
    GAINED="Its day moves forward, or parts of it do.",
    LOST="Its day moves back, or parts of it do.",
    EXCEPTION="Its strategy cannot be kept; it stays as it is.",
)
described(
    RepromisingReason,
    "Why a line gains, loses or is an exception.",
    name="RepromisingReason",
    WON="Its strategy is to win.",
    PRIORITY="It ranks before a line that loses.",
    SUPPLY_FREE="Supply is there that nobody needs earlier.",
    OUTRANKED="A line that ranks before it takes its supply.",
    SUPPLY_LATE="Its supply comes later than promised.",
    FREED="Its strategy is to lose.",
    NO_SUPPLY="There is no supply that would keep the strategy.",
)
described(
    RepromisingRunState,
    "Where a run stands.",
    COMPUTING="It is being computed.",
    PROPOSED="Its proposal waits for approval.",
    APPROVED="It is approved; publishing begins.",
    PUBLISHING="It is being published, some SKUs at a time.",
    PUBLISHED="All of it is published or dropped.",
    CANCELLED="It was cancelled before anything was published.",
    FAILED="It could not be computed; `error` says why.",
)
described(
    RepromisingDiffState,
    "What became of a proposed change.",
    PROPOSED="Not published yet.",
    APPLIED="Published as proposed.",
    RECOMPUTED="The SKU had moved on: decided again and published.",
    DROPPED="Not published: over the budget, outdated, or an exception that stays.",
)


@strawberry.input(description="Which open lines; all given conditions must hold. Days count from today.")
class RepromisingFilterInput:
    """A filter."""

    tiers: list[str] | None = field(default=None, description="Grades of the customer.")
    channels: list[str] | None = field(default=None, description="Channels of the order.")
    customers: list[str] | None = field(default=None, description="Codes of customers.")
    skus: list[str] | None = field(default=None, description="Codes of SKUs.")
    suppliers: list[str] | None = field(default=None, description="Codes of the SKU's preferred supplier.")
    statuses: list[str] | None = field(default=None, description="States of the line (OrderLineStatus).")
    requested_from: int | None = field(default=None, description="Requested at least so many days from today.")
    requested_to: int | None = field(default=None, description="Requested at most so many days from today.")
    promised_from: int | None = field(default=None, description="Promised at least so many days from today.")
    promised_to: int | None = field(default=None, description="Promised at most so many days from today.")
    min_value: int | None = field(default=None, description="Value of the line, minor units, at least.")
    max_value: int | None = field(default=None, description="Value of the line, minor units, at most.")
    is_late: bool | None = field(default=None, description="Promised later than requested, or not.")


@strawberry.input(description="One sort key.")
class RepromisingSorterInput:
    """A sorter."""

    field: RepromisingSortField = strawberry.field(description="By what.")
    descending: bool = strawberry.field(default=False, description="Largest first.")
    values: list[str] | None = strawberry.field(
        default=None, description="For TIER, CHANNEL and CUSTOMER: these first, in this order, then all others."
    )


@strawberry.input(description="Lines and what a run may do to them; a line belongs to the first segment that takes it.")
class RepromisingSegmentInput:
    """A segment."""

    name: str = field(description="Its name; each once.")
    strategy: RepromisingStrategy = field(description="What may be done to its lines.")
    include: RepromisingFilterInput | None = field(default=None, description="Which lines; null for all.")
    exclude: RepromisingFilterInput | None = field(default=None, description="But not these.")
    sorters: list[RepromisingSorterInput] | None = field(
        default=None, description="Rank of its lines; null for priority, promised day and age."
    )


@strawberry.input(description="How much a run may worsen by its own choice.")
class RepromisingBudgetInput:
    """A churn budget."""

    worsened_share: float | None = field(
        default=0.02, description="Share of the orders in the run that may get a later day, 0 to 1; null for no limit."
    )
    max_days: int | None = field(default=14, description="Days by which one order may move back; null for no limit.")
    window_days: int = field(default=30, description="An order that was worsened is spared for so many days.")


@strawberry.input(description="What a run does: segments in order, their ranking, the budget, and when it may publish.")
class RepromisingDefinitionInput:
    """A definition."""

    segments: list[RepromisingSegmentInput] = field(description="1 to 50 segments; lines of none stay as they are.")
    sorters: list[RepromisingSorterInput] | None = field(
        default=None, description="One ranking over all segments; null ranks by segment, then by its own sorters."
    )
    budget: RepromisingBudgetInput | None = field(default=None, description="Null for the defaults.")
    reaction: RepromisingReaction = field(
        default=RepromisingReaction.KEEP, description="What becomes of lines whose strategy cannot be kept."
    )
    publication: RepromisingPublication = field(
        default=RepromisingPublication.APPROVAL, description="What happens with the proposal."
    )
    reallocates: bool = field(
        default=True, description="May stock that is allocated, but on no planned shipment, change hands."
    )


@strawberry.input(description="A run to compute: a saved variant or a definition.")
class RepromisingRunInput:
    """Input of repromisingRunStart."""

    variant: str | None = field(default=None, description="Code of a saved variant.")
    definition: RepromisingDefinitionInput | None = field(default=None, description="Or what to do.")
    publication: RepromisingPublication | None = field(default=None, description="Overrides that of the variant.")
    seed: int | None = field(default=None, description="Decides ties; equal inputs and seed give an equal proposal.")


@strawberry.input(description="Which proposal to publish.")
class RepromisingRunPublishInput:
    """Input of repromisingRunPublish."""

    id: strawberry.ID = field(description="Id of the run.")
    expected_version: int | None = field(default=None, description="Refuse when it has another version.")


@strawberry.input(description="Which run to cancel.")
class RepromisingRunCancelInput:
    """Input of repromisingRunCancel."""

    id: strawberry.ID = field(description="Id of the run.")


@strawberry.input(description="A variant to save under a code; one that is there is replaced.")
class RepromisingVariantSaveInput:
    """Input of repromisingVariantSave."""

    code: str = field(description="Its code.")
    name: str = field(description="What it is called.")
    definition: RepromisingDefinitionInput = field(description="What it does.")
    daily_at: time | None = field(default=None, description="Start it every day at this time; null: only by hand.")
    time_zone: str = field(default="UTC", description="Zone of that time.")
    is_active: bool = field(default=True, description="Does the schedule start it.")
    expected_version: int | None = field(default=None, description="Refuse when it has another version.")


@strawberry.input(description="Which runs.")
class RepromisingRunFilter:
    """All given conditions must hold."""

    states: list[RepromisingRunState] | None = field(default=None, description="In one of these states.")
    variant: str | None = field(default=None, description="Of this saved variant.")


@strawberry.input(description="Which changes of a run.")
class RepromisingChangeFilter:
    """All given conditions must hold."""

    effect: RepromisingEffect | None = field(default=None, description="With this effect.")
    reason: RepromisingReason | None = field(default=None, description="For this reason.")
    state: RepromisingDiffState | None = field(default=None, description="In this state.")
    segment: str | None = field(default=None, description="Of this segment.")
    tier: str | None = field(default=None, description="Of customers of this grade.")
    sku: str | None = field(default=None, description="Of this SKU, by code.")
    order_number: str | None = field(default=None, description="Of this order.")
    min_days: int | None = field(default=None, description="Moved by at least so many days, either way.")
