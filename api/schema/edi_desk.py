"""What people do about documents that were set aside, and about changes that suppliers ask for."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Info, field

from api.schema import enums
from api.schema.edi import EdiDocument, EdiFault, faults_of
from api.schema.enums import described
from api.schema.errors import UserError
from api.schema.node import Node, Row, build, register
from core.domain.supplier_changes import ChangeSource, ChangeState

if TYPE_CHECKING:
    from api.schema.purchasing import PurchaseOrder

REFUSED = "Why nothing was done; empty when it was."


class QuarantineDecision(Enum):
    """Values of core.domain.edi_states.QuarantineState that a person sets."""

    ASSIGNED = "assigned"
    FIXED = "fixed"
    IGNORED = "ignored"


described(
    QuarantineDecision,
    "What a person says of a document in quarantine.",
    ASSIGNED="Somebody looks after it.",
    FIXED="Its cause is mended; it can be replayed.",
    IGNORED="It is dropped for good.",
)
described(
    ChangeState,
    "Where a change that a supplier asks for stands.",
    PROPOSED="It waits for a decision and has moved nothing.",
    ACCEPTED="Accepted by the policy or a planner, and applied.",
    REJECTED="Rejected; nothing was moved.",
    SUPERSEDED="The supplier has said something newer about the same lines.",
)
described(
    ChangeSource, "How a change was asked for.", EDI="By a document.", PORTAL="By the supplier's own call or page."
)


@register
@strawberry.type(description="Units of a line and the day they would come.")
class ProposedPart:
    """One part."""

    quantity: int = field(description="Base units.")
    date: date | None = field(description="Day of arrival, or of shipping; null when it is not said.", default=None)
    is_ship_date: bool = field(description="The day is one of shipping.", default=False)


@register
@strawberry.type(description="What a supplier asks for on one line; it restates all units that are not shipped.")
class SupplierChangeLine:
    """One line."""

    line_number: int = field(description="Number of the purchase order line.")
    accepted: list[ProposedPart] = field(description="Units that would be confirmed.")
    backordered: list[ProposedPart] = field(description="Units that would come later.")
    rejected: int = field(description="Units that would not come.")
    held: int = field(description="Units the supplier would put on hold.")
    added: int = field(description="Units that would be ordered on top; the parts speak of them too.")
    price_minor: int | None = field(
        description="Price of a unit, in minor units, where the supplier asks for another one. "
        "Without any units the line stays as it is but for the price.",
        default=None,
    )


@register
@strawberry.type(
    description="A change of a purchase order that its supplier asks for; it moves nothing until accepted."
)
class SupplierChange(Node):
    """One change."""

    key: strawberry.Private[int]
    purchase_order_id: strawberry.Private[int]
    row: strawberry.Private[Row]
    source: ChangeSource = field(description="How it was asked for.")
    state: ChangeState = field(description="Where it stands.")
    note: str = field(description="What its document says beside it.")
    reason: str | None = field(description="Why it was decided so.", default=None)
    decided_by: str | None = field(description="Who decided: a person, or `policy`.", default=None)
    decided_at: datetime | None = field(description="When it was decided or superseded.", default=None)
    version: int = field(description="Grows with each decision.")
    created_at: datetime = field(description="When it was asked for.")

    @field(description="The purchase order.")
    async def purchase_order(
        self, info: Info
    ) -> Annotated[PurchaseOrder, strawberry.lazy("api.schema.purchasing")] | None:
        found = await info.context.loaders.purchase_order_by_id.load(self.purchase_order_id)
        return build("PurchaseOrder", found)

    @field(description="What is asked for, line by line.")
    def lines(self) -> list[SupplierChangeLine]:
        return [
            SupplierChangeLine(
                line_number=line["lineNumber"],
                accepted=_parts(line["accepted"]),
                backordered=_parts(line["backordered"]),
                rejected=line["rejected"],
                held=line["held"],
                added=line.get("added", 0),
                price_minor=line.get("price"),
            )
            for line in self.row["lines"]
        ]


def _parts(facts: list[Row]) -> list[ProposedPart]:
    return [
        ProposedPart(
            quantity=part["quantity"],
            date=date.fromisoformat(part["date"]) if part["date"] else None,
            is_ship_date=part["isShipDate"],
        )
        for part in facts
    ]


@strawberry.input(description="Which changes.")
class SupplierChangeFilter:
    """All given conditions must hold."""

    state: list[ChangeState] | None = field(default=None, description="In one of these states.")
    purchase_order: str | None = field(default=None, description="Of the purchase order with this number.")


@register
@strawberry.type(description="A line that a document would change, as it is and as it would be.")
class PreviewedLine:
    """One line of an order of ours or of a customer."""

    number: str = field(description="Number of the order: a purchase order, or a customer's order.")
    line_number: int = field(description="Number of its line.")
    sku: str = field(description="Code of the SKU.")
    customer: str | None = field(description="Code of the customer, of a customer's order.", default=None)
    before: str | None = field(description="As it is, as JSON text.", default=None)
    after: str | None = field(description="As it would be, as JSON text.", default=None)


@register
@strawberry.type(description="What a document from quarantine would do; nothing of it was done.")
class EdiPreview:
    """One trial."""

    outcome: enums.EdiDelivery = field(description="What would become of it.")
    reason: str | None = field(description="Why it would be set aside again.", default=None)
    guide_version: int | None = field(description="Version of the guide it was tried under.", default=None)
    purchase_order_lines: list[PreviewedLine] = field(description="Lines of purchase orders that would change.")
    order_lines: list[PreviewedLine] = field(description="Lines of customers' orders that would change.")
    raw_faults: strawberry.Private[list[Row]]

    @field(description="What is wrong with it.")
    def faults(self) -> list[EdiFault]:
        return faults_of(self.raw_faults)


@strawberry.input(description="A document to try.")
class EdiDocumentPreviewInput:
    """Input of ediDocumentPreview."""

    id: strawberry.ID = field(description="Id of the document.")
    guide_version: int | None = field(default=None, description="Version of the guide; null for the one in force.")


@strawberry.input(description="What is done about a document in quarantine.")
class EdiDocumentSettleInput:
    """Input of ediDocumentSettle."""

    id: strawberry.ID = field(description="Id of the document.")
    decision: QuarantineDecision = field(description="What is done.")
    person: str | None = field(default=None, description="Who takes it on; needed for ASSIGNED.")
    note: str | None = field(default=None, description="What was mended, or why it is dropped; needed for IGNORED.")


@strawberry.input(description="A file whose bytes are to be erased for good.")
class EdiFileEraseInput:
    """Input of ediFileErase."""

    id: strawberry.ID = field(description="Id of a document of the file; all of its documents must be settled.")
    reason: str = field(description="Why; kept in the audit.")


@strawberry.input(description="A document of ours to send again as it is.")
class EdiDocumentResendInput:
    """Input of ediDocumentResend."""

    file_name: str = field(description="Name of its file.")


@strawberry.input(description="A purchase order whose last document was refused.")
class PurchaseOrderSendAnewInput:
    """Input of purchaseOrderSendAnew."""

    number: str = field(description="Number of the purchase order.")


@strawberry.input(description="A shipment that leaves a partner's warehouse.")
class ShipmentSendAnewInput:
    """Input of shipmentSendAnew."""

    number: str = field(description="Number of the shipment.")


@strawberry.input(description="A decision on a change that a supplier asks for.")
class SupplierChangeDecideInput:
    """Input of supplierChangeDecide."""

    id: strawberry.ID = field(description="Id of the change.")
    accept: bool = field(description="Accept it, or reject it.")
    reason: str | None = field(default=None, description="Kept with the decision.")
    expected_version: int | None = field(default=None, description="Refuse when it has another version.")


@strawberry.type(description="Answer of ediDocumentSettle and ediFileErase.")
class EdiDocumentSettlePayload:
    """The document after it."""

    document: EdiDocument | None = field(description="The document.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of ediDocumentPreview.")
class EdiDocumentPreviewPayload:
    """The trial."""

    preview: EdiPreview | None = field(description="What it would do.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of ediDocumentResend.")
class EdiDocumentResendPayload:
    """The file."""

    file_name: str | None = field(description="Name of the file that is written again.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of supplierChangeDecide.")
class SupplierChangePayload:
    """The change after it."""

    change: SupplierChange | None = field(description="The change.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)
