"""Say who approves in a person's place on which days."""

from __future__ import annotations

from datetime import date

from core.domain.access import Role
from core.domain.approval_routes import Absence
from core.errors import Forbidden, InvalidInput, NotFound
from core.ports import Transaction
from core.repositories.approvals import drop_absence, write_absence


async def set_approver_absence(
    uow: Transaction, person: str, substitute: str | None, from_day: date, until_day: date | None
) -> None:
    """Set an absence, or end it (no substitute). A planner sets its own only, an administrator anybody's.

    Raises Forbidden, InvalidInput for days or a substitute that cannot be, NotFound for an absence to end.
    """
    if uow.principal.role is Role.PLANNER and uow.principal.id != person:
        raise Forbidden("A planner sets its own absences only.", path=("input", "person"), person=person)
    if substitute is None:
        if not await drop_absence(uow, person, from_day):
            raise NotFound("absence", f"{person} {from_day}", path=("input", "fromDay"))
    elif until_day is None:
        raise InvalidInput("Say the last day of the absence.", path=("input", "untilDay"), field="untilDay")
    else:
        if until_day < from_day or substitute == person or not substitute or not person:
            raise InvalidInput("An absence has days in order and another person as substitute.", path=("input",))
        await write_absence(uow, Absence(person, substitute, from_day, until_day))
    uow.audit(
        "approverAbsenceSet",
        f"person:{person}",
        None,
        {"substitute": substitute, "fromDay": from_day.isoformat(), "untilDay": until_day and until_day.isoformat()},
    )
