"""`manage.py edi guide`: partners and versions of their guides, from sample files to a version in force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from core.edi.learn_guide import learn
from core.errors import InvalidInput
from core.repositories.edi import partner_by_code
from core.repositories.edi_guides import Sample, put_sample, samples_of, versions_of
from core.services.change_guide import activate_guide, add_guide, try_guide
from core.services.onboard_partner import OnboardPartner, onboard_partner
from core.unit_of_work import UnitOfWork
from workers.commands.connection import DataOption, operator_settings, run_on, said_plainly
from workers.commands.edi_lines import printable, proposal_lines

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Partner = Annotated[str, typer.Argument(metavar="PARTNER", help="Code of the trading partner.")]
Readable = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, metavar="FILE")]


@app.command()
def onboard(
    partner: Partner,
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, metavar="FILE...")],
    supplier: Annotated[str | None, typer.Option(help="Code of the supplier whose partner this is.")] = None,
    warehouse: Annotated[str, typer.Option(help="Code of the location of ours that this partner runs.")] = "",
    data: DataOption = None,
) -> None:
    """Enter a partner from its sample files: addresses, a draft guide, and the files as its samples; then activate it."""
    contents = [(path.name, path.read_bytes()) for path in files]

    proposal = learn(contents)

    async def enter(uow: UnitOfWork) -> int:
        return await onboard_partner(uow, OnboardPartner(partner, contents, proposal, supplier, warehouse))

    async def first_partner(uow: UnitOfWork) -> str | None:
        return await uow.sql.fetchval(
            """select p.code from partner p join supplier s on s.id = p.supplier_id where s.code = $1 and p.is_active
            order by p.id limit 1""",
            supplier,
        )

    with said_plainly():
        settings = operator_settings(data)
        version = run_on(settings, enter)
        gets_orders = run_on(settings, first_partner) if supplier else None
        for folder in ("in", "out"):
            (settings.edi_dir / partner / folder).mkdir(parents=True, exist_ok=True)
    for line in proposal_lines(proposal):
        typer.echo(printable(line))
    typer.echo(printable(f"Its files go to {settings.edi_dir / partner / 'in'}."))
    if gets_orders not in (None, partner):
        typer.echo(printable(f"Orders of {supplier} still go to {gets_orders}, the first partner of that supplier."))
    typer.echo(f"Version {version} is a draft: `edi guide activate {partner} {version}` puts it in force.")


@app.command()
def add(partner: Partner, file: Readable, data: DataOption = None) -> None:
    """Store a guide (JSON, or what `edi learn --json` prints) as a new draft version."""

    def read() -> dict[str, Any]:
        try:
            found = json.loads(file.read_text("utf-8"))
        except ValueError as error:
            raise InvalidInput(f"{file.name} is not JSON: {error}.") from None
        return found["guide"] if isinstance(found, dict) and "guide" in found else found

    with said_plainly():
        guide = read()
        version = run_on(operator_settings(data), lambda uow: add_guide(uow, partner, guide))
    typer.echo(f"Version {version} of the guide of {partner} is a draft.")


@app.command()
def sample(
    partner: Partner,
    name: str,
    file: Readable,
    expected: Annotated[
        Path | None, typer.Option(exists=True, help="JSON: what the lines of its answers come to.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Keep a message that every version must read before it is activated."""

    async def put(uow: UnitOfWork) -> None:
        found = await partner_by_code(uow, partner)
        if found is None:
            raise InvalidInput(f"There is no partner {partner!r}.")
        wanted = json.loads(expected.read_text("utf-8")) if expected is not None else None
        await put_sample(uow, found.id, Sample(name, file.read_bytes(), wanted))
        uow.audit("ediSamplePut", f"partner:{found.id}", None, {"name": name})

    with said_plainly():
        run_on(operator_settings(data), put)
    typer.echo(f"Sample {name} of {partner} is kept.")


@app.command("list")
def list_versions(partner: Partner, data: DataOption = None) -> None:
    """Versions of a partner's guide, and its samples."""

    async def look(uow: UnitOfWork) -> list[str]:
        found = await partner_by_code(uow, partner)
        if found is None:
            raise InvalidInput(f"There is no partner {partner!r}.")
        lines = [f"version {v['version']}: {v['state']}" for v in await versions_of(uow, found.id)]
        return [*lines, *(f"sample {s.name}: {len(s.content)} bytes" for s in await samples_of(uow, found.id))]

    with said_plainly():
        for line in run_on(operator_settings(data), look) or ["No version; the defaults hold."]:
            typer.echo(printable(line))


@app.command("try")
def try_version(partner: Partner, version: int, data: DataOption = None) -> None:
    """Read all samples under a version. Exit code 1 when one does not fit."""
    with said_plainly():
        wrong = run_on(operator_settings(data), lambda uow: try_guide(uow, partner, version))
    for name, sentences in wrong.items():
        typer.echo(printable(f"{name}: {' '.join(sentences)}"))
    if wrong:
        raise typer.Exit(1)
    typer.echo(f"Every sample fits version {version}.")


@app.command()
def activate(partner: Partner, version: int, data: DataOption = None) -> None:
    """Put a version in force; every sample must fit it."""
    with said_plainly():
        run_on(operator_settings(data), lambda uow: activate_guide(uow, partner, version))
    typer.echo(f"Version {version} of the guide of {partner} is in force.")
