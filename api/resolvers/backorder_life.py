"""The life of a backorder: choosing an option, steering the course, losing a transfer, and the report of causes."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Annotated, Any

from strawberry import Info, argument

from api.context import Context
from api.pagination import decode_id
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import must_see_backorder, run_mutation
from api.schema.backorder_life import (
    BackorderCauses,
    BackorderCoursePauseInput,
    BackorderCourseRunInput,
    BackorderOptionChooseInput,
    BackorderOptionPayload,
    CauseFigures,
    RecurringCause,
    StockTransferLoseInput,
)
from api.schema.errors import user_error
from api.schema.node import build
from api.schema.payloads import BackorderPayload, StockTransferPayload
from api.schema.sku import Money
from core.errors import DomainError, InvalidInput, NotFound
from core.queries import backorder_causes as queries
from core.queries import backorders, transfers
from core.services.choose_option import ChooseOption, choose_option
from core.services.receive_transfers import lose_transfers
from core.services.steer_course import PauseCourse, RunStep, pause_course, run_step
from core.unit_of_work import UnitOfWork

RECURRING = 10
"""Rows per cause."""


async def _wanted(context: Context, input: BackorderOptionChooseInput) -> ChooseOption:
    """What is asked for; raises NotFound for what the caller may not see."""
    if (input.id is None) == (input.backorder_id is None):
        raise InvalidInput("Name the option, or the backorder and the kind.", path=("input", "id"), field="id")
    if input.id is not None:
        option = decode_id(input.id, "ResolutionOption")
        async with context.read() as sql:
            if not await backorders.options_by_keys(sql, context.principal, [(option.sku_id, option.id)]):
                raise NotFound("option", input.id, path=("input", "id"))
        return ChooseOption(option.sku_id, option_id=option.id, expected_version=input.expected_version)
    if input.kind is None:
        raise InvalidInput("A backorder needs the kind of option, too.", path=("input", "kind"), field="kind")
    assert input.backorder_id is not None
    node = decode_id(input.backorder_id, "Backorder")
    await must_see_backorder(context, (node.sku_id, node.id), input.backorder_id, "backorderId")
    return ChooseOption(node.sku_id, node.id, kind=input.kind, expected_version=input.expected_version)


async def backorder_option_choose(
    info: Info,
    input: Annotated[BackorderOptionChooseInput, argument(description="Which option.")],
    idempotency_key: IdempotencyKey,
) -> BackorderOptionPayload:
    """Take an option; it is carried out at once."""
    context: Context = info.context
    try:
        wanted = await _wanted(context, input)
    except DomainError as error:
        return BackorderOptionPayload(user_errors=[user_error(error, context.language)])

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        done = await choose_option(uow, wanted)
        line = None if done.line_id is None else [done.substitute_sku_id, done.line_id]
        return {"backorder": [done.sku_id, done.backorder_id], "orderId": done.order_id, "line": line}

    done = await run_mutation(context, "backorderOptionChoose", input, idempotency_key, use_case)
    if "backorder" not in done.result:
        return BackorderOptionPayload(user_errors=done.errors)
    loaders = context.loaders
    line = done.result["line"]
    return BackorderOptionPayload(
        backorder=build("Backorder", await loaders.backorder_by_key.load(tuple(done.result["backorder"]))),
        order=build("Order", await loaders.order_by_id.load(done.result["orderId"])),
        substitute_line=None if line is None else build("OrderLine", await loaders.line_by_key.load(tuple(line))),
        user_errors=done.errors,
    )


async def backorder_course_pause(
    info: Info,
    input: Annotated[BackorderCoursePauseInput, argument(description="Which backorder.")],
    idempotency_key: IdempotencyKey,
) -> BackorderPayload:
    """Stop the automatic course of one backorder, or let it go on."""
    context: Context = info.context
    node = decode_id(input.id, "Backorder")

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await pause_course(uow, PauseCourse(node.sku_id, node.id, input.is_paused, input.reason))
        return {"backorder": [node.sku_id, node.id]}

    done = await run_mutation(context, "backorderCoursePause", input, idempotency_key, use_case)
    return BackorderPayload(backorder=await _backorder(context, done.result), user_errors=done.errors)


async def backorder_course_run(
    info: Info,
    input: Annotated[BackorderCourseRunInput, argument(description="Which backorder, which step.")],
    idempotency_key: IdempotencyKey,
) -> BackorderPayload:
    """Take one step of the course now."""
    context: Context = info.context
    node = decode_id(input.id, "Backorder")

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await run_step(uow, RunStep(node.sku_id, node.id, input.step))
        return {"backorder": [node.sku_id, node.id]}

    done = await run_mutation(context, "backorderCourseRun", input, idempotency_key, use_case)
    return BackorderPayload(backorder=await _backorder(context, done.result), user_errors=done.errors)


async def _backorder(context: Context, result: Any) -> Any:
    key = result.get("backorder")
    return None if key is None else build("Backorder", await context.loaders.backorder_by_key.load(tuple(key)))


async def stock_transfer_lose(
    info: Info,
    input: Annotated[StockTransferLoseInput, argument(description="Which transfer, how many units.")],
    idempotency_key: IdempotencyKey,
) -> StockTransferPayload:
    """Write off units of a transfer; lines that waited for them wait for another source."""
    context: Context = info.context
    node = decode_id(input.id, "Transfer")

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await lose_transfers(uow, [(node.id, input.quantity)], {node.id: input.serials or ()})
        return {"transferId": node.id}

    done = await run_mutation(context, "stockTransferLose", input, idempotency_key, use_case)
    if not done.result:
        return StockTransferPayload(user_errors=done.errors)
    async with context.read() as sql:
        row = await transfers.transfer_by_id(sql, done.result["transferId"])
    return StockTransferPayload(transfer=build("Transfer", row), user_errors=done.errors)


async def backorder_causes(
    info: Info,
    opened_from: Annotated[datetime, argument(name="from", description="Backorders opened at or after.")],
    opened_before: Annotated[datetime, argument(name="to", description="And before.")],
) -> BackorderCauses:
    """Causes ranked by what they cost."""
    now = await info.context.now()
    async with info.context.read() as sql:
        totals = await queries.cause_totals(sql, opened_from, opened_before, now)
        again = await queries.recurring_causes(sql, opened_from, opened_before, now, RECURRING)
    by_cause: dict[str, list[Any]] = defaultdict(list)
    for row in totals:
        by_cause[row["cause"]].append(row)
    recurring: dict[str, list[RecurringCause]] = defaultdict(list)
    for row in again:
        recurring[row["cause"]].append(
            RecurringCause(
                sku_id=row["sku_id"],
                supplier_id=row["supplier_id"],
                backorders=row["backorders"],
                units=row["units"],
                days_lost=row["days"],
                unit_days=row["unit_days"],
            )
        )
    figures = [_figures(cause, rows, recurring[cause]) for cause, rows in by_cause.items()]
    figures.sort(key=lambda f: (-f.unit_days, -f.units, str(f.cause)))
    return BackorderCauses(opened_from=opened_from, opened_before=opened_before, as_of=now, causes=figures)


def _figures(cause: str, rows: list[Any], recurring: list[RecurringCause]) -> CauseFigures:
    return CauseFigures(
        cause=cause,  # type: ignore[arg-type]
        backorders=sum(row["backorders"] for row in rows),
        lines=sum(row["lines"] for row in rows),
        units=sum(row["units"] for row in rows),
        days_lost=sum(row["days"] for row in rows),
        unit_days=sum(row["unit_days"] for row in rows),
        at_stake=[Money(amount_minor=row["value"], currency=row["currency"]) for row in rows],
        recurring=recurring,
    )
