"""`up` as its user meets it: one command brings everything, survives kills, refuses clearly, and leaves nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import psutil
import pytest

from core.embedded import discard_private_data

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = ["api", "postgres", "relay", "up", "valkey", "worker-bulk", "worker-fast", "worker-learning"]
ROLES = ["ADMIN", "AUDITOR", "CUSTOMER", "PLANNER", "STOREFRONT", "SUPPLIER", "WAREHOUSE"]


_started: list[subprocess.Popen[str]] = []


class Up:
    """A running `up --json` and what it printed."""

    def __init__(self, data: Path, *options: str) -> None:
        environment = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}
        self.errors = data.parent / f"{data.name}.stderr"
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--json", "--port", "0", "--data", str(data), *options],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        _started.append(self.process)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.errors.read_text()
        self.facts: dict[str, Any] = json.loads(line)
        self.pids: dict[str, int] = self.facts["pids"]

    def ready(self) -> int:
        """Status of /readyz: 503 while something it needs is away."""
        try:
            with urllib.request.urlopen(f"{self.facts['url']}/readyz", timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def stop(self, number: signal.Signals = signal.SIGINT) -> str:
        """End it and return what it printed after the JSON line."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=180)
        return rest


@pytest.fixture
def data() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="bm-up-"))
    yield place / "data"
    while _started:
        process = _started.pop()
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    for process in psutil.process_iter(["cmdline", "environ"]):
        if (process.info["environ"] or {}).get("DATA_DIR") == str(place / "data") or str(place) in " ".join(
            process.info["cmdline"] or []
        ):
            process.kill()
    note = place / "data" / "postgres-home"
    if note.exists():
        home = note.read_text().strip()
        for process in psutil.process_iter(["cmdline"]):
            if home in " ".join(process.info["cmdline"] or []):
                process.kill()
    discard_private_data(place / "data")
    shutil.rmtree(place, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _made_at(data: Path) -> int:
    """When the cluster of this data folder was made, by the file that initdb writes first."""
    note = data / "postgres-home"
    cluster = Path(note.read_text().strip()) / "data" if note.exists() else data / "postgres"
    return (cluster / "PG_VERSION").stat().st_mtime_ns


def _until(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


def _refused(*arguments: str, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "manage.py", "up", "--json", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=180,
    )
    return done.returncode, done.stdout, done.stderr


def _operate(data: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, errors and output of a command on the data folder."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments, "--data", str(data)],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL", "SEAL_KEY")},
        capture_output=True,
        text=True,
        timeout=180,
    )
    return done.returncode, done.stderr, done.stdout


def test_up_prints_one_json_line_leaves_no_process_and_finds_its_data_again(data: Path) -> None:
    first = Up(data)
    assert sorted(first.facts) == ["ediDir", "pids", "tokens", "url", "wsUrl"]
    assert first.facts["wsUrl"] == first.facts["url"].replace("http://", "ws://") + "/graphql"
    assert first.facts["ediDir"] == str(data / "edi")
    assert sorted(first.facts["tokens"]) == ROLES
    assert sorted(first.pids) == PROCESSES
    claims = jwt.decode(first.facts["tokens"]["CUSTOMER"], options={"verify_signature": False})
    assert claims["role"] == "CUSTOMER"
    assert claims["customer"]
    assert first.ready() == 200
    made = _made_at(data)

    code, out, sentence = _refused("--port", "0", "--data", str(data))
    assert (code, out) == (3, "")
    assert sentence == (
        f"The data folder {data} is in use by another stack (pid {first.process.pid} at {first.facts['url']}); "
        "stop that one, or choose another folder with --data.\n"
    )

    note = data / "stack.json"
    facts = json.loads(note.read_text())
    assert sorted(facts) == ["dsn", "environment", "redisUrl", "url"]
    assert (facts["url"], facts["environment"]) == (first.facts["url"], "development")
    assert note.stat().st_mode & 0o777 == 0o600
    assert _operate(data, "jobs", "list", "--json")[0] == 0
    assert _operate(data, "audit", "--verify")[:2] == (0, "")
    assert _operate(data, "doctor")[0] == 0

    assert first.stop() == ""
    assert first.process.returncode == 0
    assert not note.exists()
    code, sentence, _ = _operate(data, "jobs", "list")
    assert (code, sentence.partition(":")[0]) == (2, f"No stack runs on {data}")
    assert [name for name, pid in first.pids.items() if _alive(pid)] == []

    second = Up(data)
    assert second.facts["tokens"].keys() == first.facts["tokens"].keys()
    assert _made_at(data) == made
    assert "migrated" not in second.errors.read_text().split("Stopping.")[-1]
    assert second.ready() == 200
    second.stop(signal.SIGTERM)
    assert [name for name, pid in second.pids.items() if _alive(pid)] == []


def test_a_busy_port_is_one_sentence(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert _refused("--port", str(port), "--data", str(data)) == (
            4,
            "",
            f"Port {port} on 127.0.0.1 is in use by another program; stop it, or choose another port with --port.\n",
        )


@pytest.mark.long
def test_everything_that_is_killed_comes_back(data: Path) -> None:
    up = Up(data)
    for name in ("api", "relay", "worker-fast", "valkey", "postgres"):
        said = len(up.errors.read_text())
        os.kill(up.pids[name], signal.SIGKILL)
        _until(lambda name=name, said=said: f"{name} (pid {up.pids[name]})" in up.errors.read_text()[said:])
        _until(lambda: up.ready() == 200)
    up.stop()
    assert up.process.returncode == 0
    assert [process for process in psutil.process_iter(["environ"]) if _belongs(process, data)] == []


def _belongs(process: psutil.Process, data: Path) -> bool:
    return (process.info["environ"] or {}).get("DATA_DIR") == str(data)


@pytest.mark.long
def test_a_killed_up_takes_its_children_along_and_the_next_one_adopts_the_servers(data: Path) -> None:
    first = Up(data)
    first.process.kill()
    first.process.communicate()
    children = [name for name in PROCESSES if name not in ("up", "postgres", "valkey")]
    _until(lambda: not any(_alive(first.pids[name]) for name in children))
    second = Up(data)
    assert {name: second.pids[name] for name in ("postgres", "valkey")} == {
        name: first.pids[name] for name in ("postgres", "valkey")
    }
    second.stop()
    assert [name for name, pid in second.pids.items() if _alive(pid)] == []


def test_ctrl_c_during_the_start_leaves_nothing(data: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", "0", "--data", str(data)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    _until(lambda: (data / "log" / "valkey.log").exists())
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=180)
    assert (process.returncode, out) == (0, "")
    homes = [data / "postgres", data / "valkey"]
    if (data / "postgres-home").exists():
        homes.append(Path((data / "postgres-home").read_text().strip()) / "data")
    for candidate in psutil.process_iter(["name", "cwd"]):  # those of other tests may end meanwhile: cwd is None then
        if candidate.info["name"] in ("postgres", "valkey-server") and candidate.info["cwd"]:
            assert Path(candidate.info["cwd"]) not in homes


def test_production_has_a_key_pair_of_its_own_published_as_jwks(data: Path) -> None:
    up = Up(data, "--env", "production")
    assert up.ready() == 200
    keys = jwt.PyJWKSet.from_json((data / "jwks.json").read_text()).keys
    token = up.facts["tokens"]["ADMIN"]
    assert "d" not in json.loads((data / "jwks.json").read_text())["keys"][0]
    assert jwt.get_unverified_header(token)["kid"] == keys[0].key_id
    claims = jwt.decode(token, keys[0], algorithms=["ES256"], audience="backorder-manager-api")
    assert claims["role"] == "ADMIN"
    assert not (data / "local_key.pem").exists()
    environment = psutil.Process(up.pids["api"]).environ()
    assert environment["ENV"] == "production"
    assert environment["JWKS_FILE"] == str(data / "jwks.json")
    assert "LOCAL_KEY_FILE" not in environment

    def ask(query: str) -> dict[str, Any]:
        body = json.dumps({"query": query}).encode()
        headers = {"content-type": "application/json", "accept": "application/json", "authorization": f"Bearer {token}"}
        with urllib.request.urlopen(urllib.request.Request(f"{up.facts['url']}/graphql", body, headers)) as answer:
            return json.loads(answer.read())

    assert ask("{ viewer { role } }")["data"] == {"viewer": {"role": "ADMIN"}}
    assert "data" not in ask("{ __schema { queryType { name } } }")
    assert "Did you mean" not in str(ask("{ viewr { role } }"))
    with pytest.raises(urllib.error.HTTPError, match="404") as refusal:
        urllib.request.urlopen(f"{up.facts['url']}/graphiql")
    refusal.value.close()
    up.stop()
