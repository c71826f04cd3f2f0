"""Whose rows: every role asks for everything it can reach, and for own and foreign rows of every type by their ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLNonNull, GraphQLObjectType, get_named_type, is_required_argument

from api.commands.access_matrix import ROLES, root_matrix, type_matrix
from api.operations import schema
from api.pagination import decode_id, encode_id
from api.permissions.owners import OWNERS, Owner
from api.resolvers.catalogue import NODE_ROLES
from api.schema.node import SKU_KEYED
from core.domain.access import Role
from core.services.start_simulation import ChangeInput, ScenarioInput, StartSimulation, start_simulation
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio
GRAPH = schema._schema

OWNED = {
    "Customer": "select 0 as sku, id, id as owner from customer",
    "Order": "select 0, id, customer_id from sales_order",
    "OrderLine": "select sku_id, id, customer_id from order_line",
    "Backorder": "select sku_id, id, customer_id from backorder",
    "ResolutionOption": """select o.sku_id, o.id, b.customer_id from resolution_option o
        join backorder b on b.sku_id = o.sku_id and b.id = o.backorder_id""",
    "Shipment": "select 0, id, customer_id from shipment",
    "Notice": "select 0, id, customer_id from notice",
    "Supplier": "select 0, id, id from supplier",
    "PurchaseOrder": "select 0, id, supplier_id from purchase_order",
    "PurchaseOrderLine": "select sku_id, id, supplier_id from purchase_order_line",
    "ShipNotice": "select 0, id, supplier_id from ship_notice",
    "EdiDocument": "select 0, id, supplier_id from edi_document",
    "SupplierChange": "select 0, id, supplier_id from supplier_change",
}
"""(SKU, id, owner) of every node type with an owner."""
OF_EITHER_PARTY = {"Webhook", "WebhookDelivery"}
"""Owned by a customer or a supplier: test_webhooks_api.py tries them, and their mutations, with own and foreign rows."""
UNOWNED = {
    "Sku": "select 0, id from sku",
    "Location": "select 0, id from location",
    "Transfer": "select sku_id, id from transfer",
    "AuditEntry": "select 0, id from audit_entry",
    "Simulation": "select 0, id from simulation_run",
    "RepromisingRun": "select 0, id from repromising_run",
    "RebalancingProposal": "select 0, id from rebalancing_proposal",
}
ROWS = """
insert into location (code, name, kind) values ('X', 'X', 'dc');
insert into notice (customer_id, order_id, template, language, subject, text, state, dedupe_key)
    select customer_id, id, 'order_placed', 'en', 's', 't', 'sent', 'd-' || id from sales_order;
insert into shipment (number, order_id, customer_id, location_id, status)
    select 'SH-' || o.id, o.id, o.customer_id, l.id, 'PLANNED' from sales_order o, location l where l.code = 'X';
insert into ship_notice (supplier_id, number, purchase_order_id)
    select supplier_id, 'ASN-' || id, id from purchase_order where supplier_id is not null;
update sku_gate set version = version + 1, changed_by = pg_current_xact_id();
insert into lot (sku_id, location_id, code, on_hand) select s.id, l.id, 'L-1', 1 from sku s, location l
    where s.code = 'KETTLE-17' and l.code = 'X';
insert into supplier_change (purchase_order_id, supplier_id, source, lines)
    select id, supplier_id, 'PORTAL', '[]' from purchase_order where supplier_id is not null;
insert into edi_raw (sha256, bytes, received_at) values ('\\x01', '\\x02', now());
insert into edi_document (raw_id, position, partner_id, supplier_id, standard, kind, identity, delivery, validation,
    acknowledgement, purchase_order_id) select r.id, p.id, p.id, p.supplier_id, 'X12', '855', 'i' || p.id, 'applied',
    'valid', 'pending', (select min(o.id) from purchase_order o where o.supplier_id = p.supplier_id)
    from edi_raw r, partner p;
"""


class Company:
    """The shop with rows of two customers and two suppliers, and who owns which node."""

    def __init__(self, shop: Shop, owners: dict[str, dict[str, int | None]]) -> None:
        self.shop = shop
        self.owners = owners

    async def context(self, role: Role) -> Any:
        if role is Role.CUSTOMER:
            return await self.shop.customer("MINSEO")
        return await self.shop.supplier("BRIGHTWORKS") if role is Role.SUPPLIER else self.shop.context(role)

    async def owner(self, role: Role) -> int | None:
        caller = (await self.context(role)).principal
        return caller.customer_id if role is Role.CUSTOMER else caller.supplier_id


@pytest.fixture
async def company(database_url: str) -> AsyncIterator[Company]:
    async with open_shop(database_url) as shop:
        for customer, country in (("MINSEO", "KR"), ("BAKER", "GB")):
            for lines in ([("KETTLE-17", 40)], [("MUG-BLUE", 2), ("TOASTER-2S", 90)]):
                assert (await shop.place(customer, *lines, country=country))["userErrors"] == []
        planner = shop.context(Role.PLANNER)
        await shop.change(
            planner, "stockTransfer",
            {"sku": "MUG-BLUE", "fromLocation": "RES-BUSAN", "toLocation": "DC-ICN", "quantity": 1}, "__typename",
        )  # fmt: skip
        question = StartSimulation("q", [ScenarioInput("later", [ChangeInput("LEAD_TIME", days=1)])])
        await run_unit_of_work(shop.database, lambda uow: start_simulation(uow, question), clock=shop.clock)
        async with shop.database.system.acquire() as sql, sql.transaction():
            await sql.execute(ROWS)
        owners: dict[str, dict[str, int | None]] = {}
        for kind, query in {**OWNED, **UNOWNED}.items():
            rows = await shop.database.system.fetch(query)
            owners[kind] = {
                encode_id(kind, row[1], row[0] if kind in SKU_KEYED else 0): row[2] if kind in OWNED else None
                for row in rows
            }
        yield Company(shop, owners)


def bare(type_: Any) -> Any:
    """Is it an object or interface, under its wrappers."""
    named = get_named_type(type_)
    return named if isinstance(named, GraphQLObjectType | GraphQLInterfaceType) else None


def everything(type_: Any, depth: int, path: tuple[str, ...] = ()) -> str:
    """A selection of all that can be asked of a type without arguments, never twice through the same type."""
    parts = ["__typename"]
    for name, member in type_.fields.items():
        arguments = "(first: 3)" if "first" in member.args else ""
        needed = [arg for arg, item in member.args.items() if isinstance(item.type, GraphQLNonNull) and arg != "first"]
        if needed or name in ("edges", "atp"):
            continue
        inner = bare(member.type)
        if inner is None:
            parts.append(name + arguments)
        elif depth and inner.name not in path and not isinstance(inner, GraphQLInterfaceType):
            step = 0 if inner.name.endswith("Connection") else 1
            parts.append(f"{name}{arguments} {{ {everything(inner, depth - step, (*path, inner.name))} }}")
    return " ".join(dict.fromkeys(parts))


GIVEN = {
    "availability": '(skus: ["KETTLE-17"], quantity: 3)',
    "sku": '(code: "KETTLE-17")',
    "order": '(number: "SO-1")',
    "purchaseOrder": '(number: "PO-H-0872")',
    "supplier": '(code: "BRIGHTWORKS")',
    "sourcingOptions": '(sku: "KETTLE-17", quantity: 5, needDate: "2026-12-20")',
    "inboundPriority": '(location: "DC-ICN")',
    "backorderCauses": '(from: "2026-11-01T00:00:00Z", to: "2026-12-01T00:00:00Z")',
    "supplyImpact": '(input: {purchaseOrder: "PO-H-0871", daysLater: 3})',
    "repromisingFilterCount": "(include: {isLate: true})",
    "lotTrace": '(sku: "KETTLE-17", lot: "x")',
    "serialUnits": '(sku: "KETTLE-17", serials: ["x"])',
}


def questions(role: Role, depth: int) -> list[str]:
    """One document per root query that the role may call and that needs no argument we do not have."""
    asked = []
    for name, decision in root_matrix()["Query"].items():
        field = GRAPH.query_type.fields[name]  # type: ignore[union-attr]
        needed = [arg for arg, item in field.args.items() if is_required_argument(item)]
        if decision is None or role not in decision.allowed or (needed and name not in GIVEN) or name == "node":
            continue
        arguments = GIVEN.get(name) or ("(first: 10)" if "first" in field.args else "")
        asked.append(f"{{ {name}{arguments} {{ {everything(bare(field.type), depth)} }} }}")
    return asked


def objects(value: Any) -> Any:
    """Every object in an answer."""
    if isinstance(value, list):
        for item in value:
            yield from objects(item)
    elif isinstance(value, dict):
        if "__typename" in value:
            yield value
        for item in value.values():
            yield from objects(item)


async def reach(company: Company, role: Role, depth: int = 5) -> dict[str, list[dict[str, Any]]]:
    """Objects by type that a role gets when it asks for everything."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for document in questions(role, depth):
        result = await schema.execute(document, context_value=await company.context(role))
        assert result.errors is None, (role, document[:80], result.errors)
        for one in objects(result.data):
            found[one["__typename"]].append(one)
    return found


async def test_whatever_a_role_asks_it_gets_its_own_and_no_type_that_is_not_for_it(company: Company):
    for role in (Role.STOREFRONT, Role.CUSTOMER, Role.SUPPLIER, Role.WAREHOUSE, Role.AUDITOR):
        await check_reach(company, role)


async def check_reach(company: Company, role: Role) -> None:
    found = await reach(company, role)
    cells = type_matrix()
    assert {name for name in found if name in OWNERS and not cells[name][role]} == set()
    mine = await company.owner(role)
    for kind in OWNED.keys() & found.keys():
        got = {one["id"] for one in found[kind]}
        own = {id for id, owner in company.owners[kind].items() if owner == mine}
        if cells[kind][role] == "own":
            assert got <= own, kind
        else:
            assert cells[kind][role] == "all", kind
    expected = {
        Role.STOREFRONT: set(),
        Role.CUSTOMER: {"Order", "OrderLine", "Backorder", "Shipment", "Notice", "Customer"},
        Role.SUPPLIER: {"Supplier", "PurchaseOrder", "PurchaseOrderLine", "EdiDocument"},
    }
    if role in expected:
        assert expected[role] <= found.keys()


MAY_BE_MISSING = {"ResolutionOption", "RebalancingProposal", "RepromisingRun"}
"""Node types of which the company has no row."""


async def test_a_node_is_found_by_its_id_where_the_matrix_says_so(company: Company):
    assert {kind for kind, owners in company.owners.items() if not owners} <= MAY_BE_MISSING
    for role in ROLES:
        await check_nodes(company, role)


async def check_nodes(company: Company, role: Role) -> None:
    context, mine, cells = await company.context(role), await company.owner(role), type_matrix()
    for kind, owners in company.owners.items():
        own = next((id for id, owner in owners.items() if owner == mine), None)
        foreign = next((id for id, owner in owners.items() if owner != mine or kind in UNOWNED), None)
        if kind in OWNED and role not in (Role.CUSTOMER, Role.SUPPLIER):
            foreign = next(iter(owners), None)
        for id, is_own in ((own, True), (foreign, False)):
            if id is None:
                continue
            answer = await company.shop.ask(context, "query ($id: ID!) { node(id: $id) { id } }", id=id)
            cell = cells[kind][role] if role in NODE_ROLES[kind] else ""
            visible = cell == "all" or (cell == "own" and is_own)
            assert (answer["node"] is not None) is visible, (kind, "own" if is_own else "foreign")


FOREIGN: list[tuple[Role, str, Any]] = [
    (Role.CUSTOMER, "orderCancel", lambda c: {"number": c["order"]}),
    (
        Role.CUSTOMER,
        "orderShipToChange",
        lambda c: {"number": c["order"], "shipTo": {"country": "KR", "postalCode": "04524"}},
    ),
    (Role.CUSTOMER, "backorderCancel", lambda c: {"id": c["Backorder"]}),
    (Role.CUSTOMER, "backorderOptionChoose", lambda c: {"backorderId": c["Backorder"], "kind": "WAIT"}),
    (Role.CUSTOMER, "noticeMarkRead", lambda c: {"id": c["Notice"]}),
    (
        Role.SUPPLIER,
        "purchaseOrderAcknowledge",
        lambda c: {"number": c["purchase order"], "lines": [{"lineNumber": 1, "rejected": 1}]},
    ),
    (
        Role.SUPPLIER,
        "shipNoticeSubmit",
        lambda c: {
            "number": "N",
            "shippedOn": "2026-11-18",
            "lines": [{"purchaseOrderNumber": c["purchase order"], "lineNumber": 1, "sku": "MUG-BLUE", "quantity": 1}],
        },
    ),
    (Role.SUPPLIER, "purchaseOrderClose", lambda c: {"number": c["purchase order"], "reason": "x"}),
    (Role.SUPPLIER, "purchaseOrderReschedule", lambda c: {"number": c["purchase order"], "lines": []}),
    (Role.SUPPLIER, "purchaseOrderMessagePost", lambda c: {"number": c["purchase order"], "body": "x"}),
    (Role.SUPPLIER, "supplierStockReport", lambda c: {"supplier": "CLAYHOUSE", "lines": []}),
    (Role.SUPPLIER, "supplierRequestAnswer", lambda c: {"number": c["supplier request"]}),
    (Role.SUPPLIER, "ediDocumentSubmit", lambda c: {"partner": "clayhouse", "content": "ISA"}),
]


def test_every_mutation_that_names_an_owned_thing_is_tried_with_a_foreign_one():
    open_to_owners = {
        name
        for name, decision in root_matrix()["Mutation"].items()
        if decision is not None and decision.allowed & {Role.CUSTOMER, Role.SUPPLIER}
    }
    # orderPlace names nobody's rows: test_mutations_orders.py tries a foreign customer
    others = {"orderPlace"} | {name for name in open_to_owners if name.startswith("webhook")}
    assert open_to_owners - others == {name for _, name, _ in FOREIGN}


async def test_a_foreign_thing_is_not_found_by_a_mutation_and_nothing_changes(company: Company):
    shop = company.shop
    mine = await company.owner(Role.CUSTOMER)
    foreign = {
        kind: next(id for id, owner in company.owners[kind].items() if owner != mine)
        for kind in ("Backorder", "Notice", "Order")
    }
    number = "select number from sales_order where id = $1"
    things: dict[str, Any] = dict(foreign)
    things["order"] = await shop.database.system.fetchval(number, decode_id(foreign["Order"]).id)
    things["purchase order"] = "PO-H-0872"
    things["supplier request"] = await shop.database.system.fetchval(
        """insert into supplier_request (number, supplier_id, kind, sku_id, quantity, need_date, asked_by)
        select 'RQ1', s.id, 'STOCK', k.id, 1, '2026-12-01', 'p' from supplier s, sku k
        where s.code = 'CLAYHOUSE' and k.code = 'MUG-BLUE' returning number"""
    )
    before = await shop.database.system.fetch(
        "select count(*) from audit_entry union all select sum(version) from sku_gate"
    )
    for role, name, given in FOREIGN:
        payload = await shop.change(await company.context(role), name, given(things), "__typename")
        assert [error["code"] for error in payload["userErrors"]] == ["NOT_FOUND"], name
    after = await shop.database.system.fetch(
        "select count(*) from audit_entry union all select sum(version) from sku_gate"
    )
    assert before == after


def test_every_node_type_with_an_owner_is_tried():
    nodes = set(NODE_ROLES)
    assert {kind for kind in nodes if OWNERS[kind] in (Owner.CUSTOMER, Owner.SUPPLIER, Owner.DESK)} == set(OWNED)
    assert nodes == set(OWNED) | set(UNOWNED) | OF_EITHER_PARTY
