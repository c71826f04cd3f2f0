"""Trading partners: versions of their guides, samples, and what is strange about their traffic; invoices of suppliers."""

from __future__ import annotations

import json
from datetime import date, datetime

import strawberry
from strawberry import Info, field

from api.schema.edi_desk import REFUSED, EdiPreview
from api.schema.enums import described
from api.schema.errors import UserError
from api.schema.node import Row, build, build_all, register
from api.schema.sku import Supplier
from core.domain.edi_states import GuideState, PartnerAlertKind
from core.domain.invoices import FindingKind

described(
    PartnerAlertKind,
    "What is strange about the traffic of a partner.",
    CONTROL_GAP="Interchanges are missing: control numbers were passed over.",
    ENVELOPE_CHANGED="It writes with other separators or versions than before.",
    SILENT="It has sent nothing for longer than it ever does.",
)
described(
    GuideState,
    "Is a version of a partner's guide in use.",
    DRAFT="Not yet: its samples have to fit first.",
    ACTIVE="Every document is read under it.",
    RETIRED="A later version holds.",
)
described(
    FindingKind,
    "What does not agree between an invoice and our order.",
    NOT_SHIPPED="Units are invoiced that have not left the supplier.",
    PRICE="The price is not that of the order.",
    UNKNOWN_LINE="The order has no such line.",
    CURRENCY="The invoice is in another currency than the order.",
)


@register
@strawberry.type(description="Something strange in the traffic of a partner.")
class PartnerAlert:
    """One alert."""

    number: int = field(description="Its number: what `partnerAlertClear` takes.")
    partner: str = field(description="Code of the partner.")
    kind: PartnerAlertKind = field(description="What it is.")
    message: str = field(description="The same in a sentence.")
    raised_at: datetime = field(description="When it was found.")
    cleared_at: datetime | None = field(description="When it mended itself, or somebody had looked.", default=None)
    cleared_by: str | None = field(description="Who has looked; `itself` where it mended itself.", default=None)


@register
@strawberry.type(
    description="A version of a partner's guide: what this partner means where the standard leaves it open."
)
class GuideVersion:
    """One version."""

    row: strawberry.Private[Row]
    version: int = field(description="Its number, from 1.")
    state: GuideState = field(description="Is it in use.")
    active_from: datetime | None = field(description="Since when it holds or held.", default=None)
    created_at: datetime = field(description="When it was stored.")

    @field(description="Its settings, as JSON text.")
    def guide(self) -> str:
        return json.dumps(self.row["guide"])


@register
@strawberry.type(description="Who exchanges documents with us.")
class TradingPartner:
    """One partner."""

    partner_id: strawberry.Private[int]
    supplier_id: strawberry.Private[int | None]
    code: str = field(description="Its code: the name of its folder, and of its place under `POST /edi/`.")
    qualifier: str = field(description="Qualifier of its address.")
    interchange_id: str = field(description="Its address.")
    our_qualifier: str = field(description="Qualifier of our address towards it.")
    our_interchange_id: str = field(description="Our address towards it.")

    @field(description="Whose partner it is, where it is a supplier's.")
    async def supplier(self, info: Info) -> Supplier | None:
        if self.supplier_id is None:
            return None
        return build("Supplier", await info.context.loaders.supplier_by_id.load(self.supplier_id))

    @field(description="Versions of its guide, newest first; without any the defaults hold.")
    async def guides(self, info: Info) -> list[GuideVersion]:
        return build_all("GuideVersion", await info.context.loaders.guides_by_partner_id.load(self.partner_id))

    @field(description="Names of the messages that every version must read before it is put in force.")
    async def samples(self, info: Info) -> list[str]:
        return [row["name"] for row in await info.context.loaders.samples_by_partner_id.load(self.partner_id)]


@register
@strawberry.type(description="What does not agree between an invoice and our order; it is an alert, and moves nothing.")
class InvoiceFinding:
    """One finding."""

    kind: FindingKind = field(description="What it is.")
    line_number: int | None = field(description="Number of the order's line.", default=None)
    message: str = field(description="The same in a sentence.")


@register
@strawberry.type(description="A line of an invoice.")
class InvoiceLine:
    """One line."""

    line_number: int | None = field(
        description="The order's line that it means; null for one we do not know.", default=None
    )
    quantity: int | None = field(description="Base units.", default=None)
    price: str | None = field(description="Price of a unit as it stands there, a decimal.", default=None)


@register
@strawberry.type(description="An invoice of a supplier (810, INVOIC), compared with the order and with what has left.")
class SupplierInvoice:
    """One invoice."""

    row: strawberry.Private[Row]
    number: str = field(description="The supplier's number.")
    invoiced_on: date | None = field(description="Its day.", default=None)
    total: str = field(description="Its total as it stands there, a decimal; empty where it names none.")
    currency: str = field(description="Its currency; empty where it names none.")
    created_at: datetime = field(description="When it came.")

    @field(description="Its lines.")
    def lines(self) -> list[InvoiceLine]:
        return [
            InvoiceLine(line_number=line["lineNumber"], quantity=line["quantity"], price=line["price"])
            for line in self.row["lines"]
        ]

    @field(description="What does not agree.")
    def findings(self) -> list[InvoiceFinding]:
        return [
            InvoiceFinding(kind=FindingKind(f["kind"]), line_number=f["lineNumber"], message=f["message"])
            for f in self.row["findings"]
        ]


@strawberry.input(description="Which alerts.")
class PartnerAlertFilter:
    """All given conditions must hold."""

    partner: str | None = field(default=None, description="Of the partner with this code.")
    kind: list[PartnerAlertKind] | None = field(default=None, description="Of one of these kinds.")
    is_open: bool | None = field(default=None, description="Only those that are open, or only those that are not.")


@strawberry.input(description="A message that every version of the guide must read.")
class GuideSampleInput:
    """One sample."""

    name: str = field(description="Its name; one of the same name is replaced.")
    content: str = field(description="The file as text.")


@strawberry.input(description="A guide to store as a draft.")
class PartnerGuideAddInput:
    """Input of partnerGuideAdd."""

    partner: str = field(description="Code of the partner.")
    guide: str = field(description="The settings as JSON text; names that are left out take their defaults.")
    samples: list[GuideSampleInput] = field(default_factory=list, description="Messages to keep as samples.")


@strawberry.input(description="A partner to enter from its sample messages.")
class PartnerCreateInput:
    """Input of partnerCreate."""

    code: str = field(description="Its code: the name of its folder, and of its place under `POST /edi/`.")
    samples: list[GuideSampleInput] = field(
        description="Messages of both ways: addresses and guide are learned from them, and every version has to read them."
    )
    supplier: str | None = field(default=None, description="Code of the supplier whose partner it is.")
    warehouse: str | None = field(default=None, description="Code of the location of ours that the partner runs.")


@strawberry.input(description="Which version of a partner's guide.")
class PartnerGuideActivateInput:
    """Input of partnerGuideActivate."""

    partner: str = field(description="Code of the partner.")
    version: int = field(description="Number of the version.")


@strawberry.input(description="An alert that somebody has looked at.")
class PartnerAlertClearInput:
    """Input of partnerAlertClear."""

    number: int = field(description="Number of the alert.")


@strawberry.input(description="A change to try.")
class SupplierChangePreviewInput:
    """Input of supplierChangePreview."""

    id: strawberry.ID = field(description="Id of the change.")


@strawberry.type(description="Answer of the mutations of partners' guides.")
class PartnerGuidePayload:
    """The partner after it."""

    partner: TradingPartner | None = field(description="The partner.", default=None)
    version: int | None = field(description="The version that was stored or put in force.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="A setting of a partner's guide, and why it is as it is.")
class GuideReason:
    """One sentence about a setting."""

    setting: str = field(description="Name of the setting.")
    why: str = field(description="What the samples show, or why they do not decide it.")


@strawberry.type(description="Answer of partnerCreate.")
class PartnerCreatePayload:
    """The partner after it."""

    partner: TradingPartner | None = field(description="The partner.", default=None)
    version: int | None = field(
        description="The draft of its guide: `partnerGuideActivate` puts it in force.", default=None
    )
    evidence: list[GuideReason] = field(description="What the samples settle.", default_factory=list)
    undecided: list[GuideReason] = field(
        description="What the samples do not settle: the defaults stand until a version says otherwise.",
        default_factory=list,
    )
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of partnerAlertClear.")
class PartnerAlertPayload:
    """The alert after it."""

    alert: PartnerAlert | None = field(description="The alert.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of supplierChangePreview.")
class SupplierChangePreviewPayload:
    """The trial."""

    preview: EdiPreview | None = field(description="What accepting it would do.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)
