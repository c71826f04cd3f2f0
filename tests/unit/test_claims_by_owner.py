"""The claims of a line, found without going through those of all others."""

from __future__ import annotations

import copy
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.domain.claims_by_owner import ClaimsByOwner
from core.domain.records import Line, Peg
from core.domain.states import PegKind

DAY = date(2026, 11, 2)
LINES = [Line(1, 1, 1, 5), Line(2, 1, 2, 5), Line(None, 2, 1, 5)]
"""The third is new: it has no id yet."""


def claim(number: int, owner: int) -> Peg:
    """Of a line that was loaded (0 to 2), of lines 1 and 2 where they were not (3 and 4), or of a transfer (5)."""
    peg = Peg(number, 1, DAY + timedelta(days=number), 1, PegKind.OPEN)
    if owner < 3:
        peg.line, peg.line_id = LINES[owner], LINES[owner].id
    elif owner < 5:
        peg.line_id = owner - 2
    return peg


def check(index: ClaimsByOwner, claims: list[Peg]) -> None:
    for line in LINES:
        mine = [peg for peg in claims if peg.belongs_to(line)]
        found = index.of(claims, line)
        assert {id(peg) for peg in found} == {id(peg) for peg in mine}
        assert len(found) == len(mine)
        for loaded in (True, False):  # in the order of the book
            assert [p.id for p in found if (p.line is None) != loaded] == [
                p.id for p in mine if (p.line is None) != loaded
            ]


@given(
    st.lists(st.tuples(st.sampled_from(["add", "remove", "outside", "cut", "copy"]), st.integers(0, 5)), max_size=25)
)
def test_the_index_finds_what_a_look_through_all_finds(steps) -> None:
    claims: list[Peg] = []
    index = ClaimsByOwner()
    for number, (step, choice) in enumerate(steps):
        if step == "add":
            index.add(claims, claim(number, choice))
        elif step == "outside":
            claims.append(claim(number, choice))
        elif step == "remove" and claims:
            index.remove(claims, claims[choice % len(claims)])
        elif step == "cut":
            claims = [peg for peg in claims if peg.id != choice]
        elif step == "copy":
            index = copy.deepcopy(index)
        check(index, claims)


def test_the_very_claim_is_removed_not_one_that_looks_the_same() -> None:
    claims: list[Peg] = []
    index = ClaimsByOwner()
    one, other = claim(1, 0), claim(1, 0)
    index.add(claims, one)
    index.add(claims, other)
    index.remove(claims, other)
    assert claims[0] is one
    assert index.of(claims, LINES[0])[0] is one
    assert len(claims) == 1


def test_another_list_is_looked_through_anew() -> None:
    index = ClaimsByOwner()
    one, other = [claim(1, 0)], [claim(2, 0)]
    assert index.of(one, LINES[0]) == one
    assert index.of(other, LINES[0]) == other
