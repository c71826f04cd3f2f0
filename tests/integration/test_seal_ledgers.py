"""The seals find what was changed behind the product's back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

import core.services.seal_ledgers as sealing
from core.database import Database
from core.domain.access import SYSTEM
from core.ports import WallClock
from core.repositories import seals as stored_seals
from core.services import anchor_seals
from core.services.anchor_seals import append_heads, inspect_heads, last_anchored, read_heads
from core.services.seal_ledgers import SealHead, seal_ledgers, seals_after
from core.services.verify_ledgers import Fault, LedgerReport, verify_ledgers
from core.settings import Settings
from core.unit_of_work import UnitOfWork, run_unit_of_work, unit_of_work
from workers.commands.audit import audit_report
from workers.job import JobContext
from workers.jobs.seal_ledgers import seal_ledgers as seal_job

pytestmark = pytest.mark.anyio
KEY = b"a key outside the database"
ROW = {
    "audit": "insert into audit_entry (id, at, actor, operation, object) overriding system value values ({}, now(), 'a', 'o', 'x')",
    "promise": """insert into promise (sku_id, id, order_line_id, sequence, quantity, complete, cause_kind, slices, actor)
        overriding system value values (1, {0}, {0}, 1, 1, true, 'PLACED', '[]', 'a')""",
}
"""A row of each sealed ledger."""


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
    assert report.unanchored_ids == [(9, 14)]


async def test_without_the_row_digests_a_change_is_still_found(
    database: Database, database_url: str, anchors: list[SealHead]
) -> None:
    """They only name rows: whoever mends them too has mended nothing."""
    await tamper(
        database_url, "update audit_entry set actor = 'x' where id = 6", "update audit_seal set row_digests = null"
    )
    (fault,) = (await verify(database, anchors)).faults
    assert (fault.seal, fault.kind, fault.rows) == (2, "ROWS_ALTERED", [])


async def test_kept_events_tell_of_seals_that_were_cut_off(
    database: Database, database_url: str, anchors: list[SealHead]
) -> None:
    """Rows, seal and line of the file gone, the event forgotten."""
    cut = [head for head in anchors if head.number < 3]
    facts = "jsonb_build_object('ledger', 'audit', 'number', {}, 'hash', '{}')"
    values = ", ".join(
        f"({head.number}, 'seal', 'SEALED', now(), {facts.format(head.number, head.hash.hex())})" for head in anchors
    )
    await tamper(
        database_url,
        "delete from audit_entry where seal_number = 3",
        "delete from audit_seal where number = 3",
        f"insert into event (position, topic, kind, occurred_at, payload) values {values}",
    )
    assert [(fault.seal, fault.kind) for fault in (await verify(database, cut)).faults] == [(3, "SEAL_REMOVED")]


def spoil(path: Path, change) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda lines: None, []),
        (lambda lines: lines.__setitem__(1, lines[1].replace(b'"entries":4', b'"entries":5')), ["2 HEAD_ALTERED", "3 HEAD_REMOVED"]),
        (lambda lines: lines.__setitem__(1, lines[1].replace(b'"hash":"', b'"hash":"00')), ["2 HEAD_ALTERED", "3 HEAD_REMOVED"]),
        (lambda lines: lines.__setitem__(1, b"nothing to see\n"), ["2 HEAD_UNREADABLE", "3 HEAD_REMOVED"]),
        (lambda lines: lines.pop(1), ["2 HEAD_REMOVED"]),
        (lambda lines: lines.pop(0), ["1 HEAD_REMOVED"]),
        (lambda lines: lines.append(lines[1]), []),
        (lambda lines: lines.append(b'{"ledger":"audit","number":2,"entries":4,"lastId":8,"hash":"00"}\n'), ["4 HEAD_ALTERED"]),
        (lambda lines: lines.append(b'{"ledger":"audit","num'), []),
    ],
)  # fmt: skip
async def test_a_spoilt_seal_file_is_found_at_its_line(
    anchors: list[SealHead], tmp_path: Path, change, expected: list[str]
) -> None:
    path = tmp_path / "seals.log"
    append_heads(path, anchors, KEY)
    spoil(path, change)
    assert [f"{fault.line} {fault.kind}" for fault in inspect_heads(path, KEY).faults] == expected


async def test_two_hashes_for_one_seal_are_found_though_both_are_proved(
    anchors: list[SealHead], tmp_path: Path
) -> None:
    path = tmp_path / "seals.log"
    append_heads(path, [*anchors, SealHead("audit", 2, 4, 8, bytes(32))], KEY)
    assert [f"{fault.line} {fault.kind}" for fault in inspect_heads(path, KEY).faults] == ["4 HEAD_TWICE"]


async def test_a_seal_file_cut_off_at_its_end_names_what_is_not_anchored(
    database: Database, anchors: list[SealHead], tmp_path: Path
) -> None:
    path = tmp_path / "seals.log"
    append_heads(path, anchors, KEY)
    spoil(path, lambda lines: lines.pop())
    report = await verify(database, inspect_heads(path, KEY).heads)
    assert (report.is_sound, report.unanchored_seals, report.unanchored_ids) == (True, [3], [(9, 12)])


@pytest.mark.parametrize(
    ("statements", "seals", "kind", "rows"),
    [
        (["update audit_entry set after = '{\"onHand\": 3}' where id = 6"], [2], "ROWS_ALTERED", [6]),
        (["update audit_entry set at = at + interval '1 microsecond' where id = 1"], [1], "ROWS_ALTERED", [1]),
        (["delete from audit_entry where id = 6"], [2], "ROWS_REMOVED", [6]),
        (["delete from audit_entry where seal_number = 2"], [2], "ROWS_REMOVED", [5, 6, 7, 8]),
        (
            [
                "delete from audit_entry where id = 6",
                "insert into audit_entry (seal_number, at, actor, operation, object) values (2, now(), 'x', 'y', 'z')",
            ],
            [2],
            "ROWS_ALTERED",
            [6, 13],
        ),
        (
            ["insert into audit_entry (seal_number, at, actor, operation, object) values (1, now(), 'x', 'y', 'z')"],
            [1],
            "ROWS_INSERTED",
            [13],
        ),
        (["delete from audit_seal where number = 2"], [2], "SEAL_REMOVED", []),
        (
            ["delete from audit_seal where number = 3", "delete from audit_entry where seal_number = 3"],
            [3],
            "SEAL_REMOVED",
            [],
        ),
        (["update audit_seal set hash = sha256('x') where number = 3"], [3], "SEAL_ALTERED", []),
        (["delete from audit_entry", "delete from audit_seal"], [1, 2, 3], "SEAL_REMOVED", []),
    ],
)
async def test_tampering_is_found_at_its_seal(
    database: Database,
    database_url: str,
    anchors: list[SealHead],
    statements: list[str],
    seals: list[int],
    kind: str,
    rows: list[int],
) -> None:
    await tamper(database_url, *statements)
    report = await verify(database, anchors)
    assert [(fault.seal, fault.kind, fault.rows) for fault in report.faults] == [
        (number, kind, rows) for number in seals
    ]


DONE: tuple[tuple[list[str], list[tuple[int, str, list[int]]]], ...] = (
    (["update {t} set created_at = created_at + interval '1 microsecond' where id = 6"], [(2, "ROWS_ALTERED", [6])]),
    (
        ["update {t} set id = -1 where id = 6", "update {t} set id = 6 where id = 7", "update {t} set id = 7 where id = -1"],
        [(2, "ROWS_ALTERED", [6, 7])],
    ),
    (["update {t} set seal_number = 3 where id = 6"], [(2, "ROWS_REMOVED", [6]), (3, "ROWS_INSERTED", [6])]),
    (
        ["update {t} set seal_number = 5 - seal_number where id in (6, 9)"],
        [(2, "ROWS_ALTERED", [6, 9]), (3, "ROWS_ALTERED", [6, 9])],
    ),
    (["update {t} set seal_number = null where id = 6"], [(2, "ROWS_REMOVED", [6])]),
    (["update {t} set seal_number = 0 where id = 6"], [(2, "ROWS_REMOVED", [6]), (0, "ROWS_INSERTED", [6])]),
    (["update {t} set seal_number = 99 where id = 6"], [(2, "ROWS_REMOVED", [6]), (99, "ROWS_INSERTED", [6])]),
    (["truncate {t} cascade"], [(n, "ROWS_REMOVED", list(range(4 * n - 3, 4 * n + 1))) for n in (1, 2, 3)]),
    (["update {t}_seal set entries = 5 where number = 2"], [(2, "SEAL_ALTERED", [])]),
    (["update {t}_seal set first_id = 1, last_id = 99 where number = 2"], [(2, "SEAL_ALTERED", [])]),
    (["update {t}_seal set format = 7 where number = 2"], [(2, "SEAL_ALTERED", [])]),
    (["update {t}_seal set row_digests = 'x' where number = 2"], [(2, "SEAL_ALTERED", [])]),
    (["update {t}_seal set hash = sha256('x') where number = 2"], [(2, "SEAL_ALTERED", [])]),
    (["update {t}_seal set previous = sha256('x') where number = 2"], [(2, "SEAL_ALTERED", [])]),
    (
        ["update {t}_seal set hash = sha256('x') where number = 2", "update {t} set actor = 'x' where id = 6"],
        [(2, "SEAL_ALTERED", []), (2, "ROWS_ALTERED", [6])],
    ),
    (
        ["update {t}_seal set entries = 3 where number = 2", "delete from {t} where id = 6"],
        [(2, "SEAL_ALTERED", []), (2, "ROWS_REMOVED", [6])],
    ),
)  # fmt: skip
"""What an owner of the server does to four rows under each of three seals, and what has to be named."""


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "update audit_seal set number = 9000000000000000000 where number = 3",
            [(3, "SEAL_REMOVED"), (4, "SEAL_REMOVED"), (9 * 10**18, "ROWS_REMOVED")],
        ),
        ("insert into audit_seal select -7, entries, first_id, last_id, previous, hash from audit_seal where number = 2",
         [(-7, "SEAL_ALTERED")]),
        ("update audit_entry set id = -5 where id = 2", [(1, "ROWS_ALTERED")]),
        ("update audit_entry set seal_number = -5 where id = 2", [(1, "ROWS_REMOVED"), (-5, "ROWS_INSERTED")]),
    ],
    ids=["a seal far away", "a seal before the first", "a row before the first", "a row of no seal"],
)  # fmt: skip
async def test_numbers_that_cannot_be_are_named_and_stop_nobody(
    database: Database, database_url: str, anchors: list[SealHead], statement: str, expected: list[tuple[int, str]]
) -> None:
    await tamper(database_url, statement)
    report = await asyncio.wait_for(verify(database, anchors), 20)
    assert [(fault.seal, fault.kind) for fault in report.faults] == expected


@pytest.mark.parametrize("ledger", ["audit", "promise"])
async def test_exactly_what_was_done_is_named(database: Database, database_url: str, ledger: str) -> None:
    heads: list[SealHead] = []
    for first in (1, 5, 9):
        await tamper(database_url, *(ROW[ledger].format(number) for number in range(first, first + 4)))
        heads += await seal(database)
    owner = await asyncpg.connect(database_url)
    await owner.execute("set session_replication_role = replica")
    named = []
    for statements, _ in DONE:
        change = owner.transaction()
        await change.start()
        for statement in statements:
            await owner.execute(
                statement.replace("{t}_seal", f"{ledger}_seal").replace("{t}", stored_seals.TABLE[ledger])
            )
        reports = await verify_ledgers(UnitOfWork(owner, datetime.now(UTC), SYSTEM), heads, key=KEY)
        report = next(report for report in reports if report.ledger == ledger)
        named.append((statements, [(fault.seal, fault.kind, fault.rows) for fault in report.faults]))
        await change.rollback()
    await owner.close()
    assert named == list(DONE)


async def test_what_was_sealed_in_the_older_form_is_verified_by_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_entries(database, 2)
    with monkeypatch.context() as patch:
        patch.setattr(stored_seals, "FORMAT", 1)
        patch.setattr(sealing, "FORMAT", 1)
        old = await seal(database)
    await write_entries(database, 2)
    assert (await verify(database, [*old, *await seal(database)])).is_sound
    assert await database.system.fetch("select format from audit_seal order by number") == [(1,), (2,)]


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


def test_what_is_anchored_is_read_from_the_end_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, read = tmp_path / "seals.log", []
    assert last_anchored(path) == {}
    heads = [SealHead("promise", 1, 1, 1, bytes(32)), *(SealHead("audit", n, 1, n, bytes(32)) for n in range(1, 900))]
    for some in (heads[:300], heads[300:]):
        append_heads(path, some, KEY)
    assert inspect_heads(path, KEY).heads == heads
    for size in (100, 150, 1_000, path.stat().st_size, 10_000_000):
        monkeypatch.setattr(anchor_seals, "BLOCK", size)
        assert last_anchored(path) == {"promise": 1, "audit": 899}
    append_heads(path, [SealHead("promise", 2, 1, 2, bytes(32))], KEY)
    monkeypatch.setattr(anchor_seals, "BLOCK", 1_000)
    with monkeypatch.context() as patched:
        decode = anchor_seals.msgspec.json.decode
        patched.setattr(anchor_seals.msgspec.json, "decode", lambda line: read.append(line) or decode(line))
        assert last_anchored(path) == {"promise": 2, "audit": 899}
    assert len(read) == 3  # the empty end, and one line of each


async def test_only_a_missing_seal_number_may_be_given(database: Database, anchors: list[SealHead]) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.system.execute("update audit_entry set actor = 'x'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.system.execute("update audit_entry set seal_number = 9 where id = 1")


async def test_many_who_seal_at_once_beside_writers_leave_one_chain_and_a_sound_file(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    settings = Settings(database_url=database_url, data_dir=tmp_path, seal_key=SecretStr(KEY.decode()), pool_size=2)
    context = JobContext(database, settings, WallClock())

    async def write() -> None:
        for _ in range(10):
            await write_entries(database, 3)

    await asyncio.gather(write(), write(), *(seal_job(context, {}) for _ in range(8)))
    await seal_job(context, {})
    report = await audit_report(settings, verify=True)
    assert (report["ok"], report["sealFile"]["faults"]) == (True, [])
    audited = report["ledgers"][0]
    assert (audited["entries"], audited["unanchored_ids"]) == (60, [])


async def test_what_is_sealed_while_the_audit_looks_is_no_fault(
    database: Database, database_url: str, anchors: list[SealHead], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(database_url=database_url, data_dir=tmp_path, seal_key=SecretStr(KEY.decode()), pool_size=2)
    append_heads(settings.seal_file, anchors, KEY)
    read = stored_seals.seals_from

    async def read_and_lose_time(sql: Any, ledger: str, after: int, limit: int | None = None) -> Any:
        found = await read(sql, ledger, after, limit)
        await write_entries(database, 1)
        await run_unit_of_work(database, lambda uow: seal_ledgers(uow, key=KEY))
        return found

    monkeypatch.setattr(stored_seals, "seals_from", read_and_lose_time)
    assert (await audit_report(settings, verify=True))["ok"]
