"""Turns a TA1 segment into an `InterchangeAcknowledgement`: whether an interchange of ours arrived and could be opened."""

from __future__ import annotations

from core.edi.interchanges import Segment
from core.edi.reply_documents import InterchangeAcknowledgement
from core.edi.x12_values import day

# Element I18 in short words of our own; the reader reports its own faults of the envelope under the same codes.
NOTES = {
    "000": "no error",
    "001": "control numbers of ISA and IEA do not match",
    "002": "standard not supported",
    "003": "version not supported",
    "004": "invalid segment terminator",
    "005": "invalid sender qualifier",
    "006": "invalid sender",
    "007": "invalid receiver qualifier",
    "008": "invalid receiver",
    "009": "unknown receiver",
    "010": "invalid authorization qualifier",
    "011": "invalid authorization",
    "012": "invalid security qualifier",
    "013": "invalid security value",
    "014": "invalid date",
    "015": "invalid time",
    "016": "invalid standards mark",
    "017": "invalid version",
    "018": "invalid control number",
    "019": "invalid acknowledgement request",
    "020": "invalid test indicator",
    "021": "wrong count of groups",
    "022": "invalid control structure",
    "023": "unexpected end of file",
    "024": "invalid content",
    "025": "control number used before",
    "026": "invalid element separator",
    "027": "invalid component separator",
    "028": "invalid delivery date in a deferred request",
    "029": "invalid delivery time in a deferred request",
    "030": "invalid delivery time code",
    "031": "invalid grade of service",
}


def decode_ta1(segment: Segment) -> InterchangeAcknowledgement:
    """What it says of the interchange with this ISA13."""
    code = segment.value(5)
    return InterchangeAcknowledgement(
        control=segment.value(1),
        verdict=segment.value(4),
        errors=(NOTES.get(code, f"code {code}"),) if code.strip("0") else (),
        sent_on=day(segment.value(2)),
        is_receipt_only=True,
    )
