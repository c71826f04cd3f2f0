"""EDI documents and judged files as facts for programs and as lines for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.domain.edi_states import EdiDelivery, reason_of

_TA1 = {"A": "accepted", "E": "accepted with errors", "R": "rejected"}


def printable(text: str) -> str:
    """The text with control characters escaped: a file must not steer the terminal."""
    return "".join(
        mark if mark.isprintable() or mark == " " else mark.encode("unicode_escape").decode() for mark in text
    )


def file_lines(file: Mapping[str, Any]) -> Iterator[str]:
    """A judged file: one line per interchange, group, set and fault."""
    yield f"{file['path']}: {file['verdict']}"
    yield from _faults(file["faults"], 2)
    for interchange in file["interchanges"]:
        ends = [
            f"{interchange[end]['qualifier']}/{interchange[end]['id']}".strip("/") for end in ("sender", "receiver")
        ]
        test = ", test" if interchange["isTest"] else ""
        yield (
            f"  {interchange['standard']} {interchange['version']} interchange {interchange['control']}"
            f" from {ends[0]} to {ends[1]}{test}: {interchange['verdict']}"
        )
        yield from (
            f"    put right at byte {repair['offset']}: {repair['message']}" for repair in interchange["repairs"]
        )
        yield from _faults(interchange["faults"], 4)
        for answer in interchange["answers"]:
            why = f" ({', '.join(answer['errors'])})" if answer["errors"] else ""
            yield f"    TA1 about interchange {answer['control']}: {_TA1.get(answer['verdict'], answer['verdict'])}{why}"
        for group in interchange["groups"]:
            named = " ".join(part for part in (group["functionalId"], group["version"]) if part)
            yield f"    group {group['control']} {named}".rstrip() + f": {group['verdict']}"
            yield from _faults(group["faults"], 6)
            for document in group["sets"]:
                yield f"      set {document['control']} {document['kind']} {document['version']}".rstrip() + (
                    f": {document['verdict']}"
                )
                yield from _faults(document["faults"], 8)


def proposal_lines(proposal: Mapping[str, Any]) -> Iterator[str]:
    """A proposed profile: who, the settings with their evidence, and what is left to a person."""
    partner, seen = proposal["partner"], proposal["seen"]
    if partner is None:
        yield "No document of a partner was found."
    else:
        yield (
            f"{partner['standard']} partner {_address(partner['qualifier'], partner['interchangeId'])}"
            f" (group {partner['groupId'] or '-'}) writes to"
            f" {_address(partner['ourQualifier'], partner['ourInterchangeId'])} (group {partner['ourGroupId'] or '-'})"
        )
    documents = ", ".join(f"{count} {kind}" for kind, count in seen["documents"].items())
    yield f"seen: {documents or 'no documents'} in {seen['files']} files; versions {', '.join(seen['versions']) or '-'}"
    for marks in seen["separators"]:
        shown = " ".join(f"{name} {marks[name]!r}" for name in ("element", "component", "segment") if marks[name])
        yield f"  separators in {marks['files']} files: {shown}"
    yield from (f"  not read: {line}" for line in seen["unread"])
    yield "proposed guide:"
    for name, value in proposal["guide"].items():
        why = proposal["evidence"].get(name)
        yield f"  {name} = {json.dumps(value)}" + (f"  ({why})" if why else "")
    yield "left to you:"
    yield from (f"  {entry['setting']}: {entry['why']}" for entry in proposal["undecided"])
    tried = ", ".join(f"{count} {word}" for word, count in proposal["tried"].items() if count)
    yield f"the files under this guide: {tried or 'none'}"


def _address(qualifier: str, name: str) -> str:
    return f"{qualifier}/{name}".strip("/")


def document_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `edi list` as JSON values."""
    return {
        "id": row["id"],
        "partner": row["partner"],
        "standard": row["standard"],
        "kind": row["kind"],
        "identity": row["identity"],
        "businessKey": row["business_key"],
        "validation": row["validation"],
        "delivery": row["delivery"],
        "acknowledgement": row["acknowledgement"],
        "quarantineState": row["quarantine_state"],
        "quarantineReason": row["quarantine_reason"],
        "reason": reason_of(
            row["delivery"], row["quarantine_state"], row["quarantine_reason"], (row["result"] or {}).get("note")
        ),
        "faults": row["faults"],
        "receivedAt": _instant(row["received_at"]),
        "appliedAt": _instant(row["applied_at"]),
    }


def document_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """One document in a list; what has no effect says why."""
    about = f"  about {document['businessKey']}" if document["businessKey"] else ""
    yield (
        f"{document['id']:>8}  {document['receivedAt'][:19]}  {document['partner'] or '?'}  {document['kind']}"
        f"  {document['delivery']}{about}"
    )
    if document["reason"]:
        yield f"{'':10}{document['reason']}"


def full_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """One document with everything that is known of it, as JSON values."""
    return {
        **document_facts({**row, "received_at": row["created_at"]}),
        "purchaseOrder": row["purchase_order"],
        "usage": row["usage"],
        "group": row["group_control"],
        "functionalId": row["functional_id"],
        "position": row["position"],
        "guideVersion": row["guide_version"],
        "result": row["result"],
        "rawId": row["raw_id"],
        "fileBytes": row["file_bytes"],
        "fileSha256": row["file_sha256"],
        "fileReceivedAt": _instant(row["file_received_at"]),
    }


def full_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """One document for a person: its facts, then its faults; what does not hold any more is told as the past."""
    is_past = document["quarantineState"] is not None and document["delivery"] != EdiDelivery.QUARANTINED
    for name, value in document.items():
        if name == "quarantineReason":
            name = "wasSetAsideFor" if is_past else ""
        if name not in ("", "faults") and value not in (None, ""):
            yield f"{name:<17} {value}"
    if is_past and document["delivery"] in (EdiDelivery.IGNORED, EdiDelivery.RECEIVED) and document["faults"]:
        yield "found when it was set aside:"
    yield from _faults(document["faults"], 0)


def _faults(faults: Sequence[Mapping[str, Any]], indent: int) -> Iterator[str]:
    for fault in faults:
        place = [f"segment {fault['segmentNumber']} {fault['segment']}"] if fault.get("segmentNumber") else []
        if fault.get("element"):
            part = f".{fault['component']}" if fault.get("component") else ""
            place.append(f"element {fault['element']}{part}")
        if not place and fault.get("offset") is not None:
            place.append(f"byte {fault['offset']}")
        place.append(f"code {fault['code']}")
        if fault.get("value"):
            place.append(f"value {fault['value']!r}")
        word = "error" if fault["severity"] == "error" else "note"
        yield f"{'':{indent}}{word}: {', '.join(place)}: {fault['message']}"


def _instant(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
