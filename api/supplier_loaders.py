"""DataLoaders of the work with suppliers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import Any

from strawberry.dataloader import DataLoader

from api.loading import LoaderBase
from core.domain.access import Principal
from core.queries import partners, supplier_deadlines, supplier_portal
from core.queries.order_lines import Key
from core.queries.purchase_orders import approvals_by_order_ids


class SupplierLoaders(LoaderBase):
    """Messages, deadlines, packs, offers, hints, risks."""

    @cached_property
    def messages_by_purchase_order_id(self) -> DataLoader[int, Any]:
        return self._many(
            lambda sql, ids: supplier_portal.messages_by_order_ids(sql, self._principal, ids),
            lambda row: row["purchase_order_id"],
        )

    @cached_property
    def approvals_by_purchase_order_id(self) -> DataLoader[int, Any]:
        return self._many(approvals_by_order_ids, lambda row: row["purchase_order_id"])

    @cached_property
    def deadlines_by_purchase_order_id(self) -> DataLoader[int, Any]:
        return self._many(
            lambda sql, ids: supplier_deadlines.deadlines_by_order_ids(sql, self._principal, ids),
            lambda row: row["purchase_order_id"],
        )

    @cached_property
    def invoices_by_purchase_order_id(self) -> DataLoader[int, Any]:
        return self._many(
            lambda sql, ids: partners.invoices_by_order_ids(sql, self._principal, ids),
            lambda row: row["purchase_order_id"],
        )

    @cached_property
    def guides_by_partner_id(self) -> DataLoader[int, Any]:
        return self._many_of_system(partners.guides_by_partner_ids)

    @cached_property
    def samples_by_partner_id(self) -> DataLoader[int, Any]:
        return self._many_of_system(partners.samples_by_partner_ids)

    def _many_of_system(
        self, fetch: Callable[[Any, Principal, list[int]], Awaitable[list[Any]]]
    ) -> DataLoader[int, Any]:
        """Rows by partner, of tables that no session of a caller may read; only staff comes here."""

        async def load(ids: list[int]) -> Sequence[Any]:
            found: dict[int, list[Any]] = defaultdict(list)
            async with self._context.read_system() as sql:
                for row in await fetch(sql, self._principal, list(dict.fromkeys(ids))):
                    found[row["partner_id"]].append(row)
            return [found[id] for id in ids]

        return DataLoader(load_fn=load, cache=False)

    @cached_property
    def packs_by_ship_notice_id(self) -> DataLoader[int, Any]:
        return self._many(
            lambda sql, ids: supplier_portal.packs_by_notice_ids(sql, self._principal, ids),
            lambda row: row["ship_notice_id"],
        )

    @cached_property
    def waiting_by_purchase_order_id(self) -> DataLoader[int, int]:
        async def load(keys: list[int]) -> Sequence[int]:
            async with self._context.read_system() as sql:
                found = await supplier_deadlines.orders_waiting(sql, list(dict.fromkeys(keys)))
            return [found.get(key, 0) for key in keys]

        return DataLoader(load_fn=load, cache=False)

    @cached_property
    def risks_by_backorder_key(self) -> DataLoader[Key, Any]:
        async def load(keys: list[Key]) -> Sequence[Any]:
            today = (await self._context.now()).date()
            found: dict[Key, list[Any]] = defaultdict(list)
            async with self._context.read_system() as sql:
                for row in await supplier_deadlines.risks_by_backorder_keys(sql, list(dict.fromkeys(keys)), today):
                    found[row["sku_id"], row["backorder_id"]].append(row)
            return [found[key] for key in keys]

        return DataLoader(load_fn=load, cache=False)

    def _by_supplier(self, fetch: Callable[[Any, Principal, int], Awaitable[list[Any]]]) -> DataLoader[int, Any]:
        """A loader of all rows of a supplier: one statement for each, however many objects lead to it."""

        async def load(ids: list[int]) -> Sequence[Any]:
            async with self._context.read() as sql:
                found = {id: await fetch(sql, self._principal, id) for id in dict.fromkeys(ids)}
            return [found[id] for id in ids]

        return DataLoader(load_fn=load, cache=False)

    @cached_property
    def offers_by_supplier_id(self) -> DataLoader[int, Any]:
        return self._by_supplier(supplier_portal.terms_of)

    @cached_property
    def hints_by_supplier_id(self) -> DataLoader[int, Any]:
        return self._by_supplier(supplier_portal.hints_of)
