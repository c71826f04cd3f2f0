"""Where the table alone says that a segment is valid, pyx12 finds no fault in it either."""

from hypothesis import given, settings
from hypothesis import strategies as st
from pyx12.map_if import segment_if
from pyx12.segment import Segment as Pyx12Segment

from core.edi.interchanges import Segment
from core.edi.map_validation import _map, is_plainly_valid
from core.edi.maps.segments import SEGMENTS

ROOT, _ = _map("855")
NODES: dict[str, segment_if] = {}
WAITING = [ROOT]
while WAITING:
    for child in (child for places in WAITING.pop().pos_map.values() for child in places):
        if isinstance(child, segment_if):
            NODES.setdefault(child.id, child)
        else:
            WAITING.append(child)
TAGS = sorted(set(NODES) & set(SEGMENTS))
values = st.one_of(
    st.just(""),
    st.sampled_from(
        ["20261120", "20261320", "261120", "10", "1.5", "-3", "EA", "IA", "067", "VP", "A" * 90, " A", "0930"]
    ),
    st.text(max_size=6),
    st.integers(0, 10**9).map(str),
)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(TAGS), st.lists(values, max_size=12))
def test_what_is_plainly_valid_is_valid(tag: str, elements: list[str]):
    segment = Segment(tag, tuple((value,) for value in elements), 2, 0, 0)
    if not is_plainly_valid(segment):
        return
    while elements and not elements[-1]:
        elements.pop()
    parsed = Pyx12Segment("\x1c".join([tag, *elements]), "\x1e", "\x1c", "\x1d")
    assert NODES[tag].is_valid_errors(parsed)[1] == []


def test_a_usual_segment_is_plainly_valid():
    for text in ("PO1*1*10*EA***BP*SKU-1", "ACK*IA*10*EA*067*20261201", "BAK*00*AC*PO1*20261120"):
        tag, *elements = text.split("*")
        assert is_plainly_valid(Segment(tag, tuple((value,) for value in elements), 2, 0, 0))
