"""Trading partners, versions of their guides, alerts about their traffic, and what a proposal of a supplier would do."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

from strawberry import Info, argument

from api.context import Context
from api.pagination import decode_id, page_of, slice_of
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.edi_desk import preview_of
from api.resolvers.mutation import Done, run_mutation
from api.schema.errors import user_error
from api.schema.node import Connection, PageAfter, PageBefore, PageFirst, PageLast, build, build_all, connection
from api.schema.partners import (
    GuideReason,
    PartnerAlert,
    PartnerAlertClearInput,
    PartnerAlertFilter,
    PartnerAlertPayload,
    PartnerCreateInput,
    PartnerCreatePayload,
    PartnerGuideActivateInput,
    PartnerGuideAddInput,
    PartnerGuidePayload,
    SupplierChangePreviewInput,
    SupplierChangePreviewPayload,
    TradingPartner,
)
from api.schema.sku import as_filter
from core.errors import InvalidInput
from core.queries import partners
from core.services.change_guide import activate_guide, add_guide, sample_of
from core.services.onboard_partner import OnboardPartner, learn_samples, onboard_partner
from core.services.preview_supplier_change import preview_supplier_change
from core.services.watch_partners import clear_partner_alert
from core.unit_of_work import UnitOfWork

_MOST_SAMPLE_BYTES = 300_000


async def trading_partner_list(info: Info) -> list[TradingPartner]:
    """Active partners, by code."""
    async with info.context.read_system() as sql:
        return build_all("TradingPartner", await partners.trading_partners(sql))


async def partner_alert_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[PartnerAlertFilter | None, argument(description="Which alerts.")] = None,
) -> Connection[PartnerAlert]:
    """Alerts about partners, newest first."""
    page = page_of(partners.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await partners.partner_alerts_page(sql, info.context.principal, as_filter(filter), page)
    return connection(slice_of(partners.SORT, page, rows, more), lambda row: build("PartnerAlert", row))


async def _partner(context: Context, code: str | None) -> TradingPartner | None:
    if code is None:
        return None
    async with context.read_system() as sql:
        found = await partners.trading_partners(sql, code)
    return build("TradingPartner", found[0] if found else None)


async def partner_create(
    info: Info,
    input: Annotated[PartnerCreateInput, argument(description="Its code and samples.")],
    idempotency_key: IdempotencyKey,
) -> PartnerCreatePayload:
    """Enter a partner from its samples; its guide is a draft."""
    context: Context = info.context
    samples = [(sample.name, sample.content.encode()) for sample in input.samples]
    try:
        if sum(len(content) for _, content in samples) > _MOST_SAMPLE_BYTES:
            text = f"Samples of more than {_MOST_SAMPLE_BYTES} bytes are entered by `manage.py edi guide onboard`."
            raise InvalidInput(text, path=("input", "samples"))
        learned = await learn_samples(samples)
    except InvalidInput as error:
        return PartnerCreatePayload(user_errors=[user_error(error, context.language)])
    reasons = [{"setting": name, "why": why} for name, why in learned["evidence"].items()]
    request = OnboardPartner(input.code, samples, learned, input.supplier, input.warehouse or "")

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        version = await onboard_partner(uow, request)
        return {"partner": input.code, "version": version, "evidence": reasons, "undecided": learned["undecided"]}

    done = await run_mutation(context, "partnerCreate", input, idempotency_key, use_case)
    return PartnerCreatePayload(
        partner=await _partner(context, done.result.get("partner")),
        version=done.result.get("version"),
        evidence=[GuideReason(**reason) for reason in done.result.get("evidence", ())],
        undecided=[GuideReason(**reason) for reason in done.result.get("undecided", ())],
        user_errors=done.errors,
    )


async def partner_guide_add(
    info: Info,
    input: Annotated[PartnerGuideAddInput, argument(description="The guide and its samples.")],
    idempotency_key: IdempotencyKey,
) -> PartnerGuidePayload:
    """Store a version as a draft."""

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        try:
            guide = json.loads(input.guide)
        except ValueError as error:
            raise InvalidInput("The guide is not JSON.", path=("input", "guide"), field="guide") from error
        if not isinstance(guide, dict):
            raise InvalidInput("The guide is an object of JSON.", path=("input", "guide"), field="guide")
        samples = [sample_of(sample.name, sample.content.encode()) for sample in input.samples]
        return {"partner": input.partner, "version": await add_guide(uow, input.partner, guide, samples)}

    return await _guide_answer(
        info.context, await run_mutation(info.context, "partnerGuideAdd", input, idempotency_key, use_case)
    )


async def partner_guide_activate(
    info: Info,
    input: Annotated[PartnerGuideActivateInput, argument(description="Which version.")],
    idempotency_key: IdempotencyKey,
) -> PartnerGuidePayload:
    """Put a version in force; every sample must fit it."""

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await activate_guide(uow, input.partner, input.version)
        return {"partner": input.partner, "version": input.version}

    return await _guide_answer(
        info.context, await run_mutation(info.context, "partnerGuideActivate", input, idempotency_key, use_case)
    )


async def _guide_answer(context: Context, done: Done) -> PartnerGuidePayload:
    return PartnerGuidePayload(
        partner=await _partner(context, done.result.get("partner")),
        version=done.result.get("version"),
        user_errors=done.errors,
    )


async def partner_alert_clear(
    info: Info,
    input: Annotated[PartnerAlertClearInput, argument(description="Which alert.")],
    idempotency_key: IdempotencyKey,
) -> PartnerAlertPayload:
    """Say that somebody has looked at an alert."""
    context: Context = info.context

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await clear_partner_alert(uow, input.number)
        return {"number": input.number}

    done = await run_mutation(context, "partnerAlertClear", input, idempotency_key, use_case)
    found = None
    if done.result:
        async with context.read() as sql:
            rows = await partners.partner_alerts_by_ids(sql, context.principal, [input.number])
        found = rows[0] if rows else None
    return PartnerAlertPayload(alert=build("PartnerAlert", found), user_errors=done.errors)


async def supplier_change_preview(
    info: Info,
    input: Annotated[SupplierChangePreviewInput, argument(description="Which change.")],
    idempotency_key: IdempotencyKey,
) -> SupplierChangePreviewPayload:
    """Accept a change for a moment; everything that it does is taken back."""
    change_id = decode_id(input.id, "SupplierChange").id

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return asdict(await preview_supplier_change(uow, change_id))

    done = await run_mutation(info.context, "supplierChangePreview", input, idempotency_key, use_case)
    return SupplierChangePreviewPayload(preview=preview_of(done.result), user_errors=done.errors)
