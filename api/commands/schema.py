"""`manage.py schema export|diff`: the schema, the access matrix and the error catalogue as files, and what may not be published."""

from __future__ import annotations

from pathlib import Path

import typer
from graphql import (
    BreakingChange,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
)

SDL_FILE = Path(__file__).resolve().parents[1] / "schema" / "schema.graphql"
SPECIFIED = ("__", "String", "Int", "Float", "Boolean", "ID")

app = typer.Typer(help="The published GraphQL schema.", no_args_is_help=True)


def current_sdl() -> str:
    """The SDL of the running code."""
    from api.operations import schema

    return schema.as_str().rstrip() + "\n"


def undocumented(schema: GraphQLSchema) -> list[str]:
    """Coordinates of every type, field, argument and enum value without a description."""
    missing: list[str] = []
    for name, type_ in schema.type_map.items():
        if name.startswith(SPECIFIED[0]) or name in SPECIFIED:
            continue
        if not type_.description:
            missing.append(name)
        if isinstance(type_, GraphQLEnumType):
            missing += [f"{name}.{value}" for value, item in type_.values.items() if not item.description]
        elif isinstance(type_, GraphQLInputObjectType):
            missing += [f"{name}.{field}" for field, item in type_.fields.items() if not item.description]
        elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field, item in type_.fields.items():
                if not item.description:
                    missing.append(f"{name}.{field}")
                missing += [f"{name}.{field}({arg}:)" for arg, given in item.args.items() if not given.description]
    return sorted(missing)


def breaking(old_sdl: str, new_sdl: str) -> list[BreakingChange]:
    """Changes that a client of the old schema would not survive."""
    return find_breaking_changes(build_schema(old_sdl), build_schema(new_sdl))


def pages() -> dict[Path, str]:
    """What is published beside the SDL, written from the code: the access matrix and the catalogue of errors."""
    from api.commands import access_matrix, error_catalogue

    return {
        access_matrix.FILE: access_matrix.access_matrix(),
        error_catalogue.FILE: error_catalogue.error_catalogue(),
    }


def _refuse_undecided() -> None:
    from api.commands.access_matrix import undecided

    for name in (found := undecided()):
        typer.echo(
            f"undecided: {name}: give it roles in api/operations.py, or a rule in api/permissions/owners.py", err=True
        )
    if found:
        raise typer.Exit(1)


def _refuse_undocumented(sdl: str) -> None:
    missing = undocumented(build_schema(sdl))
    for coordinate in missing:
        typer.echo(f"undocumented: {coordinate}", err=True)
    if missing:
        raise typer.Exit(1)


@app.command()
def export(
    force: bool = typer.Option(
        False, "--force", help="Write the file even when clients of the old schema would break."
    ),
) -> None:
    """Write the schema of the code to api/schema/schema.graphql, and docs/access.md and docs/errors.md with it.

    Refuses breaking changes, missing descriptions, and fields or types that nobody has decided who may get.
    """
    sdl = current_sdl()
    _refuse_undocumented(sdl)
    _refuse_undecided()
    if SDL_FILE.exists() and not force:
        found = breaking(SDL_FILE.read_text(encoding="utf-8"), sdl)
        for change in found:
            typer.echo(f"breaking: {change.description}", err=True)
        if found:
            typer.echo("Nothing written. Deprecate first, or export with --force.", err=True)
            raise typer.Exit(1)
    SDL_FILE.write_text(sdl, encoding="utf-8")
    for file, text in pages().items():
        file.write_text(text, encoding="utf-8")
    typer.echo(f"{SDL_FILE}: {len(sdl.splitlines())} lines")


@app.command()
def diff(against: Path = typer.Option(SDL_FILE, help="The SDL file to compare the code with.")) -> None:
    """Compare the code with what is checked in: fails on any breaking change, difference, gap or open decision."""
    old, new = against.read_text(encoding="utf-8"), current_sdl()
    _refuse_undocumented(new)
    _refuse_undecided()
    found = breaking(old, new)
    for change in found:
        typer.echo(f"breaking: {change.description}", err=True)
    for change in find_dangerous_changes(build_schema(old), build_schema(new)):
        typer.echo(f"dangerous: {change.description}", err=True)
    if found:
        raise typer.Exit(1)
    if old != new:
        typer.echo(f"{against} is not what the code says: run manage.py schema export", err=True)
        raise typer.Exit(1)
    for file, text in pages().items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            typer.echo(f"{file} is not what the code says: run manage.py schema export", err=True)
            raise typer.Exit(1)
    typer.echo("The schema is as published.")
