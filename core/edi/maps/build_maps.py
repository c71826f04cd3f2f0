"""Builds pyx12's maps from the table: the sets in memory, and the two files that pyx12 reads from a folder only.

`python -m core.edi.maps.build_maps` writes those two; a test compares them with the table.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from core.edi.maps.elements import ELEMENTS
from core.edi.maps.segments import OPEN_SEGMENTS, SEGMENTS
from core.edi.maps.table import SETS, Row

FOLDER = Path(__file__).parent
_OPEN_ROW = " ".join(["ANY"] * 30)


def folder_files() -> dict[str, str]:
    """File name to XML text: our data elements, and an empty list of outside code lists."""
    root = Element("data_elements")
    for number, (kind, shortest, longest, name) in ELEMENTS.items():
        SubElement(
            root, "data_ele", ele_num=number, data_type=kind, min_len=str(shortest), max_len=str(longest), name=name
        )
    return {"dataele.xml": _text(root), "codes.xml": _text(Element("codes"))}


def set_map(kind: str) -> Element:
    """The XML map of one set, such as 855, as pyx12 wants it. KeyError for a set that the table does not have."""
    rows = SETS[kind]
    root = Element("transaction", xid=kind, name=kind)
    interchange = SubElement(
        root, "loop", xid="ISA_LOOP", type="explicit", name="interchange", usage="R", pos="1", repeat=">1"
    )
    SubElement(interchange, "segment", xid="ISA", name="ISA", usage="R", pos="1", max_use="1")
    group = SubElement(
        interchange, "loop", xid="GS_LOOP", type="explicit", name="group", usage="R", pos="2", repeat=">1"
    )
    SubElement(group, "segment", xid="GS", name="GS", usage="R", pos="1", max_use="1")
    body = SubElement(group, "loop", xid="ST_LOOP", type="explicit", name="set", usage="R", pos="2", repeat=">1")
    _rows(body, ("ST!", *rows, "SE!"))
    return root


def _rows(parent: Element, rows: tuple[Row, ...]) -> None:
    for place, row in enumerate(rows, start=1):
        if isinstance(row, str):
            _segment(parent, row, place)
            continue
        opening = row[0]
        if not isinstance(opening, str):
            raise TypeError(f"A loop opens with a segment, not {opening!r}.")
        tag = opening.rstrip("!")
        loop = SubElement(
            parent,
            "loop",
            xid=f"L{place}_{tag}",
            type="implicit",
            name=f"loop of {tag}",
            usage="R" if opening.endswith("!") else "S",
            pos=str(place),
            repeat=">1",
        )
        _rows(loop, (f"{tag}!", *row[1:]))


def _segment(parent: Element, row: str, place: int) -> None:
    head, _, most = row.partition(" ")
    tag = head.rstrip("!")
    usage = "R" if head.endswith("!") else "S"
    segment = SubElement(parent, "segment", xid=tag, name=tag, usage=usage, pos=str(place), max_use=most or "1")
    elements = SEGMENTS[tag] if tag not in OPEN_SEGMENTS else _OPEN_ROW
    for at, reference in enumerate(elements.split(), start=1):
        number = reference.rstrip("!")
        SubElement(
            segment,
            "element",
            xid=f"{tag}{at:02d}",
            data_ele=number,
            name=ELEMENTS[number][3],
            usage="R" if reference.endswith("!") else "S",
            seq=f"{at:02d}",
        )


def _text(root: Element) -> str:
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


if __name__ == "__main__":
    for file_name, content in folder_files().items():
        (FOLDER / file_name).write_text(content, encoding="utf-8")
