"""Look at the traffic of partners: other envelopes than usual, control numbers that are missing, silence."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from core.domain.edi_states import PartnerAlertKind
from core.domain.partner_watch import KEPT_PAUSES, PAUSE, changed_marks, read_numbers, silence_limit
from core.edi.interchanges import Interchange
from core.errors import NotFound
from core.ports import Transaction
from core.repositories import partner_watch as watch
from core.repositories.edi import Partner

ITSELF = "itself"
SETTLING = timedelta(minutes=5)
"""Documents of a backlog are entered in any order, those of a large file in one long transaction: they count for the
gaps once they have been there so long."""


async def note_envelope(uow: Transaction, partner: Partner, interchange: Interchange) -> None:
    """Keep how a live interchange looks; another separator or version than the partner used before is an alert, unless
    one about the same mark is open: some partners write by two systems in turn."""
    if interchange.is_test:
        return
    marks = interchange.separators
    found = {
        f"{interchange.standard} element": marks.element,
        f"{interchange.standard} component": marks.component,
        f"{interchange.standard} segment": marks.segment,
        f"{interchange.standard} version": interchange.version,
        **{f"{group.functional_id} version": group.version for group in interchange.groups},
    }
    before = await watch.marks_of(uow, partner.id)
    if all(before.get(name) == value for name, value in found.items()):
        return
    await watch.keep_marks(uow, partner.id, found)
    changed = changed_marks(before, found)
    if changed:
        alerts = await watch.open_alerts(uow, partner.id, PartnerAlertKind.ENVELOPE_CHANGED)
        told = {name for alert in alerts for name in alert["facts"]}
        changed = [name for name in changed if name not in told]
    if changed:
        text = f"Partner {partner.code} writes with another {', '.join(changed)} than before."
        facts = {name: {"before": before[name], "now": found[name]} for name in changed}
        await watch.raise_alert(
            uow, partner.id, partner.code, partner.supplier_id, PartnerAlertKind.ENVELOPE_CHANGED, text, facts
        )


async def watch_partners(uow: Transaction) -> dict[str, int]:
    """Find gaps in control numbers and partners that are silent; clear what has mended itself. How many of which kind.

    A partner is silent after the hours of its guide (`silence_hours`), else after twice the longest pause it usually makes.
    """
    partners = await watch.watched_partners(uow)
    raised: Counter[str] = Counter()
    if not partners:
        return {}
    oldest = min(row["last_document_id"] for row in partners)
    wall = await uow.sql.fetchval("select clock_timestamp()")
    news = {row["partner_id"]: row for row in await watch.new_documents(uow, oldest, wall - SETTLING)}
    newest = max((found["newest"] for found in news.values()), default=oldest)
    await watch.looked_up_to(uow, [row["partner_id"] for row in partners], newest)
    for row in partners:
        who = (row["partner_id"], row["code"], row["supplier_id"])
        found = news.get(row["partner_id"])
        last, is_live = row["last_control"], False
        if found is not None and found["newest"] > row["last_document_id"]:
            last, missing, late = read_numbers(last, found["controls"] or ())
            raised["CONTROL_GAP"] += await _gaps(uow, who, missing, late)
            is_live = (found["newest_live"] or 0) > row["last_document_id"]
            if not is_live:
                await watch.keep_watch(uow, who[0], last, row["rhythm"], row["seen_at"])
        if is_live:
            pause = int((uow.now - row["seen_at"]).total_seconds())
            rhythm = [*row["rhythm"], pause] if pause >= PAUSE and row["last_document_id"] else row["rhythm"]
            await watch.keep_watch(uow, who[0], last, rhythm[-KEPT_PAUSES:], uow.now)
            silent = await watch.open_alerts(uow, who[0], PartnerAlertKind.SILENT)
            await watch.clear_alerts(uow, [alert["id"] for alert in silent], ITSELF)
            continue
        limit = silence_limit(row["rhythm"], row["own_hours"])
        quiet = (uow.now - row["seen_at"]).total_seconds()
        if limit is None or quiet <= limit or await watch.open_alerts(uow, who[0], PartnerAlertKind.SILENT):
            continue
        text = f"Partner {row['code']} has sent nothing for {quiet / 3600:.0f} hours; {limit / 3600:.0f} are usual at most."
        facts = {"since": row["seen_at"].isoformat(), "limitHours": limit / 3600}
        await watch.raise_alert(uow, *who, PartnerAlertKind.SILENT, text, facts)
        raised["SILENT"] += 1
    return dict(+raised)


async def clear_partner_alert(uow: Transaction, alert_id: int) -> None:
    """Somebody has looked at it. Raises NotFound for one that is not open."""
    if not await watch.clear_alerts(uow, [alert_id], uow.principal.id):
        raise NotFound("open alert", str(alert_id), path=("input", "id"))
    uow.audit("partnerAlertClear", f"partner_alert:{alert_id}", None, {})


async def _gaps(uow: Transaction, who: tuple[int, str, int | None], missing: list[int], late: set[int]) -> int:
    for alert in await watch.open_alerts(uow, who[0], PartnerAlertKind.CONTROL_GAP):
        left = [number for number in alert["facts"]["missing"] if number not in late]
        if not left:
            await watch.clear_alerts(uow, [alert["id"]], ITSELF)
        elif len(left) < len(alert["facts"]["missing"]):
            await watch.note_arrived(uow, alert["id"], {"missing": left})
    if not missing:
        return 0
    named = f"{missing[0]}" if len(missing) == 1 else f"{len(missing)} numbers from {missing[0]} to {missing[-1]}"
    text = f"Interchanges of partner {who[1]} are missing: control {named}."
    await watch.raise_alert(uow, *who, PartnerAlertKind.CONTROL_GAP, text, {"missing": missing})
    return 1
