"""`manage.py edi`: what people do about documents that were set aside or not taken, and about changes suppliers ask for."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from core.domain.edi_states import QuarantineState
from core.errors import NotFound
from core.queries.page import Page
from core.queries.supplier_changes import supplier_changes_page
from core.services.decide_supplier_change import DecideSupplierChange, decide_supplier_change
from core.services.erase_edi_files import erase_edi_file
from core.services.preview_edi_document import Preview, preview_edi_document
from core.services.resend_edi_document import resend_edi_file
from core.services.send_purchase_order import send_order_anew
from core.services.send_warehouse_release import send_release_anew
from core.services.settle_quarantine import SettleQuarantine, settle_quarantine
from core.unit_of_work import UnitOfWork
from workers.commands.connection import OPERATOR, DataOption, operator_settings, run_on, said_plainly
from workers.commands.edi_lines import printable

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
DocumentId = Annotated[
    int, typer.Argument(min=1, max=2**63 - 1, metavar="ID", help="The document, as `edi list` names it.")
]
GuideVersion = Annotated[int | None, typer.Option(min=1, help="Read it under this version of the guide.")]


def preview(
    document_id: DocumentId, guide_version: GuideVersion = None, data: DataOption = None, as_json: Json = False
) -> None:
    """Try a document from quarantine without applying it: which lines and which orders of customers it would hit."""
    with said_plainly():
        found = run_on(operator_settings(data), lambda uow: preview_edi_document(uow, document_id, guide_version))
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    for line in _preview_lines(found):
        typer.echo(printable(line))


def assign(document_id: DocumentId, person: str, data: DataOption = None) -> None:
    """Say who looks after a document in quarantine."""
    _settle(SettleQuarantine(document_id, QuarantineState.ASSIGNED, person=person), data)


def fix(document_id: DocumentId, note: str, data: DataOption = None) -> None:
    """Say that the cause of a document's quarantine is mended; then replay it."""
    _settle(SettleQuarantine(document_id, QuarantineState.FIXED, note=note), data)


def ignore(document_id: DocumentId, note: str, data: DataOption = None) -> None:
    """Drop a document from quarantine for good, and say why."""
    _settle(SettleQuarantine(document_id, QuarantineState.IGNORED, note=note), data)


def erase(
    document_id: DocumentId,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit.")],
    data: DataOption = None,
) -> None:
    """Erase the file of a document for good, with its copies in the archive and what its documents quote.

    Hash, documents, effects, our answers and the audit stay. All of its documents must be settled.
    """
    with said_plainly():
        raw_id = run_on(operator_settings(data), lambda uow: erase_edi_file(uow, document_id, reason))
    typer.echo(f"File {raw_id} is erased.")


def resend(file_name: str, data: DataOption = None) -> None:
    """Send a document of ours again as it is: the same control numbers and bytes."""
    with said_plainly():
        name = run_on(operator_settings(data), lambda uow: resend_edi_file(uow, file_name))
        typer.echo(f"{name} is in line to be written again.")


def send_anew(number: str, data: DataOption = None) -> None:
    """Send a purchase order, or a shipment's release, whose last document was refused, under new control numbers."""

    async def send(uow: UnitOfWork) -> None:
        try:
            await send_order_anew(uow, number)
        except NotFound:
            await send_release_anew(uow, number)

    with said_plainly():
        run_on(operator_settings(data), send)
        typer.echo(f"{number} is in line to be sent under new control numbers.")


def changes(
    all_of_them: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
    data: DataOption = None,
    as_json: Json = False,
) -> None:
    """Changes that suppliers ask for, newest first."""

    async def look(uow: UnitOfWork) -> list[dict[str, Any]]:
        await uow.sql.execute("set transaction read only")
        given = {} if all_of_them else {"state": ["PROPOSED"]}
        rows, _ = await supplier_changes_page(uow.sql, OPERATOR, given, Page(100))
        keep = ("id", "number", "source", "state", "lines", "note", "reason", "decided_by")
        return [{name: row[name] for name in keep} for row in rows]

    with said_plainly():
        found = run_on(operator_settings(data), look)
    if as_json:
        typer.echo(json.dumps({"changes": found}))
        return
    for change in found:
        parts = "; ".join(_line_text(line) for line in change["lines"])
        typer.echo(printable(f"{change['id']} {change['number']} {change['state']}: {parts}"))
    if not found:
        typer.echo("No changes.")


def decide(
    change_id: Annotated[int, typer.Argument(min=1, metavar="ID", help="The change, as `edi changes` names it.")],
    accept: Annotated[bool, typer.Option("--accept/--reject", help="What is decided.")],
    reason: Annotated[str | None, typer.Option(help="Kept with the decision.")] = None,
    data: DataOption = None,
) -> None:
    """Accept or reject a change that a supplier asks for."""
    wanted = DecideSupplierChange(change_id, accept, reason)
    with said_plainly():
        done = run_on(operator_settings(data), lambda uow: decide_supplier_change(uow, wanted))
    typer.echo(f"Change {change_id} is {done.state}.")


def _settle(wanted: SettleQuarantine, data: Any) -> None:
    with said_plainly():
        run_on(operator_settings(data), lambda uow: settle_quarantine(uow, wanted))
    typer.echo(f"Document {wanted.document_id} is {wanted.state}.")


def _preview_lines(found: Preview) -> list[str]:
    lines = [f"It would be {found.outcome}" + (f": {found.reason}" if found.reason else ".")]
    for change in found.purchase_lines:
        row = change["after"] or change["before"]
        lines.append(f"  {row['purchase_order']} line {row['line_number']} {row['sku']}: {_difference(change)}")
    for change in found.order_lines:
        row = change["after"] or change["before"]
        lines.append(
            f"  order {row['order_number']} line {row['line_number']} of {row['customer']}: {_difference(change)}"
        )
    return lines


def _difference(change: dict[str, Any]) -> str:
    before, after = change["before"] or {}, change["after"] or {}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return ", ".join(f"{name} {before.get(name)} -> {after.get(name)}" for name in names)


def _line_text(line: dict[str, Any]) -> str:
    told = [f"{part['quantity']} on {part['date'] or 'a day not said'}" for part in line["accepted"]]
    told += [f"{part['quantity']} backordered until {part['date'] or 'later'}" for part in line["backordered"]]
    told += [f"{line[name]} {name}" for name in ("rejected", "held", "added") if line.get(name)]
    told += [f"price {line['price']}"] if line.get("price") is not None else []
    return f"line {line['lineNumber']}: {', '.join(told)}"
