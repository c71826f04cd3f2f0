"""Codes that are in no list we know are said, wherever they would change what a document means."""

import pytest

from core.edi.judge_file import judge_file
from tests.unit.edi_messages import EDIFACT, X12, edifact_file, x12_file


def notes_of(data: bytes) -> list[tuple[str, str, int | None, str]]:
    (group,) = judge_file(data)["interchanges"][0]["groups"]
    return [(f["code"], f["segment"], f["element"], f["value"]) for f in group["sets"][0]["faults"]]


@pytest.mark.parametrize(
    ("kind", "old", "new", "said"),
    [
        ("855", "BAK*00*AC", "BAK*QQ*AC", ("7", "BAK", 1, "QQ")),
        ("855", "BAK*00*AC", "BAK*00*AP", ("header_type", "BAK", 2, "AP")),
        ("856", "BSN*00", "BSN*QQ", ("7", "BSN", 1, "QQ")),
        ("856", "MAN*GM", "MAN*QQ", ("7", "MAN", 1, "QQ")),
        ("214", "AT7*SD", "AT7*QQ", ("status", "AT7", 1, "QQ")),
        ("940", "W05*N", "W05*Q", ("7", "W05", 1, "Q")),
    ],
)
def test_unknown_codes_of_x12(kind: str, old: str, new: str, said: tuple[str, str, int, str]):
    data = x12_file(kind, X12[kind])
    assert old.encode() in data
    assert notes_of(data.replace(old.encode(), new.encode(), 1)) == [said]


@pytest.mark.parametrize(
    ("kind", "old", "new", "said"),
    [
        ("ORDRSP", "QTY+113:", "QTY+998:", ("quantity_kind", "QTY", 1, "998")),
        ("ORDCHG", "QTY+21:", "QTY+998:", ("quantity_kind", "QTY", 1, "998")),
        ("INVOIC", "QTY+47:", "QTY+998:", ("quantity_kind", "QTY", 1, "998")),
        ("DESADV", "QTY+12:", "QTY+998:", ("quantity_kind", "QTY", 1, "998")),
        ("ORDRSP", "DTM+69:", "DTM+998:", ("12", "DTM", 1, "998")),
        ("DESADV", "BGM+351+A1+9", "BGM+351+A1+98", ("12", "BGM", 3, "98")),
    ],
)
def test_unknown_codes_of_edifact(kind: str, old: str, new: str, said: tuple[str, str, int, str]):
    data = edifact_file(kind, EDIFACT[kind])
    assert old.encode() in data
    assert said in notes_of(data.replace(old.encode(), new.encode(), 1))


@pytest.mark.parametrize(("at", "said"), [(1, ("35", "UCI", None, "")), (2, ("13", "UCI", None, ""))])
def test_a_contrl_has_its_uci_once_and_behind_unh(at: int, said: tuple[str, str, None, str]):
    uci, *rest = EDIFACT["CONTRL"].rstrip("'").split("'")
    segments = [uci, uci, *rest] if at == 1 else [*rest, uci]
    assert said in notes_of(edifact_file("CONTRL", "'".join(segments) + "'"))
