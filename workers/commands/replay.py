"""`replay`: a real order history through a full stack of its own, and a report of what came of it."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import sys
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from core.database import Database
from core.errors import BackorderManagerError
from core.settings import Settings, load_settings
from workers.commands.replaying.company import found_company
from workers.commands.replaying.driver import Replay
from workers.commands.replaying.history import Survey, survey
from workers.commands.replaying.memory import peak_memory_mb
from workers.commands.replaying.report import Report, make_report, print_report
from workers.commands.stack import Stack
from workers.logs import configure_logging

INTERRUPTED = 130
UNSOUND = 1


def replay(
    file: Annotated[Path, typer.Argument(help="Order history (CSV or .csv.gz): InvoiceNo, StockCode, Quantity, ...")],
    weeks: Annotated[int | None, typer.Option(min=1, help="Only the first N weeks.")] = None,
    start: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day to play.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder of the replay's own stack.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report as JSON to this file.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the replay in the data folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the company and of what its partners do.")] = 1,
    foresight: Annotated[
        bool,
        typer.Option("--foresight/--no-foresight", help="Let weekly forecasts set reorder points, for as much stock."),
    ] = False,
) -> None:
    """Play an order history through a stack of its own: API, relay, workers, played suppliers over EDI.

    Run it twice, with --foresight and without, to see what foresight is worth: compare backordersOpened at
    averageStockUnits and averageStockValue of the two reports.

    Rejected rows go to <data>/rejects.csv with the reason. Ctrl-C stops; the same call with --resume goes on, nothing
    is lost and nothing is done twice. Exit codes: 0 sound, 1 something does not add up, 2 wrong usage, 130 stopped.
    """
    if not file.exists():
        raise typer.BadParameter(f"{file} does not exist.", param_hint="FILE")
    folder = (data or Path(".data/replay")).absolute()
    if not resume and (folder / "postgres-home").exists() | (folder / "replay.json").exists():
        raise typer.BadParameter(
            f"{folder} holds a replay already: go on with --resume, or name another folder with --data.",
            param_hint="--data",
        )
    console = Console(stderr=as_json)
    configure_logging(load_settings())
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        found = asyncio.run(_replay(file, start, weeks, folder, seed, resume, foresight, console))
    except BackorderManagerError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNSOUND) from None
    if found is None:
        typer.echo(f"Stopped. Go on with: python manage.py replay {file} --data {folder} --resume", err=True)
        raise typer.Exit(INTERRUPTED)
    if report is not None:
        report.write_text(json.dumps(found.as_json(), indent=2, default=str) + "\n")
    if as_json:
        print(json.dumps(found.as_json(), default=str))
    else:
        print_report(found, console)
    if not found.is_sound:
        raise typer.Exit(UNSOUND)


async def _replay(
    file: Path, start: datetime | None, weeks: int | None, folder: Path, seed: int, resume: bool, foresight: bool,
    console: Console,
) -> Report | None:  # fmt: skip
    """Run or go on; None when it was interrupted."""
    memo = folder / "replay.json"
    if resume and memo.exists():
        saved = json.loads(memo.read_text())
        start = datetime.fromisoformat(saved["from"]) if saved["from"] else None
        weeks, seed, foresight = saved["weeks"], saved["seed"], saved.get("foresight", False)
    console.print(f"Reading {file.name} ...")
    found = await asyncio.to_thread(survey, file, start.date() if start else None, weeks)
    memo.write_text(
        json.dumps({"from": start.isoformat() if start else None, "weeks": weeks, "seed": seed, "foresight": foresight})
    )
    console.print(
        f"{found.lines:,} lines, {found.invoices:,} invoices, {len(found.skus):,} products, "
        f"{found.first_day} to {found.last_day}; {len(found.rejects):,} rows rejected."
    )
    stack = Stack(
        folder,
        0,
        extra_env={"SIMULATED_CLOCK": "true"},
        seed=False,
        say=lambda line: console.print(f"[dim]{line}[/dim]"),
    )
    work = asyncio.create_task(_run(stack, file, found, folder, seed, foresight, console))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, work.cancel)
    try:
        return await work
    except asyncio.CancelledError:
        return None
    finally:
        await stack.stop()


async def _run(
    stack: Stack, file: Path, found: Survey, folder: Path, seed: int, foresight: bool, console: Console
) -> Report:
    # Batches make and drop a hundred thousand records, none of them in cycles: look for cycles more rarely.
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    await stack.start()
    settings = Settings(
        database_url=stack.dsn,
        redis_url=stack.redis_url,
        data_dir=stack.data_dir,
        simulated_clock=True,
        seal_key=stack.environment_of_children().get("SEAL_KEY", ""),  # type: ignore[arg-type]
        pool_size=8,
    )
    async with Database(settings) as database:
        opening = datetime.combine(found.first_day, time(0, 0), UTC)
        played = Replay(database, settings, file, found, seed, folder, foresight)
        await played.patiently(lambda: found_company(database, found, seed, opening, foresight))
        await played.patiently(lambda: database.system.execute("analyze"))
        await played.load_progress()
        with Progress(
            TextColumn("[progress.description]{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,}/{task.total:,} lines"),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not sys.stderr.isatty() and not console.is_terminal,
        ) as bar:
            task = bar.add_task("replay", total=found.lines, rate="")

            def on_lines(lines: int, day: str) -> None:
                note_pids(folder / "pids.json", stack.pids)
                rate = lines / max(played.elapsed, 0.001)
                bar.update(task, completed=lines, description=day, rate=f"{rate:,.0f}/s")

            played.on_lines = on_lines
            await played.play(lambda: peak_memory_mb(stack.pids))
        rejects = folder / "rejects.csv"
        rejected = played.write_rejects(rejects)
        return await make_report(
            database,
            settings,
            lines=found.lines,
            seconds=played.elapsed,
            peak_memory_mb=max(peak_memory_mb(stack.pids), played.progress.peak_memory_mb),
            rejected=rejected,
            rejects_file=str(rejects),
            phases=played.phases,
            foresight=foresight,
        )


def note_pids(path: Path, pids: dict[str, int]) -> None:
    """Keep the process ids of the stack where other programs can read them."""
    partial = path.with_suffix(".tmp")
    partial.write_text(json.dumps(pids))
    partial.replace(path)
