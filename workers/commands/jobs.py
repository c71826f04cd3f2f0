"""`manage.py jobs`: dead letters and live runs; bring one back, or cancel one."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from core.queries.job_runs import open_job_runs
from core.services.replay_job import cancel_job, replay_job
from core.unit_of_work import UnitOfWork
from workers.commands.connection import DataOption, operator_settings, run_on, said_plainly

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
RunId = Annotated[int, typer.Argument(min=1, max=2**63 - 1, metavar="ID", help="The run, as `jobs list` names it.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("list")
def list_jobs(
    data: DataOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest.")] = 200,
    as_json: Json = False,
) -> None:
    """Dead letters and the runs that wait, are queued or run, newest first."""

    async def look(uow: UnitOfWork) -> list[dict[str, Any]]:
        await uow.sql.execute("set transaction read only")
        return await open_job_runs(uow.sql, limit)

    with said_plainly():
        runs = run_on(operator_settings(data), look)
    if as_json:
        typer.echo(json.dumps({"jobs": [_facts(run) for run in runs]}))
        return
    for run in runs:
        attempts = f"attempt {run['attempt']} of {run['max_attempts']}"
        typer.echo(
            f"{run['id']:>8}  {run['state']:<8} {_age(run['age_seconds']):>7}  {run['function']} {run['key']}  {attempts}"
        )
        if run["error"]:
            typer.echo(f"{'':10}{' '.join(run['error'].split())}")
    if not runs:
        typer.echo("No dead letters, and nothing under way.")


@app.command()
def retry(run_id: RunId, data: DataOption = None, as_json: Json = False) -> None:
    """Let a run that ended without success wait again, with its input and fresh attempts."""

    async def revive(uow: UnitOfWork) -> str:
        await replay_job(uow, run_id)
        return "waiting"

    with said_plainly():
        state = run_on(operator_settings(data), revive)
    _say(run_id, state, as_json, f"Job run {run_id} waits again; a worker takes it within seconds.")


@app.command()
def cancel(run_id: RunId, data: DataOption = None, as_json: Json = False) -> None:
    """Cancel a run that has not begun; ask a running one to stop at its next chunk."""
    with said_plainly():
        state = run_on(operator_settings(data), lambda uow: cancel_job(uow, run_id))
    asked = state == "running"
    _say(run_id, state, as_json, f"Job run {run_id} {'was asked to stop' if asked else 'is cancelled'}.")


def _say(run_id: int, state: str, as_json: bool, sentence: str) -> None:
    typer.echo(json.dumps({"id": run_id, "state": state}) if as_json else sentence)


def _facts(run: dict[str, Any]) -> dict[str, Any]:
    def instant(value: datetime | None) -> str | None:
        return value.isoformat() if value else None

    return {
        "id": run["id"],
        "function": run["function"],
        "key": run["key"],
        "queue": run["queue"],
        "state": run["state"],
        "attempt": run["attempt"],
        "maxAttempts": run["max_attempts"],
        "cancelRequested": run["cancel_requested"],
        "error": run["error"],
        "createdAt": instant(run["created_at"]),
        "runAfter": instant(run["run_after"]),
        "ageSeconds": run["age_seconds"],
    }


def _age(seconds: float) -> str:
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
