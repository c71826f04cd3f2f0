"""The five ways of saying "6 now, 4 later" of a line of 10, written for this project: each means it under its own guide only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.edi.guide import PartialBackorder, PartnerGuide
from core.edi.try_sample import try_sample

FOLDER = Path(__file__).parent
MEANT = {"0001": {"1": {"accepted": 6, "backordered": 4}}}


def guide(encoding: PartialBackorder) -> PartnerGuide:
    return replace(PartnerGuide(), partial_backorder_encoding=encoding)


@pytest.mark.parametrize("encoding", list(PartialBackorder))
def test_an_encoding_means_six_now_and_four_later(encoding: PartialBackorder):
    content = (FOLDER / f"partial_backorder.{encoding}.edi").read_bytes()
    assert try_sample(content, guide(encoding), MEANT) == []


def test_a_guide_for_another_encoding_is_told_what_the_sample_means():
    content = (FOLDER / "partial_backorder.partial_with_backordered.edi").read_bytes()
    (wrong,) = try_sample(content, guide(PartialBackorder.PARTIAL_WITH_ACCEPTED), MEANT)
    assert "'accepted': 4, 'backordered': 6" in wrong


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"no EDI at all", "No document was found in it."),
        ((FOLDER / "partial_backorder.backorder_alone.edi").read_bytes().replace(b"*4*EA", b"*FOUR*EA"), "Set 0001"),
    ],
)
def test_what_cannot_be_read_is_said(content: bytes, expected: str):
    assert try_sample(content, PartnerGuide())[0].startswith(expected)
