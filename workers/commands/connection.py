"""Which system an operator's command works on: that of the environment, else the stack that runs on a data folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import asyncpg
import typer
from pydantic import SecretStr, ValidationError

from core.database import Database
from core.domain.access import Principal, Role
from core.errors import ConfigurationError, DomainError
from core.ports import SimulationClock, WallClock
from core.settings import Settings
from core.unit_of_work import UnitOfWork, run_unit_of_work, snapshot
from workers.commands.local_keys import stored_secrets, write_whole

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
STACK_FILE = "stack.json"
OPERATOR = Principal(id="command-line", role=Role.SYSTEM)
"""Who the audit log names for what a command did."""
PATIENCE_SECONDS = 10.0
DataOption = Annotated[Path | None, typer.Option(help="Data folder of the stack; .data in the project when not given.")]


def default_data_dir() -> Path:
    """DATA_DIR, else `.data` in the project's folder wherever the command is called from."""
    return ROOT / Settings().data_dir


def note_stack(data_dir: Path, **facts: Any) -> None:
    """Leave `stack.json` for the commands of an operator: readable by the owner only, whole or not at all."""
    write_whole(data_dir / STACK_FILE, json.dumps(facts, indent=2) + "\n", 0o600)


def forget_stack(data_dir: Path) -> None:
    """The stack stops: nobody shall look for it here any more."""
    (data_dir / STACK_FILE).unlink(missing_ok=True)


def running_stack(data_dir: Path) -> dict[str, Any]:
    """What the stack on this folder said of itself (dsn, redisUrl, url, environment); empty when none runs.

    Raises ConfigurationError when the file is damaged.
    """
    path = data_dir / STACK_FILE
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read ({error}); restart the stack, or set DATABASE_URL.") from None
    if not isinstance(facts, dict):
        raise ConfigurationError(f"{path} is damaged; restart the stack, or set DATABASE_URL.")
    return facts


def operator_settings(data: Path | None = None) -> Settings:
    """Settings of the system to work on: each of DATABASE_URL, REDIS_URL and SEAL_KEY from the environment when set
    there, else from the stack and the secrets of the data folder.

    Raises ConfigurationError, with the way out, when neither names a database.
    """
    try:
        given = Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors())
        raise ConfigurationError(f"The environment cannot be used: {wrong}.") from None
    folder = (data or ROOT / given.data_dir).absolute()
    stack = running_stack(folder)
    secrets = stored_secrets(folder / "secrets.json")
    found: dict[str, Any] = {
        "data_dir": folder,
        "database_url": given.database_url or stack.get("dsn", ""),
        "redis_url": given.redis_url or stack.get("redisUrl", ""),
        "seal_key": given.seal_key if given.seal_key.get_secret_value() else SecretStr(secrets.get("SEAL_KEY", "")),
        "simulated_clock": given.simulated_clock or bool(stack.get("simulatedClock")),
        "pool_size": 2,
    }
    if "env" not in given.model_fields_set and stack.get("environment") in ("development", "test", "production"):
        found["env"] = stack["environment"]
    if not found["database_url"]:
        raise ConfigurationError(
            f"No stack runs on {folder}: start one with `up`, name the folder of a running one with --data, "
            "or set DATABASE_URL."
        )
    return given.model_copy(update=found)


def operator_pepper(data: Path | None = None) -> str:
    """API_KEY_PEPPER of the environment, else of the data folder; raises ConfigurationError without one."""
    given = Settings()
    secrets = stored_secrets((data or ROOT / given.data_dir).absolute() / "secrets.json")
    if pepper := given.api_key_pepper.get_secret_value() or secrets.get("API_KEY_PEPPER", ""):
        return pepper
    raise ConfigurationError("API_KEY_PEPPER is not set, and the data folder has none: keys could not be verified.")


@contextmanager
def said_plainly() -> Iterator[None]:
    """End a command with one sentence: exit code 2 without a system to work on, 1 when the system refuses."""
    try:
        yield
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except DomainError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(1) from None
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
        typer.echo(f"The database went away ({_reason(error)}); ask again.", err=True)
        raise typer.Exit(1) from None


async def work_on(
    settings: Settings, use_case: Callable[[UnitOfWork], Awaitable[T]], *, of_one_instant: bool = False
) -> T:
    """Run one use case as the operator, in a transaction of its own. Raises ConfigurationError without a database.

    `of_one_instant`: it only reads, and every statement sees the same.
    """
    database = Database(settings)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await database.open()
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ConfigurationError(
            f"The database does not answer ({_reason(error)}): start the stack with `up`, or correct DATABASE_URL."
        ) from None
    clock = SimulationClock() if settings.simulated_clock else WallClock()
    try:
        if of_one_instant:
            async with snapshot(database, clock, OPERATOR) as uow:
                return await use_case(uow)
        return await run_unit_of_work(database, use_case, clock=clock, principal=OPERATOR)
    except asyncpg.UndefinedTableError:
        raise ConfigurationError("The database is not migrated: run `migrate` first.") from None
    finally:
        await database.close()


def run_on(settings: Settings, use_case: Callable[[UnitOfWork], Awaitable[T]]) -> T:
    """`work_on` for a command."""
    return asyncio.run(work_on(settings, use_case))


def _reason(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
