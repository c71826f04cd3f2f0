"""What planners see of ranks and of proposed moves, and what customers do not."""

from __future__ import annotations

import pytest

from core.domain.access import Role
from core.services.propose_rebalancing import propose_rebalancing, start_rebalancing
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


PRIORITY = """query { backorders(first: 10) { nodes { priority { score tier timesBumped isManual reason
    components { name value weight } } } } }"""

PROPOSALS = """query ($filter: RebalancingProposalFilter) { rebalancingProposals(first: 10, filter: $filter) { nodes {
    id quantity urgency carbonG arrivesOn state sku { code } fromLocation { code } toLocation { code }
    cost { amountMinor currency } transfer { id quantity }
    reason { kind waiting unitsServed dailyDemand coverBefore coverAfter donorFree donorDailyDemand donorCoverAfter } }
    pageInfo { hasNextPage } } }"""


async def test_planners_see_what_a_rank_is_made_of_and_customers_nothing_of_it(shop: Shop):
    await shop.place("MINSEO", ("KETTLE-17", 17))
    (seen,) = (await shop.ask(shop.context(Role.PLANNER), PRIORITY))["backorders"]["nodes"]
    rank = seen["priority"]
    assert (rank["timesBumped"], rank["isManual"], rank["reason"]) == (0, False, None)
    total = sum(part["value"] * part["weight"] for part in rank["components"])
    steps = {"REST": 0, "CONTRACT": 1, "AT_RISK": 2, "BREACH": 3}
    assert rank["score"] == steps[rank["tier"]] * 1_000_000 + int(total * 1_000)
    assert rank["score"] > 0
    customer = await shop.customer("MINSEO")
    (own,) = (await shop.ask(customer, PRIORITY))["backorders"]["nodes"]
    nothing = {"score": 0, "tier": "REST", "timesBumped": 0, "isManual": False, "reason": None, "components": []}
    assert own["priority"] == nothing
    by_rank = "{ backorders(first: 5, orderBy: PRIORITY_DESC) { nodes { id } } }"
    (refused,) = await shop.errors(customer, by_rank)
    assert refused[0] == "InvalidInput"
    assert len((await shop.ask(shop.context(Role.PLANNER), by_rank))["backorders"]["nodes"]) == 1


async def test_a_proposal_is_listed_found_and_accepted_by_a_transfer(shop: Shop):
    await shop.place("MINSEO", ("KETTLE-17", 17))
    planner, warehouse = shop.context(Role.PLANNER), shop.context(Role.WAREHOUSE)
    await shop.change(
        planner,
        "stockAdjust",
        {"sku": "KETTLE-17", "location": "RES-BUSAN", "delta": 40, "reason": "found"},
        "stock { onHand }",
    )
    sku_ids = await planner.mutate(start_rebalancing)
    assert await planner.mutate(lambda uow: propose_rebalancing(uow, sku_ids)) >= 1
    wanted = {"sku": "KETTLE-17", "fromLocation": "RES-BUSAN", "toLocation": "DC-ICN", "state": ["OPEN"]}
    (found,) = (await shop.ask(warehouse, PROPOSALS, filter=wanted))["rebalancingProposals"]["nodes"]
    assert (found["reason"]["kind"], found["reason"]["waiting"]) == ("WAITING", 6)
    assert found["quantity"] >= 6
    assert found["transfer"] is None
    node = await shop.ask(planner, "query ($id: ID!) { node(id: $id) { __typename } }", id=found["id"])
    assert node == {"node": {"__typename": "RebalancingProposal"}}
    customer = await shop.customer("MINSEO")
    assert await shop.ask(customer, "query ($id: ID!) { node(id: $id) { id } }", id=found["id"]) == {"node": None}
    move = {
        "sku": "KETTLE-17",
        "fromLocation": "RES-BUSAN",
        "toLocation": "DC-ICN",
        "quantity": found["quantity"],
        "proposalId": found["id"],
    }
    moved = await shop.change(warehouse, "stockTransfer", move, "transfer { id quantity }")
    assert moved["userErrors"] == []
    wanted["state"] = ["ACCEPTED"]
    (taken,) = (await shop.ask(planner, PROPOSALS, filter=wanted))["rebalancingProposals"]["nodes"]
    assert taken["transfer"] == moved["transfer"]
    again = await shop.change(warehouse, "stockTransfer", move, "transfer { id }")
    assert [error["code"] for error in again["userErrors"]] == ["ILLEGAL_TRANSITION"]
