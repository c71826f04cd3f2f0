"""`manage.py keys`: API keys of machines; make, replace, end and list them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from core.domain.access import Role
from core.services.manage_api_keys import KeyRequest, create_api_key, list_api_keys, revoke_api_keys, rotate_api_key
from workers.commands.connection import DataOption, operator_pepper, operator_settings, run_on, said_plainly
from workers.commands.local_keys import TOKEN_ROLES

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Name = Annotated[str, typer.Argument(help="Whose key it is; two keys of one name act as one caller.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def create(
    name: Name,
    role: Annotated[str, typer.Argument(help=f"One of {', '.join(TOKEN_ROLES)}.")],
    customer: Annotated[str | None, typer.Option(help="Code of the customer, for CUSTOMER.")] = None,
    supplier: Annotated[str | None, typer.Option(help="Code of the supplier, for SUPPLIER.")] = None,
    publishable: Annotated[
        bool, typer.Option(help="For browsers: a STOREFRONT key that only reads availability.")
    ] = False,
    days: Annotated[
        int | None, typer.Option(min=1, help="How long it is good for; without it, until it is ended.")
    ] = None,
    data: DataOption = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it, once: only its hash is kept."""
    try:
        chosen = Role(role.upper())
    except ValueError:
        typer.echo(f"There is no role {role!r}; the roles are {', '.join(TOKEN_ROLES)}.", err=True)
        raise typer.Exit(2) from None
    ends = None if days is None else datetime.now(UTC) + timedelta(days=days)
    wanted = KeyRequest(name, chosen, customer, supplier, publishable, ends)
    with said_plainly():
        settings, pepper = operator_settings(data), operator_pepper(data)
        _, made = run_on(settings, lambda uow: create_api_key(uow, wanted, pepper))
    typer.echo(json.dumps({"name": name, "key": made.key, "prefix": made.prefix}) if as_json else made.key)


@app.command()
def rotate(
    name: Name,
    hours: Annotated[int, typer.Option(min=0, help="How long the old key goes on beside the new one.")] = 24,
    data: DataOption = None,
    as_json: Json = False,
) -> None:
    """Make a second key with the same rights and print it, once; the old one ends after the overlap."""
    with said_plainly():
        settings, pepper = operator_settings(data), operator_pepper(data)
        _, made = run_on(settings, lambda uow: rotate_api_key(uow, name, timedelta(hours=hours), pepper))
    typer.echo(json.dumps({"name": name, "key": made.key, "prefix": made.prefix}) if as_json else made.key)


@app.command()
def revoke(
    name: Name,
    prefix: Annotated[str | None, typer.Option(help="Only the key that begins with bmk_PREFIX.")] = None,
    data: DataOption = None,
) -> None:
    """End the live keys of a name now; requests are refused and streams end within 5 s."""
    with said_plainly():
        count = len(run_on(operator_settings(data), lambda uow: revoke_api_keys(uow, name, prefix)))
    typer.echo(f"{count} {'key' if count == 1 else 'keys'} of {name} ended.")


@app.command("list")
def list_keys(data: DataOption = None, as_json: Json = False) -> None:
    """Keys with role, prefix, end and last use; nothing secret."""
    with said_plainly():
        keys = run_on(operator_settings(data), list_api_keys)
    if as_json:
        typer.echo(json.dumps({"keys": keys}, default=str))
        return
    for key in keys:
        state = "live" if key["is_live"] else "ended"
        whose = key["customer"] or key["supplier"] or ("publishable" if "publishable" in key["scope"] else "")
        used = key["last_used_at"].isoformat(timespec="minutes") if key["last_used_at"] else "never"
        ends = key["expires_at"].isoformat(timespec="minutes") if key["expires_at"] else "-"
        typer.echo(
            f"{key['name']:<24} {key['role']:<11} {whose:<14} bmk_{key['prefix']}  {state:<6} ends {ends}  used {used}"
        )
    if not keys:
        typer.echo("There are no API keys.")
