"""DataLoaders, named by result and key: fields of one answer that ask for the same kind of thing share one query.

Nothing is cached beyond a batch, so what is read after a mutation or for a later event is never older than it. Every
batch opens its own short session, which sees what the caller may see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from strawberry.dataloader import DataLoader

from api.live.cursor import decode_cursor, encode_cursor
from api.pagination import Slice, page_of, slice_of
from api.supplier_loaders import SupplierLoaders
from core.domain.access import Role
from core.domain.binding import Spot, name_binding
from core.domain.date_parts import DatePart, DateQuantiles, quantiles_of
from core.queries import (
    backorders,
    customers,
    day_events,
    edi_documents,
    evidence_names,
    learning_models,
    lots,
    network,
    notices,
    order_lines,
    orders,
    purchase_orders,
    rebalancing,
    repromising,
    returns,
    risk_scores,
    shipments,
    simulations,
    skus,
    supplier_changes,
    timelines,
    transfers,
    webhooks,
)
from core.queries.order_lines import Key
from core.queries.page import Sort
from core.services.estimate_dates import estimate_dates

_TIMELINE = Sort("timeline", ())


class Loaders(SupplierLoaders):
    """The loaders of one operation."""

    @cached_property
    def sku_by_id(self) -> DataLoader[int, Any]:
        return self._one(skus.skus_by_ids)

    @cached_property
    def risk_by_sku_id(self) -> DataLoader[int, Any]:
        return self._one(risk_scores.riskiest_by_sku, lambda row: row["sku_id"])

    @cached_property
    def risk_by_key(self) -> DataLoader[Key, Any]:
        """By (SKU, location)."""
        return self._one(risk_scores.risks_by_keys, _place)

    @cached_property
    def risk_actions_by_key(self) -> DataLoader[Key, Any]:
        """By (SKU, location)."""
        return self._many(risk_scores.actions_by_keys, _place)

    @cached_property
    def learning_model_by_id(self) -> DataLoader[int, Any]:
        return self._one(learning_models.models_by_ids)

    @cached_property
    def date_quantiles(self) -> DataLoader[tuple[DatePart, ...], DateQuantiles]:
        """When all of these parts have come; everybody's deliveries are measured, so that everybody sees the same."""

        async def load(keys: list[tuple[DatePart, ...]]) -> Sequence[DateQuantiles]:
            parts = list(dict.fromkeys(part for key in keys for part in key))
            now = await self._context.now()
            async with self._context.read_system() as sql:
                spreads = await estimate_dates(sql, parts, now)
            return [quantiles_of([spreads[part] for part in key]) for key in keys]

        return DataLoader(load_fn=load, cache=False)

    @cached_property
    def location_by_id(self) -> DataLoader[int, Any]:
        return self._one(network.locations_by_ids)

    @cached_property
    def customer_by_id(self) -> DataLoader[int, Any]:
        return self._one(lambda sql, ids: network.customers_by_ids(sql, self._principal, ids))

    @cached_property
    def person_by_customer_id(self) -> DataLoader[int, Any]:
        return self._one(
            lambda sql, ids: customers.persons_by_customer_ids(sql, self._principal, ids),
            lambda row: row["customer_id"],
        )

    @cached_property
    def supplier_by_id(self) -> DataLoader[int, Any]:
        return self._one(lambda sql, ids: network.suppliers_by_ids(sql, self._principal, ids))

    @cached_property
    def lots_by_sku_id(self) -> DataLoader[int, Any]:
        return self._many(lots.lots_by_sku_ids, lambda row: row["sku_id"])

    @cached_property
    def lot_by_key(self) -> DataLoader[Key, Any]:
        return self._one(lots.lots_by_keys, _key)

    @cached_property
    def serials_by_shipped_key(self) -> DataLoader[tuple[int, int, int, int], Any]:
        """By (SKU, shipment, order line, lot or 0)."""
        names = ("sku_id", "shipment_id", "order_line_id", "lot_id")
        return self._many(lots.shipped_serials, lambda row: tuple(row[name] for name in names))

    @cached_property
    def components_by_kit_id(self) -> DataLoader[int, Any]:
        return self._many(lots.components_by_kit_ids, lambda row: row["kit_sku_id"])

    @cached_property
    def kit_by_order_line(self) -> DataLoader[tuple[int, int], Any]:
        """By (order, kit line number)."""
        return self._one(lots.kit_dates, lambda row: (row["order_id"], row["kit_line_number"]))

    @cached_property
    def steps_by_serial_key(self) -> DataLoader[Key, Any]:
        return self._many(lots.serial_steps, lambda row: (row["sku_id"], row["serial_unit_id"]))

    @cached_property
    def substitutes_by_sku_id(self) -> DataLoader[int, Any]:
        return self._many(skus.substitutes_by_sku_ids, lambda row: row["replaced_sku_id"])

    @cached_property
    def order_by_id(self) -> DataLoader[int, Any]:
        return self._one(lambda sql, ids: orders.orders_by_ids(sql, self._principal, ids))

    @cached_property
    def holds_by_order_id(self) -> DataLoader[int, Any]:
        return self._many(orders.holds_by_order_ids, lambda row: row["order_id"])

    @cached_property
    def ship_to_by_order_id(self) -> DataLoader[int, Any]:
        return self._one(lambda sql, ids: orders.ship_to_by_order_ids(sql, self._principal, ids))

    @cached_property
    def lines_by_order_id(self) -> DataLoader[int, Any]:
        return self._many(
            lambda sql, ids: order_lines.lines_by_order_ids(sql, self._principal, ids), lambda row: row["order_id"]
        )

    @cached_property
    def line_by_key(self) -> DataLoader[Key, Any]:
        return self._one(lambda sql, keys: order_lines.lines_by_keys(sql, self._principal, keys), _key)

    @cached_property
    def promises_by_line_key(self) -> DataLoader[Key, Any]:
        return self._many(
            lambda sql, keys: order_lines.promises_by_line_keys(sql, self._principal, keys), _key_of("order_line_id")
        )

    @cached_property
    def supply_by_key(self) -> DataLoader[Key, Any]:
        """Any supply, for callers that may see whose units limit a promise."""

        async def load(keys: list[Key]) -> Sequence[Any]:
            async with self._context.read_system() as sql:
                rows = {_key(row): row for row in await order_lines.supplies_by_keys(sql, list(dict.fromkeys(keys)))}
            return [rows.get(key) for key in keys]

        return DataLoader(load_fn=load, cache=False)

    @cached_property
    def binding_by_spot(self) -> DataLoader[tuple[int, Spot, datetime], Any]:
        """The facts of what limits an availability answer, from (SKU id, spot, instant of the answer)."""

        async def load(keys: list[tuple[int, Spot, datetime]]) -> Sequence[Any]:
            found: dict[Any, Any] = {}
            async with self._context.read_system() as sql:
                for now in {key[2] for key in keys}:
                    wanted = list(dict.fromkeys((sku_id, spot) for sku_id, spot, at in keys if at == now))
                    events = await day_events.read_day_events(sql, wanted, now)
                    for key, moves in zip(wanted, events, strict=True):
                        found[(*key, now)] = name_binding(key[1], moves).as_json()
            return [found[key] for key in keys]

        return DataLoader(load_fn=load, cache=False)

    @cached_property
    def pegs_by_line_key(self) -> DataLoader[Key, Any]:
        async def load(keys: list[Key]) -> Sequence[Any]:
            async with self._context.read() as sql:
                pegs = await order_lines.pegs_by_line_keys(sql, self._principal, list(dict.fromkeys(keys)))
            wanted = list({(peg["sku_id"], peg["supply_id"]) for peg in pegs if peg["supply_id"] is not None})
            supplies: dict[Key, Any] = {}
            if wanted:
                async with self._context.read_system() as sql:
                    supplies = {_key(row): row for row in await order_lines.supplies_by_keys(sql, wanted)}
            shows_source = self._principal.role not in (Role.CUSTOMER, Role.STOREFRONT)
            found: dict[Key, list[Any]] = defaultdict(list)
            for peg in pegs:
                supply = supplies.get((peg["sku_id"], peg["supply_id"] or 0))
                found[peg["sku_id"], peg["order_line_id"]].append(order_lines.covered(peg, supply, shows_source))
            return [found[key] for key in keys]

        return DataLoader(load_fn=load, cache=False)

    @cached_property
    def backorder_by_key(self) -> DataLoader[Key, Any]:
        return self._one(lambda sql, keys: backorders.backorders_by_keys(sql, self._principal, keys), _key)

    @cached_property
    def open_backorder_by_line_key(self) -> DataLoader[Key, Any]:
        return self._one(
            lambda sql, keys: backorders.open_backorders_by_line_keys(sql, self._principal, keys),
            _key_of("order_line_id"),
        )

    @cached_property
    def options_by_backorder_key(self) -> DataLoader[Key, Any]:
        return self._many(backorders.options_by_backorder_keys, _key_of("backorder_id"))

    @cached_property
    def course_by_backorder_key(self) -> DataLoader[Key, Any]:
        return self._one(backorders.courses_by_backorder_keys, _key_of("backorder_id"))

    @cached_property
    def name_by_row(self) -> DataLoader[tuple[str, int, int], Any]:
        """Number or code of a row that evidence names: by kind, SKU and id."""
        return self._one(evidence_names.names_of_rows, lambda row: (row["kind"], row["sku_id"], row["id"]))

    @cached_property
    def entitlements_by_backorder_key(self) -> DataLoader[Key, Any]:
        return self._many(backorders.entitlements_by_backorder_keys, _key_of("backorder_id"))

    @cached_property
    def option_by_key(self) -> DataLoader[Key, Any]:
        return self._one(lambda sql, keys: backorders.options_by_keys(sql, self._principal, keys), _key)

    @cached_property
    def shipments_by_order_id(self) -> DataLoader[int, Any]:
        return self._many(
            lambda sql, ids: shipments.shipments_by_order_ids(sql, self._principal, ids), lambda row: row["order_id"]
        )

    @cached_property
    def returns_by_order_id(self) -> DataLoader[int, Any]:
        return self._many(
            lambda sql, ids: returns.returns_by_order_ids(sql, self._principal, ids), lambda row: row["order_id"]
        )

    @cached_property
    def shipment_by_id(self) -> DataLoader[int, Any]:
        return self._one(lambda sql, ids: shipments.shipments_by_ids(sql, self._principal, ids))

    @cached_property
    def lines_by_shipment_id(self) -> DataLoader[int, Any]:
        return self._many(shipments.lines_by_shipment_ids, lambda row: row["shipment_id"])

    @cached_property
    def purchase_order_by_id(self) -> DataLoader[int, Any]:
        return self._one(lambda sql, ids: purchase_orders.purchase_orders_by_ids(sql, self._principal, ids))

    @cached_property
    def lines_by_purchase_order_id(self) -> DataLoader[int, Any]:
        return self._many(
            lambda sql, ids: purchase_orders.lines_by_purchase_order_ids(sql, self._principal, ids),
            lambda row: row["purchase_order_id"],
        )

    @cached_property
    def purchase_order_line_by_key(self) -> DataLoader[Key, Any]:
        return self._one(lambda sql, keys: purchase_orders.lines_by_keys(sql, self._principal, keys), _key)

    @cached_property
    def waiting_by_purchase_order_line_key(self) -> DataLoader[Key, Any]:
        """Counts over everybody's pegs, for lines that were found as the caller before."""

        async def load(keys: list[Key]) -> Sequence[Any]:
            async with self._context.read_system() as sql:
                found = await purchase_orders.waiting_by_line_keys(sql, list(dict.fromkeys(keys)))
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load, cache=False)

    @cached_property
    def schedules_by_purchase_order_line_key(self) -> DataLoader[Key, Any]:
        return self._many(
            lambda sql, keys: purchase_orders.schedules_by_line_keys(sql, self._principal, keys),
            _key_of("purchase_order_line_id"),
        )

    @cached_property
    def documents_by_purchase_order_id(self) -> DataLoader[int, Any]:
        return self._many(
            lambda sql, ids: edi_documents.documents_by_purchase_order_ids(sql, self._principal, ids),
            lambda row: row["purchase_order_id"],
        )

    @cached_property
    def document_by_id(self) -> DataLoader[int, Any]:
        return self._one(lambda sql, ids: edi_documents.documents_by_ids(sql, self._principal, ids))

    @cached_property
    def ship_notice_by_id(self) -> DataLoader[int, Any]:
        return self._one(lambda sql, ids: purchase_orders.ship_notices_by_ids(sql, self._principal, ids))

    @cached_property
    def transfer_by_key(self) -> DataLoader[Key, Any]:
        async def fetch(sql: Any, keys: list[Key]) -> Iterable[Any]:
            return [] if self._principal.is_row_scoped else await transfers.transfers_by_keys(sql, keys)

        return self._one(fetch, _key)

    @cached_property
    def notice_by_id(self) -> DataLoader[int, Any]:
        return self._one(lambda sql, ids: notices.notices_by_ids(sql, self._principal, ids))

    @cached_property
    def repromising_run_by_id(self) -> DataLoader[int, Any]:
        return self._one(repromising.runs_by_ids)

    def repromising_sums(self, by: str) -> DataLoader[int, Any]:
        """Sums over the changes of runs by segment, tier or reason."""

        async def load(ids: list[int]) -> Sequence[Any]:
            async with self._context.read() as sql:
                return [await repromising.sums(sql, run_id, by) for run_id in ids]

        return DataLoader(load_fn=load, cache=False)

    async def repromising_changes(
        self, run_id: int, given: dict[str, Any], first: int | None, after: str | None
    ) -> Slice:
        """One page of what a run does, line by line."""
        page = page_of(repromising.CHANGES, first, after, None, None)
        async with self._context.read() as sql:
            rows, more = await repromising.changes_page(sql, run_id, given, page)
        return slice_of(repromising.CHANGES, page, rows, more)

    @cached_property
    def rebalancing_proposal_by_id(self) -> DataLoader[int, Any]:
        async def fetch(sql: Any, ids: list[int]) -> Iterable[Any]:
            return [] if self._principal.is_row_scoped else await rebalancing.proposals_by_ids(sql, ids)

        return self._one(fetch)

    @cached_property
    def supplier_change_by_id(self) -> DataLoader[int, Any]:
        return self._one(lambda sql, ids: supplier_changes.supplier_changes_by_ids(sql, self._principal, ids))

    @cached_property
    def simulation_by_id(self) -> DataLoader[int, Any]:
        return self._one(lambda sql, ids: simulations.simulations_by_ids(sql, ids))

    @cached_property
    def webhook_by_id(self) -> DataLoader[int, Any]:
        return self._one(lambda sql, ids: webhooks.webhooks_by_ids(sql, self._principal, ids))

    @cached_property
    def webhook_delivery_by_id(self) -> DataLoader[int, Any]:
        return self._one(lambda sql, ids: webhooks.deliveries_by_ids(sql, self._principal, ids))

    async def order_timeline(self, order_id: int, first: int | None, after: str | None) -> Slice:
        """One page of an order's kept events; the cursors are those of subscriptions."""
        return await self._timeline(self._order_events, order_id, first, after)

    async def backorder_timeline(self, sku_id: int, backorder_id: int, first: int | None, after: str | None) -> Slice:
        """One page of a backorder's kept events; the cursors are those of subscriptions."""
        return await self._timeline(self._backorder_events, (sku_id, backorder_id), first, after)

    async def _timeline(self, loader: DataLoader[Any, Any], key: Any, first: int | None, after: str | None) -> Slice:
        limit = page_of(_TIMELINE, first, None, None, None).limit
        rows = await loader.load((key, limit, None if after is None else decode_cursor(after).position))
        cursors = [encode_cursor(row["epoch"], row["position"]) for row in rows[:limit]]
        shown = [{**row, "cursor": cursor} for row, cursor in zip(rows, cursors, strict=False)]
        return Slice(shown, cursors, len(rows) > limit, after is not None)

    @cached_property
    def _order_events(self) -> DataLoader[Any, Any]:
        return self._paged(timelines.order_events, lambda row: row["id"])

    @cached_property
    def _backorder_events(self) -> DataLoader[Any, Any]:
        return self._paged(timelines.backorder_events, lambda row: (row["of_sku_id"], row["id"]))


def _place(row: Any) -> Key:
    return row["sku_id"], row["location_id"]


def _key(row: Any) -> Key:
    return row["sku_id"], row["id"]


def _key_of(column: str) -> Callable[[Any], Key]:
    return lambda row: (row["sku_id"], row[column])
