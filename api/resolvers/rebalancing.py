"""Proposed moves of stock."""

from __future__ import annotations

from typing import Annotated

from strawberry import Info, argument

from api.pagination import page_of, slice_of
from api.schema.node import Connection, PageAfter, PageBefore, PageFirst, PageLast, build, connection
from api.schema.rebalancing import RebalancingProposal, RebalancingProposalFilter
from api.schema.sku import as_filter
from core.queries import rebalancing


async def rebalancing_proposal_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[RebalancingProposalFilter | None, argument(description="Which proposals.")] = None,
) -> Connection[RebalancingProposal]:
    """Proposals, the most urgent first."""
    page = page_of(rebalancing.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await rebalancing.proposals_page(sql, as_filter(filter), page)
    return connection(slice_of(rebalancing.SORT, page, rows, more), lambda row: build("RebalancingProposal", row))
