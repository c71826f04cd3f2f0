"""Who calls, SKUs, suppliers, and any node by its id."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import Info, argument

from api.pagination import decode_id, page_of, slice_of
from api.schema.node import Connection, Node, PageAfter, PageBefore, PageFirst, PageLast, build, connection
from api.schema.sku import Sku, SkuFilter, Supplier, SupplierFilter, Viewer, as_filter
from core.domain.access import Role
from core.queries import audit_entries, network, skus

_STAFF = frozenset({Role.WAREHOUSE, Role.PLANNER, Role.ADMIN, Role.AUDITOR})
_EVERYONE = frozenset(Role)
_BUYING = frozenset({Role.CUSTOMER}) | _STAFF
_TOLD = frozenset({Role.CUSTOMER, Role.SUPPLIER, Role.PLANNER, Role.ADMIN, Role.AUDITOR})
_SUPPLYING = frozenset({Role.SUPPLIER}) | _STAFF

NODE_ROLES: dict[str, frozenset[Role]] = {
    "Sku": _EVERYONE,
    "Location": _EVERYONE,
    "Customer": _BUYING,
    "Supplier": _SUPPLYING,
    "Order": _BUYING,
    "OrderLine": _BUYING,
    "Backorder": _BUYING,
    "ResolutionOption": _BUYING,
    "Shipment": _BUYING,
    "PurchaseOrder": _SUPPLYING,
    "PurchaseOrderLine": _SUPPLYING,
    "ShipNotice": _SUPPLYING,
    "Transfer": _STAFF,
    "EdiDocument": frozenset({Role.SUPPLIER, Role.PLANNER, Role.ADMIN, Role.AUDITOR}),
    "SupplierChange": frozenset({Role.SUPPLIER, Role.PLANNER, Role.ADMIN, Role.AUDITOR}),
    "Notice": frozenset({Role.CUSTOMER, Role.PLANNER, Role.ADMIN, Role.AUDITOR}),
    "AuditEntry": frozenset({Role.ADMIN, Role.AUDITOR}),
    "RebalancingProposal": frozenset({Role.WAREHOUSE, Role.PLANNER, Role.ADMIN, Role.AUDITOR}),
    "Simulation": frozenset({Role.PLANNER, Role.ADMIN, Role.AUDITOR}),
    "RepromisingRun": frozenset({Role.PLANNER, Role.ADMIN, Role.AUDITOR}),
    "Webhook": _TOLD,
    "WebhookDelivery": _TOLD,
}
"""Who may find a node of each type by its id; whose rows is decided by the query behind the loader."""

_LOADERS = {
    "Sku": "sku_by_id",
    "Location": "location_by_id",
    "Customer": "customer_by_id",
    "Supplier": "supplier_by_id",
    "Order": "order_by_id",
    "OrderLine": "line_by_key",
    "Backorder": "backorder_by_key",
    "ResolutionOption": "option_by_key",
    "Shipment": "shipment_by_id",
    "PurchaseOrder": "purchase_order_by_id",
    "PurchaseOrderLine": "purchase_order_line_by_key",
    "ShipNotice": "ship_notice_by_id",
    "Transfer": "transfer_by_key",
    "EdiDocument": "document_by_id",
    "SupplierChange": "supplier_change_by_id",
    "Notice": "notice_by_id",
    "RebalancingProposal": "rebalancing_proposal_by_id",
    "Simulation": "simulation_by_id",
    "RepromisingRun": "repromising_run_by_id",
    "Webhook": "webhook_by_id",
    "WebhookDelivery": "webhook_delivery_by_id",
}
_BY_KEY = {name for name, loader in _LOADERS.items() if loader.endswith("_by_key")}


async def node(
    info: Info, id: Annotated[strawberry.ID, argument(description="Opaque id, as any node carries it.")]
) -> Node | None:
    """Null for what does not exist and for what the caller may not see."""
    found = decode_id(id)
    context = info.context
    if context.principal.role not in NODE_ROLES.get(found.kind, frozenset()):
        return None
    if found.kind == "AuditEntry":
        async with context.read() as sql:
            rows = await audit_entries.audit_entries_by_ids(sql, [found.id])
        return build("AuditEntry", rows[0] if rows else None)
    key = (found.sku_id, found.id) if found.kind in _BY_KEY else found.id
    return build(found.kind, await getattr(context.loaders, _LOADERS[found.kind]).load(key))


async def viewer(info: Info) -> Viewer:
    """The caller."""
    context = info.context
    caller, loaders = context.principal, context.loaders
    customer = None if caller.customer_id is None else await loaders.customer_by_id.load(caller.customer_id)
    supplier = None if caller.supplier_id is None else await loaders.supplier_by_id.load(caller.supplier_id)
    return Viewer(
        id=caller.id,
        role=caller.role,
        customer=build("Customer", customer),
        supplier=build("Supplier", supplier),
        language=context.language,
    )


async def sku(info: Info, code: Annotated[str, argument(description="Code of the SKU.")]) -> Sku | None:
    """One SKU."""
    async with info.context.read() as sql:
        rows = await skus.skus_by_codes(sql, [code])
    return build("Sku", rows[0] if rows else None)


async def sku_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[SkuFilter | None, argument(description="Which SKUs.")] = None,
) -> Connection[Sku]:
    """The catalogue by code."""
    page = page_of(skus.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await skus.skus_page(sql, as_filter(filter), page)
    return connection(slice_of(skus.SORT, page, rows, more), lambda row: build("Sku", row))


async def supplier(info: Info, code: Annotated[str, argument(description="Code of the supplier.")]) -> Supplier | None:
    """One supplier."""
    async with info.context.read() as sql:
        return build("Supplier", await network.supplier_by_code(sql, info.context.principal, code))


async def supplier_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[SupplierFilter | None, argument(description="Which suppliers.")] = None,
) -> Connection[Supplier]:
    """Suppliers by code."""
    page = page_of(network.SUPPLIERS, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await network.suppliers_page(sql, info.context.principal, as_filter(filter), page)
    return connection(slice_of(network.SUPPLIERS, page, rows, more), lambda row: build("Supplier", row))
