"""Note that a customer has read a notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.domain.states import NoticeState
from core.errors import IllegalTransition, NotFound
from core.events import Event
from core.ports import Transaction
from core.repositories.notices import lock_notice, write_read


@dataclass(frozen=True, slots=True)
class NoticeChange:
    """A notice that was read, and when first."""

    notice_id: int
    read_at: datetime


async def mark_notice_read(uow: Transaction, notice_id: int) -> NoticeChange:
    """Mark it once; later calls give the first time. A customer sees only its own notices: others are NotFound.

    Raises IllegalTransition for a notice that was not sent.
    """
    row = await lock_notice(uow, notice_id, uow.principal.customer_id)
    if row is None:
        raise NotFound("notice", str(notice_id), path=("input", "id"))
    if row["state"] == NoticeState.READ:
        return NoticeChange(notice_id, row["read_at"])
    if row["state"] != NoticeState.SENT:
        raise IllegalTransition("notice", str(notice_id), row["state"], str(NoticeState.READ))
    await write_read(uow, notice_id, uow.now)
    facts = {
        "noticeId": notice_id,
        "orderNumber": row["order_number"],
        "customer": row["customer"],
        "template": row["template"],
        "language": row["language"],
        "subject": row["subject"],
        "text": None,
    }
    uow.announce(Event("notice", "READ", facts, key=f"notice:{notice_id}", customer_id=row["customer_id"]))
    return NoticeChange(notice_id, uow.now)
