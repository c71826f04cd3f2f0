"""Who may call which root field: the matrix is written down here, and every cell is tried."""

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull

from api.context import Context
from api.loaders import Loaders
from api.operations import Mutation, Query, Subscription, schema
from api.pagination import encode_id
from api.permissions.roles import granted_roles
from core.domain.access import Principal, Role
from core.settings import Settings

pytestmark = pytest.mark.anyio

ROLES = [role for role in Role if role is not Role.SYSTEM]
LETTERS = dict(zip("SCVWPAU", ROLES, strict=True))
"""S storefront, C customer, V supplier (vendor), W warehouse, P planner, A admin, U auditor."""
MATRIX = {
    "Query": {
        "node": "SCVWPAU",
        "viewer": "SCVWPAU",
        "sku": "SCVWPAU",
        "skus": "SCVWPAU",
        "availability": "SCWPAU",
        "order": "CWPAU",
        "orders": "CWPAU",
        "backorders": "CWPAU",
        "purchaseOrder": "VWPAU",
        "purchaseOrders": "VWPAU",
        "scheduledReceipts": "VWPAU",
        "supplier": "VWPAU",
        "ediDocuments": "VPAU",
        "notices": "CPAU",
        "auditEntries": "AU",
        "accessDenials": "AU",
        "ledgerAlarms": "PAU",
        "supplyImpact": "PAU",
        "repromisingRun": "PAU",
        "repromisingRuns": "PAU",
        "repromisingVariants": "PAU",
        "repromisingComparison": "PAU",
        "repromisingFilterCount": "PAU",
        "simulation": "PAU",
        "simulations": "PAU",
        "reservation": "SPAU",
        "reservations": "PAU",
        "rebalancingProposals": "WPAU",
        "policies": "PAU",
        "quotas": "PAU",
        "protectedStock": "PAU",
        "backorderCauses": "PAU",
        "lotTrace": "WPAU",
        "serialUnits": "WPAU",
    },
    "Mutation": {
        "orderPlace": "SCPA",
        "orderCancel": "CPA",
        "orderHold": "PA",
        "orderHoldRelease": "PA",
        "orderLineChange": "PA",
        "orderLineSplit": "PA",
        "shipmentConfirm": "WPA",
        "shipmentDeliver": "WPA",
        "reservationCreate": "SPA",
        "reservationExtend": "SPA",
        "reservationRelease": "SPA",
        "backorderCancel": "CPA",
        "backorderReprioritize": "PA",
        "backorderOptionChoose": "CPA",
        "backorderCoursePause": "PA",
        "backorderCourseRun": "PA",
        "policyChange": "PA",
        "quotaSet": "PA",
        "protectedStockSet": "PA",
        "skuReleaseSet": "PA",
        "purchaseOrderCreate": "PA",
        "purchaseOrderApprove": "PA",
        "purchaseOrderAcknowledge": "VPA",
        "purchaseOrderCancel": "PA",
        "shipNoticeSubmit": "VPA",
        "goodsReceive": "WPA",
        "stockAdjust": "WPA",
        "stockCount": "WPA",
        "kitChange": "PA",
        "lotBlock": "WPA",
        "lotRelease": "PA",
        "stockTransfer": "WPA",
        "stockTransferShip": "WPA",
        "stockTransferLose": "WPA",
        "ediDocumentSubmit": "VPA",
        "ediDocumentReplay": "PA",
        "noticeMarkRead": "CPA",
        "repromisingRunStart": "PA",
        "repromisingRunPublish": "PA",
        "repromisingRunCancel": "PA",
        "repromisingVariantSave": "PA",
        "simulationStart": "PA",
        "simulationCancel": "PA",
    },
    "Subscription": {
        "availabilityChanged": "SCWPAU",
        "orderChanged": "CWPAU",
        "backorderChanged": "CWPAU",
        "purchaseOrderChanged": "VWPAU",
        "jobProgressed": "PAU",
    },
}
PUBLISHABLE = {"availability", "availabilityChanged"}
ROOTS = {"Query": Query, "Mutation": Mutation, "Subscription": Subscription}
CELLS = [(root, field, role) for root, fields in MATRIX.items() for field in fields for role in ROLES]


def test_the_matrix_is_that_of_the_schema():
    found = {
        name: {
            schema.config.name_converter.get_graphql_name(field): "".join(
                letter for letter, role in LETTERS.items() if role in (granted_roles(field) or ())
            )
            for field in root.__strawberry_definition__.fields
        }
        for name, root in ROOTS.items()
    }
    assert found == MATRIX


class _Reached(Exception):
    """The resolver ran into the database: it was let through."""


class _NoDatabase:
    def __getattr__(self, name):
        raise _Reached


def _value(type_):
    """A literal that is valid for a required argument."""
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if isinstance(type_, GraphQLList):
        return "[]" if isinstance(type_.of_type, GraphQLNonNull) else "null"
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        needed = {name: item for name, item in type_.fields.items() if isinstance(item.type, GraphQLNonNull)}
        return "{" + " ".join(f"{name}: {_value(item.type)}" for name, item in needed.items()) + "}"
    return {"Int": "1", "Date": '"2026-01-01"', "DateTime": '"2026-01-01T00:00:00Z"', "Boolean": "false"}.get(
        type_.name, '"x"'
    )


def _document(root, name):
    field = schema._schema.type_map[root].fields[name]
    given = {arg: item for arg, item in field.args.items() if isinstance(item.type, GraphQLNonNull)}
    parts = [f"{arg}: {_value(item.type)}" for arg, item in given.items()]
    if "first" in field.args:
        parts.append("first: 1")
    arguments = f"({' '.join(parts)})" if parts else ""
    arguments = arguments.replace('id: "x"', f'id: "{encode_id(_kind(name), 1)}"')
    return f"{root.lower()} {{ {name}{arguments} {{ __typename }} }}"


def _kind(name):
    kinds = {"backorder": "Backorder", "notice": "Notice", "job": "JobRun", "ediDocument": "EdiDocument"}
    return next((kind for start, kind in kinds.items() if name.startswith(start)), "Order")


def _caller(role, **more):
    return Principal(id="p", role=role, customer_id=1, supplier_id=1, **more)


async def _codes(root, name, caller):
    context = Context(_NoDatabase(), Settings(env="test"), caller, make_loaders=Loaders)  # type: ignore[arg-type]
    document = _document(root, name)
    if root != "Subscription":
        result = await schema.execute(document, context_value=context)
        errors = result.errors or []
    else:
        errors = []
        try:
            stream = await schema.subscribe(document, context_value=context)
            async for result in stream:
                errors += result.errors or []
        except (_Reached, AssertionError):
            pass
    return [(error.extensions or {}).get("code") for error in errors]


@pytest.mark.parametrize(("root", "name", "role"), CELLS, ids=[f"{name}-{role}" for _, name, role in CELLS])
async def test_a_root_field_is_open_to_exactly_its_roles(root, name, role):
    codes = await _codes(root, name, _caller(role))
    allowed = role in {LETTERS[letter] for letter in MATRIX[root][name]}
    assert ("FORBIDDEN" not in codes) is allowed
    if not allowed:
        assert codes == ["FORBIDDEN"]


@pytest.mark.parametrize(("root", "name"), [(root, name) for root in MATRIX for name in MATRIX[root]])
async def test_anonymous_callers_get_nothing_and_publishable_keys_only_availability(root, name):
    assert await _codes(root, name, None) == ["UNAUTHENTICATED"]
    codes = await _codes(root, name, _caller(Role.STOREFRONT, is_publishable=True))
    assert ("FORBIDDEN" in codes) is (name not in PUBLISHABLE)
