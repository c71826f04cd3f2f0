"""Enter a trading partner from its sample files: addresses and a draft guide as learned, the files as its samples."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.edi.learn_guide import learn
from core.errors import InvalidInput
from core.ports import Transaction
from core.repositories.edi_guides import Sample
from core.services.change_guide import add_guide, add_partner


@dataclass(frozen=True, slots=True)
class OnboardPartner:
    """`samples` are names and bytes of files; `warehouse` is the code of the location of ours that the partner runs."""

    code: str
    samples: Sequence[tuple[str, bytes]]
    supplier: str | None = None
    warehouse: str = ""


@dataclass(frozen=True, slots=True)
class OnboardedPartner:
    """`version` is the draft that waits for its activation; `proposal` is what `edi learn` says of the files."""

    version: int
    proposal: dict[str, Any]


async def onboard_partner(uow: Transaction, request: OnboardPartner) -> OnboardedPartner:
    """Learn from the samples and store what was learned; of a partner that is entered already it is another draft.

    Raises InvalidInput where no sample is of a partner, another partner has its addresses or it has others, or another
    supplier, and for another message under the name of a kept sample; NotFound for the supplier or warehouse.
    """
    proposal = await asyncio.to_thread(learn, list(request.samples))
    if proposal["partner"] is None:
        raise InvalidInput("No document of a partner was found in these files.", path=("input", "samples"))
    await add_partner(uow, request.code, proposal["partner"], request.supplier)
    proposal["guide"]["warehouse"] = request.warehouse
    samples = [Sample(name, content, None) for name, content in request.samples]
    return OnboardedPartner(await add_guide(uow, request.code, proposal["guide"], samples), proposal)
