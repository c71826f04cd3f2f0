"""Send the notices that wait: the text is made now, in the customer's language, and kept as it was sent."""

from __future__ import annotations

from core.domain.notices import render
from core.domain.states import NoticeState
from core.errors import InvalidInput
from core.events import Event
from core.ports import Transaction
from core.repositories.notices import lock_pending, write_sent


async def send_notices(uow: Transaction, limit: int = 500) -> int:
    """Render and send up to `limit` notices; how many were taken. A notice that cannot be written is `failed`.

    Sending means that it can be read through the API and the live stream; there is no mail gateway yet.
    """
    rows = []
    for notice in await lock_pending(uow, limit):
        try:
            subject, text = render(notice["template"], notice["language"], notice["facts"])
            rows.append((notice["id"], str(NoticeState.SENT), subject, text))
        except InvalidInput as failure:
            rows.append((notice["id"], str(NoticeState.FAILED), None, failure.message))
        uow.announce(
            Event(
                "notice",
                rows[-1][1].upper(),
                {"noticeId": notice["id"], "template": notice["template"], "orderId": notice["order_id"]},
                key=f"notice:{notice['id']}",
                order_id=notice["order_id"],
                customer_id=notice["customer_id"],
            )
        )
    if rows:
        await write_sent(uow, rows)
    return len(rows)
