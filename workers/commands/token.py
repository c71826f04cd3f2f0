"""`token`: a ready-made bearer token for the stack of a data folder."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from core.domain.access import Role
from core.settings import load_settings
from workers.commands.connection import DataOption, default_data_dir, running_stack, said_plainly
from workers.commands.local_keys import TOKEN_ROLES, local_keys, utc_now
from workers.commands.up import Environments


def token(
    role: Annotated[str, typer.Argument(help=f"One of {', '.join(TOKEN_ROLES)}.")],
    customer: Annotated[str | None, typer.Option(help="Code of the customer, for CUSTOMER.")] = None,
    supplier: Annotated[str | None, typer.Option(help="Code of the supplier, for SUPPLIER.")] = None,
    person: Annotated[
        str | None, typer.Option(help="Who it is for, as approvals and the audit name them (behind a CODE, if any).")
    ] = None,
    hours: Annotated[int, typer.Option(min=1, help="How long it is good for.")] = 24,
    data: DataOption = None,
    env: Annotated[
        Environments | None, typer.Option(help="Whose key signs it; that of the stack that runs, else development.")
    ] = None,
) -> None:
    """Print a token signed with the local key of a data folder."""
    try:
        chosen = Role(role.upper())
    except ValueError:
        chosen = Role.SYSTEM
    if chosen not in TOKEN_ROLES:
        typer.echo(f"There is no role {role!r}; the roles are {', '.join(TOKEN_ROLES)}.", err=True)
        raise typer.Exit(2)
    for bound, code, option in ((Role.CUSTOMER, customer, "--customer"), (Role.SUPPLIER, supplier, "--supplier")):
        if (chosen is bound) != (code is not None):
            typer.echo(f"{option} CODE goes with the role {bound} and only with it.", err=True)
            raise typer.Exit(2)
    if person is not None and not (person.strip() and person.isprintable() and len(person) <= 100):
        typer.echo("--person is a name of at most 100 characters.", err=True)
        raise typer.Exit(2)
    folder = (data or default_data_dir()).absolute()
    if not folder.is_dir():
        typer.echo(f"There is no data folder {folder} yet; `up` makes it.", err=True)
        raise typer.Exit(2)
    settings = load_settings()
    owner = customer or supplier  # stays in the name of its person: two firms may have an Ann
    with said_plainly():
        keys = local_keys(folder, env.value if env else running_stack(folder).get("environment", "development"))
    typer.echo(
        keys.token(
            chosen,
            subject=person if person and not owner else ":".join(filter(None, (chosen.value.lower(), owner, person))),
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            now=utc_now(),
            lifetime=timedelta(hours=hours),
            customer=customer,
            supplier=supplier,
        )
    )
