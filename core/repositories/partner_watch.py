"""What is known of the traffic of partners, and the alerts about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from core.domain.edi_states import PartnerAlertKind
from core.events import Event
from core.ports import Transaction


async def marks_of(uow: Transaction, partner_id: int) -> dict[str, Any]:
    """Separators and versions as they came last."""
    return await uow.sql.fetchval("select marks from partner_watch where partner_id = $1", partner_id) or {}


async def keep_marks(uow: Transaction, partner_id: int, marks: dict[str, Any]) -> None:
    """These came last; others stay known. A partner is watched from the first on: what came before tells no gap."""
    await uow.sql.execute(
        """insert into partner_watch (partner_id, marks, seen_at, last_document_id) values ($1, $2, $3, coalesce(
            (select id from edi_document where created_at < transaction_timestamp() order by id desc limit 1), 0))
        on conflict (partner_id) do update set marks = partner_watch.marks || excluded.marks""",
        partner_id,
        marks,
        uow.now,
    )


async def watched_partners(uow: Transaction) -> list[Any]:
    """Active partners with their watch, locked; those that have never sent anything are left out."""
    return await uow.sql.fetch(
        """select w.partner_id, p.code, p.supplier_id, w.last_document_id, w.last_control, w.rhythm, w.seen_at,
            (select g.guide -> 'silence_hours' from partner_guide g where g.partner_id = p.id and g.state = 'active'
                order by g.version desc limit 1) as own_hours
        from partner_watch w join partner p on p.id = w.partner_id where p.is_active
        order by w.partner_id for no key update of w"""
    )


async def new_documents(uow: Transaction, after: int, until: datetime) -> list[Any]:
    """(partner, newest document, newest live one, control numbers of its interchanges) of those that came after this one.

    Tests share the count of the live interchanges. Strangers' documents are there too, without a partner.
    """
    return await uow.sql.fetch(
        """select partner_id, max(id) as newest, max(id) filter (where usage = 'P') as newest_live,
            array_agg(distinct split_part(identity, '|', 5)::bigint)
            filter (where split_part(identity, '|', 5) ~ '^[0-9]{1,14}$') as controls
        from edi_document where id > $1 and created_at <= $2 group by partner_id""",
        after,
        until,
    )


async def keep_watch(
    uow: Transaction, partner_id: int, control: int | None, rhythm: list[int], seen_at: datetime
) -> None:
    """Its last control number, its pauses, and when it was last heard."""
    await uow.sql.execute(
        "update partner_watch set last_control = $2, rhythm = $3, seen_at = $4 where partner_id = $1",
        partner_id,
        control,
        rhythm,
        seen_at,
    )


async def looked_up_to(uow: Transaction, partner_ids: Iterable[int], document_id: int) -> None:
    """All traffic up to this document was looked at, also that of partners who sent nothing."""
    await uow.sql.execute(
        "update partner_watch set last_document_id = $2 where partner_id = any($1::bigint[]) and last_document_id < $2",
        sorted(partner_ids),
        document_id,
    )


async def open_alerts(uow: Transaction, partner_id: int, kind: PartnerAlertKind) -> list[Any]:
    """Alerts of this kind that nobody has cleared."""
    return await uow.sql.fetch(
        "select id, facts from partner_alert where partner_id = $1 and kind = $2 and cleared_at is null order by id",
        partner_id,
        str(kind),
    )


async def raise_alert(
    uow: Transaction,
    partner_id: int,
    code: str,
    supplier_id: int | None,
    kind: PartnerAlertKind,
    message: str,
    facts: dict[str, Any],
) -> int:
    """Keep the alert and tell of it."""
    alert_id = await uow.sql.fetchval(
        """insert into partner_alert (partner_id, supplier_id, kind, message, facts, raised_at)
        values ($1, $2, $3, $4, $5, $6) returning id""",
        partner_id,
        supplier_id,
        str(kind),
        message,
        facts,
        uow.now,
    )
    told = {"partnerAlertId": alert_id, "partner": code, "message": message}
    for topic in ("edi", "alarm"):
        uow.announce(Event(topic, str(kind), told, key=f"partner:{partner_id}", supplier_id=supplier_id))
    return alert_id


async def note_arrived(uow: Transaction, alert_id: int, facts: dict[str, Any]) -> None:
    """Some of what was missing has come."""
    await uow.sql.execute("update partner_alert set facts = $2 where id = $1", alert_id, facts)


async def clear_alerts(uow: Transaction, ids: Iterable[int], by: str) -> list[int]:
    """Close them; the ids of those that were open."""
    rows = await uow.sql.fetch(
        """update partner_alert set cleared_at = $2, cleared_by = $3 where id = any($1::bigint[]) and cleared_at is null
        returning id""",
        sorted(ids),
        uow.now,
        by,
    )
    return [row["id"] for row in rows]
