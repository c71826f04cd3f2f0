"""Writes the acknowledgement (997, or 999) of one received group: what could be read, where and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.edi.documents import SetResult
from core.edi.guide import GroupAnswer
from core.edi.interchanges import Fault, Group, Level, Verdict
from core.edi.x12_writer import Envelope, Row, free_text, write_interchange
from core.errors import InvalidInput

_SET_CODES = ("1", "2", "3", "4", "5", "6", "7", "23")
_OF_999 = {"AK3": "IK3", "AK4": "IK4", "AK5": "IK5"}
_GROUP_CODES = ("1", "2", "3", "4", "5", "6")


_999_VERSION = "005010X231A1"


def write_997(
    group: Group, results: Sequence[SetResult], envelope: Envelope, kind: GroupAnswer = GroupAnswer.FUNCTIONAL
) -> bytes:
    """The whole interchange, one 997 or 999 for `group`. InvalidInput for a group FA: these are never answered.

    `results` has one entry for every set of the group, in its order.
    """
    if group.functional_id == "FA":
        raise InvalidInput(f"Group {group.control} is an acknowledgement itself and is never acknowledged.")
    if len(results) != len(group.sets):
        raise InvalidInput(f"Group {group.control} has {len(group.sets)} sets, {len(results)} of them have a result.")
    rows: list[Row] = [("AK1", _clean(group.functional_id, 2), _clean(group.control, 9))]
    for result in results:
        # A set that lost its ST cannot be named; the counts of AK9 tell of it.
        rows.extend(_set_rows(result) if result.kind and result.control else [])
    accepted = sum(result.verdict is not Verdict.REJECTED for result in results)
    included = group.claimed_sets if group.claimed_sets is not None else len(group.sets)
    own = (fault.code for fault in group.faults if fault.level is Level.GROUP and fault.code in _GROUP_CODES)
    codes = list(dict.fromkeys(own))[:5]
    rows.append(("AK9", _group_verdict(group, results, accepted), included, len(group.sets), accepted, *codes))
    if kind is GroupAnswer.FUNCTIONAL:
        return write_interchange("997", "FA", [rows], envelope)
    rows = [(_OF_999.get(str(tag), tag), *values) for tag, *values in rows]
    return write_interchange("999", "FA", [rows], replace(envelope, version=_999_VERSION), _999_VERSION)


def _group_verdict(group: Group, results: Sequence[SetResult], accepted: int) -> str:
    if accepted < len(results):
        return "P" if accepted else "R"
    if group.faults or any(result.verdict is Verdict.ACCEPTED_WITH_ERRORS for result in results):
        return "E"
    return "A"


def _set_rows(result: SetResult) -> list[Row]:
    rows: list[Row] = [("AK2", _clean(result.kind, 3), _clean(result.control, 9))]
    if result.verdict is Verdict.ACCEPTED:
        return [*rows, ("AK5", "A")]
    details = [
        fault for fault in result.faults if fault.level in (Level.SEGMENT, Level.ELEMENT) and fault.segment_number
    ]
    places: dict[tuple[int, str], list[Fault]] = {}
    for fault in details:
        places.setdefault((fault.segment_number or 0, fault.segment), []).append(fault)
    for (number, segment), faults in sorted(places.items()):
        whole = next((fault.code for fault in faults if fault.level is Level.SEGMENT), None)
        rows.append(("AK3", _clean(segment, 3), number, "", whole or "8"))
        rows.extend(_element_row(fault) for fault in faults if fault.level is Level.ELEMENT)
    codes = [fault.code for fault in result.faults if fault.level is Level.SET and fault.code in _SET_CODES]
    if details or not codes:
        codes.append("5")
    return [*rows, ("AK5", result.verdict.value, *list(dict.fromkeys(codes))[:5])]


def _element_row(fault: Fault) -> Row:
    return ("AK4", fault.element or 1, fault.data_element, fault.code, free_text(fault.value, 99))


def _clean(text: str, longest: int) -> str:
    """What the partner sent, so that it can be repeated: never with our separators in it."""
    return free_text(text, longest)
