"""Whose claims are whose, so that nobody goes through all claims of a book for those of one line."""

from __future__ import annotations

from collections import defaultdict

from core.domain.records import Line, Peg


class ClaimsByOwner:
    """An index over the claims of one book, made when first asked and again whenever it does not fit them any more.

    A book's claims only ever come to the end of its list and leave it: as many as were counted are the same ones.
    """

    __slots__ = ("_by_id", "_by_line", "_claims", "_count")

    def __init__(self) -> None:
        self._claims: list[Peg] | None = None
        self._count = 0
        self._by_line: defaultdict[int, list[Peg]] = defaultdict(list)
        """By identity of the line, where it was loaded: a new line has no id yet."""
        self._by_id: defaultdict[int, list[Peg]] = defaultdict(list)
        """By id of the line, where it was not loaded."""

    def __reduce__(self) -> tuple[type[ClaimsByOwner], tuple[()]]:
        """A copy is made anew when asked: lines are told apart by identity."""
        return ClaimsByOwner, ()

    def of(self, claims: list[Peg], line: Line) -> list[Peg]:
        """The claims of a line, in the order of the book."""
        self._fit(claims)
        found = self._by_line.get(id(line), ())
        if line.id is not None and (others := self._by_id.get(line.id)):
            return [*found, *others]
        return list(found)

    def add(self, claims: list[Peg], peg: Peg) -> None:
        """Put a claim at the end of the book's list."""
        self._fit(claims)
        claims.append(peg)
        self._note(peg)

    def remove(self, claims: list[Peg], peg: Peg) -> None:
        """Take a claim, this very one, off the book's list."""
        self._fit(claims)
        _without(claims, peg)
        self._count -= 1
        owner = self._by_line.get(id(peg.line)) if peg.line is not None else self._by_id.get(peg.line_id or 0)
        if owner:
            _without(owner, peg)

    def _fit(self, claims: list[Peg]) -> None:
        if claims is self._claims and len(claims) == self._count:
            return
        self._claims, self._count = claims, 0
        self._by_line.clear()
        self._by_id.clear()
        for peg in claims:
            self._note(peg)

    def _note(self, peg: Peg) -> None:
        self._count += 1
        if peg.line is not None:
            self._by_line[id(peg.line)].append(peg)
        elif peg.line_id is not None:
            self._by_id[peg.line_id].append(peg)


def _without(claims: list[Peg], peg: Peg) -> None:
    for position, other in enumerate(claims):
        if other is peg:
            del claims[position]
            return
