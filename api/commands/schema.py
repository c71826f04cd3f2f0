"""`manage.py schema export|diff`: the published schema as a file, and the refusal to break or leave it undocumented."""

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
    """Write the schema of the code to api/schema/schema.graphql; refuses breaking changes and missing descriptions."""
    sdl = current_sdl()
    _refuse_undocumented(sdl)
    if SDL_FILE.exists() and not force:
        found = breaking(SDL_FILE.read_text(encoding="utf-8"), sdl)
        for change in found:
            typer.echo(f"breaking: {change.description}", err=True)
        if found:
            typer.echo("Nothing written. Deprecate first, or export with --force.", err=True)
            raise typer.Exit(1)
    SDL_FILE.write_text(sdl, encoding="utf-8")
    typer.echo(f"{SDL_FILE}: {len(sdl.splitlines())} lines")


@app.command()
def diff(against: Path = typer.Option(SDL_FILE, help="The SDL file to compare the code with.")) -> None:
    """Compare the code with the checked-in schema: fails on any breaking change, difference or missing description."""
    old, new = against.read_text(encoding="utf-8"), current_sdl()
    _refuse_undocumented(new)
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
    typer.echo("The schema is as published.")
