"""`worker`: one arq worker class in the foreground, against the servers of the environment."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from workers.commands.stack import ROOT, WORKER_CLASSES


def worker(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(WORKER_CLASSES)}.")] = "fast",
) -> None:
    """Run one worker class; DATABASE_URL and REDIS_URL say where."""
    if name not in WORKER_CLASSES:
        typer.echo(f"There is no worker class {name!r}; they are {', '.join(WORKER_CLASSES)}.", err=True)
        raise typer.Exit(2)
    become("workers.settings", name)


def become(module: str, *arguments: str) -> None:
    """Replace this process, so that signals and the exit code are those of the program itself."""
    os.environ["PYTHONPATH"] = str(ROOT)
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606
