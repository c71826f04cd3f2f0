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

    Sending means that it can be read through the API, and is told by `noticeChanged` and webhooks on the topic `notice`:
    mail and messengers are reached through those. Of one that failed only staff hears.
    """
    rows = []
    for notice in await lock_pending(uow, limit):
        try:
            subject, text = render(notice["template"], notice["language"], notice["facts"])
            rows.append((notice["id"], str(NoticeState.SENT), subject, text))
        except InvalidInput as failure:
            rows.append((notice["id"], str(NoticeState.FAILED), None, failure.message))
        _, state, subject, text = rows[-1]
        facts = {
            "noticeId": notice["id"],
            "orderNumber": notice["order_number"],
            "customer": notice["customer"],
            "template": notice["template"],
            "language": notice["language"],
            "subject": subject,
            "text": text if state == NoticeState.SENT else None,
        }
        uow.announce(
            Event(
                "notice",
                state.upper(),
                facts,
                key=f"notice:{notice['id']}",
                order_id=notice["order_id"],
                customer_id=notice["customer_id"] if state == NoticeState.SENT else None,
            )
        )
    if rows:
        await write_sent(uow, rows)
    return len(rows)
