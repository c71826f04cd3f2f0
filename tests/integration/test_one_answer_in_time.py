"""A group, and an interchange of EDIFACT with all its groups, is answered once: when the last of its sets has a result."""

from __future__ import annotations

import pytest

from core.edi.decode_997 import decode_997
from core.edi.decode_contrl import decode_contrl
from core.edi.documents import Effect
from core.edi.reader import read
from core.services.acknowledge_edi_group import acknowledge_group
from core.services.ingest_edi_document import apply_set
from core.services.plan_edi_file import plan_interchanges
from core.services.receive_edi_file import store_edi_file
from tests.integration.test_edi_both_ways import answered, ordrsp, outbound, sent_in_edifact
from tests.integration.test_ingest_edi_document import answer, day, sent

pytestmark = pytest.mark.anyio


async def answers_after_each(world, data: bytes, places: list[tuple[int, int]], kind: str) -> list[bytes | None]:
    """What is answered when the set at each of these places has its result, and its group is looked at."""
    raw_id = await world.do(lambda uow: store_edi_file(uow, "sup", "folder", "f1", data))
    await world.do(lambda uow: plan_interchanges(uow, raw_id))
    said = []
    for group, at in places:
        await world.do(lambda uow, group=group, at=at: apply_set(uow, raw_id, group, at))
        said.append(await world.do(lambda uow, group=group: acknowledge_group(uow, raw_id, group)))
    assert await outbound(world, kind) == said[-1:]
    return said


async def test_a_group_is_answered_with_its_last_set(world):
    data = answer(await sent(world), 1, ("IA", 10, day(12)))
    start, end = data.index(b"ST*855"), data.index(b"GE*")
    second = data[start:end].replace(b"*0001~", b"*0002~")
    two = data[:end] + second + data[end:].replace(b"GE*1*", b"GE*2*")
    first, last = await answers_after_each(world, two, [(0, 0), (0, 1)], "997")
    assert first is None
    assert last is not None
    said = decode_997(read(last).interchanges[0].groups[0].sets[0]).document
    assert said is not None
    assert [one.control for one in said.sets] == ["0001", "0002"]


async def test_an_interchange_of_edifact_is_answered_with_its_last_group(world):
    whole = ordrsp(await sent_in_edifact(world), 1, answered((Effect.ACCEPT, 10, day(12)))).decode()
    start, end = whole.index("UNH+"), whole.index("UNZ+")
    one = whole[start:end].rstrip()
    two = one.replace("UNH+1+", "UNH+2+").removesuffix("+1'") + "+2'"
    groups = [f"UNG+ORDRSP+A+B+261103:0900+{n}+UN+D:96A'{text}UNE+1+{n}'" for n, text in ((1, one), (2, two))]
    data = (whole[:start] + "".join(groups) + "UNZ+2+1'").encode()
    first, last = await answers_after_each(world, data, [(0, 0), (1, 0)], "CONTRL")
    assert first is None
    assert last is not None
    said = decode_contrl(read(last).interchanges[0].groups[0].sets[0]).document
    assert said is not None
    assert said.verdict == "A"
