"""`up`: the whole system on a bare machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from core.errors import ConfigurationError
from workers.commands.claims import StackError
from workers.commands.connection import default_data_dir
from workers.commands.sample_queries import sample_queries
from workers.commands.stack import Stack


class Environments(StrEnum):
    development = "development"
    production = "production"


def default_environment() -> Environments:
    """Production when ENV says so, otherwise development."""
    from core.settings import load_settings

    return Environments.production if load_settings().is_production else Environments.development


def up(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the API; 0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    data: Annotated[Path | None, typer.Option(help="Data folder; .data in the project when not given.")] = None,
    env: Annotated[
        Environments | None, typer.Option(help="Switches to run with; development unless ENV says production.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="API processes on the one port.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="When ready, print one JSON line for programs.")] = False,
) -> None:
    """Start everything: PostgreSQL and Valkey (private, unless DATABASE_URL / REDIS_URL are set), API, relay, workers.

    Migrates, and fills an empty database with a small company. Ctrl-C stops everything; the data stays.
    """
    stack = Stack(
        data or default_data_dir(), port, (env or default_environment()).value, host=host, api_processes=workers
    )
    try:
        asyncio.run(_run(stack, as_json))
    except StackError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from None
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(5) from None


async def _run(stack: Stack, as_json: bool) -> None:
    """Start, announce, wait for SIGINT, SIGTERM or SIGHUP (also during the start), stop."""
    loop = asyncio.get_running_loop()
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told_to_stop.set)
    start = asyncio.create_task(stack.start())
    wait = asyncio.create_task(told_to_stop.wait())
    try:
        await asyncio.wait({start, wait}, return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            start.result()
            _announce(stack, as_json)
            await wait
    finally:
        start.cancel()
        await asyncio.gather(start, return_exceptions=True)
        if told_to_stop.is_set():
            print("Stopping.", file=sys.stderr, flush=True)
        await stack.stop()


def _announce(stack: Stack, as_json: bool) -> None:
    if as_json:
        print(json.dumps(stack.summary()), flush=True)
        return
    places = {
        "API": f"{stack.url}/graphql",
        "live (WebSocket)": stack.ws_url,
        "PostgreSQL": f"{stack.dsn}" + (f"\n{'':20}data in {stack.postgres_folder}" if stack.postgres_folder else ""),
        "Redis": stack.redis_url,
        "EDI folders": f"{stack.edi_dir}/<partner>/in, out, archive, quarantine",
        "logs": str(stack.data_dir / "log"),
    }
    lines = ["", "Backorder Manager is ready.", ""]
    lines += [f"  {name:<18}{place}" for name, place in places.items()]
    lines += ["", "  processes         " + ", ".join(f"{name} {pid}" for name, pid in stack.pids.items())]
    lines += ["", "Tokens, one per role (send as  Authorization: Bearer <token>):", ""]
    lines += [f"  {role}\n    {token}" for role, token in stack.tokens.items()]
    lines += ["", f"Three queries {_where_to_ask(stack)}:", ""]
    for title, query in sample_queries(stack.sample_skus, stack.sample_ship_to):
        lines += [f"  # {title}", *(f"  {line}" for line in query.strip().splitlines()), ""]
    lines += ["Ctrl-C stops everything; the data stays."]
    print("\n".join(lines), flush=True)


def _where_to_ask(stack: Stack) -> str:
    if stack.environment == "production":
        return f"for a client of {stack.url}/graphql (production has no console)"
    return f"to paste into {stack.url}/graphiql"
