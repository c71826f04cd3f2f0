"""`demo`: the main story from order to kept promise, played through the real API and real EDI files, every step checked."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from core.embedded import discard_private_data
from core.errors import BackorderManagerError
from workers.commands.demo_story import figures
from workers.commands.demo_story.answering import carrier_is_late, supplier_answers, supplier_ships
from workers.commands.demo_story.asking import ask_availability
from workers.commands.demo_story.chronicle import Chronicle, StepFailed
from workers.commands.demo_story.closing import compare_portal, recount
from workers.commands.demo_story.counting import count_finds_less
from workers.commands.demo_story.days import seconds_until_quiet
from workers.commands.demo_story.ordering import buy, follow, run_short, take_from_stock
from workers.commands.demo_story.receiving import (
    first_receipt,
    latecomer_orders,
    second_receipt,
    ship_and_deliver,
    transfer_arrives,
)
from workers.commands.demo_story.story import open_story
from workers.commands.stack import Stack

ACTS = (
    ("A shop asks", (ask_availability,)),
    ("Orders arrive, the third is short", (take_from_stock, run_short, buy, follow, transfer_arrives)),
    ("The supplier and the carrier speak", (supplier_answers, supplier_ships, carrier_is_late)),
    ("The goods arrive", (latecomer_orders, first_receipt, second_receipt, ship_and_deliver)),
    ("A count finds less", (count_finds_less,)),
    ("What the record says", (compare_portal, recount)),
)


def demo(
    data: Annotated[Path | None, typer.Option(help="New or empty data folder; a temporary one when not given.")] = None,
    keep: Annotated[bool, typer.Option(help="Keep the data folder, for `up --data`; a failure keeps it too.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object at the end instead of the timeline.")
    ] = False,
) -> None:
    """Play the main story on a system of its own and check every step; exit 1 at the first that is not what it should be."""
    unfit = figures.check()
    if unfit:
        typer.echo("The seeded company does not fit the story: " + "; ".join(unfit), err=True)
        raise typer.Exit(1)
    if data is not None and data.exists() and any(data.iterdir()):
        typer.echo(f"The demo needs an empty data folder, and {data} is not.", err=True)
        raise typer.Exit(2)
    folder = data or Path(tempfile.mkdtemp(prefix="backorder-demo-"))
    chronicle = Chronicle(quiet=as_json)
    failure = _try(folder, chronicle)
    if failure is not None:
        typer.echo(f"\nData and logs are kept in {folder} (log/ has one file per process).", err=True)
    elif not keep:
        discard_private_data(folder)
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        sys.stdout.write(json.dumps(_report(chronicle, failure), ensure_ascii=False) + "\n")
    if failure is not None:
        raise typer.Exit(1)
    chronicle.heading(
        f"The promise was kept: {len(chronicle.steps)} steps, {chronicle.checks} checks,"
        f" {chronicle.story_seconds:.0f} s after set-up."
    )


def _try(folder: Path, chronicle: Chronicle) -> dict[str, Any] | None:
    """Play the story; returns what went wrong, and where, after saying it."""
    try:
        asyncio.run(_play(folder, chronicle))
    except StepFailed as error:
        typer.echo(f"\nFAILED  {error}", err=True)
        return {"step": error.step, "what": error.what, "expected": error.expected, "came": error.came}
    except KeyboardInterrupt:
        typer.echo("\nStopped.", err=True)
        return {"step": chronicle.steps[-1].title if chronicle.steps else "Set-up", "what": "stopped by the user"}
    except Exception as error:  # whatever it is, the reader must learn at which step
        step = chronicle.steps[-1].title if chronicle.steps else "Set-up"
        what = str(error) if isinstance(error, BackorderManagerError) else f"{type(error).__name__}: {error}"
        typer.echo(f"\nFAILED  {step}: {what}", err=True)
        return {"step": step, "what": what}
    return None


def _report(chronicle: Chronicle, failure: dict[str, Any] | None) -> dict[str, Any]:
    steps = [{"title": s.title, "atSeconds": s.seconds, "checks": s.checks, "facts": s.facts} for s in chronicle.steps]
    return {
        "ok": failure is None,
        "seconds": round(chronicle.seconds, 2),
        "storySeconds": round(chronicle.story_seconds, 2),
        "checks": chronicle.checks,
        "steps": steps,
        "failure": failure,
    }


async def _play(folder: Path, chronicle: Chronicle) -> None:
    wait = seconds_until_quiet(datetime.now(UTC))
    if wait:
        typer.echo(f"A day ends or a cut-off passes in a moment; the story begins in {wait:.0f} s.", err=True)
        await asyncio.sleep(wait)
    chronicle.heading("Set-up")
    chronicle.step("Start PostgreSQL, Valkey, API, relay and workers; migrate; seed")
    async with Stack(folder, 0, say=lambda line: chronicle.tell(line)) as stack:
        chronicle.tell(f"ready at {stack.url}, data in {folder}")
        async with open_story(stack, chronicle) as story:
            for title, steps in ACTS:
                chronicle.heading(title)
                for step in steps:
                    await step(story)
        chronicle.step("Stop everything")
