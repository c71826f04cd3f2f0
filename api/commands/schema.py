"""`manage.py schema`: the schema, the access matrix and the error catalogue as files, and what may not be published."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import typer
from graphql import (
    BreakingChange,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
    parse,
    validate,
)

SDL_FILE = Path(__file__).resolve().parents[1] / "schema" / "schema.graphql"
RELEASED_FILE = SDL_FILE.with_name("released.graphql")
"""The SDL that clients may rely on: that of the last `schema release`."""
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


def vague_deprecations(schema: GraphQLSchema) -> list[str]:
    """Coordinates of what is deprecated without its replacement (in backticks) or the day from which it may go."""
    vague: list[str] = []
    for name, type_ in schema.type_map.items():
        members: dict[str, str | None] = {}
        if isinstance(type_, GraphQLEnumType):
            members = {value: item.deprecation_reason for value, item in type_.values.items()}
        elif isinstance(type_, GraphQLInputObjectType | GraphQLObjectType | GraphQLInterfaceType):
            members = {field: item.deprecation_reason for field, item in type_.fields.items()}
            for field, item in getattr(type_, "fields", {}).items():
                for argument, given in getattr(item, "args", {}).items():
                    members[f"{field}({argument}:)"] = given.deprecation_reason
        for member, reason in members.items():
            if reason is not None and not (re.search(r"`\w+", reason) and re.search(r"\d{4}-\d\d-\d\d", reason)):
                vague.append(f"{name}.{member}")
    return sorted(vague)


def _refuse_breaking(old: Path, sdl: str, way_out: str) -> None:
    """Print what clients of an SDL file would not survive, and end with 1 if there is any of it."""
    if not old.exists():
        return
    found = breaking(old.read_text(encoding="utf-8"), sdl)
    for change in found:
        typer.echo(f"breaking {old.name}: {change.description}", err=True)
    if found:
        typer.echo(way_out, err=True)
        raise typer.Exit(1)


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
    vague = vague_deprecations(build_schema(sdl))
    for coordinate in vague:
        typer.echo(f"deprecated without `replacement` and day: {coordinate}", err=True)
    if missing or vague:
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
    _refuse_breaking(RELEASED_FILE, sdl, "Nothing written: a released client would break. Deprecate first.")
    if not force:
        _refuse_breaking(SDL_FILE, sdl, "Nothing written. What was never released may go with --force.")
    SDL_FILE.write_text(sdl, encoding="utf-8")
    for file, text in pages().items():
        file.write_text(text, encoding="utf-8")
    typer.echo(f"{SDL_FILE}: {len(sdl.splitlines())} lines")


@app.command()
def diff(against: Path = typer.Option(SDL_FILE, help="The SDL file to compare the code with.")) -> None:
    """Compare the code with what is checked in: fails on any breaking change, difference, gap or open decision.

    Against another file only breaking changes count; what was released is compared always.
    """
    old, new = against.read_text(encoding="utf-8"), current_sdl()
    _refuse_undocumented(new)
    _refuse_undecided()
    _refuse_breaking(RELEASED_FILE, new, "A released client would break: deprecate first.")
    _refuse_breaking(against, new, "Deprecate first.")
    for change in find_dangerous_changes(build_schema(old), build_schema(new)):
        typer.echo(f"dangerous: {change.description}", err=True)
    if against != SDL_FILE:
        typer.echo(f"No client of {against} would break.")
        return
    if old != new:
        typer.echo(f"{against} is not what the code says: run manage.py schema export", err=True)
        raise typer.Exit(1)
    for file, text in pages().items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            typer.echo(f"{file} is not what the code says: run manage.py schema export", err=True)
            raise typer.Exit(1)
    typer.echo("The schema is as published.")


@app.command()
def release(
    major: bool = typer.Option(False, "--major", help="A new major version, whose clients have to change."),
) -> None:
    """Keep the checked-in schema as that of a release: from then on nothing that would break its clients is published.

    With --major the code may break clients of the release before: it is exported, and kept as it is.
    """
    if major:
        _refuse_undocumented(current_sdl())
        _refuse_undecided()
        RELEASED_FILE.unlink(missing_ok=True)
        export(force=True)
    else:
        diff(SDL_FILE)
    RELEASED_FILE.write_text(SDL_FILE.read_text(encoding="utf-8"), encoding="utf-8")
    typer.echo(f"{RELEASED_FILE}: kept")


@app.command()
def documents(
    folder: Path = typer.Argument(help="Folder with the documents of a client, as .graphql files."),
    out: Path = typer.Option(Path("documents.json"), help="The manifest that TRUSTED_DOCUMENTS is to name."),
) -> None:
    """Write a manifest of trusted documents, by the SHA-256 of each; refuses what the schema would not execute."""
    schema = build_schema(current_sdl())
    found: dict[str, str] = {}
    for file in sorted(folder.rglob("*.graphql")):
        text = file.read_text(encoding="utf-8")
        try:
            errors = [error.message for error in validate(schema, parse(text))]
        except GraphQLError as error:
            errors = [error.message]
        for message in errors:
            typer.echo(f"{file}: {message}", err=True)
        if errors:
            raise typer.Exit(1)
        found[hashlib.sha256(text.encode()).hexdigest()] = text
    out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    typer.echo(f"{out}: {len(found)} documents")
