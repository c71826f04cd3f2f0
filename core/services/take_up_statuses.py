"""What a carrier said of goods before their ship notice came is taken up again, whichever of the two was committed last."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from core.errors import DomainError, IllegalTransition, NotFound
from core.events import JobRequest
from core.ports import Transaction
from core.repositories.edi_records import statuses_set_aside
from core.repositories.ship_notices import notices_on_the_way
from core.services.replay_edi_document import replay_edi_document

JOB = "take_up_statuses"
STATUS_KINDS = ("214", "IFTSTA")


def request_taking_up(uow: Transaction, references: Sequence[str]) -> None:
    """Ask for another look after the commit: what the other transaction wrote may not be seen by this one."""
    named = sorted({reference for reference in references if reference})
    if named:
        uow.enqueue(JobRequest(JOB, "|".join(named)[:400], {"references": named}))


def request_after_refusal(uow: Transaction, kind: str, quarantine_state: str | None, refusal: DomainError) -> None:
    """The same for a status that found no goods, the first time it is set aside."""
    if kind in STATUS_KINDS and quarantine_state is None and isinstance(refusal, NotFound):
        request_taking_up(uow, [str(refusal.facts["key"])])


async def take_up_statuses(uow: Transaction, references: Sequence[str]) -> int:
    """Replay the carriers' messages that were set aside for want of goods with one of these names; how many.

    Nothing happens while no ship notice with one of them stands.
    """
    named = [reference for reference in references if reference]
    if not await notices_on_the_way(uow, named, None):
        return 0
    taken = 0
    for document_id in await statuses_set_aside(uow, named):
        with contextlib.suppress(IllegalTransition):  # somebody else has taken it up meanwhile
            await replay_edi_document(uow, document_id)
            taken += 1
    return taken
