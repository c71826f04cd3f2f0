"""Planners steer the automatic course: stop it for one backorder, let it go on, or take one of its steps now."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.states import CourseStep
from core.errors import IllegalTransition
from core.events import JobRequest
from core.ports import Transaction
from core.repositories import course_facts
from core.repositories.follow_course import request_course
from core.repositories.gates import take_gates
from core.repositories.orders import find_backorder_order
from core.services.follow_up import request_shipments
from core.services.run_backorder_course import OneStep, run_backorder_course


@dataclass(frozen=True, slots=True)
class PauseCourse:
    """`is_paused` False lets the course go on."""

    sku_id: int
    backorder_id: int
    is_paused: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunStep:
    """One step, whatever its conditions say and also while the course is paused."""

    sku_id: int
    backorder_id: int
    step: CourseStep


async def pause_course(uow: Transaction, request: PauseCourse) -> None:
    """Stop the course of a backorder or let it go on. Raises NotFound, and IllegalTransition when it has ended."""
    key = (request.sku_id, request.backorder_id)
    await find_backorder_order(uow, *key)
    await take_gates(uow, [request.sku_id])
    await _must_be_open(uow, *key, "PAUSED" if request.is_paused else "RESUMED")
    await course_facts.pause_course(uow, key, request.is_paused, request.reason)
    after = {"isPaused": request.is_paused, "reason": request.reason}
    uow.audit("backorderCoursePause", f"backorder:{key[0]}:{key[1]}", None, after)
    if not request.is_paused:
        request_course(uow, [request.sku_id])


async def run_step(uow: Transaction, request: RunStep) -> None:
    """Take one step now. RELEASE lets the line go to the warehouse, also when the backorder is filled.

    A substitution that needs no consent is tried a moment later. Raises NotFound, and IllegalTransition when the
    backorder has ended.
    """
    key = (request.sku_id, request.backorder_id)
    order_id, _ = await find_backorder_order(uow, *key)
    if request.step is CourseStep.RELEASE:
        await take_gates(uow, [request.sku_id])
        line_id = await uow.sql.fetchval("select order_line_id from backorder where sku_id = $1 and id = $2", *key)
        await course_facts.let_out(uow, request.sku_id, line_id)
        request_shipments(uow, [order_id])
    else:
        await _must_be_open(uow, *key, str(request.step))
        if request.step is CourseStep.SUBSTITUTE:  # it needs more gates than the course holds
            only = {"backorderId": request.backorder_id, "step": str(request.step)}
            name = f"step:{request.sku_id}:{request.backorder_id}:{request.step}"
            uow.enqueue(JobRequest("run_backorder_course", name, {"skuIds": [request.sku_id], "only": only}))
        else:
            await run_backorder_course(uow, [request.sku_id], OneStep(request.backorder_id, request.step))
    uow.audit("backorderCourseRun", f"backorder:{key[0]}:{key[1]}", None, {"step": str(request.step)})


async def _must_be_open(uow: Transaction, sku_id: int, backorder_id: int, wanted: str) -> None:
    state = await uow.sql.fetchval(
        "select state from backorder where sku_id = $1 and id = $2 and closed_at is not null", sku_id, backorder_id
    )
    if state is not None:
        raise IllegalTransition("backorder", str(backorder_id), state, wanted)
