"""`manage.py edi`: check files and learn from them without a system; list, show, replay and submit documents of a running one."""

from __future__ import annotations

import hashlib
import json
import sys
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from core.domain.edi_states import EdiDelivery
from core.edi.judge_file import judge_file, refuse_size
from core.edi.learn_guide import learn as propose_guide
from core.errors import NotFound
from core.queries.edi_documents import document_in_full, edi_documents_page
from core.queries.page import Page
from core.services.receive_edi_file import store_edi_file
from core.services.replay_edi_document import replay_edi_document
from core.unit_of_work import UnitOfWork
from workers.commands import edi_desk, edi_guides
from workers.commands.connection import OPERATOR, DataOption, operator_settings, run_on, said_plainly
from workers.commands.edi_desk import DocumentId, Json
from workers.commands.edi_lines import (
    document_facts,
    document_lines,
    file_lines,
    full_facts,
    full_lines,
    printable,
    proposal_lines,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(edi_guides.app, name="guide", help="Versions of partners' guides, from samples to a version in force.")
for verb in (edi_desk.preview, edi_desk.assign, edi_desk.fix, edi_desk.ignore, edi_desk.erase, edi_desk.resend):
    app.command()(verb)
for verb in (edi_desk.send_anew, edi_desk.changes, edi_desk.decide):
    app.command()(verb)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files to read.")],
    as_json: Json = False,
) -> None:
    """Read files without a database, and say of every interchange, group and set whether it would be accepted.

    A partner's own guide is not asked. Exit code 1 when something is rejected, 2 when a file cannot be opened: it is
    named on the error output, and the others are judged.
    """
    judged = []
    is_missing = False
    for path in files:
        try:
            found = refuse_size(path.stat().st_size) or judge_file(path.read_bytes())
        except OSError as error:
            typer.echo(f"{printable(str(path))} cannot be read: {error.strerror}.", err=True)
            is_missing = True
            continue
        judged.append({"path": str(path), **found})
    if as_json:
        typer.echo(json.dumps({"files": judged}))
    else:
        _print([line for file in judged for line in file_lines(file)])
    if is_missing or any(file["verdict"] == "rejected" for file in judged):
        raise typer.Exit(2 if is_missing else 1)


@app.command()
def learn(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, metavar="FILE...", help="Sample files.")
    ],
    as_json: Json = False,
) -> None:
    """Propose a partner's profile from sample files: addresses, guide, the evidence for it, and what is not decided.

    Put orders of ours, answers to them and ship notices of one partner together, about five of each: how lines and orders
    are named, what a partial backorder and a cut quantity mean, and what a pack holds shows only beside each other.
    Nothing is guessed: codes without a meaning in the standard, and settings that the files leave open, are listed under
    `left to you` with the reason, and keep their defaults. `edi guide onboard` stores the profile as a draft.

    Reads files without a database. Exit code 1 when no document of a partner is among them.
    """
    samples: list[tuple[str, bytes]] = []
    unread: list[str] = []
    for path in files:
        try:
            refused = refuse_size(path.stat().st_size)
            if refused is None:
                samples.append((str(path), path.read_bytes()))
            else:
                unread.append(f"{path}: {refused['faults'][0]['message']}")
        except OSError as error:
            typer.echo(f"{printable(str(path))} cannot be read: {error.strerror}.", err=True)
            raise typer.Exit(2) from None
    proposal = propose_guide(samples)
    proposal["seen"]["unread"] += unread
    if as_json:
        typer.echo(json.dumps(proposal))
    else:
        _print(list(proposal_lines(proposal)))
    if proposal["partner"] is None:
        raise typer.Exit(1)


@app.command("list")
def list_documents(
    quarantined: Annotated[bool, typer.Option("--quarantined", help="Only those that were set aside.")] = False,
    partner: Annotated[str | None, typer.Option(help="Only those of this partner.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest.")] = 50,
    data: DataOption = None,
    as_json: Json = False,
) -> None:
    """Documents that were received, newest first."""
    wanted = {"partner": partner, "delivery": [str(EdiDelivery.QUARANTINED)] if quarantined else None}

    async def look(uow: UnitOfWork) -> list[dict[str, Any]]:
        await uow.sql.execute("set transaction read only")
        rows, _ = await edi_documents_page(uow.sql, OPERATOR, wanted, Page(limit))
        return [document_facts(dict(row)) for row in rows]

    with said_plainly():
        documents = run_on(operator_settings(data), look)
    if as_json:
        typer.echo(json.dumps({"documents": documents}))
        return
    _print([line for document in documents for line in document_lines(document)] or ["No documents."])


@app.command()
def show(document_id: DocumentId, data: DataOption = None, as_json: Json = False) -> None:
    """One document: where it came from, what is wrong with it, and what it did."""

    async def look(uow: UnitOfWork) -> dict[str, Any]:
        await uow.sql.execute("set transaction read only")
        row = await document_in_full(uow.sql, OPERATOR, document_id)
        if row is None:
            raise NotFound("document", str(document_id))
        return full_facts(dict(row))

    with said_plainly():
        document = run_on(operator_settings(data), look)
    if as_json:
        typer.echo(json.dumps(document))
    else:
        _print(list(full_lines(document)))


@app.command()
def replay(
    document_id: DocumentId,
    guide_version: edi_desk.GuideVersion = None,
    data: DataOption = None,
    as_json: Json = False,
) -> None:
    """Let a document from quarantine be applied again, after its cause was mended; `edi preview` tells what it would do."""
    with said_plainly():
        raw_id = run_on(operator_settings(data), lambda uow: replay_edi_document(uow, document_id, guide_version))
    if as_json:
        typer.echo(json.dumps({"id": document_id, "rawId": raw_id}))
    else:
        typer.echo(f"Document {document_id} is in line again; its file {raw_id} is read anew within seconds.")


@app.command()
def submit(
    partner: Annotated[str, typer.Argument(metavar="PARTNER", help="Code of the trading partner it comes from.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, metavar="FILE")],
    data: DataOption = None,
    as_json: Json = False,
) -> None:
    """Hand a partner's file to the system, as if it had come over the wire; the same bytes have no second effect."""
    with said_plainly():
        settings = operator_settings(data)
        try:
            size = file.stat().st_size
            content = file.read_bytes() if size <= settings.edi_max_bytes else None
        except OSError as error:
            typer.echo(f"{printable(str(file))} cannot be read: {error.strerror}.", err=True)
            raise typer.Exit(2) from None
        if content is None:
            typer.echo(f"The file has {size} bytes; EDI_MAX_BYTES allows {settings.edi_max_bytes}.", err=True)
            raise typer.Exit(1)
        delivery = f"command:{uuid.uuid4()}"
        raw_id = run_on(settings, lambda uow: store_edi_file(uow, partner, "command", delivery, content))
    if as_json:
        digest = hashlib.sha256(content).hexdigest()
        typer.echo(json.dumps({"rawId": raw_id, "partner": partner, "bytes": len(content), "sha256": digest}))
    else:
        typer.echo(f"Stored as file {raw_id}; `edi list` shows its documents within seconds.")


def _print(lines: list[str]) -> None:
    """Whatever a file or its name holds, a terminal that cannot show it gets it escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    text = "\n".join(printable(line) for line in lines)
    typer.echo(text.encode(encoding, "backslashreplace").decode(encoding))
