"""Enter a trading partner from its sample files: addresses and a draft guide as learned, the files as its samples."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.edi.read_apart import LEARNING
from core.errors import InvalidInput, ReadingEnded
from core.ports import Transaction
from core.repositories.edi_guides import Sample
from core.services.change_guide import add_guide, add_partner


@dataclass(frozen=True, slots=True)
class OnboardPartner:
    """`samples` are names and bytes of files, and `proposal` what `edi learn` says of them; `warehouse` is the code of the
    location of ours that the partner runs."""

    code: str
    samples: Sequence[tuple[str, bytes]]
    proposal: Mapping[str, Any]
    supplier: str | None = None
    warehouse: str = ""


async def learn_samples(samples: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
    """What `edi learn` says of these files, beside this process: it takes seconds, and no transaction waits for it.

    Raises InvalidInput for files of which nothing was learned in the time there is.
    """
    try:
        return await asyncio.to_thread(LEARNING.learn, list(samples))
    except ReadingEnded as failure:
        text = "These files took too long to learn from. Try again, or enter them by `manage.py edi guide onboard`."
        raise InvalidInput(text, path=("input", "samples")) from failure


async def onboard_partner(uow: Transaction, request: OnboardPartner) -> int:
    """Store what was learned from the samples; returns the version of the draft, which waits for its activation.

    Of a partner that is entered already it is another draft.

    Raises InvalidInput where no sample is of a partner, another partner has its addresses or it has others, or another
    supplier, and for another message under the name of a kept sample; NotFound for the supplier or warehouse.
    """
    learned = request.proposal
    if learned["partner"] is None:
        raise InvalidInput("No document of a partner was found in these files.", path=("input", "samples"))
    await add_partner(uow, request.code, learned["partner"], request.supplier)
    guide = {**learned["guide"], "warehouse": request.warehouse}
    return await add_guide(uow, request.code, guide, [Sample(name, content, None) for name, content in request.samples])
