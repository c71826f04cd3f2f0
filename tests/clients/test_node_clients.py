"""Clients, compilers and a linter of others, from npm, on the real API and its published schema. Node 20 or newer."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from api.commands.schema import SDL_FILE
from core.database import Database
from core.repositories.outbox import move_outbox
from core.settings import Settings
from migrations.demo_data import seed
from tests.graphql_api.api_under_test import Keys, serve
from tests.graphql_api.schema_under_test import NOW

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "api" / "examples"
STRICT = [
    "--strict",
    "--noEmit",
    "--skipLibCheck",
    "--module",
    "esnext",
    "--moduleResolution",
    "bundler",
    "--target",
    "es2022",
]
RULES = (
    "arguments-have-descriptions,defined-types-are-used,deprecations-have-a-reason,enum-values-all-caps,"
    "enum-values-have-descriptions,fields-are-camel-cased,fields-have-descriptions,input-object-values-are-camel-cased,"
    "input-object-values-have-descriptions,relay-connection-arguments-spec,relay-connection-types-spec,relay-page-info-spec,"
    "types-are-capitalized,types-have-descriptions"
)


def run(folder: Path, *command: str, seconds: float = 300) -> str:
    """What a program prints; it must end well."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of the lock (hashes are checked, no script of a package is run) and our programs."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("Node and npm are not installed here")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=120).stdout.strip()
    if int(version.lstrip("v").partition(".")[0]) < 20:
        pytest.skip(f"Node 20 or newer is needed, here is {version}")
    folder = tmp_path_factory.mktemp("node")
    for file in HERE.iterdir():
        if file.suffix in (".json", ".mjs"):
            shutil.copy(file, folder)
    (folder / "src").mkdir()
    shutil.copy(HERE / "relay_source.ts", folder / "src" / "relaySource.ts")
    shutil.copy(SDL_FILE, folder / "schema.graphql")
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=400)
    offline = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "EAI_AGAIN", "ETIMEDOUT", "ENETUNREACH", "E429", "E50")
    if installed.returncode and any(word in installed.stderr for word in offline):
        pytest.skip("the npm registry cannot be reached")
    assert installed.returncode == 0, installed.stderr[-2000:]
    return folder


@pytest.fixture
async def api(database_url: str, valkey_url: str, tmp_path: Path) -> AsyncIterator[Any]:
    """The whole API in development mode on the small company, with a relay."""
    keys = Keys(tmp_path / "key.pem")
    settings = Settings(
        env="development", database_url=database_url, redis_url=valkey_url, local_key_file=keys.path, pool_size=6
    )
    await seed(database_url, NOW)
    async with serve(settings, is_whole=True) as app, Database(settings) as database:
        relay = asyncio.create_task(_relay(database))
        app.state.token = keys.token("ADMIN")
        try:
            yield app
        finally:
            relay.cancel()
            with suppress(asyncio.CancelledError):
                await relay


async def _relay(database: Database) -> None:
    while True:
        async with database.system.acquire() as sql, sql.transaction():
            await move_outbox(sql)
        await asyncio.sleep(0.05)


async def test_the_audit_of_graphql_http_is_passed_whole(node: Path, api: Any) -> None:
    printed = await asyncio.to_thread(run, node, "node", "audit.mjs", f"{api.state.url}/graphql")
    assert json.loads(printed) == {"ok": 61, "warn": 0, "error": 0, "failed": []}


async def test_clients_of_others_ask_change_and_watch(node: Path, api: Any) -> None:
    given = {"url": f"{api.state.url}/graphql", "wsUrl": api.state.ws_url, "token": api.state.token}
    results = json.loads(await asyncio.to_thread(run, node, "node", "talk.mjs", json.dumps(given)))
    wanted = {"state": "IN_STOCK", "placed": True, "watched": True}
    names = ("graphql-ws", "graphql-sse", "@apollo/client", "@urql/core over SSE", "@urql/core over WebSocket")
    assert results == dict.fromkeys(names, wanted)


async def test_the_documented_subscriber_loses_nothing_over_a_cut(node: Path, api: Any) -> None:
    text = (HERE.parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
    block = re.search(r"^```js\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert block is not None
    program = block[1].replace("ws://127.0.0.1:8000/graphql", api.state.ws_url)
    (node / "documented.mjs").write_text((node / "cut.mjs").read_text() + program)
    given = {"url": f"{api.state.url}/graphql", "token": api.state.token}
    printed = await asyncio.to_thread(run, node, "node", "documented.mjs", json.dumps(given))
    assert json.loads(printed) == {"sockets": 2, "placed": ["first", "within the cut", "after it"]}


def test_relay_compiles_and_its_artifacts_are_strict(node: Path) -> None:
    run(node, "node", "node_modules/relay-compiler/cli.js")
    artifacts = sorted((node / "src" / "__generated__").glob("*.ts"))
    assert len(artifacts) == 5
    run(node, "node", "node_modules/typescript/bin/tsc", *STRICT, "src/relaySource.ts", *map(str, artifacts))


def test_codegen_types_the_schema_and_every_example_strictly(node: Path) -> None:
    (node / "generated").mkdir()
    counted = run(node, "node", "generate_types.mjs", "schema.graphql", str(EXAMPLES), "generated")
    assert int(counted) == len(list(EXAMPLES.glob("*.graphql")))
    files = ("generated/schema.ts", "generated/documents.ts")
    run(node, "node", "node_modules/typescript/bin/tsc", *STRICT, *files)


def test_a_linter_finds_nothing_in_the_schema(node: Path) -> None:
    program = "node_modules/graphql-schema-linter/lib/cli.js"
    assert run(node, "node", program, "-f", "compact", "-r", RULES, "schema.graphql").strip() == ""
