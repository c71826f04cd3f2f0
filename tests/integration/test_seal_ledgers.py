"""The seals find what was changed behind the product's back."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from core.database import Database
from core.services.anchor_seals import append_heads, last_anchored, read_heads
from core.services.seal_ledgers import SealHead, seal_ledgers, seals_after
from core.services.verify_ledgers import Fault, LedgerReport, verify_ledgers
from core.settings import Settings
from core.unit_of_work import UnitOfWork, run_unit_of_work, unit_of_work

pytestmark = pytest.mark.anyio
KEY = b"a key outside the database"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(Settings(database_url=database_url, pool_size=4)) as database:
        yield database


async def write_entries(database: Database, count: int) -> None:
    async with unit_of_work(database) as uow:
        for number in range(count):
            uow.audit("adjustStock", f"sku:{number}", {"onHand": 1}, {"onHand": 2})


async def seal(database: Database) -> list[SealHead]:
    return await run_unit_of_work(database, lambda uow: seal_ledgers(uow, key=KEY))


async def verify(database: Database, anchors: list[SealHead]) -> LedgerReport:
    async def work(uow: UnitOfWork) -> list[LedgerReport]:
        return await verify_ledgers(uow, anchors, key=KEY)

    return next(report for report in await run_unit_of_work(database, work) if report.ledger == "audit")


async def tamper(database_url: str, *statements: str) -> None:
    """As somebody who owns the server and switches every trigger off."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("set session_replication_role = replica")
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


@pytest.fixture
async def anchors(database: Database) -> list[SealHead]:
    """Three seals of four entries each."""
    heads: list[SealHead] = []
    for _ in range(3):
        await write_entries(database, 4)
        heads += await seal(database)
    assert [(head.ledger, head.number, head.entries) for head in heads] == [("audit", n, 4) for n in (1, 2, 3)]
    return heads


async def test_a_sound_ledger_has_no_faults(database: Database, anchors: list[SealHead]) -> None:
    report = await verify(database, anchors)
    assert (report.seals, report.entries, report.faults, report.unanchored_seals) == (3, 12, [], [])
    assert await seal(database) == []


async def test_what_is_new_is_named_as_not_yet_anchored(database: Database, anchors: list[SealHead]) -> None:
    await write_entries(database, 2)
    report = await verify(database, anchors[:2])
    assert (report.is_sound, report.unsealed_entries, report.unanchored_seals) == (True, 2, [3])


@pytest.mark.parametrize(
    ("statements", "seals", "kind"),
    [
        (["update audit_entry set after = '{\"onHand\": 3}' where id = 6"], [2], "ROWS_ALTERED"),
        (["update audit_entry set at = at + interval '1 microsecond' where id = 1"], [1], "ROWS_ALTERED"),
        (["delete from audit_entry where id = 6"], [2], "ROWS_REMOVED"),
        (["delete from audit_entry where seal_number = 2"], [2], "ROWS_REMOVED"),
        (
            ["insert into audit_entry (seal_number, at, actor, operation, object) values (1, now(), 'x', 'y', 'z')"],
            [1],
            "ROWS_INSERTED",
        ),
        (["delete from audit_seal where number = 2"], [2], "SEAL_REMOVED"),
        (
            ["delete from audit_seal where number = 3", "delete from audit_entry where seal_number = 3"],
            [3],
            "SEAL_REMOVED",
        ),
        (["update audit_seal set hash = sha256('x') where number = 3"], [3], "SEAL_ALTERED"),
        (["delete from audit_entry", "delete from audit_seal"], [1, 2, 3], "SEAL_REMOVED"),
    ],
)
async def test_tampering_is_found_at_its_seal(
    database: Database, database_url: str, anchors: list[SealHead], statements: list[str], seals: list[int], kind: str
) -> None:
    await tamper(database_url, *statements)
    report = await verify(database, anchors)
    assert [(fault.seal, fault.kind) for fault in report.faults] == [(number, kind) for number in seals]


async def test_mending_the_chain_needs_the_key(database: Database, database_url: str, anchors: list[SealHead]) -> None:
    await tamper(
        database_url,
        "update audit_entry set after = '{}' where id = 1",
        "delete from audit_seal",
        "update audit_entry set seal_number = null",
    )
    await run_unit_of_work(database, lambda uow: seal_ledgers(uow, key=b"another key"))
    report = await verify(database, [])
    assert [type(fault) for fault in report.faults] == [Fault]


async def test_a_row_that_commits_late_goes_into_a_later_seal(database: Database) -> None:
    async with unit_of_work(database) as late:
        late.audit("early", "x")
        await late.flush()
        await write_entries(database, 1)
        assert [(head.number, head.entries) for head in await seal(database)] == [(1, 1)]
    assert [(head.number, head.entries) for head in await seal(database)] == [(2, 1)]
    assert (await verify(database, [])).is_sound


async def test_a_lost_anchor_line_is_written_by_the_next_run(
    database: Database, anchors: list[SealHead], tmp_path: Path
) -> None:
    path = tmp_path / "deep" / "seals.log"
    append_heads(path, anchors[:2])
    path.write_bytes(path.read_bytes() + b'{"ledger":"audit","num')  # a crash in the middle of a line
    missing = await run_unit_of_work(database, lambda uow: seals_after(uow, last_anchored(path)))
    assert missing == anchors[2:]
    append_heads(path, missing)
    assert read_heads(path) == anchors


async def test_only_a_missing_seal_number_may_be_given(database: Database, anchors: list[SealHead]) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.system.execute("update audit_entry set actor = 'x'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.system.execute("update audit_entry set seal_number = 9 where id = 1")
