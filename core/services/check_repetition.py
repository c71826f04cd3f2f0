"""Whether a document came before under its control numbers: the same is a repetition, another one is refused."""

from __future__ import annotations

from typing import Any

from core.edi.decoders import DECODERS
from core.edi.guide import PartnerGuide
from core.edi.interchanges import Verdict, verdict
from core.ports import Transaction
from core.repositories import edi
from core.repositories.edi import Partner
from core.services.edi_outcome import Unusable
from core.services.edi_places import Place, places_of, stored_file, syntax_faults

_REUSED = "control_number_reused"


async def is_repetition(uow: Transaction, row: Any, place: Place, partner: Partner) -> bool:
    """Whether this very document was applied before, within the partner's window; `row` is its own.

    Raises Unusable where another content has these numbers: one that was applied, or one that came earlier and is in
    line or set aside. Only what our answer rejects may come corrected under its numbers, and what a person
    dropped makes way for another.
    """
    digest, window = bytes.fromhex(place.document.sha256), partner.guide.duplicate_window_days
    seen = await edi.seen_before(uow, partner.id, row["usage"], row["identity"], digest, window)
    if seen == "conflict":
        raise Unusable(_REUSED, "The same control numbers came before with other content.")
    if seen is None:
        for other in await edi.waiting_before(uow, partner.id, row, window):
            if await _stands(uow, other["raw_id"], other["position"], place.document.sha256, partner.guide):
                text = "The same control numbers came before with other content, which is not applied: drop or replay that one."
                raise Unusable(_REUSED, text)
    return seen == "repeat"


async def _stands(uow: Transaction, raw_id: int, position: int, sha256: str, guide: PartnerGuide) -> bool:
    """Whether the document there is another one, and none that our answer will reject once it is its turn."""
    places = places_of(await stored_file(uow, raw_id))
    other = next((place for place in places if place.position == position), None)
    if other is None or other.document.sha256 == sha256:
        return False
    decode = DECODERS.get(other.document.kind)
    if decode is None or verdict(syntax_faults(other), guide.strictness) is Verdict.REJECTED:
        return False
    return decode(other.document, guide).document is not None
