"""`edi guide onboard`: a partner is entered from its sample files alone, and its traffic is applied once the draft is in force."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from core.database import Database
from core.settings import Settings
from tests.unit.edi_messages import X12, x12_file
from workers.commands import edi
from workers.commands.connection import note_stack

SUPPLIER = "insert into supplier (code, name, time_zone) values ('SUP', 'Supplier', 'UTC')"


@pytest.fixture
def folder(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a stack that runs on a real database."""
    for name in ("DATABASE_URL", "REDIS_URL", "SEAL_KEY", "ENV", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    note_stack(tmp_path, dsn=database_url, redisUrl="", url="http://127.0.0.1:1", environment="development")
    return tmp_path


def guide(folder: Path, *arguments: str) -> Any:
    return CliRunner().invoke(edi.app, ["guide", *arguments, "--data", str(folder)])


def in_database(url: str, work: Callable[[Any], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with Database(Settings(database_url=url, pool_size=2)) as database:
            return await work(database.system)

    return asyncio.run(run())


def test_a_partner_is_entered_from_its_files_alone(folder: Path, database_url: str):
    in_database(database_url, lambda sql: sql.execute(SUPPLIER))
    files = []
    for kind in ("850", "855", "856"):
        files.append(folder / f"{kind}.edi")
        files[-1].write_bytes(x12_file(kind, X12[kind]))
    names = [str(file) for file in files]
    done = guide(folder, "onboard", "acme", *names, "--supplier", "NOBODY")
    assert (done.exit_code, "NOBODY" in done.stderr) == (1, True)
    done = guide(folder, "onboard", "acme", *names, "--supplier", "SUP")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "Version 1 is a draft: `edi guide activate acme 1` puts it in force." in done.stdout
    assert sorted(entry.name for entry in (folder / "edi" / "acme").iterdir()) == ["in", "out"]
    kept = """select p.code, s.code as supplier, g.state, g.guide ->> 'partial_backorder_encoding' as encoding,
            (select count(*) from guide_sample where partner_id = p.id) as samples
        from partner p join partner_guide g on g.partner_id = p.id join supplier s on s.id = p.supplier_id"""
    entered = {"code": "acme", "supplier": "SUP", "encoding": "accept_and_backorder", "samples": 3}
    assert dict(in_database(database_url, lambda sql: sql.fetchrow(kept))) == {**entered, "state": "draft"}
    done = guide(folder, "activate", "acme", "1")
    assert (done.exit_code, done.stdout) == (0, "Version 1 of the guide of acme is in force.\n")
    assert dict(in_database(database_url, lambda sql: sql.fetchrow(kept))) == {**entered, "state": "active"}
    other = guide(folder, "onboard", "other", *names, "--supplier", "SUP")
    assert (other.exit_code, "acme" in other.stderr) == (1, True)
