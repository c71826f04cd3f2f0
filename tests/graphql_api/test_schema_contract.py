"""The published schema: checked in, documented, unbroken, and of the agreed form."""

import pytest
from graphql import GraphQLNonNull, GraphQLObjectType, build_schema

from api.commands.schema import SDL_FILE, breaking, current_sdl, undocumented
from api.operations import Mutation, Query, Subscription, schema
from api.pagination import NODE_KINDS
from api.permissions.roles import granted_roles
from api.resolvers.catalogue import _LOADERS, NODE_ROLES
from api.schema.errors import KOREAN, TYPES, UserErrorCode, user_error
from api.schema.node import node_types
from core.errors import DomainError, DuplicateOrder, InsufficientStock, InvalidInput

GRAPH = schema._schema


def test_the_checked_in_schema_is_that_of_the_code():
    assert SDL_FILE.read_text(encoding="utf-8") == current_sdl()


def test_every_type_field_argument_and_enum_value_is_documented():
    assert undocumented(build_schema(current_sdl())) == []


def test_a_missing_description_is_found_at_every_kind_of_member():
    sdl = """
    type Query { plain(argument: Input): Choice }
    input Input { member: Int }
    enum Choice { ONE }
    """
    assert undocumented(build_schema(sdl)) == [
        "Choice",
        "Choice.ONE",
        "Input",
        "Input.member",
        "Query",
        "Query.plain",
        "Query.plain(argument:)",
    ]


def test_breaking_changes_are_found():
    old = "type Query { kept: Int gone: Int }"
    found = [change.description for change in breaking(old, "type Query { kept: String other: Int }")]
    assert found == ["Field Query.gone was removed.", "Field Query.kept changed type from Int to String."]
    assert breaking(old, "type Query { kept: Int gone: Int added: Int }") == []


@pytest.mark.parametrize("name", sorted(GRAPH.mutation_type.fields))
def test_a_mutation_takes_input_and_key_and_answers_with_user_errors(name):
    field = GRAPH.mutation_type.fields[name]
    assert list(field.args) == ["input", "idempotencyKey"]
    assert str(field.args["input"].type).endswith("Input!")
    assert str(field.args["idempotencyKey"].type) == "String!"
    assert isinstance(field.type, GraphQLNonNull)
    assert str(field.type.of_type.fields["userErrors"].type) == "[UserError!]!"


AGREED = {
    "Query": "node viewer sku skus availability order orders backorders purchaseOrder purchaseOrders scheduledReceipts"
    " supplier ediDocuments notices auditEntries",
    "Mutation": "orderPlace orderCancel orderHold orderHoldRelease orderLineChange shipmentConfirm shipmentDeliver"
    " reservationCreate reservationExtend reservationRelease backorderCancel backorderReprioritize purchaseOrderCreate"
    " purchaseOrderApprove purchaseOrderAcknowledge purchaseOrderCancel shipNoticeSubmit goodsReceive stockAdjust"
    " stockCount stockTransfer ediDocumentSubmit ediDocumentReplay noticeMarkRead",
    "Subscription": "availabilityChanged orderChanged backorderChanged purchaseOrderChanged jobProgressed",
    "Availability": "sku asOf validUntil version state availableNow promise atp locations",
    "LocationAvailability": "location onHand allocated reserved safetyStock onOrder availableNow atp",
    "Promise": "quantity complete slices shipDate deliveryDate binding",
    "PromiseSlice": "quantity location source shipDate deliveryDate",
    "DateEstimate": "promised expected p50 p80 p95 timezone basis coverage observations",
    "Order": "id number channel status onHold hasBackorder customer placedAt lines holds shipments timeline version",
    "OrderLine": "id lineNumber sku status ordered open allocated backordered shipped cancelled requestedDate promise"
    " promiseHistory pegs backorder",
    "Backorder": "id orderLine sku quantity state cause openedAt expected pegs priority options timeline version",
    "Peg": "quantity firmness supply expected",
    "SupplySource": "kind location purchaseOrderLine shipNotice transfer",
    "PromiseRecord": "promised basis madeAt reason previous",
    "ResolutionOption": "id kind price expected substitute compensation deadline isDefault",
    "Hold": "reason placedAt releaseDeadline onDeadline",
    "Shipment": "id number status location carrier trackingNumber plannedShipDate shippedAt deliveredAt lines",
    "PurchaseOrder": "id number status supplier location lines sentAt acknowledgedAt asksOfSupplier documents version",
    "PurchaseOrderLine": "id lineNumber sku ordered confirmed backordered rejected held inTransit received cancelled"
    " unanswered requestedDate schedules ordersWaiting",
    "Notice": "id template language subject text state createdAt order backorder",
    "AvailabilityEvent": "cursor occurredAt availability resyncRequired",
    "OrderEvent": "cursor occurredAt kind orderNumber lineNumber status version quantity promised previousPromised"
    " reason resyncRequired order line",
    "BackorderEvent": "cursor occurredAt kind backorderId state quantity expected previousExpected reason version"
    " resyncRequired backorder",
    "PurchaseOrderEvent": "cursor occurredAt kind purchaseOrderNumber lineNumber status version resyncRequired"
    " purchaseOrder",
    "JobEvent": "cursor occurredAt function state done total error resyncRequired",
}


@pytest.mark.parametrize("name", AGREED)
def test_the_agreed_names_are_there(name):
    type_ = GRAPH.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    assert set(AGREED[name].split()) <= set(type_.fields)


@pytest.mark.parametrize(
    ("coordinate", "expected"),
    [
        ("Query.availability", "[Availability]!"),
        ("Query.order", "Order"),
        ("Query.orders", "OrderConnection!"),
        ("Query.node", "Node"),
        ("Query.viewer", "Viewer!"),
        ("Availability.promise", "Promise"),
        ("Availability.version", "String!"),
        ("Promise.slices", "[PromiseSlice!]!"),
        ("Peg.expected", "DateEstimate"),
        ("DateEstimate.expected", "Date!"),
        ("Order.timeline", "OrderEventConnection!"),
        ("Backorder.priority", "Priority!"),
        ("Mutation.orderPlace", "OrderPlacePayload!"),
        ("Mutation.ediDocumentSubmit", "EdiDocumentPayload!"),
        ("Subscription.orderChanged", "OrderEvent!"),
        ("SupplySource.location", "Location!"),
    ],
)
def test_the_agreed_types(coordinate, expected):
    owner, _, field = coordinate.partition(".")
    assert str(GRAPH.type_map[owner].fields[field].type) == expected


def test_every_root_field_has_a_decision_about_roles():
    undecided = [
        field.name
        for root in (Query, Mutation, Subscription)
        for field in root.__strawberry_definition__.fields
        if granted_roles(field) is None
    ]
    assert undecided == []


def test_every_node_type_has_an_id_byte_a_loader_and_an_owner_rule():
    names = {cls.__name__ for cls in node_types()}
    assert names <= set(NODE_KINDS)
    assert set(NODE_ROLES) == names
    assert set(_LOADERS) | {"AuditEntry"} == names


def _failures(cls=DomainError):
    for child in cls.__subclasses__():
        yield child
        yield from _failures(child)


def test_every_failure_of_the_business_has_a_typed_user_error():
    codes = {cls.code for cls in _failures() if cls.__module__ == "core.errors"}
    assert codes <= set(TYPES)
    assert set(TYPES) == {code.value for code in UserErrorCode} == set(KOREAN)


def test_a_user_error_carries_the_facts_and_speaks_the_callers_language():
    error = InsufficientStock("MUG", 5, 2, path=("input", "lines", "0"))
    english, korean = user_error(error, "en"), user_error(error, "ko")
    assert (english.sku, english.wanted, english.available) == ("MUG", 5, 2)
    assert english.path == ["input", "lines", "0"]
    assert english.message == "5 of SKU 'MUG' wanted, 2 available."
    assert korean.message == "SKU MUG: 요청 5개, 가능 2개."
    duplicate = user_error(DuplicateOrder("web", "A-1", 7, "SO7"), "en")
    assert (duplicate.external_number, duplicate.order_number, duplicate.order_id) == ("A-1", "SO7", 7)
    plain = user_error(InvalidInput("No."), "ko")
    assert (plain.code, plain.message, plain.path) == (UserErrorCode.INVALID_INPUT, "No.", None)
