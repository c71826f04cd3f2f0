"""The table of contents: every Query, Mutation and Subscription field with the roles that may call it, and the schema."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from api.loaders import Loaders
from api.permissions.roles import roles
from api.resolvers import (
    api_keys,
    availability,
    backorder_life,
    catalogue,
    catalogue_mutations,
    customers,
    edi_desk,
    foresight,
    fulfilment_mutations,
    lists,
    lots,
    order_mutations,
    partners,
    places,
    planning,
    policies,
    rebalancing,
    repromising,
    reservations,
    returns,
    routes,
    selling,
    simulations,
    subscriptions,
    substitutes,
    supplier_mutations,
    suppliers,
    supply_mutations,
    targets,
    telling,
)
from api.schema.errors import TYPES, UserError
from api.schema.long_lists import LongLists
from api.schema.node import node_types
from api.schema.scalars import SCALARS
from core.domain.access import Role

STOREFRONT, CUSTOMER, SUPPLIER, WAREHOUSE = Role.STOREFRONT, Role.CUSTOMER, Role.SUPPLIER, Role.WAREHOUSE
PLANNER, ADMIN, AUDITOR = Role.PLANNER, Role.ADMIN, Role.AUDITOR
PLANNING = (PLANNER, ADMIN)
READING = (PLANNER, ADMIN, AUDITOR)


def _field(resolver: Any, description: str, *allowed: Role, publishable: bool = False) -> Any:
    """A root field; no role means every authenticated caller."""
    return strawberry.field(
        resolver=resolver, description=description, extensions=[roles(*allowed, publishable=publishable)]
    )


def _mutation(resolver: Any, description: str, *allowed: Role) -> Any:
    return strawberry.mutation(resolver=resolver, description=description, extensions=[roles(*allowed)])


def _stream(resolver: Any, description: str, *allowed: Role, publishable: bool = False) -> Any:
    return strawberry.subscription(
        resolver=resolver, description=description, extensions=[roles(*allowed, publishable=publishable)]
    )


@strawberry.type(description="What can be asked.")
class Query:
    """All queries."""

    node = _field(catalogue.node, "Anything with an id; null for what does not exist or may not be seen.")
    viewer = _field(catalogue.viewer, "Who is calling.")
    sku = _field(catalogue.sku, "One SKU; null when there is none with this code.")
    skus = _field(catalogue.sku_list, "The catalogue, by code.")
    availability = _field(
        availability.availability,
        "What can be sold now and when the rest comes, in the order of `skus`; null and an UNKNOWN_SKU error for an unknown one.",
        STOREFRONT,
        CUSTOMER,
        WAREHOUSE,
        *READING,
        publishable=True,
    )
    order = _field(
        lists.order, "One order; null when the caller may see none with this number.", CUSTOMER, WAREHOUSE, *READING
    )
    orders = _field(lists.order_list, "Orders the caller may see.", CUSTOMER, WAREHOUSE, *READING)
    backorders = _field(lists.backorder_list, "Backorders the caller may see.", CUSTOMER, WAREHOUSE, *READING)
    purchase_order = _field(
        lists.purchase_order,
        "One purchase order; null when the caller may see none with this number.",
        SUPPLIER,
        WAREHOUSE,
        *READING,
    )
    purchase_orders = _field(
        lists.purchase_order_list, "Purchase orders the caller may see, newest first.", SUPPLIER, WAREHOUSE, *READING
    )
    shipments = _field(
        lists.shipment_list, "Shipments the caller may see, newest first.", CUSTOMER, WAREHOUSE, *READING
    )
    transfers = _field(lists.transfer_list, "Moves between our own locations, newest first.", WAREHOUSE, *READING)
    scheduled_receipts = _field(
        lists.scheduled_receipt_list,
        "What is on order and when it becomes usable, soonest first.",
        SUPPLIER,
        WAREHOUSE,
        *READING,
    )
    supply_impact = _field(
        planning.supply_impact,
        "Whom supplies serve, and whom a delay or loss of them would hit; null when nothing of them is still to come, and "
        "likewise for a number that nobody knows: `purchaseOrder` tells the two apart.",
        *READING,
    )
    repromising_run = _field(repromising.repromising_run, "One re-promising run; null when there is none.", *READING)
    repromising_runs = _field(repromising.repromising_run_list, "Re-promising runs, newest first.", *READING)
    repromising_variants = _field(repromising.repromising_variant_list, "Saved variants of re-promising.", *READING)
    repromising_comparison = _field(
        repromising.repromising_comparison, "How the proposals of two re-promising runs differ.", *READING
    )
    repromising_filter_count = _field(
        repromising.repromising_filter_count, "What a re-promising filter takes at present.", *READING
    )
    simulation = _field(simulations.simulation, "One simulation; null when there is none with this id.", *READING)
    simulations = _field(simulations.simulation_list, "Simulations, newest first.", *READING)
    customers = _field(customers.customer_list, "Customers, by code.", *READING)
    supplier = _field(
        catalogue.supplier,
        "One supplier; null when the caller may see none with this code.",
        SUPPLIER,
        WAREHOUSE,
        *READING,
    )
    supplier_deadlines = _field(
        suppliers.supplier_deadline_list,
        "What suppliers owe by which time, soonest first; live ones are tasks.",
        SUPPLIER,
        *READING,
    )
    supplier_requests = _field(
        suppliers.supplier_request_list, "Urgent requests to suppliers, newest first.", SUPPLIER, *READING
    )
    sourcing_options = _field(
        suppliers.sourcing_options,
        "From whom to buy what is needed, and why; null for a SKU that is unknown or that nobody supplies.",
        *READING,
    )
    single_sources = _field(
        suppliers.single_source_list,
        "SKUs with one approved source or none, the dearest exposure first.",
        *READING,
    )
    inbound_priority = _field(
        suppliers.inbound_priority,
        "Deliveries in the order in which they should be unloaded, at most 200.",
        WAREHOUSE,
        *READING,
    )
    approver_absences = _field(
        suppliers.approver_absences, "Who approves in whose place, for absences that are not over.", *READING
    )
    trading_partners = _field(
        partners.trading_partner_list, "Who exchanges documents with us, by code, at most 500.", *READING
    )
    partner_alerts = _field(
        partners.partner_alert_list, "What is strange about the traffic of partners, newest first.", *READING
    )
    edi_documents = _field(
        lists.edi_document_list, "Documents received from trading partners, newest first.", SUPPLIER, *READING
    )
    notices = _field(lists.notice_list, "What was or will be told to whom, newest first.", CUSTOMER, *READING)
    lot_trace = _field(
        lots.lot_trace,
        "Where a lot is and to whom it went, at most 1000 lines; null for a lot nobody has seen.",
        WAREHOUSE,
        *READING,
    )
    serial_units = _field(
        lots.serial_units, "Units by serial number, with their life; unknown numbers are left out.", WAREHOUSE, *READING
    )
    audit_entries = _field(lists.audit_entry_list, "The audit trail, newest first.", ADMIN, AUDITOR)
    access_denials = _field(
        lists.access_denial_list, "Who was refused what, by the minute, newest first.", ADMIN, AUDITOR
    )
    api_keys = _field(
        api_keys.api_key_list,
        "API keys by name, at most 1000; those that ended a month ago are left out.",
        ADMIN,
        AUDITOR,
    )
    alarms = _field(
        lists.alarm_list,
        "What needed a person's eye, newest first: holds that were escalated, suppliers that keep silent, jobs that gave up, "
        "models and dates that drift, webhooks that were switched off, differences in the ledgers.",
        *READING,
    )
    ledger_alarms = _field(
        lists.ledger_alarm_list, "Differences that the auditor found in the ledgers, newest first.", *READING
    )
    reservation = _field(
        reservations.reservation,
        "One reservation; null for an unknown id, and for pools to all but planners.",
        STOREFRONT,
        *READING,
    )
    reservations = _field(reservations.reservation_list, "Reservations, newest first.", *READING)
    supplier_changes = _field(
        edi_desk.supplier_change_list, "Changes that suppliers ask for, newest first.", SUPPLIER, *READING
    )
    rebalancing_proposals = _field(
        rebalancing.rebalancing_proposal_list,
        "Proposed moves of stock between locations, the most urgent first.",
        WAREHOUSE,
        *READING,
    )
    policies = _field(policies.policies, "Business parameters that may be changed without code, by name.", *READING)
    quotas = _field(selling.quotas, "Quotas of SKUs, at most 1000 by SKU.", *READING)
    protected_stock = _field(
        selling.protected_stock, "Steps of protected stock, at most 1000 by SKU, location, class and day.", *READING
    )
    calendars = _field(routes.calendars, "Working days of locations and lanes, by code.", WAREHOUSE, *READING)
    lanes = _field(routes.lanes, "Ways between locations, by the codes of their ends.", WAREHOUSE, *READING)
    channels = _field(places.channels, "Where orders come from, by code.", WAREHOUSE, *READING)
    locations = _field(
        places.location_list,
        "Places that hold stock, delivery zones and suppliers' doors, by code.",
        WAREHOUSE,
        *READING,
    )
    delivery_zones = _field(
        places.delivery_zone_list,
        "Which addresses belong to which destination, by country and prefix.",
        WAREHOUSE,
        *READING,
    )
    webhooks = _field(telling.webhook_list, "Webhooks the caller may see, newest first.", CUSTOMER, SUPPLIER, *READING)
    webhook_deliveries = _field(
        telling.delivery_list,
        "What was or will be delivered to webhooks the caller may see, newest first.",
        CUSTOMER,
        SUPPLIER,
        *READING,
    )
    backorder_risks = _field(
        foresight.backorder_risk_list,
        "How likely SKUs go short at their locations, the riskiest first.",
        *READING,
    )
    stock_targets = _field(
        targets.stock_target_list,
        "What to hold and what to order now, the most urgent first; with flags for overstock, ageing and stockout risk.",
        *READING,
    )
    supplier_dates = _field(
        targets.supplier_dates, "How far suppliers' stated days are off, with measured coverage.", *READING
    )
    stage_dates = _field(
        targets.stage_dates,
        "How long our own stages take: receiving, putting away, picking and the road, with measured coverage.",
        *READING,
    )
    demand_accuracy = _field(targets.demand_accuracy, "How good the live demand forecasts have been.", *READING)
    input_faults = _field(
        targets.input_faults, "Figures that forecasts left out or repaired, the 100 newest.", *READING
    )
    model_report = _field(
        foresight.model_report, "Which models speak, what they learned from and how good they are.", *READING
    )
    backorder_causes = _field(
        backorder_life.backorder_causes, "Why lines went short in a period, the costliest cause first.", *READING
    )
    suppliers = _field(catalogue.supplier_list, "Suppliers, by code.", WAREHOUSE, *READING)


@strawberry.type(description="What can be done. Every mutation takes `input` and `idempotencyKey`.")
class Mutation:
    """All mutations."""

    order_place = _mutation(order_mutations.order_place, "Place an order.", STOREFRONT, CUSTOMER, *PLANNING)
    order_cancel = _mutation(order_mutations.order_cancel, "Cancel an order or a part of it.", CUSTOMER, *PLANNING)
    order_hold = _mutation(order_mutations.order_hold, "Stop an order.", *PLANNING)
    order_hold_release = _mutation(order_mutations.order_hold_release, "Let a held order go on.", *PLANNING)
    order_line_change = _mutation(
        order_mutations.order_line_change, "Change quantity or day of an order line; it is promised anew.", *PLANNING
    )
    order_line_split = _mutation(
        order_mutations.order_line_split,
        "Let part of an order line come on another day, as a line of its own.",
        *PLANNING,
    )
    order_ship_to_change = _mutation(
        order_mutations.order_ship_to_change,
        "Send what has not left of an order to another address; its lines are promised by the new way.",
        CUSTOMER,
        *PLANNING,
    )
    goods_return = _mutation(returns.goods_return, "Take goods back from a customer.", WAREHOUSE, *PLANNING)
    goods_exchange = _mutation(
        returns.goods_exchange,
        "Take goods back and send others for them, as a line of their own in the same order.",
        WAREHOUSE,
        *PLANNING,
    )
    goods_inspect = _mutation(returns.goods_inspect, "Decide about units that wait unsellable.", WAREHOUSE, *PLANNING)
    shipment_confirm = _mutation(fulfilment_mutations.shipment_confirm, "Book a shipment out.", WAREHOUSE, *PLANNING)
    shipment_deliver = _mutation(
        fulfilment_mutations.shipment_deliver, "Book a shipment as arrived.", WAREHOUSE, *PLANNING
    )
    reservation_create = _mutation(
        reservations.reservation_create, "Hold stock for a while, all items or none.", STOREFRONT, *PLANNING
    )
    reservation_extend = _mutation(
        reservations.reservation_extend, "Hold reserved stock longer.", STOREFRONT, *PLANNING
    )
    reservation_release = _mutation(
        reservations.reservation_release, "Give reserved stock back.", STOREFRONT, *PLANNING
    )
    backorder_cancel = _mutation(
        fulfilment_mutations.backorder_cancel, "Cancel the short part of a line.", CUSTOMER, *PLANNING
    )
    backorder_option_choose = _mutation(
        backorder_life.backorder_option_choose,
        "Take one of the options of a backorder; it is carried out at once.",
        CUSTOMER,
        *PLANNING,
    )
    backorder_course_pause = _mutation(
        backorder_life.backorder_course_pause, "Stop the automatic course of a backorder, or let it go on.", *PLANNING
    )
    backorder_course_run = _mutation(
        backorder_life.backorder_course_run, "Take one step of the course of a backorder now.", *PLANNING
    )
    quota_set = _mutation(
        selling.quota_set, "Bound what a channel, customer or tier may be promised of a SKU.", *PLANNING
    )
    protected_stock_set = _mutation(
        selling.protected_stock_set, "Keep stock of a SKU back from a class of channels.", *PLANNING
    )
    customer_set = _mutation(
        customers.customer_set,
        "Make a customer, or change one; a STOREFRONT only makes them.",
        STOREFRONT,
        *PLANNING,
    )
    customer_erase = _mutation(
        customers.customer_erase, "Erase the personal data of a customer; what it ordered stays.", ADMIN
    )
    sku_create = _mutation(catalogue_mutations.sku_create, "Take a SKU into the catalogue.", *PLANNING)
    sku_change = _mutation(
        catalogue_mutations.sku_change, "Change names, figures, state or release day of a SKU.", *PLANNING
    )
    substitute_set = _mutation(substitutes.substitute_set, "Let a SKU be replaced by another.", *PLANNING)
    substitute_remove = _mutation(
        substitutes.substitute_remove, "Let a SKU no longer be replaced by another.", *PLANNING
    )
    sku_release_set = _mutation(selling.sku_release_set, "Make a SKU a pre-order until a day.", *PLANNING)
    model_roll_back = _mutation(
        foresight.model_roll_back, "Let an earlier model speak again; everything is scored anew.", *PLANNING
    )
    calendar_set = _mutation(
        routes.calendar_set, "Make or change a calendar; promises that rest on it are judged anew.", *PLANNING
    )
    lane_set = _mutation(
        routes.lane_set, "Make or change a way between locations; promises over it are judged anew.", *PLANNING
    )
    location_change = _mutation(
        routes.location_change, "Change cut-off or calendar of a location; its promises are judged anew.", *PLANNING
    )
    location_set = _mutation(
        places.location_set,
        "Make or change a location, or switch it on or off; its promises are judged anew.",
        *PLANNING,
    )
    channel_set = _mutation(places.channel_set, "Make or change a channel: what it sells from and shows.", *PLANNING)
    delivery_zone_set = _mutation(
        places.delivery_zone_set, "Say to which destination addresses belong, by country and postal prefix.", *PLANNING
    )
    delivery_zone_remove = _mutation(
        places.delivery_zone_remove, "Forget a postal prefix: its addresses fall to the shorter one.", *PLANNING
    )
    policy_change = _mutation(policies.policy_change, "Change a business parameter.", *PLANNING)
    backorder_reprioritize = _mutation(
        fulfilment_mutations.backorder_reprioritize, "Change the rank of a backorder.", *PLANNING
    )
    purchase_order_create = _mutation(
        supply_mutations.purchase_order_create,
        "Order from a supplier; above the approval limit it waits for approval.",
        *PLANNING,
    )
    purchase_order_approve = _mutation(
        supply_mutations.purchase_order_approve, "Approve a purchase order; it is sent after the commit.", *PLANNING
    )
    purchase_order_acknowledge = _mutation(
        supply_mutations.purchase_order_acknowledge,
        "A supplier's answer to a purchase order, line by line.",
        SUPPLIER,
        *PLANNING,
    )
    purchase_order_cancel = _mutation(
        supply_mutations.purchase_order_cancel, "Cancel a purchase order or lines of it.", *PLANNING
    )
    purchase_order_close = _mutation(
        supply_mutations.purchase_order_close,
        "Say that nothing more of a purchase order will come; lines that waited for it look for another source.",
        SUPPLIER,
        *PLANNING,
    )
    purchase_order_reschedule = _mutation(
        supplier_mutations.purchase_order_reschedule,
        "Ask for other days of lines; the policy accepts them, or a planner decides.",
        SUPPLIER,
        *PLANNING,
    )
    purchase_order_message_post = _mutation(
        supplier_mutations.purchase_order_message_post,
        "Write into the message thread of a purchase order.",
        SUPPLIER,
        *PLANNING,
    )
    supplier_stock_report = _mutation(
        supplier_mutations.supplier_stock_report,
        "A supplier's hints on its stock and capacity; they confirm nothing.",
        SUPPLIER,
        *PLANNING,
    )
    supplier_request_create = _mutation(
        supplier_mutations.supplier_request_create, "Ask a supplier something urgent.", *PLANNING
    )
    supplier_request_answer = _mutation(
        supplier_mutations.supplier_request_answer, "Answer an urgent request.", SUPPLIER, *PLANNING
    )
    supplier_deadline_chase = _mutation(
        supplier_mutations.supplier_deadline_chase, "Note that somebody is after a late supplier.", *PLANNING
    )
    supplier_create = _mutation(supplier_mutations.supplier_create, "Take a supplier into the books.", *PLANNING)
    supplier_terms_set = _mutation(
        supplier_mutations.supplier_terms_set,
        "Change what is agreed with a supplier about a SKU, or begin to buy it there.",
        *PLANNING,
    )
    emergency_purchase = _mutation(
        supplier_mutations.emergency_purchase,
        "Buy what is urgently short: choose the sources, order, approve within the limits, send.",
        *PLANNING,
    )
    approver_absence_set = _mutation(
        supplier_mutations.approver_absence_set, "Say who approves purchase orders in a person's place.", *PLANNING
    )
    ship_notice_submit = _mutation(
        supply_mutations.ship_notice_submit, "A supplier's word that goods have left.", SUPPLIER, *PLANNING
    )
    goods_receive = _mutation(
        supply_mutations.goods_receive, "Take goods in; lines that wait get them.", WAREHOUSE, *PLANNING
    )
    stock_adjust = _mutation(supply_mutations.stock_adjust, "Correct stock by a difference.", WAREHOUSE, *PLANNING)
    stock_count = _mutation(supply_mutations.stock_count, "Book what a count found.", WAREHOUSE, *PLANNING)
    kit_change = _mutation(lots.kit_change, "Say which SKUs, and how many of each, a kit is made of.", *PLANNING)
    lot_block = _mutation(
        lots.lot_block,
        "Recall a lot: none of it is sold, lines that had units of it are covered anew or short.",
        WAREHOUSE,
        *PLANNING,
    )
    lot_release = _mutation(lots.lot_release, "Let a recalled lot be sold again.", *PLANNING)
    stock_transfer = _mutation(supply_mutations.stock_transfer, "Move stock to another location.", WAREHOUSE, *PLANNING)
    stock_transfer_ship = _mutation(
        supply_mutations.stock_transfer_ship, "Let a planned transfer leave its location.", WAREHOUSE, *PLANNING
    )
    stock_transfer_lose = _mutation(
        backorder_life.stock_transfer_lose,
        "Write off units of a transfer that will never arrive.",
        WAREHOUSE,
        *PLANNING,
    )
    supplier_change_decide = _mutation(
        edi_desk.supplier_change_decide, "Accept or reject a change that a supplier asks for.", *PLANNING
    )
    supplier_change_preview = _mutation(
        partners.supplier_change_preview,
        "Try a change that a supplier asks for: which lines and orders it would hit. Nothing is changed.",
        *PLANNING,
    )
    partner_create = _mutation(
        partners.partner_create,
        "Enter a trading partner from its sample messages: what they show becomes a draft of its guide.",
        *PLANNING,
    )
    partner_guide_add = _mutation(
        partners.partner_guide_add, "Store a version of a partner's guide as a draft, with samples.", *PLANNING
    )
    partner_guide_activate = _mutation(
        partners.partner_guide_activate, "Put a version of a partner's guide in force; its samples must fit.", *PLANNING
    )
    partner_alert_clear = _mutation(
        partners.partner_alert_clear, "Say that somebody has looked at an alert.", *PLANNING
    )
    edi_document_settle = _mutation(
        edi_desk.edi_document_settle, "Take a document from quarantine on, call it mended, or drop it.", *PLANNING
    )
    edi_file_erase = _mutation(
        edi_desk.edi_file_erase,
        "Erase a file's bytes, its copies and what is quoted of it, for good; hash, documents and effects stay.",
        ADMIN,
    )
    edi_document_preview = _mutation(
        edi_desk.edi_document_preview,
        "Try a document from quarantine: which lines and orders it would hit. Nothing is changed.",
        *PLANNING,
    )
    edi_document_resend = _mutation(edi_desk.edi_document_resend, "Write a document of ours again as it is.", *PLANNING)
    purchase_order_send_anew = _mutation(
        edi_desk.purchase_order_send_anew, "Send a refused purchase order under new control numbers.", *PLANNING
    )
    shipment_send_anew = _mutation(
        edi_desk.shipment_send_anew,
        "Tell a partner's warehouse again of a shipment whose release it refused, or of what it lacked of another.",
        *PLANNING,
    )
    edi_document_submit = _mutation(
        supply_mutations.edi_document_submit,
        "Hand in a trading partner's file; it is read and applied a moment later.",
        SUPPLIER,
        *PLANNING,
    )
    edi_document_replay = _mutation(
        supply_mutations.edi_document_replay, "Apply a document again, after its cause was mended.", *PLANNING
    )
    repromising_run_start = _mutation(
        repromising.repromising_run_start,
        "Compute a re-promising run; nothing changes until it is published.",
        *PLANNING,
    )
    repromising_run_publish = _mutation(
        repromising.repromising_run_publish, "Approve a re-promising run and publish it.", *PLANNING
    )
    repromising_run_cancel = _mutation(
        repromising.repromising_run_cancel, "Cancel a re-promising run that is not being published.", *PLANNING
    )
    repromising_variant_save = _mutation(
        repromising.repromising_variant_save, "Save a variant of re-promising under its code.", *PLANNING
    )
    simulation_start = _mutation(
        simulations.simulation_start, "Play scenarios on a snapshot; nothing live is changed.", *PLANNING
    )
    simulation_cancel = _mutation(simulations.simulation_cancel, "End a simulation that is being played.", *PLANNING)
    webhook_create = _mutation(
        telling.webhook_create,
        "Have events told to an address by signed HTTP requests; its secret is shown this once.",
        CUSTOMER,
        SUPPLIER,
        *PLANNING,
    )
    webhook_change = _mutation(
        telling.webhook_change, "Change, pause or resume a webhook.", CUSTOMER, SUPPLIER, *PLANNING
    )
    webhook_secret_rotate = _mutation(
        telling.webhook_secret_rotate,
        "Renew the signing secret of a webhook; for a while both sign.",
        CUSTOMER,
        SUPPLIER,
        *PLANNING,
    )
    webhook_delete = _mutation(
        telling.webhook_delete, "Take a webhook away, with its log.", CUSTOMER, SUPPLIER, *PLANNING
    )
    webhook_test = _mutation(
        telling.webhook_test, "Send a webhook a message of type webhook.test.", CUSTOMER, SUPPLIER, *PLANNING
    )
    webhook_replay = _mutation(
        telling.webhook_replay, "Send messages to a webhook again.", CUSTOMER, SUPPLIER, *PLANNING
    )
    webhook_delivery_skip = _mutation(
        telling.webhook_delivery_skip,
        "Pass over a message that a webhook never takes, so that those behind it can go.",
        CUSTOMER,
        SUPPLIER,
        *PLANNING,
    )
    api_key_create = _mutation(api_keys.api_key_create, "Make an API key for a machine; it is told this once.", ADMIN)
    api_key_rotate = _mutation(
        api_keys.api_key_rotate, "Replace an API key while it is used; for a while both are good.", ADMIN
    )
    api_key_revoke = _mutation(
        api_keys.api_key_revoke, "End API keys now; their requests are refused and streams end within 5 s.", ADMIN
    )
    notice_mark_read = _mutation(
        fulfilment_mutations.notice_mark_read, "Note that a notice was read.", CUSTOMER, *PLANNING
    )


@strawberry.type(description="What can be watched. Every event carries a cursor; `after` resumes with nothing lost.")
class Subscription:
    """All subscriptions."""

    availability_changed = _stream(
        subscriptions.availability_changed,
        "The newest availability of these SKUs, whenever it changes; steps in between may be skipped.",
        STOREFRONT,
        CUSTOMER,
        WAREHOUSE,
        *READING,
        publishable=True,
    )
    order_changed = _stream(
        subscriptions.order_changed,
        "What happens to one order, or to all the caller may see.",
        CUSTOMER,
        WAREHOUSE,
        *READING,
    )
    backorder_changed = _stream(
        subscriptions.backorder_changed, "What happens to backorders the caller may see.", CUSTOMER, WAREHOUSE, *READING
    )
    purchase_order_changed = _stream(
        subscriptions.purchase_order_changed,
        "What happens to purchase orders the caller may see.",
        SUPPLIER,
        WAREHOUSE,
        *READING,
    )
    notice_changed = _stream(
        subscriptions.notice_changed, "What customers are told, as it is sent.", CUSTOMER, *READING
    )
    alarm_raised = _stream(subscriptions.alarm_raised, "What needs a person's eye, as it is found.", *READING)
    risk_changed = _stream(foresight.risk_changed, "Chances of going short that moved by enough to be told.", *READING)
    job_progressed = _stream(subscriptions.job_progressed, "Progress of one job.", *READING)


def build_schema(extensions: Any = ()) -> strawberry.Schema:
    """The schema object, with the given Strawberry extensions."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*node_types(), UserError, *TYPES.values()],
        extensions=list(extensions),
        config=StrawberryConfig(auto_camel_case=True, scalar_map=SCALARS),
        execution_context_class=LongLists,
    )


schema = build_schema()
make_loaders = Loaders
"""Give it to `Context(make_loaders=...)`."""
