"""Stock targets and the record of forecasts, dates and broken figures."""

from __future__ import annotations

from typing import Annotated

from strawberry import Info, argument

from api.pagination import page_of, slice_of
from api.schema.node import Connection, PageAfter, PageBefore, PageFirst, PageLast, build, build_all, connection
from api.schema.sku import as_filter
from api.schema.stock_targets import (
    DemandAccuracy,
    InputFault,
    StageDates,
    StockTarget,
    StockTargetFilter,
    SupplierDates,
)
from core.queries import date_spreads, demand_history, stock_positions

FAULTS = 100


async def stock_target_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[StockTargetFilter | None, argument(description="Which targets.")] = None,
) -> Connection[StockTarget]:
    """Targets, the most urgent first."""
    page = page_of(stock_positions.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await stock_positions.targets_page(sql, as_filter(filter), page)
    return connection(slice_of(stock_positions.SORT, page, rows, more), lambda row: build("StockTarget", row))


async def supplier_dates(
    info: Info,
    supplier: Annotated[str | None, argument(description="Code of one supplier; null for all.")] = None,
) -> list[SupplierDates]:
    """What was measured of the stated days of suppliers."""
    async with info.context.read() as sql:
        return build_all("SupplierDates", await date_spreads.supplier_spreads(sql, supplier))


async def stage_dates(info: Info) -> list[StageDates]:
    """What was measured of our own stages."""
    async with info.context.read() as sql:
        return build_all("StageDates", await date_spreads.stage_spreads(sql))


async def demand_accuracy(info: Info) -> list[DemandAccuracy]:
    """What became of the live forecasts."""
    async with info.context.read() as sql:
        return [DemandAccuracy(**dict(row)) for row in await demand_history.demand_accuracy(sql)]


async def input_faults(info: Info) -> list[InputFault]:
    """The newest broken figures."""
    async with info.context.read() as sql:
        return build_all("InputFault", await stock_positions.newest_faults(sql, FAULTS))
