"""Builds the HL tree of a ship notice from HL01 and HL02, whatever the order of its levels, and says what is broken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from core.edi.interchanges import Fault, Level, Segment, Severity

# Used only where a sender leaves HL02 out: a node then hangs under the nearest earlier node of a higher level.
_RANKS = {"S": 0, "O": 1, "T": 2, "P": 3, "I": 4}


@dataclass(slots=True)
class Node:
    """One HL loop: its own segments without those of its children."""

    number: str
    level: str
    parent: Node | None
    segments: list[Segment] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    def ancestors(self) -> list[Node]:
        """From the parent up to the root."""
        found: list[Node] = []
        node = self.parent
        while node is not None:
            found.append(node)
            node = node.parent
        return found

    def descendants(self) -> list[Node]:
        """Breadth first, so the nearest come first."""
        found = list(self.children)
        for node in found:
            found.extend(node.children)
        return found

    def all(self, tag: str) -> list[Segment]:
        return [segment for segment in self.segments if segment.tag == tag]

    def first(self, tag: str) -> Segment | None:
        return next((segment for segment in self.segments if segment.tag == tag), None)


def build_tree(segments: tuple[Segment, ...]) -> list[Node]:
    """All nodes in the order of the document; a node whose parent is unknown is a root."""
    nodes: list[Node] = []
    by_number: dict[str, Node] = {}
    latest: dict[str, tuple[int, Node]] = {}
    for segment in segments:
        if segment.tag == "HL":
            number, parent_number, level = _plain(segment.value(1)), _plain(segment.value(2)), segment.value(3)
            parent = by_number.get(parent_number) if parent_number else _implied_parent(nodes, latest, level)
            node = Node(number, level, parent, [segment])
            if parent is not None:
                parent.children.append(node)
            by_number.setdefault(number, node)
            nodes.append(node)
            latest[level] = (len(nodes), node)
        elif segment.tag in ("CTT", "SE"):
            continue
        elif nodes:
            nodes[-1].segments.append(segment)
    return nodes


def _implied_parent(nodes: list[Node], latest: dict[str, tuple[int, Node]], level: str) -> Node | None:
    """The nearest earlier node of a higher level; `latest` has the last node of each level with its place."""
    if not nodes or level == "S":
        return None
    rank = _RANKS.get(level)
    if rank is None:
        return nodes[-1]
    above = [found for name, found in latest.items() if _RANKS.get(name, 9) < rank]
    return max(above, key=lambda found: found[0])[1] if above else None


def hierarchy_faults(segments: tuple[Segment, ...], depth_limit: int) -> tuple[Fault, ...]:
    """A repeated HL01, one that does not count on (noted once), a parent behind its child, a tree deeper than the limit."""
    faults: list[Fault] = []
    depths: dict[str, int] = {}
    is_counted = True
    for segment in segments:
        if segment.tag != "HL":
            continue
        number, parent = _plain(segment.value(1)), _plain(segment.value(2))
        if parent and parent not in depths:
            said = segment.value(2)
            text = f"HL02 of segment {segment.number} names the parent {said!r}, which does not come before it."
            faults.append(_fault(segment, "7", 2, said, "734", text))
        elif segment.value(2) and not parent:
            text = f"HL02 of segment {segment.number} is {segment.value(2)!r}: what is on top has no parent."
            faults.append(replace(_fault(segment, "7", 2, segment.value(2), "734", text), severity=Severity.WARNING))
        if number in depths:
            text = f"HL01 of segment {segment.number} repeats the number {number!r}."
            faults.append(_fault(segment, "7", 1, number, "628", text))
        elif is_counted and number != str(len(depths) + 1):
            text = f"HL01 of segment {segment.number} is {segment.value(1)!r}; {len(depths) + 1} comes next."
            faults.append(replace(_fault(segment, "7", 1, segment.value(1), "628", text), severity=Severity.WARNING))
            is_counted = False
        depths[number] = depths.get(parent, 0) + 1 if parent else 1
        if depths[number] > depth_limit:
            text = f"HL {number} lies deeper than {depth_limit} levels."
            faults.append(_fault(segment, "7", 2, parent, "734", text))
            break
    return tuple(faults)


def _plain(number: str) -> str:
    """HL numbers are numbers: 01 is 1. Some senders write 0 where there is no parent."""
    return number.lstrip("0") if number.isascii() and number.isdecimal() else number


def _fault(segment: Segment, code: str, element: int, value: str, reference: str, message: str) -> Fault:
    return Fault(
        Level.ELEMENT,
        Severity.ERROR,
        code,
        message,
        segment.number,
        segment.tag,
        element,
        None,
        value,
        reference,
        segment.offset,
    )
