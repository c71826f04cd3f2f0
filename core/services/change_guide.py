"""A partner's guide is data: versions are added as drafts, and activated once every sample of the partner fits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.edi_states import GuideState
from core.edi.guide import PartnerGuide
from core.edi.try_sample import try_sample
from core.errors import InvalidInput, NotFound
from core.ports import Transaction
from core.repositories.edi import partner_by_code
from core.repositories.edi_guides import (
    Sample,
    activate_version,
    add_sample,
    add_version,
    lock_guides,
    read_guide,
    samples_of,
    versions_of,
)

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


async def add_partner(uow: Transaction, code: str, address: Mapping[str, Any], supplier: str | None = None) -> int:
    """Enter a partner under its addresses (as `edi learn` proposes them), unless it is entered so already; returns its id.

    Raises NotFound for an unknown supplier, InvalidInput for addresses that another partner has, for a code under which
    one with other addresses or another supplier is entered, and for a code that cannot name a folder.
    """
    if not _CODE.fullmatch(code):
        text = "A partner's code has 1 to 64 letters, digits and . _ -, and begins with a letter or digit: it names a folder."
        raise InvalidInput(text, value=code)
    supplier_id = None
    if supplier is not None:
        supplier_id = await uow.sql.fetchval("select id from supplier where code = $1", supplier)
        if supplier_id is None:
            raise NotFound("supplier", supplier)
    keys = ("qualifier", "interchangeId", "ourQualifier", "ourInterchangeId")
    taken = await uow.sql.fetchval(
        "select code from partner where (qualifier, interchange_id, our_qualifier, our_interchange_id)"
        " = ($1, $2, $3, $4) and code <> $5",
        *[str(address[key]) for key in keys],
        code,
    )
    if taken is not None:
        raise InvalidInput(f"Partner {taken!r} sends under these addresses already.")
    partner_id = await uow.sql.fetchval(
        """insert into partner (code, supplier_id, qualifier, interchange_id, our_qualifier, our_interchange_id, group_id,
            our_group_id) values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (code) do nothing returning id""",
        code,
        supplier_id,
        *[str(address[key]) for key in keys],
        address.get("groupId") or None,
        address.get("ourGroupId") or None,
    )
    if partner_id is None:
        return await _entered_so(uow, code, [str(address[key]) for key in keys], supplier_id)
    uow.audit("ediPartnerAdd", f"partner:{partner_id}", None, {"code": code})
    return partner_id


async def _entered_so(uow: Transaction, code: str, addresses: list[str], supplier_id: int | None) -> int:
    """The id of the partner that has this code, where its addresses, and its supplier if one is named, are these."""
    row = await uow.sql.fetchrow(
        "select id, supplier_id, qualifier, interchange_id, our_qualifier, our_interchange_id from partner where code = $1",
        code,
    )
    if list(row.values())[2:] != addresses:
        raise InvalidInput(f"Partner {code!r} is entered with other addresses than these files have.", value=code)
    if supplier_id not in (None, row["supplier_id"]):
        raise InvalidInput(f"Partner {code!r} is entered with another supplier, or with none.", value=code)
    return row["id"]


def sample_of(name: str, content: bytes) -> Sample:
    """A message to keep as a sample, of which syntax and content are tried."""
    return Sample(name, content, None)


async def add_guide(uow: Transaction, code: str, guide: Mapping[str, Any], samples: Sequence[Sample] = ()) -> int:
    """Store a draft, and the samples that this version and every later one must read; returns the version.

    Raises NotFound for an unknown partner or warehouse, InvalidInput for a guide that cannot be, and for another message
    under the name of a sample that is kept.
    """
    partner_id = await _partner_id(uow, code)
    warehouse = PartnerGuide.from_json(guide).warehouse
    if warehouse and not await uow.sql.fetchval("select exists (select from location where code = $1)", warehouse):
        raise NotFound("location", warehouse)
    await lock_guides(uow, partner_id)
    for sample in samples:
        if not await add_sample(uow, partner_id, sample):
            text = f"Partner {code!r} has another sample {sample.name!r}; `edi guide sample` replaces one."
            raise InvalidInput(text, path=("input", "samples"))
    version = await add_version(uow, partner_id, guide)
    facts = {"version": version, "samples": [sample.name for sample in samples]}
    uow.audit("ediGuideAdd", f"partner:{partner_id}:guide:{version}", None, facts)
    return version


async def try_guide(uow: Transaction, code: str, version: int) -> dict[str, list[str]]:
    """What does not fit, by the name of the sample; only samples with something to say. Raises NotFound."""
    partner_id = await _partner_id(uow, code)
    guide = await read_guide(uow, partner_id, version)
    tried = {s.name: try_sample(s.content, guide, s.expected) for s in await samples_of(uow, partner_id)}
    return {name: wrong for name, wrong in tried.items() if wrong}


async def activate_guide(uow: Transaction, code: str, version: int) -> None:
    """This version holds for every document from now on.

    Raises NotFound, InvalidInput where a sample does not fit, or there is none to prove the version with.
    """
    partner_id = await _partner_id(uow, code)
    await lock_guides(uow, partner_id)
    if not await samples_of(uow, partner_id):
        raise InvalidInput(f"Partner {code!r} has no sample messages to prove a guide with.")
    wrong = await try_guide(uow, code, version)
    if wrong:
        name, sentences = next(iter(wrong.items()))
        raise InvalidInput(f"Sample {name!r} does not fit version {version}: {sentences[0]}", samples=sorted(wrong))
    before = next((v["version"] for v in await versions_of(uow, partner_id) if v["state"] == GuideState.ACTIVE), None)
    await activate_version(uow, partner_id, version)
    uow.audit("ediGuideActivate", f"partner:{partner_id}:guide:{version}", {"version": before}, {"version": version})


async def _partner_id(uow: Transaction, code: str) -> int:
    partner = await partner_by_code(uow, code)
    if partner is None:
        raise NotFound("trading partner", code)
    return partner.id
