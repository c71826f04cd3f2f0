"""The command line: `python manage.py COMMAND`; each command is one file and is imported only when it is called."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
COMMANDS = {
    "up": ("workers.commands.up", "Start the whole system on this machine, until Ctrl-C."),
    "demo": ("workers.commands.demo", "Run the main story from order to kept promise and check every step."),
    "replay": ("workers.commands.replay", "Run a real order history through a full stack and report on it."),
    "migrate": ("workers.commands.migrate", "Bring the database to the newest revision."),
    "seed": ("workers.commands.seed", "Fill an empty database with a small company."),
    "worker": ("workers.commands.worker", "Run one worker class: fast, bulk or learning."),
    "relay": ("workers.commands.relay", "Run the outbox relay."),
    "token": ("workers.commands.token", "Print a bearer token for a role."),
    "keys": ("workers.commands.keys", "Make, replace, end and list API keys of machines."),
    "edi": ("workers.commands.edi", "Check EDI files; list, show, replay or submit documents."),
    "jobs": ("workers.commands.jobs", "List dead letters and live runs; retry or cancel one."),
    "bench": ("workers.commands.bench", "Measure our figures beside their yardsticks."),
    "audit": ("workers.commands.audit", "Verify ledgers, seals and counters."),
    "master": ("workers.commands.master", "Check that locations, channels, customers and SKUs fit together."),
    "risk": ("workers.commands.risk", "Measure the backorder risk on files: ranking, probabilities, reasons."),
    "dates": ("workers.commands.dates", "Measure expected dates on a delivery history: coverage and distance."),
    "demand": ("workers.commands.demand", "Measure demand forecasts on histories: error, bias, coverage, time."),
    "replenish": (
        "workers.commands.replenish",
        "Play demand histories against stock policies: stock, fill rate, cost.",
    ),
    "schema": ("api.commands.schema", "Export the GraphQL schema, or compare it with the checked-in one."),
    "doctor": ("workers.commands.doctor", "Check what works on this machine."),
}
INTRODUCTION = """Backorder Manager: promises delivery dates for orders, and keeps them.

First steps: `up` starts everything with private servers and prints tokens and queries; `demo` shows the main story;
`COMMAND --help` explains one command. `make help` lists what else there is.
"""


def _find_packages() -> None:
    """Run with the project's own environment, whichever Python was called."""
    if sys.version_info < (3, 11):  # noqa: UP036  said by us, before an import says it worse
        sys.exit(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}.")
    sys.path[:0] = [] if str(ROOT) in sys.path else [str(ROOT)]
    if all(importlib.util.find_spec(package) for package in ("typer", "asyncpg")):
        return
    python = ROOT / ".venv" / "bin" / "python"
    if python.exists() and Path(sys.prefix) != ROOT / ".venv":
        os.execv(python, [str(python), *sys.argv])  # noqa: S606
    sys.exit("The packages are not installed yet. Run `make install` in the project folder, then try again.")


def main() -> None:
    """Wire the one command that was asked for, and only the names of the others."""
    _find_packages()
    import typer

    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    cli = typer.Typer(help=INTRODUCTION, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    for name, (module, purpose) in COMMANDS.items():
        if name != asked:
            cli.command(name, help=purpose)(lambda: None)
            continue
        try:
            implementation = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            sys.exit(f"The command {name} is not part of this version.")
        group = getattr(implementation, "app", None)
        if group is not None:
            cli.add_typer(group, name=name, help=purpose)
        else:
            cli.command(name)(getattr(implementation, name))
    cli(prog_name="python manage.py")


if __name__ == "__main__":
    main()
