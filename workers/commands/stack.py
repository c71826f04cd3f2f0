"""The whole system as one object: servers, migration, seed, API, relay and workers, under one supervisor."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import asyncpg

from core.database import plain_dsn
from core.domain.access import Role
from core.embedded.processes import data_folder
from core.settings import Settings
from workers.commands.claims import StackError, claim_folder, claim_port, note_owner
from workers.commands.connection import forget_stack, note_stack
from workers.commands.local_keys import TOKEN_ROLES, LocalKeys, local_keys, utc_now
from workers.commands.migrate import migrate_database
from workers.commands.readiness import until_ready
from workers.commands.seed import seed_database
from workers.commands.servers import PrivateServers
from workers.commands.supervisor import Program, Supervisor

ROOT = Path(__file__).resolve().parents[2]
KEY_SETTINGS = ("LOCAL_KEY_FILE", "JWKS_FILE", "JWKS_URL")
"""Never inherited: a stack trusts its own key and no other."""
EDI_FOLDERS = ("in", "out", "archive", "quarantine")
FIGURES = "PROMETHEUS_MULTIPROC_DIR"
WORKER_CLASSES = ("fast", "bulk", "learning")


class Stack:
    """One running system on one data folder. After `start`: `url`, `ws_url`, `tokens`, `dsn`, `redis_url`, `pids`.

    DATABASE_URL and REDIS_URL of the environment are used when set; otherwise private servers are started in
    `data_dir`. `port` 0 takes a free one. `extra_env` goes to every child (SIMULATED_CLOCK=true for a replay).
    `say` gets one line per event worth knowing. Start and stop it in the main thread.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        environment: str = "development",
        *,
        host: str = "127.0.0.1",
        api_processes: int = 1,
        extra_env: Mapping[str, str] | None = None,
        worker_classes: tuple[str, ...] = WORKER_CLASSES,
        seed: bool = True,
        say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.environment = environment
        self.host = host
        self.port = port
        self.dsn = ""
        self.redis_url = ""
        self.tokens: dict[str, str] = {}
        self.sample_skus: list[str] = []
        self.sample_ship_to: tuple[str, str] | None = None
        self._api_processes = api_processes
        self._extra_env = dict(extra_env or {})
        self._worker_classes = worker_classes
        self._seed = seed
        self._say = say
        self._lock: int | None = None
        self._listener: socket.socket | None = None
        self._servers: PrivateServers | None = None
        self._supervisor = Supervisor(say)
        self._keys: LocalKeys | None = None
        self.settings = Settings()

    @property
    def url(self) -> str:
        """Base address of the API, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def ws_url(self) -> str:
        """Address of GraphQL over WebSocket."""
        return f"ws{self.url.removeprefix('http')}/graphql"

    @property
    def edi_dir(self) -> Path:
        return self.data_dir / "edi"

    @property
    def pids(self) -> dict[str, int]:
        """Every process that runs now, by name; `up` is this one."""
        servers = self._servers.pids if self._servers is not None else {}
        return {"up": os.getpid(), **servers, **self._supervisor.pids}

    @property
    def postgres_folder(self) -> Path | None:
        """Where the private PostgreSQL keeps its data; None with a DATABASE_URL."""
        handle = self._servers.postgres if self._servers is not None else None
        return handle.where if handle is not None else None

    async def start(self) -> None:
        """Bring everything up and return when /readyz answers 200; the workers may still be loading.

        Raises StackError or EmbeddedServerError with one sentence; what was started by then is stopped by `stop`.
        """
        if self.settings.is_production and self.environment != "production":
            raise StackError(
                f"ENV is production: no {self.environment} stack starts here; unset ENV, or start with `up`."
            )
        self.data_dir = data_folder(self.data_dir)
        self._lock = claim_folder(self.data_dir)
        self._listener = claim_port(self.host, self.port)
        self.port = self._listener.getsockname()[1]
        self._keys = local_keys(self.data_dir, self.environment)
        await self._start_servers()
        try:
            await self._prepare_database()
        except (asyncpg.PostgresError, OSError) as error:
            raise StackError(f"The database cannot be prepared: {error}") from error
        note_owner(self._lock, self.url)
        note_stack(self.data_dir, **self._facts())
        self._clear_figures()
        apis = [self._name("api", number) for number in range(1, self._api_processes + 1)]
        for name in apis:
            await self._supervisor.start(self._program(name, self._api_arguments(), with_listener=True))
        await asyncio.gather(self._until_ready(apis[0]), self._hand_out())
        await self._supervisor.start(self._program("relay", (sys.executable, "-m", "workers.relay"), grace=10))
        for worker in self._worker_classes:
            command = (sys.executable, "-m", "workers.settings", worker)
            await self._supervisor.start(self._program(f"worker-{worker}", command, grace=15))

    async def stop(self) -> None:
        """Stop in order: the API, the workers, the relay, Valkey, PostgreSQL. Leaves no process; may be repeated."""
        if self._lock is not None:
            forget_stack(self.data_dir)
        names = self._supervisor.names
        for group in ("api", "worker", "relay"):
            await self._supervisor.stop(*(name for name in names if name.startswith(group)))
        if self._servers is not None:
            await self._servers.stop()
            self._servers = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def __aenter__(self) -> Stack:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def token(self, role: Role, *, customer: str | None = None, supplier: str | None = None) -> str:
        """A bearer token of this stack for any role and code."""
        assert self._keys is not None, "Stack.start() has not been awaited"
        subject = ":".join(part for part in (role.value.lower(), customer or supplier) if part)
        return self._keys.token(
            role,
            subject=subject,
            issuer=self.settings.jwt_issuer,
            audience=self.settings.jwt_audience,
            now=utc_now(),
            customer=customer,
            supplier=supplier,
        )

    def summary(self) -> dict[str, Any]:
        """What other programs need to drive this stack: the object `up --json` prints."""
        return {
            "url": self.url,
            "wsUrl": self.ws_url,
            "ediDir": str(self.edi_dir),
            "tokens": self.tokens,
            "pids": self.pids,
        }

    def environment_of_children(self) -> dict[str, str]:
        """The settings every process of this stack runs with."""
        assert self._keys is not None, "Stack.start() has not been awaited"
        inherited = {key: value for key, value in os.environ.items() if key not in KEY_SETTINGS}
        return {
            **inherited,
            "OMP_NUM_THREADS": "1",
            **self._keys.environment,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "ENV": self.environment,
            "DATA_DIR": str(self.data_dir),
            "DATABASE_URL": self.dsn,
            "REDIS_URL": self.redis_url,
            **self._figures_folder(),
            **self._extra_env,
        }

    def _figures_folder(self) -> dict[str, str]:
        """Where several API processes add up what they count; a single one needs no files for that."""
        return {FIGURES: str(self.data_dir / "figures")} if self._api_processes > 1 else {}

    def _clear_figures(self) -> None:
        for folder in self._figures_folder().values():
            shutil.rmtree(folder, ignore_errors=True)
            Path(folder).mkdir(parents=True)

    def _facts(self) -> dict[str, Any]:
        """What the commands of an operator find in `stack.json`."""
        facts = {"dsn": self.dsn, "redisUrl": self.redis_url, "url": self.url, "environment": self.environment}
        simulated = self._extra_env.get("SIMULATED_CLOCK", "").lower() == "true"
        return {**facts, "simulatedClock": True} if simulated else facts

    async def _start_servers(self) -> None:
        self.dsn, self.redis_url = self.settings.database_url, self.settings.redis_url
        self._servers = PrivateServers(self.data_dir, self._say)
        starts = []
        if not self.dsn:
            starts.append(self._servers.start_postgres())
        if not self.redis_url:
            starts.append(self._servers.start_valkey())
        await asyncio.gather(*starts)
        if self._servers.postgres is not None:
            self.dsn = self._servers.postgres.dsn
        if self._servers.valkey is not None:
            self.redis_url = self._servers.valkey.url
        self._servers.watch()

    async def _prepare_database(self) -> None:
        if await migrate_database(self.dsn):
            self._say("The database was migrated.")
        if self._seed and await seed_database(self.dsn):
            self._say("The empty database was filled with a small company.")

    async def _hand_out(self) -> None:
        """One token per role (customer and supplier are the first of the database), and the folders of the partners."""
        connection = await asyncpg.connect(plain_dsn(self.dsn))
        try:
            customer = await connection.fetchval("select code from customer order by id limit 1")
            supplier = await connection.fetchval("select code from supplier order by id limit 1")
            rows = await connection.fetch("select code from sku order by id limit 3")
            zone = await connection.fetchrow(
                "select country, postal_prefix from delivery_zone order by location_id, postal_prefix limit 1"
            )
            partners = await connection.fetch("select code from partner where is_active")
        finally:
            await connection.close()
        self.sample_skus = [row["code"] for row in rows]
        self.sample_ship_to = (zone["country"], zone["postal_prefix"]) if zone is not None else None
        for partner in partners:
            for folder in EDI_FOLDERS:
                (self.edi_dir / partner["code"] / folder).mkdir(parents=True, exist_ok=True)
        self.tokens = {
            role.value: self.token(
                role,
                customer=customer if role is Role.CUSTOMER else None,
                supplier=supplier if role is Role.SUPPLIER else None,
            )
            for role in TOKEN_ROLES
        }

    def _api_arguments(self) -> tuple[str, ...]:
        assert self._listener is not None
        return (
            sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory", "--fd", str(self._listener.fileno()),
            "--loop", "uvloop", "--http", "api.transport.reading:HttpProtocol", "--ws", "api.transport.reading:WebSocketProtocol",
            "--no-access-log", "--timeout-graceful-shutdown", "5",
        )  # fmt: skip

    def _program(
        self, name: str, arguments: tuple[str, ...], *, with_listener: bool = False, grace: float = 10.0
    ) -> Program:
        assert self._listener is not None
        return Program(
            name,
            arguments,
            self.environment_of_children(),
            ROOT,
            self.data_dir / "log" / f"{name}.log",
            (self._listener.fileno(),) if with_listener else (),
            grace,
        )

    async def _until_ready(self, api: str) -> None:
        log = self.data_dir / "log" / f"{api}.log"
        await until_ready(self.host, self.port, log, lambda: self._supervisor.deaths(api))

    @staticmethod
    def _name(name: str, number: int) -> str:
        return name if number == 1 else f"{name}-{number}"
