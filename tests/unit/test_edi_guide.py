"""Partner guides are data: they survive JSON, take defaults, and refuse what they do not know."""

import json

import pytest

from core.edi.guide import (
    DEFAULT_GUIDE,
    Deadlines,
    LineKey,
    PartialBackorder,
    PartialDate,
    PartnerGuide,
    Remainder,
    Strictness,
)
from core.errors import InvalidInput


def test_a_guide_survives_json():
    guide = PartnerGuide(
        line_key=LineKey.BUYER_SKU,
        partial_backorder_encoding=PartialBackorder.PARTIAL_WITH_BACKORDERED,
        partial_date=PartialDate.BALANCE,
        ib_quantity_is_ordered=True,
        iq_policy=Remainder.REVIEW,
        quantity_tolerance=2,
        duplicate_window_days=90,
        strictness=Strictness.STRICT,
        code_map={"Z9": "IB"},
        header_map={"NA": "AD"},
        unit_map={"CA": 12},
        deadlines=Deadlines(4, None, 72),
    )
    assert PartnerGuide.from_json(json.loads(json.dumps(guide.to_json()))) == guide


def test_missing_keys_take_their_defaults():
    assert PartnerGuide.from_json({}) == DEFAULT_GUIDE
    assert PartnerGuide.from_json({"iq_policy": "backorder"}) == PartnerGuide(iq_policy=Remainder.BACKORDER)


@pytest.mark.parametrize(
    ("guide", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"line_key": "shoe_size"}, "line_key"),
        ({"quantity_tolerance": -1}, "quantity_tolerance"),
        ({"quantity_tolerance": True}, "quantity_tolerance"),
        ({"ib_quantity_is_ordered": "yes"}, "ib_quantity_is_ordered"),
        ({"unit_map": {"CA": 0}}, "unit_map"),
        ({"unit_map": ["CA"]}, "unit_map"),
        ({"deadlines": {"fax_hours": 2}}, "deadlines"),
    ],
)
def test_what_cannot_be_is_refused_by_name(guide, field):
    with pytest.raises(InvalidInput) as refused:
        PartnerGuide.from_json(guide)
    assert refused.value.path == ("guide", field)
