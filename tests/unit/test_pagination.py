"""Ids and cursors are opaque, exact and refuse what they did not make; page arguments are checked."""

import base64
import json
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pagination import (
    NODE_KINDS,
    BadUserInput,
    NodeId,
    decode_cursor,
    decode_id,
    encode_cursor,
    encode_id,
    page_of,
    slice_of,
)
from core.queries.page import Page, Sort, SortKey

BIGINT = st.integers(0, 2**63 - 1)
SORT = Sort(
    "test",
    (
        SortKey("t.at", datetime, "timestamptz"),
        SortKey("t.day", date, "date"),
        SortKey("t.name", str, "text"),
        SortKey("t.id", int, "bigint"),
    ),
)


@given(st.sampled_from(NODE_KINDS), BIGINT, BIGINT)
def test_an_id_reads_back_as_what_it_was_made_of(kind, sku_id, id):
    assert decode_id(encode_id(kind, id, sku_id)) == NodeId(kind, sku_id, id)


@given(st.text(max_size=40))
def test_no_text_crashes_the_reader_of_ids(text):
    with suppress(BadUserInput):
        node = decode_id(text)
        assert encode_id(node.kind, node.id, node.sku_id) == text


def test_refusals_carry_the_published_code():
    with pytest.raises(BadUserInput) as caught:
        decode_id("nonsense")
    assert caught.value.extensions == {"code": "BAD_USER_INPUT"}


def test_the_id_of_another_type_is_refused():
    with pytest.raises(BadUserInput, match="is the id of Order, not of Backorder"):
        decode_id(encode_id("Order", 7), "Backorder")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x02\x00\x00\x07",
        b"\x01\xff\x00\x07",
        b"\x01\x00\x00",
        b"\x01\x00\x00\x07\x00",
        b"\x01\x00\x80\x00\x07",
        b"\x01\x00\x00" + b"\xff" * 9 + b"\x7f",
    ],
    ids=["empty", "no type", "version", "type", "no id", "trailing", "overlong", "too large"],
)
def test_a_damaged_id_is_refused(data):
    with pytest.raises(BadUserInput, match="is not an id"):
        decode_id(base64.urlsafe_b64encode(data).rstrip(b"=").decode())


INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(9000, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@given(INSTANTS, st.dates(), st.text().filter(lambda text: "\0" not in text), BIGINT)
def test_a_cursor_reads_back_exactly(at, day, name, id):
    assert decode_cursor(SORT, encode_cursor(SORT, [at, day, name, id])) == (at, day, name, id)


def test_a_cursor_is_written_in_one_way_only():
    cursor = encode_cursor(SORT, [datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1), "xy", 1])
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(cursor) % 4  # its last letter has bits that say nothing
    with pytest.raises(BadUserInput):
        decode_cursor(SORT, cursor[:-1] + letters[letters.index(cursor[-1]) + 1])


def test_a_cursor_of_another_order_is_refused():
    other = Sort("other", SORT.keys)
    cursor = encode_cursor(other, [datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1), "x", 1])
    with pytest.raises(BadUserInput, match="in another order"):
        decode_cursor(SORT, cursor)


@given(st.text(max_size=60))
def test_no_text_crashes_the_reader_of_cursors(text):
    with pytest.raises(BadUserInput):
        decode_cursor(SORT, text)


@pytest.mark.parametrize(
    ("first", "last"), [(None, None), (1, 1), (0, None), (101, None), (None, 0), (None, 101), (-1, None)]
)
def test_page_sizes_are_checked(first, last):
    with pytest.raises(BadUserInput):
        page_of(SORT, first, None, last, None)


def test_page_arguments():
    assert page_of(SORT, 100, None, None, None) == Page(limit=100)
    assert page_of(SORT, None, None, 1, None) == Page(limit=1, backward=True)


@pytest.mark.parametrize(
    ("page", "has_more", "expected"),
    [
        (Page(1), True, (True, False)),
        (Page(1, after=(1,)), False, (False, True)),
        (Page(1, backward=True), True, (False, True)),
        (Page(1, backward=True, before=(1,)), False, (True, False)),
    ],
)
def test_page_info_says_what_lies_around(page, has_more, expected):
    sort = Sort("id", (SortKey("t.id", int, "bigint"),))
    found = slice_of(sort, page, [{"k0": 5}], has_more)
    assert (found.has_next, found.has_previous) == expected
    assert decode_cursor(sort, found.cursors[0]) == (5,)


@pytest.mark.parametrize(
    "values",
    [
        ["2026-01-01T00:00:00Z", "2026-01-01", "n", 2**63],
        ["2026-01-01T00:00:00Z", "2026-01-01", "n", -(2**63) - 1],
        ["2026-01-01T00:00:00Z", "2026-01-01", "n\x00", 1],
        ["0001-01-01T00:00:00+14:00", "2026-01-01", "n", 1],
        ["2026-01-01T00:00:00", "2026-01-01", "n", 1],
    ],
)
def test_a_forged_cursor_that_no_column_can_hold_is_refused(values):
    text = base64.urlsafe_b64encode(b"\x01" + json.dumps(["test", *values]).encode()).rstrip(b"=").decode()
    with pytest.raises(BadUserInput):
        decode_cursor(SORT, text)
