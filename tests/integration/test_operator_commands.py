"""The commands of an operator on a real database: which system they work on, jobs, and EDI documents."""

from __future__ import annotations

import asyncio
import json
import re
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from core.database import Database
from core.errors import ConfigurationError
from core.services.ingest_edi_document import ingest_edi_file
from core.settings import Settings
from core.unit_of_work import run_unit_of_work
from workers.commands import audit, dates, edi, jobs, keys, risk
from workers.commands.connection import forget_stack, note_stack, operator_settings, running_stack
from workers.commands.local_keys import local_keys

DSN = "postgresql://somebody@127.0.0.1:1/backorder"
ENVIRONMENT = ("DATABASE_URL", "REDIS_URL", "SEAL_KEY", "ENV", "DATA_DIR", "SIMULATED_CLOCK")
PARTNER = """insert into partner (code, qualifier, interchange_id, our_qualifier, our_interchange_id)
    values ('acme', 'ZZ', 'ACME', 'ZZ', 'US')"""
RUNS = """insert into job_run (function, key, state, attempt, error, created_at) values
    ('send_notices', '', 'done', 1, null, now()),
    ('ingest_edi_document', 'raw:3', 'dead', 5, E'KeyError: 1\nin line 2', now() - interval '2 hours'),
    ('allocate', 'S', 'waiting', 0, null, now()),
    ('train', '', 'running', 1, null, now())"""


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(database_url: str, tmp_path: Path) -> Path:
    """The data folder of a stack that runs on a real database."""
    note_stack(tmp_path, dsn=database_url, redisUrl="", url="http://127.0.0.1:1", environment="development")
    return tmp_path


def call(app: typer.Typer, folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data", str(folder)])


def in_database(url: str, work: Callable[[Database], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with Database(Settings(database_url=url, pool_size=2)) as database:
            return await work(database)

    return asyncio.run(run())


def value(url: str, query: str, *arguments: Any) -> Any:
    return in_database(url, lambda database: database.system.fetchval(query, *arguments))


def test_the_stack_file_is_private_whole_and_gone_at_the_end(tmp_path: Path):
    assert running_stack(tmp_path) == {}
    note_stack(tmp_path, dsn=DSN, redisUrl="unix:///r", url="http://u", environment="test")
    path = tmp_path / "stack.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {
        "dsn": DSN,
        "redisUrl": "unix:///r",
        "url": "http://u",
        "environment": "test",
    }
    assert [entry.name for entry in tmp_path.iterdir()] == ["stack.json"]
    forget_stack(tmp_path)
    forget_stack(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_settings_come_from_the_folder_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    note_stack(tmp_path, dsn=DSN, redisUrl="unix:///r", url="http://u", environment="production", simulatedClock=True)
    secret = local_keys(tmp_path, "production").environment["SEAL_KEY"]
    found = operator_settings(tmp_path)
    assert (found.database_url, found.redis_url, found.data_dir, found.env, found.simulated_clock) == (
        DSN,
        "unix:///r",
        tmp_path,
        "production",
        True,
    )
    assert found.seal_key.get_secret_value() == secret
    monkeypatch.setenv("DATABASE_URL", "postgresql://other/db")
    monkeypatch.setenv("SEAL_KEY", "mine")
    found = operator_settings(tmp_path)
    assert (found.database_url, found.redis_url) == ("postgresql://other/db", "unix:///r")
    assert found.seal_key.get_secret_value() == "mine"


def test_without_a_system_the_way_out_is_one_sentence_and_exit_code_2(tmp_path: Path):
    sentence = (
        f"No stack runs on {tmp_path}: start one with `up`, name the folder of a running one with --data, "
        "or set DATABASE_URL.\n"
    )
    recount = typer.Typer()
    recount.command()(audit.audit)
    for app, arguments in ((jobs.app, ["list"]), (edi.app, ["list"]), (edi.app, ["replay", "1"]), (recount, [])):
        done = call(app, tmp_path, *arguments)
        assert (done.exit_code, done.stdout, done.stderr) == (2, "", sentence)
    note_stack(tmp_path, dsn=DSN, redisUrl="", url="", environment="development")
    done = call(jobs.app, tmp_path, "list")
    assert done.exit_code == 2
    assert re.fullmatch(
        r"The database does not answer \(.+\): start the stack with `up`, or correct DATABASE_URL\.\n", done.stderr
    )
    (tmp_path / "stack.json").write_text("{")
    with pytest.raises(ConfigurationError, match="restart the stack, or set DATABASE_URL"):
        operator_settings(tmp_path)


def test_a_database_that_is_not_migrated_is_one_sentence(empty_database_url: str, tmp_path: Path):
    note_stack(tmp_path, dsn=empty_database_url, redisUrl="", url="", environment="development")
    done = call(jobs.app, tmp_path, "list")
    assert (done.exit_code, done.stdout) == (2, "")
    assert re.search(r"run `migrate` first|run: python manage.py migrate", done.stderr)


def test_jobs_are_listed_retried_and_cancelled(folder: Path, database_url: str):
    in_database(database_url, lambda database: database.system.execute(RUNS))
    done = call(jobs.app, folder, "list", "--json")
    assert done.exit_code == 0
    listed = json.loads(done.stdout)["jobs"]
    names = ("id", "function", "key", "state", "attempt", "error")
    assert [tuple(run[name] for name in names) for run in listed] == [
        (4, "train", "", "running", 1, None),
        (3, "allocate", "S", "waiting", 0, None),
        (2, "ingest_edi_document", "raw:3", "dead", 5, "KeyError: 1\nin line 2"),
    ]
    assert 7_200 <= listed[2]["ageSeconds"] < 7_260
    assert call(jobs.app, folder, "list").stdout.splitlines()[2:] == [
        "       2  dead         2 h  ingest_edi_document raw:3  attempt 5 of 5",
        "          KeyError: 1 in line 2",
    ]

    assert json.loads(call(jobs.app, folder, "retry", "2", "--json").stdout) == {"id": 2, "state": "waiting"}
    row = in_database(
        database_url,
        lambda database: database.system.fetchrow(
            "select state, attempt, max_attempts, error from job_run where id = 2"
        ),
    )
    assert tuple(row) == ("waiting", 5, 10, None)
    assert value(database_url, "select actor from audit_entry where operation = 'replayJob'") == "command-line"
    done = call(jobs.app, folder, "retry", "2")
    assert (done.exit_code, done.stderr) == (1, "The job run 2 is waiting and cannot become waiting.\n")

    assert call(jobs.app, folder, "cancel", "3").stdout == "Job run 3 is cancelled.\n"
    assert call(jobs.app, folder, "cancel", "4").stdout == "Job run 4 was asked to stop.\n"
    assert value(database_url, "select array_agg(state order by id) from job_run where id > 2") == [
        "cancelled",
        "running",
    ]
    assert value(database_url, "select cancel_requested from job_run where id = 4") is True
    for arguments, code in ((["cancel", "1"], 1), (["retry", "99"], 1), (["retry", "0"], 2), (["retry", "x"], 2)):
        assert call(jobs.app, folder, *arguments).exit_code == code


def test_a_file_is_submitted_found_in_quarantine_and_replayed(folder: Path, database_url: str, tmp_path: Path):
    in_database(database_url, lambda database: database.system.execute(PARTNER))
    file = tmp_path / "855.edi"
    file.write_bytes(
        b"ISA*00*          *00*          *ZZ*ACME           *ZZ*US             *261120*1030*U*00401*000000007*0*P*>~"
        b"GS*PR*ACME*US*20261120*1030*7*X*004010~ST*855*0001~BAK*00*AK*PO1*20261120~PO1*1*10*EA***BP*SKU1~"
        b"ACK*IA*1x*EA*067*20261201~SE*5*0001~GE*1*7~IEA*1*000000007~"
    )
    done = call(edi.app, folder, "submit", "acme", str(file), "--json")
    assert json.loads(done.stdout) == {
        "rawId": 1,
        "partner": "acme",
        "bytes": file.stat().st_size,
        "sha256": value(database_url, "select encode(sha256, 'hex') from edi_raw"),
    }
    assert value(database_url, "select array_agg(job || ' ' || job_key) from outbox where job is not null") == [
        "ingest_edi_document raw:1"
    ]
    assert call(edi.app, folder, "list").stdout == "No documents.\n"

    in_database(
        database_url,
        lambda database: ingest_edi_file(lambda use_case: run_unit_of_work(database, use_case), 1),
    )
    done = call(edi.app, folder, "list", "--quarantined", "--json")
    (document,) = json.loads(done.stdout)["documents"]
    assert (document["id"], document["partner"], document["kind"], document["delivery"]) == (
        1,
        "acme",
        "855",
        "quarantined",
    )
    assert document["quarantineReason"].startswith("syntax: ACK02 (quantity)")
    shown = call(edi.app, folder, "show", "1").stdout
    assert "error: segment 4 ACK, element 2, code 6, value '1x': " in shown
    assert "\nreason            syntax: ACK02 (quantity)" in shown
    assert json.loads(call(edi.app, folder, "show", "1", "--json").stdout)["rawId"] == 1

    assert call(edi.app, folder, "replay", "1").exit_code == 0
    assert value(database_url, "select delivery || ' ' || quarantine_state from edi_document") == "received replayed"
    assert call(edi.app, folder, "list", "--quarantined").stdout == "No documents.\n"
    past = call(edi.app, folder, "show", "1").stdout
    assert "\nwasSetAsideFor    syntax: ACK02" in past
    assert "\nfound when it was set aside:\nerror: segment 4" in past
    assert "\nreason " not in past
    assert "\nquarantineReason" not in past
    done = call(edi.app, folder, "replay", "1")
    assert (done.exit_code, done.stderr) == (1, "The document 1 is received and cannot become replayed.\n")
    for arguments in (["show", "2"], ["replay", "2"], ["submit", "nobody", str(file)]):
        assert call(edi.app, folder, *arguments).exit_code == 1
    assert value(database_url, "select count(*) from edi_delivery") == 1


def test_keys_are_made_replaced_listed_and_ended_and_shown_once(folder: Path) -> None:
    local_keys(folder, "development")  # draws the pepper
    made = json.loads(call(keys.app, folder, "create", "shop", "storefront", "--publishable", "--json").stdout)
    assert made["key"].startswith(f"bmk_{made['prefix']}_")
    again = call(keys.app, folder, "create", "shop", "storefront")
    assert (again.exit_code, "shop" in again.output) == (1, True)
    second = json.loads(call(keys.app, folder, "rotate", "shop", "--hours", "1", "--json").stdout)
    listed = call(keys.app, folder, "list", "--json").stdout
    assert [key["prefix"] for key in json.loads(listed)["keys"]] == [made["prefix"], second["prefix"]]
    assert all(secret.rpartition("_")[2] not in listed for secret in (made["key"], second["key"]))
    assert call(keys.app, folder, "revoke", "shop", "--prefix", made["prefix"]).stdout == "1 key of shop ended.\n"
    assert [key["is_live"] for key in json.loads(call(keys.app, folder, "list", "--json").stdout)["keys"]] == [
        False,
        True,
    ]
    assert call(keys.app, folder, "revoke", "nobody").exit_code == 1
    assert call(keys.app, folder, "create", "x", "KING").exit_code == 2


LEARNED = """
insert into supplier (code, name) values ('V1', 'Vendor');
insert into date_spread (path, stage, basis, supplier_id, observations, says, p50, p80, p95, days, shares, coverage, coverage_p50,
    coverage_p95, judged, bias, spread, computed_at)
    select 'SUPPLY|CARRIER|' || id, 'SUPPLY', 'CARRIER', id, 40, 's', 0, 1, 2, '{0}', '{1}', 0.75, 0.5, 1, 30, 1, 2, now() from supplier;
insert into learning_model (kind, spoke, state, artefact, sha256, format, trained_from, trained_until, rows, positives, features,
    libraries, reference, metrics, baseline, cause, verdict)
    values ('BACKORDER_RISK', 'rule', 'ACTIVE', 'x', 'x', 1, '2026-01-01', '2026-02-01', 10, 2, '{a}', '{}', '{}',
    '{"pr_auc": 0.25, "curve": [{"said": 0.1, "came": 0.2, "rows": 5}]}', '{"pr_auc": 0.2}', 'FIRST', 'v')"""


def test_what_was_learned_is_written_as_pictures(folder: Path, database_url: str, tmp_path: Path):
    in_database(database_url, lambda database: database.system.execute(LEARNED))
    told = [json.loads(call(app, folder, "report", "--out", str(tmp_path / "plots"), "--json").stdout)
            for app in (dates.app, risk.app)]  # fmt: skip
    written = [Path(name).name for one in told for name in one["charts"]]
    assert written == ["coverage.svg", "calibration.svg", "backtest.svg"]
    assert "<title>V1: 0.75</title>" in (tmp_path / "plots" / "coverage.svg").read_text(encoding="utf-8")
    (supplier,) = told[0]["suppliers"]
    assert [supplier[name] for name in ("supplier", "coverage_p50", "coverage", "coverage_p95")] == ["V1", 0.5, 0.75, 1]
